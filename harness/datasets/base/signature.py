"""What a study's models take, what they give, and who builds them. No Keras."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The two sides of a model.

    It takes ids of tokens, int32 (batch, time), or with `features` so many numbers a time step,
    float32 (batch, time, features). It gives one output, (batch, outputs), or with `steps` one for
    each of so many last time steps, (batch, steps, outputs). An output tells `classes` classes
    apart; with 0 classes it is a number. `builder` is the study's own function of models; None
    means `harness.models`.
    """

    classes: int = 2
    features: int = 0
    steps: int = 0
    builder: Callable[..., Any] | None = None

    @property
    def outputs(self) -> int:
        """The head's units: the probability of the second of two classes, or a number, is one."""
        return 1 if self.classes in (0, 2) else self.classes


BINARY = Signature()  # two classes of texts

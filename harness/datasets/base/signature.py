"""The inputs and outputs of a study's models, and the function that builds them. No Keras."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The inputs and outputs of a model.

    Inputs are ids of tokens, int32 (batch, time), or, if `features` is above 0, numbers, float32
    (batch, time, features). Outputs are (batch, outputs) or, if `steps` is above 0, (batch, steps,
    outputs): one output for each of the last `steps` time steps. With `classes` 0 the outputs are
    `numbers` numbers, else the probabilities of `classes` classes. With a `horizon` above 0 they
    are a forecast: the targets of each of so many steps, the first step first. `ragged` sequences
    have steps of padding, whose class is -1: they count neither in the loss nor in any metric. With
    `bits` the score of probabilities is their loss in bits, and not an accuracy. With `decodes` an
    encoder reads all inputs but the last `steps`, and a decoder, which also reads those, has the
    outputs. `builder` is the study's own function that builds models; None means
    `harness.training.networks`.
    """

    classes: int = 2
    features: int = 0
    steps: int = 0
    numbers: int = 1
    horizon: int = 0
    ragged: bool = False
    bits: bool = False
    decodes: bool = False
    builder: Callable[..., Any] | None = None

    @property
    def outputs(self) -> int:
        """Units of the output layer; two classes need one, the second's probability."""
        if self.classes == 0:
            return self.numbers
        return 1 if self.classes == 2 else self.classes


FIELDS = (
    "classes",
    "features",
    "steps",
    "numbers",
    "horizon",
    "bits",
    "decodes",
)  # of a signature, for JSON
BINARY = Signature()  # two classes of texts

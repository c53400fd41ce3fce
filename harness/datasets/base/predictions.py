"""What a model predicted for each example of a split, and which mistakes it was most certain of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Arrays, Dataset
from harness.datasets.base.text import PADDING, START, UNKNOWN

MAX_MISTAKES = 12  # whose inputs are kept as text
MAX_TOKENS = 120  # of an input kept as text: its last ones
UNKNOWN_WORD = "…"  # in the place of a word that the network does not know


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """Truth and prediction of each example.

    - `truth`, `predicted`: class numbers, int32 (n,) or, where steps have classes, (n, steps) with
      -1 for padding; or numbers in the target's unit, float32 (n,).
    - `certainty`: the probability that the model gave to the class it predicted, float32 of the
      same shape; empty where numbers are predicted.
    - `mistakes`: the examples of the most certain mistakes, the most certain first.
    - `inputs`: what the network read in each of these, as text; empty where it read numbers.
    """

    truth: NDArray[np.generic]
    predicted: NDArray[np.generic]
    certainty: NDArray[np.float32]
    mistakes: NDArray[np.int32]
    inputs: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset, split: Arrays, outputs: NDArray[np.float32]) -> "Predictions":
        """From a model's outputs (n, [steps,] outputs) for the examples of a split."""
        if dataset.classes == 0:
            scaling = dataset.scaling()
            mean, deviation = (scaling.get(name, [each])[0] for name, each in
                               (("y_mean", 0.0), ("y_std", 1.0)))  # fmt: skip
            truth, predicted = (
                (deviation * np.asarray(values, np.float64) + mean).astype(np.float32)
                for values in (split.y, outputs[..., 0])
            )
            nothing = np.zeros(0, np.int32)
            return cls(
                truth=truth, predicted=predicted, mistakes=nothing,
                certainty=nothing.astype(np.float32),
            )  # fmt: skip
        classes, certainty = classes_of(outputs)
        mistakes = np.zeros(0, np.int32)
        if classes.ndim == 1:
            wrong = np.flatnonzero(classes != split.y)
            first = np.argsort(-certainty[wrong], kind="stable")[:MAX_MISTAKES]
            mistakes = wrong[first].astype(np.int32)
        return cls(
            truth=split.y.astype(np.int32),
            predicted=classes.astype(np.int32),
            certainty=certainty.astype(np.float32),
            mistakes=mistakes,
        )

    def with_inputs(self, x: NDArray[np.int32], words: Sequence[str]) -> "Predictions":
        """The same with the inputs of the mistakes; `x` (n, length) has ids, `words` is by id."""
        return replace(self, inputs=tuple(as_text(x[place], words) for place in self.mistakes))


def classes_of(outputs: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Class numbers and their probabilities from a model's outputs: one of two, or one of many."""
    if outputs.shape[-1] == 1:
        second = outputs[..., 0]
        chosen = (second > 0.5).astype(np.int64)
        return chosen, np.where(chosen == 1, second, 1 - second)
    return outputs.argmax(axis=-1), outputs.max(axis=-1)


def as_text(ids: NDArray[np.int32], words: Sequence[str]) -> str:
    """The last words of an input (length,), without its marks."""
    read = [int(each) for each in ids if each not in (PADDING, START)][-MAX_TOKENS:]
    return " ".join(
        UNKNOWN_WORD if each == UNKNOWN or each >= len(words) else words[each] for each in read
    )

"""Baselines for streams of characters: an n-gram model, and what LZMA compresses. No Keras."""

import lzma
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.characters import CharacterTexts, streamed
from harness.datasets.base.dataset import Split

MAX_ORDER = 10


@dataclass(frozen=True)
class Bits:
    """Bits per character: of each example of the split (n,), and of the validation split.

    `parameters` counts what the model keeps: n-grams; 0 where there is nothing to count.
    """

    scores: NDArray[np.float64]
    validated: float
    parameters: int = 0


def n_gram(dataset: CharacterTexts, split: Split) -> Bits:
    """An n-gram model with Witten-Bell smoothing, of the order up to 10 that validates best.

    Order n predicts a character from the n - 1 before it. Witten and Bell, "The zero-frequency
    problem", IEEE Transactions on Information Theory 37:1085-1094 (1991), method C: contexts that
    were seen with many different characters leave more to the next lower order, down to equal
    probabilities.
    """
    found = streamed(dataset)
    parts = [found.ids[each] for each in ("train", "validation", split)]
    best, least = None, np.inf
    kept = 0
    for probabilities, grams in _by_order(parts, dataset.classes):
        kept += grams
        validated, scored = (-np.log2(each) for each in probabilities)
        if validated.mean() < least:
            least = float(validated.mean())
            best = Bits(_by_example(scored, dataset.predicted), least, kept)
    assert best is not None
    return best


def _by_order(parts: list[NDArray[Any]], classes: int) -> Any:
    """For each order, the probabilities of the characters of all parts but the first, which trains.

    Yields them with the number of different n-grams of the training part.
    """
    train = len(parts[0])
    held_out = np.cumsum([len(each) for each in parts])[1:-1] - train
    characters = np.concatenate(parts).astype(np.int64)
    starts = np.concatenate([np.full(len(each), at) for at, each in enumerate(parts)])
    probabilities = np.full(len(characters) - train, 1.0 / classes)
    contexts = np.zeros(len(characters), np.int64)  # a number for the n - 1 characters before each
    usable = np.ones(len(characters), bool)
    for order in range(1, MAX_ORDER + 1):
        if order > 1:
            back = order - 1
            usable[back:] &= starts[back:] == starts[:-back]
            usable[:back] = False
            before = np.zeros_like(characters)
            before[back:] = characters[:-back]
            contexts = np.unique(contexts * classes + before, return_inverse=True)[1]
        grams = np.unique(contexts * classes + characters, return_inverse=True)[1]
        learnt = usable[:train]
        seen = np.bincount(contexts[:train][learnt], minlength=contexts.max() + 1)
        together = np.bincount(grams[:train][learnt], minlength=grams.max() + 1)
        first = np.unique(grams[:train][learnt], return_index=True)[1]
        different = np.bincount(contexts[:train][learnt][first], minlength=len(seen))
        context, gram = contexts[train:], grams[train:]
        known = usable[train:] & (seen[context] > 0)
        weight = seen[context] + different[context]
        mixed = together[gram] + different[context] * probabilities
        probabilities = np.where(known, mixed / np.maximum(weight, 1), probabilities)
        yield np.split(probabilities, held_out), len(first)


def compression(dataset: CharacterTexts, split: Split) -> Bits:
    """What LZMA, of the standard library, adds for a split to the compressed training split.

    A character is one byte, or two where there are more than 256. All examples have the same score,
    since only the whole has a size.
    """
    ids = streamed(dataset).ids
    train = ids["train"]
    kind = np.dtype(np.uint8 if dataset.classes <= 256 else np.uint16)

    def added(each: NDArray[Any]) -> float:
        both = np.concatenate([train, each])
        return 8 * (_compressed(both.astype(kind)) - _compressed(train.astype(kind))) / len(each)

    scores = np.full(len(ids[split]) // dataset.predicted, added(ids[split]))
    return Bits(scores, added(ids["validation"]))


def _compressed(ids: NDArray[Any]) -> int:
    """The size in bytes."""
    return len(lzma.compress(ids.tobytes(), preset=9 | lzma.PRESET_EXTREME))


def _by_example(bits: NDArray[np.float64], predicted: int) -> NDArray[np.float64]:
    found: NDArray[np.float64] = bits.reshape(-1, predicted).mean(axis=1)
    return found


# By the name of the baseline.
MODELS = {"ngram": n_gram, "lzma": compression}

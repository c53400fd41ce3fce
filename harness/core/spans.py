"""F1 of the spans that tags mark, such as B-PER, I-PER, O, by the library seqeval."""

import re
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from numpy.typing import NDArray

SPAN_F1 = "span F1"
_OF_SPANS = re.compile(r"O|[BIESLU]-.+")


def scheme(labels: Sequence[str]) -> bool:
    """Whether tags mark spans: each is O, or a letter of a scheme such as IOB2, and a type."""
    return any(label != "O" for label in labels) and all(map(_OF_SPANS.fullmatch, labels))


def measures(
    labels: Sequence[str], predicted: NDArray[Any], y: NDArray[Any]
) -> dict[str, float | None]:
    """The micro-averaged F1 of spans, from class numbers (n, steps); those of padding are -1.

    Empty where the tags mark no spans, or seqeval is not installed.
    """
    if not scheme(labels) or find_spec("seqeval") is None:
        return {}
    from seqeval.metrics import f1_score

    # seqeval has other letters for the ends and the single ones of BILOU.
    names = [re.sub("^L-", "E-", re.sub("^U-", "S-", label)) for label in labels]
    true, said = (
        [[names[at] for at in row[real]] for row, real in zip(tags, y >= 0, strict=True)]
        for tags in (y, predicted)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where nothing is said to be a span
        return {SPAN_F1: float(f1_score(true, said, zero_division=0))}

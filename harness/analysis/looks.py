"""Looks: verdicts after some searches and again after more, with 5 % of false families in all.

A study that settles its question adds searches until the verdicts are there. Each look gives arms
that are alike another chance to be told apart, so each look may use a part of the 5 % only. The
parts follow the spending function of Lan and DeMets (1983, Biometrika 70:659-663) that is like
Pocock's boundary. They add up to 5 %, so by Bonferroni's inequality the share of false families
stays within it, whatever made the study look or stop. A pair that a look has decided stays so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from harness.analysis.blocks import BlockComparison, Trainings, compare_pairs
from harness.analysis.examples import PLAIN, Scoring
from harness.analysis.statistics import CONFIDENCE, MeanEstimate
from harness.results.manifest import Manifest


@dataclass(frozen=True)
class Look:
    """Verdicts at `alpha` after `blocks` searches, or seeds where nothing is searched."""

    blocks: int
    alpha: float


def looks_of(manifest: Manifest) -> list[Look]:
    """The looks that a study has had."""
    return [Look(*look) for look in manifest.looks]


def next_look(looks: Sequence[Look], blocks: int, most: int) -> Look:
    """The look after `blocks` blocks, where a study will have at most `most`.

    What earlier looks have left is spent by the function, so a study may be resumed with another
    `most`. The last look spends all that is left.
    """
    left = max(0.0, 1 - CONFIDENCE - sum(look.alpha for look in looks))
    before = _spent(looks[-1].blocks / most) if looks else 0.0
    now = _spent(blocks / most)
    share = 1.0 if now >= 1.0 else max(0.0, now - before) / (1.0 - before)
    return Look(blocks, left * share)


def all_spent(looks: Sequence[Look]) -> bool:
    """Whether these looks have used up alpha, so that none may follow."""
    return sum(look.alpha for look in looks) >= 1 - CONFIDENCE - 1e-9  # of rounding


def _spent(information: float) -> float:
    """The share of alpha that is spent when this share of all blocks is there, both 0 to 1."""
    return math.log1p((math.e - 1) * min(1.0, information))


def look_again(
    before: Sequence[BlockComparison],
    look: Look,
    pairs: Sequence[tuple[str, str]],
    trainings: Mapping[str, Trainings],
    margin: float,
    *,
    searched: bool,
    scoring: Scoring = PLAIN,
) -> list[BlockComparison]:
    """The verdicts of a look, where `before` are those of the look before it.

    The first verdict of a pair is kept, with the interval that it had.
    """
    kept = {(each.a, each.b): each for each in before}
    found = compare_pairs(
        pairs, trainings, margin, searched=searched, scoring=scoring, alpha=look.alpha
    )
    for each in found:
        earlier = kept.get((each.a, each.b))
        if earlier is None or earlier.verdict == "inconclusive":
            # Below 5 % exactly where the look at its own level decides.
            p = min(1.0, each.p * (1 - CONFIDENCE) / look.alpha) if look.alpha > 0 else 1.0
            kept[each.a, each.b] = replace(each, look=look.blocks, p=p)
    return [kept[pair] for pair in pairs if pair in kept]


def to_record(verdict: BlockComparison) -> dict[str, Any]:
    """A verdict as plain JSON values. Searches that come later do not change what a look saw."""
    return asdict(verdict)


def from_record(record: Mapping[str, Any]) -> BlockComparison:
    """The verdict that `to_record` has written; JSON has null for what is infinite."""
    estimate: dict[str, Any] = {
        name: math.inf if value is None else value for name, value in record["estimate"].items()
    }
    return BlockComparison(**{**record, "estimate": MeanEstimate(**estimate)})

"""Two compared hyperparameters: what each one changes, and whether they depend on one another.

Arms are the cells of a table, such as depth × cell type. A main effect is the difference that one
value makes instead of another one, the mean over all values of the other hyperparameter. An
interaction is how much this difference changes with the other hyperparameter. Each is a weighted
sum of the arms' means whose weights sum to 0 (a contrast), so it has the error of a verdict: what
arms and searches leave unexplained, and the test examples (harness.analysis.blocks). All contrasts
of a study are one family, corrected by Holm's method.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.blocks import (
    Blocks,
    Trainings,
    alone,
    block_means,
    blocks_of,
    of_contrast,
)
from harness.analysis.examples import PLAIN, Scoring, of_difference
from harness.analysis.statistics import CONFIDENCE, Interval, MeanEstimate, holm
from harness.analysis.two_way import TwoWay, two_way
from harness.analysis.verdicts import scoring_of
from harness.results.records import Records

# A value of each of the two hyperparameters.
Cell = tuple[Any, Any]


@dataclass(frozen=True)
class Change:
    """A hyperparameter with one value instead of another, the first one that is declared."""

    name: str
    value: Any
    instead: Any


@dataclass(frozen=True)
class Effect:
    """What one change makes or, with two changes, how much the second changes the first's effect.

    `estimate` is in the scores' unit; `p` and `alpha`, the level of the interval, are corrected
    for all effects of the study.
    """

    changes: tuple[Change, ...]
    estimate: MeanEstimate
    p: float
    alpha: float

    @property
    def interaction(self) -> bool:
        return len(self.changes) > 1

    @property
    def interval(self) -> Interval:
        return self.estimate.interval(self.alpha)


@dataclass(frozen=True)
class Grid:
    """The table of two hyperparameters: their names, their values, and the arm of each cell."""

    names: tuple[str, str]
    values: tuple[tuple[Any, ...], tuple[Any, ...]]
    arms: Mapping[Cell, str]


def grid_of(records: Records) -> Grid | None:
    """None unless the arms are all combinations of exactly two compared hyperparameters."""
    arms = records.manifest.arm_values
    names = list(dict.fromkeys(name for values in arms.values() for name in values))
    if len(names) != 2 or any(set(values) != set(names) for values in arms.values()):
        return None
    first, second = names
    try:
        cells = {(values[first], values[second]): arm for arm, values in arms.items()}
        levels = [tuple(dict.fromkeys(cell[place] for cell in cells)) for place in (0, 1)]
    except TypeError:  # lists as values
        return None
    if min(map(len, levels)) < 2 or len(cells) != len(levels[0]) * len(levels[1]):
        return None
    return Grid((first, second), (levels[0], levels[1]), cells)


def effects_of(records: Records) -> list[Effect]:
    """All main effects and interactions; empty for other studies, or before all arms have scores.

    Each has as many blocks as all arms share; with fewer than two its interval is not known.
    """
    grid = grid_of(records)
    if grid is None:
        return []
    scores = {arm: records.scores(arm) for arm in grid.arms.values()}
    searched = bool(records.manifest.search)
    return effects(grid, scores, searched=searched, scoring=scoring_of(records))


def effects(
    grid: Grid,
    scores: Mapping[str, Trainings],
    *,
    searched: bool,
    scoring: Scoring = PLAIN,
    alpha: float = 1 - CONFIDENCE,
) -> list[Effect]:
    """The effects of a table; `scores` has each arm's trainings, as `compare_pairs` takes them."""
    there = _shared(scores, searched=searched)
    if there is None:
        return []
    found = [
        (changes, _estimate(weights, *there, scoring.horizon))
        for changes, weights in _contrasts(grid)
    ]
    if not found[0][1].known:
        return [Effect(changes, estimate, 1.0, alpha) for changes, estimate in found]
    levels = holm([estimate.p for _, estimate in found], alpha)
    return [
        Effect(changes, estimate, level.p, level.alpha)
        for (changes, estimate), level in zip(found, levels, strict=True)
    ]


def contrast(records: Records, weights: Mapping[str, float]) -> MeanEstimate | None:
    """The sum of the arms' mean scores with these weights, whose sum is 0, and its error.

    The variance is pooled over these arms. None unless all have a block of scores.
    """
    scores = {arm: records.scores(arm) for arm in weights}
    found = _shared(scores, searched=bool(records.manifest.search))
    if found is None:
        return None
    return _estimate(weights, *found, scoring_of(records).horizon)


def _shared(
    scores: Mapping[str, Trainings], *, searched: bool
) -> tuple[dict[str, Blocks], list[int], TwoWay] | None:
    """The arms' blocks, those that all have, and the table of their means; None without any.

    Arms that are scored on different numbers of examples share nothing.
    """
    blocks = {arm: blocks_of(of_arm, searched=searched) for arm, of_arm in scores.items()}
    shared = sorted(set.intersection(*(set(of_arm) for of_arm in blocks.values())))
    if not shared or len({b.shape[1] for of_arm in blocks.values() for b in of_arm.values()}) > 1:
        return None
    return blocks, shared, two_way([block_means(of_arm) for of_arm in blocks.values()])


def _contrasts(grid: Grid) -> list[tuple[tuple[Change, ...], dict[str, float]]]:
    """The changes of each effect, and the weight of each arm's mean in it."""
    sides = [
        [(Change(name, value, values[0]), value) for value in values[1:]]
        for name, values in zip(grid.names, grid.values, strict=True)
    ]
    found: list[tuple[tuple[Change, ...], dict[str, float]]] = []
    for place, changes in enumerate(sides):
        others = len(grid.values[1 - place])
        for change, _ in changes:
            found.append(
                (
                    (change,),
                    {
                        arm: _sign(cell[place], change) / others
                        for cell, arm in grid.arms.items()
                    },
                )
            )  # fmt: skip
    for first, _ in sides[0]:
        for second, _ in sides[1]:
            weights = {
                arm: _sign(cell[0], first) * _sign(cell[1], second)
                for cell, arm in grid.arms.items()
            }
            found.append(((first, second), weights))
    return found


def _sign(value: Any, change: Change) -> float:
    return 1.0 if value == change.value else -1.0 if value == change.instead else 0.0


def _estimate(
    weights: Mapping[str, float],
    blocks: Mapping[str, Blocks],
    shared: list[int],
    table: TwoWay,
    horizon: int | None,
) -> MeanEstimate:
    """A contrast over the blocks that all arms have, with its error.

    Its own mean square is one part of the table's residual, like that of a pair, so the two are
    joined in the same way.
    """
    means = {arm: block_means(of_arm) for arm, of_arm in blocks.items()}
    by_block = np.array([sum(w * means[arm][n] for arm, w in weights.items()) for n in shared])
    if len(shared) < 2:
        return alone(by_block)
    up, down = (_side(weights, blocks, shared, sign) for sign in (1, -1))
    squares = sum(weight**2 for weight in weights.values())
    return of_contrast(by_block, squares, table, of_difference(up, down, horizon))


def _side(
    weights: Mapping[str, float], blocks: Mapping[str, Blocks], shared: list[int], sign: int
) -> NDArray[np.float64]:
    """The weighted sum (examples,) of the arms whose weight has this sign."""
    rows = [
        abs(weight) * np.mean([blocks[arm][number].mean(axis=0) for number in shared], axis=0)
        for arm, weight in weights.items()
        if sign * weight > 0
    ]
    total: NDArray[np.float64] = np.sum(rows, axis=0)
    return total

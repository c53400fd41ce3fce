"""The table of arms by blocks: its residual, and the error of a pair of arms from it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_LENT = 2.0  # times the blocks' own degrees of freedom; by tests/benchmarks/calibration.py
FAR = 0.9999  # level of the test that leaves an arm out of another pair's pool
ALIKE = 4.0  # no arm is left out where none is so many times as noisy as the middle one


@dataclass(frozen=True)
class TwoWay:
    """Arms × blocks by least squares, because arms may lack some blocks.

    `mean_square` is that of what arms and blocks leave unexplained, and `freedom` its degrees of
    freedom: with every cell present (arms - 1)(blocks - 1). `effects` are those of the arms, and
    `unscaled` times the mean square is their covariance. Only their differences have a meaning, and
    only where blocks connect all arms. `noise` has each arm's mean squared residual.
    """

    mean_square: float
    freedom: int
    effects: NDArray[np.float64]
    unscaled: NDArray[np.float64]
    connected: bool
    noise: tuple[float, ...]


def two_way(arms: Sequence[Mapping[int, float]]) -> TwoWay:
    """The fit of each arm's scores by block; every arm has a score."""
    numbers = sorted({number for blocks in arms for number in blocks})
    rows = [
        (arm, numbers.index(number), value)
        for arm, blocks in enumerate(arms)
        for number, value in blocks.items()
    ]
    design = np.zeros((len(rows), len(arms) + len(numbers)))
    for row, (arm, block, _) in enumerate(rows):
        design[row, arm] = design[row, len(arms) + block] = 1.0
    cells = np.array([value for *_, value in rows])
    inverse = np.linalg.pinv(design)
    fitted = inverse @ cells
    rank = int(np.linalg.matrix_rank(design)) if rows else 0
    freedom = len(rows) - rank
    mean_square = math.inf
    left = (cells - design @ fitted) ** 2
    if freedom > 0:
        total = float(left.sum())
        # What rounding leaves of equal cells is nothing.
        mean_square = total / freedom if total > 1e-24 * len(cells) else 0.0
    return TwoWay(
        mean_square=mean_square,
        freedom=freedom,
        effects=fitted[: len(arms)],
        unscaled=inverse[: len(arms)] @ inverse[: len(arms)].T,
        connected=rank == len(arms) + len(numbers) - 1,
        noise=tuple(
            float(np.mean([each for row, each in zip(rows, left, strict=True) if row[0] == arm]))
            for arm in range(len(arms))
        ),
    )


def error_of_pair(
    own: ArrayLike, own_freedom: int, pooled: ArrayLike, freedom: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean square for one pair of arms, and its degrees of freedom.

    `own` is half the variance of the pair's differences by block, with `own_freedom` = blocks - 1;
    `pooled` is the mean square of the whole table. Any shape; both results have it too.

    The pooled value is unfair to an arm that varies more than the others, and with three blocks no
    test finds such an arm in time: its variance is often small by chance. So the pair's own part of
    the table counts once for each pair that the arm is in, and the pooled value is the least.
    Degrees of freedom are Satterthwaite's. `tests/benchmarks/calibration.py` holds this.
    """
    own, pooled = np.asarray(own, np.float64), np.asarray(pooled, np.float64)
    weight = freedom / own_freedom  # arms - 1 with every cell present
    rest_freedom = freedom - own_freedom
    of_own = weight * own * own_freedom
    of_rest = np.maximum(0.0, pooled * freedom - own * own_freedom)
    mixed = (of_own + of_rest) / (freedom + rest_freedom)
    terms = of_own**2 / own_freedom + (of_rest**2 / rest_freedom if rest_freedom else 0.0)
    with np.errstate(invalid="ignore"):
        lent = np.where(terms > 0, (of_own + of_rest) ** 2 / terms, freedom)
    noisier = mixed > pooled * (1 + 1e-12)
    return np.where(noisier, mixed, pooled), np.where(noisier, lent, float(freedom))


def with_examples(
    of_blocks: ArrayLike, freedom: ArrayLike, of_examples: float, of_examples_freedom: float
) -> NDArray[np.float64]:
    """Degrees of freedom of a variance that has a part from blocks and a part from examples.

    Satterthwaite (1946), Biometrics Bulletin 2:110-114. Where few blocks happen to vary little, the
    many examples would lend it degrees of freedom that the blocks do not have.
    """
    of_blocks, freedom = np.asarray(of_blocks, np.float64), np.asarray(freedom, np.float64)
    parts = of_blocks**2 / freedom + of_examples**2 / max(1.0, of_examples_freedom)
    with np.errstate(invalid="ignore"):
        known = (parts > 0) & np.isfinite(parts)
        whole = np.where(known, (of_blocks + of_examples) ** 2 / parts, freedom)
    return np.minimum(whole, MAX_LENT * freedom)


@dataclass(frozen=True)
class Pool:
    """The arms whose residual a pair shares, and their table."""

    arms: frozenset[str]
    table: TwoWay


class Pools:
    """Which arms share a residual; `means` are the scores of each arm by block.

    An arm far noisier than the others would make all their intervals useless. So the arms join a
    pair's table one by one, the calmest first, until one has far more residual than those before.
    """

    def __init__(self, means: Mapping[str, Mapping[int, float]]) -> None:
        self._means = {arm: of_arm for arm, of_arm in means.items() if of_arm}
        self.whole = Pool(frozenset(self._means), two_way([*self._means.values()]))
        noise = dict(zip(self._means, self.whole.table.noise, strict=True))
        self._ascending = sorted(noise, key=noise.__getitem__)
        middle = float(np.median([*noise.values()])) if noise else 0.0
        self._alike = max(noise.values(), default=0.0) <= ALIKE * middle

    def of(self, a: str, b: str) -> Pool:
        """The pool of the pair `a` and `b`."""
        from scipy import stats

        if self._alike:
            return self.whole
        arms = [a, b]
        table = two_way([self._means[a], self._means[b]])
        for arm in self._ascending:
            if arm in (a, b):
                continue
            wider = two_way([self._means[each] for each in (*arms, arm)])
            more = wider.freedom - table.freedom
            if more > 0 and table.freedom > 0 and table.mean_square > 0:
                total = wider.mean_square * wider.freedom
                added = (total - table.mean_square * table.freedom) / more
                if added > table.mean_square * float(stats.f.ppf(FAR, more, table.freedom)):
                    break
            arms.append(arm)
            table = wider
        return Pool(frozenset(arms), table)

    def residuals(self) -> dict[str, "Residual"]:
        """The residual of each arm: that of the calm arms, or its own if it is far noisier.

        There are at least two arms; every arm has two blocks or more.
        """
        first, second, *_ = self._ascending
        calm, means = self.of(first, second), self._means
        found = {}
        for arm, of_arm in means.items():
            found[arm] = Residual(calm.table.mean_square, calm.table.freedom)
            if arm not in calm.arms:
                shared = [number for number in of_arm if any(number in means[a] for a in calm.arms)]
                rest = [np.mean([means[a][n] for a in calm.arms if n in means[a]]) for n in shared]
                own = np.array([of_arm[number] for number in shared]) - rest
                if len(own) > 1:
                    found[arm] = Residual(float(own.var(ddof=1)), len(own) - 1)
        return found


@dataclass(frozen=True)
class Residual:
    """The variance of one arm in one block, beyond what all arms share, and its freedom."""

    mean_square: float
    freedom: int

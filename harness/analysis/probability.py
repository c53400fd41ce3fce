"""The probability that each arm is the best one, from the arms' true means drawn many times.

The true means are drawn from a multivariate Student t around the arms' means in the design of
`harness.analysis.blocks`. Its covariance has two parts: the residual of arms × blocks, and the
covariance of the arms over the test examples, because all arms are scored on the same ones. An arm
that is far noisier than the others has a residual of its own. The degrees of freedom are the fewest
of those of the residuals, and of the blocks of time of forecasts. The share of draws in which an
arm has the best mean is its probability. So nothing is assumed about the arms beforehand.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.analysis.blocks import (
    Blocks,
    Trainings,
    block_means,
    blocks_of,
    compare_pairs,
)
from harness.analysis.examples import PLAIN, Scoring, covariance
from harness.analysis.two_way import Pools

DRAWS = 20_000  # the error of a probability is then 0.4 points at most
SEED = 0  # the same records give the same numbers


def best(
    scores: Mapping[str, Trainings],
    among: Sequence[str],
    *,
    searched: bool,
    scoring: Scoring = PLAIN,
) -> dict[str, float]:
    """For each arm in `among` with scores, the probability (0 to 1) that its true mean is best.

    The residual is pooled over all arms in `scores`. Empty for fewer than two arms, and where an
    arm has a single block, or blocks that none of the others has, or forecasts have too few blocks
    of time: then nothing is known.
    """
    arms = {
        arm: blocks
        for arm, trainings in scores.items()
        if (blocks := blocks_of(trainings, searched=searched))
    }
    names = [arm for arm in among if arm in arms]
    if len(names) < 2 or any(len(arms[name]) < 2 for name in names):
        return {}
    if len(names) == 2:
        return _of_two(scores, names[0], names[1], searched=searched, scoring=scoring)
    pools = Pools({arm: block_means(blocks) for arm, blocks in arms.items()})
    fit = pools.whole.table
    if fit.freedom < 1 or not fit.connected:
        return {}
    places = [list(arms).index(name) for name in names]
    residual = pools.residuals()
    deviations = np.sqrt([residual[name].mean_square for name in names])
    of_blocks = np.outer(deviations, deviations) * fit.unscaled[np.ix_(places, places)]
    of_examples = covariance(_by_example([arms[name] for name in names]), scoring.horizon)
    if of_examples is None:
        return {}
    effects = fit.effects[places] * (1 if scoring.higher_is_better else -1)
    freedom = min(*(residual[name].freedom for name in names), of_examples[1])
    shares = _shares(effects, of_blocks + of_examples[0], freedom)
    return dict(zip(names, shares.tolist(), strict=True))


def _of_two(
    scores: Mapping[str, Trainings], a: str, b: str, *, searched: bool, scoring: Scoring
) -> dict[str, float]:
    """Exactly the probability that stands beside a verdict on all of their trainings."""
    for pair in compare_pairs([(a, b)], scores, 0.0, searched=searched, scoring=scoring):
        if (better := pair.probability) is not None:
            return {a: better, b: 1.0 - better}
    return {}


def _by_example(arms: Sequence[Blocks]) -> NDArray[np.float64]:
    """The mean score of each arm and example: (arms, examples)."""
    return np.stack([np.mean([block.mean(axis=0) for block in of.values()], axis=0) for of in arms])


def _shares(
    means: NDArray[np.float64], covariance: NDArray[np.float64], freedom: float
) -> NDArray[np.float64]:
    """The share of draws in which each is the highest; all of shape (arms,)."""
    random = np.random.default_rng(SEED)
    # The small part makes equal scores distinct by chance, so there are no ties.
    small = 1e-10 * float(covariance.diagonal().max()) + 1e-24
    root = np.linalg.cholesky(covariance + small * np.eye(len(means)))
    scale = np.sqrt(freedom / random.chisquare(freedom, (DRAWS, 1)))
    drawn = means + scale * (random.normal(size=(DRAWS, len(means))) @ root.T)
    return np.bincount(drawn.argmax(axis=1), minlength=len(means)) / DRAWS

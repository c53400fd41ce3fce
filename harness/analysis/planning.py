"""What difference between arms a study can show, said before it starts."""

import math
from dataclasses import dataclass

import numpy as np

from harness.analysis.blocks import block_means, blocks_of
from harness.analysis.looks import Look, next_look
from harness.analysis.statistics import CONFIDENCE, POWER
from harness.analysis.two_way import error_of_pair, two_way, with_examples
from harness.analysis.verdicts import conclude
from harness.results.records import Records

STUDIES = 4_000  # drawn to foresee how their error is estimated


@dataclass(frozen=True)
class Noise:
    """How much arms differ by chance.

    `block` is the standard deviation of one search (or seed) of an arm, beyond what all arms share.
    `examples` is that of the difference between two arms on a test split of one example. Both are
    in the scores' unit (accuracy: 0 to 1).
    """

    block: float
    examples: float


def noise_of(records: Records) -> Noise | None:
    """What a study on record has seen; None with fewer than two arms or two searches."""
    searched = bool(records.manifest.search)
    scores = [each for arm in records.arms if (each := records.scores(arm))]
    means = [block_means(blocks_of(of, searched=searched)) for of in scores]
    table = two_way(means) if len(means) > 1 else None
    if table is None or table.freedom < 1:
        return None
    examples = min(len(next(iter(of.values()))) for of in scores)
    of_pairs = [pair.comparison.estimate.rest for pair in conclude(records).pairs]
    rest = float(np.mean([each for each in of_pairs if 0 < each < math.inf] or [0.0]))
    return Noise(math.sqrt(table.mean_square), math.sqrt(rest * examples))


def smallest_difference(
    noise: Noise, *, arms: int, blocks: int, examples: int, alpha: float = 1 - CONFIDENCE
) -> float:
    """The true difference of two of `arms` arms that four of five such studies would find."""
    from scipy import optimize, stats

    level = alpha / (arms * (arms - 1) // 2)
    own_freedom, freedom = blocks - 1, (arms - 1) * (blocks - 1)
    # The error of a pair is estimated; these are the estimates of many studies.
    random = np.random.default_rng(0)
    own = random.chisquare(own_freedom, STUDIES) / own_freedom
    rest = random.chisquare(freedom - own_freedom, STUDIES) if arms > 2 else 0.0
    pooled = (own * own_freedom + rest) / freedom
    mean_square, freedoms = error_of_pair(own, own_freedom, pooled, freedom)
    of_blocks, of_examples = 2 * noise.block**2 / blocks, noise.examples**2 / examples
    estimated = of_blocks * mean_square
    critical = stats.t.isf(level / 2, with_examples(estimated, freedoms, of_examples, examples - 1))
    limit, error = critical * np.sqrt(estimated + of_examples), math.sqrt(of_blocks + of_examples)
    if error == 0.0:
        return 0.0

    def shortfall(difference: float) -> float:
        return float(stats.norm.sf((limit - difference) / error).mean()) - POWER

    return float(optimize.brentq(shortfall, 0.0, float(limit.max()) + 10 * error))


def last_level(first: int, most: int) -> float:
    """The level of the last look of a study that looks after every block from `first` on."""
    looks: list[Look] = []
    for blocks in range(first, most + 1):
        looks.append(next_look(looks, blocks, most))
    return looks[-1].alpha

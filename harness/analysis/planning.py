"""What difference between arms a study can show, said before it starts."""

import math
from dataclasses import dataclass

import numpy as np

from harness.analysis.blocks import block_means, blocks_of, two_way
from harness.analysis.looks import Look, next_look
from harness.analysis.statistics import CONFIDENCE, MeanEstimate, detectable
from harness.analysis.verdicts import conclude
from harness.results.records import Records


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
    pairs = arms * (arms - 1) // 2
    of_blocks = 2 * noise.block**2 / blocks
    error = math.sqrt(of_blocks + noise.examples**2 / examples)
    freedom = float((arms - 1) * (blocks - 1))
    estimate = MeanEstimate(0.0, error, freedom, blocks, of_blocks * blocks, error**2 - of_blocks)
    return detectable(estimate, alpha / pairs)


def last_level(first: int, most: int) -> float:
    """The level of the last look of a study that looks after every block from `first` on."""
    looks: list[Look] = []
    for blocks in range(first, most + 1):
        looks.append(next_look(looks, blocks, most))
    return looks[-1].alpha

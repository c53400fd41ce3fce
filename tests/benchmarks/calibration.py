"""How often arms that are alike are told apart, and how often a true difference is found.

    python tests/benchmarks/calibration.py [--families 400]

Simulates studies of four arms on 1,500 test examples of uneven difficulty. A search moves the
quality of its arm by a luck that the arms share in part, a training by its seed; an example is
right where its ease, the quality and a chance of its own sum to more than 0. One unit of quality is
about 11 points of accuracy. "False" is the share of families in which any two of four arms that
are alike are called better or worse (at most 5 % is claimed); "found" the share of pairs with the
better arm that are called so, where one arm is better by 0.35 (about 4 points).
"""

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.blocks import compare

EXAMPLES, ARMS, SHIFT = 1_500, 4, 0.35


@dataclass(frozen=True)
class Scenario:
    """`search` and `seed` are standard deviations of quality; `seed` may differ by arm.

    `solves` is the share of trainings that solve the task where the others miss it by 3.
    """

    name: str
    search: float
    seed: float | Sequence[float]
    solves: float | None = None
    searched: bool = True


SCENARIOS = (
    Scenario("luck of searches 0.2, seeds 0.1", 0.2, 0.1),
    Scenario("luck of searches 0.1, seeds 0.2", 0.1, 0.2),
    Scenario("luck of searches 0.05, seeds 0.1", 0.05, 0.1),
    Scenario("one wild arm", 0.05, (0.05, 0.05, 0.05, 0.3)),
    Scenario("seeds solve or fail", 0.05, 0.05, solves=0.6),
    Scenario("nothing searched, seeds 0.1", 0.0, 0.1, searched=False),
    Scenario("nothing searched, seeds 0.2", 0.0, 0.2, searched=False),
)
DESIGNS = ((2, 1), (2, 2), (3, 2), (5, 2), (10, 1))  # searches, replicates


def simulate(
    scenario: Scenario, searches: int, replicates: int, shift: float, random: np.random.Generator
) -> dict[str, NDArray[np.bool_]]:
    """Scores of each arm, (searches, replicates, examples); the first arm is better by `shift`."""
    ease = random.normal(1.6, 2.0, EXAMPLES)
    common = random.normal(0.0, scenario.search / 2, (searches, 1))
    scores = {}
    for arm in range(ARMS):
        deviation = scenario.seed if isinstance(scenario.seed, float) else scenario.seed[arm]
        luck = common + random.normal(0.0, scenario.search, (searches, 1))
        quality = luck + random.normal(0.0, deviation, (searches, replicates))
        if scenario.solves is not None:
            failed = random.random((searches, replicates)) >= scenario.solves
            quality = quality - 3.0 * failed
        of_arm = ease + random.normal(0.0, 0.3, EXAMPLES) + (shift if arm == 0 else 0.0)
        chance = random.normal(0.0, 1.0, (searches, replicates, EXAMPLES))
        scores[f"arm {arm}"] = of_arm + quality[..., None] + chance > 0
    return scores


def rates(
    scenario: Scenario, searches: int, replicates: int, families: int, seed: int = 0
) -> tuple[float, float]:
    """The share of false families, and of true differences found."""
    random = np.random.default_rng(seed)
    false = found = 0
    for _ in range(families):
        alike = compare(
            simulate(scenario, searches, replicates, 0.0, random), 0.0, searched=scenario.searched
        )
        false += any(each.verdict in ("better", "worse") for each in alike)
        apart = compare(
            simulate(scenario, searches, replicates, SHIFT, random), 0.0, searched=scenario.searched
        )
        found += sum(each.verdict == "worse" for each in apart if each.b == "arm 0")
    return false / families, found / families / (ARMS - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", type=int, default=400)
    families = parser.parse_args().families
    print("| what varies | searches × replicates | false | found |\n|---|---|---|---|")
    for scenario, (searches, replicates) in itertools.product(SCENARIOS, DESIGNS):
        false, found = rates(scenario, searches, replicates, families)
        print(
            f"| {scenario.name} | {searches} × {replicates} | {false:.1%} | {found:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

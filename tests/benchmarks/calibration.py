"""How often arms alike are told apart, a true difference is found, and "the best arm" is right.

    python tests/benchmarks/calibration.py [--families 400]

Simulates studies of four arms on 1,500 test examples of uneven difficulty. A search moves the
quality of its arm by a luck that the arms share in part, a training by its seed; an example is
right where its ease, the quality and a chance of its own sum to more than 0. One unit of quality is
about 11 points of accuracy. "False" is the share of families in which any two of four arms that
are alike are called better or worse (at most 5 % is claimed); "found" the share of pairs with the
better arm that are called so, where one arm is better by 0.35 (about 4 points).

A second table is about `--settle`, which looks after every search from the third to the twelfth:
false families over all looks, true differences found, and the searches that an arm had for that.

A third table is about the probability that an arm is the best one. "Alike" is the mean of the
largest probability among four arms that are alike; near 100 % it would be far too sure. Then the
arms' true qualities are drawn with a standard deviation of 0.2 (about 2 points), and families are
sorted by the probability of their likeliest arm. Each cell has the mean of that probability → the
share of families in which this arm is the best one, which should be about the same, and how many
families these are.
"""

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis import probability
from harness.analysis.blocks import BlockComparison, compare, trainings_of
from harness.analysis.looks import Look, look_again, next_look

EXAMPLES, ARMS, SHIFT, SPREAD = 1_500, 4, 0.35, 0.2
ALIKE, ONE_BETTER = (0.0,) * ARMS, (SHIFT, *(0.0,) * (ARMS - 1))
BOUNDS = (0.0, 0.6, 0.8, 0.95, 1.0)  # of the probability to be best


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
    scenario: Scenario,
    searches: int,
    replicates: int,
    shifts: Sequence[float],
    random: np.random.Generator,
) -> dict[str, NDArray[np.bool_]]:
    """Scores of each arm, (searches, replicates, examples); `shifts` are the arms' qualities."""
    ease = random.normal(1.6, 2.0, EXAMPLES)
    common = random.normal(0.0, scenario.search / 2, (searches, 1))
    scores = {}
    for arm, shift in enumerate(shifts):
        deviation = scenario.seed if isinstance(scenario.seed, float) else scenario.seed[arm]
        luck = common + random.normal(0.0, scenario.search, (searches, 1))
        quality = luck + random.normal(0.0, deviation, (searches, replicates))
        if scenario.solves is not None:
            failed = random.random((searches, replicates)) >= scenario.solves
            quality = quality - 3.0 * failed
        of_arm = ease + random.normal(0.0, 0.3, EXAMPLES) + shift
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
            simulate(scenario, searches, replicates, ALIKE, random), 0.0, searched=scenario.searched
        )
        false += any(each.verdict in ("better", "worse") for each in alike)
        apart = compare(
            simulate(scenario, searches, replicates, ONE_BETTER, random),
            0.0,
            searched=scenario.searched,
        )
        found += sum(each.verdict == "worse" for each in apart if each.b == "arm 0")
    return false / families, found / families / (ARMS - 1)


def settle(
    scores: dict[str, NDArray[np.bool_]], first: int, searched: bool
) -> tuple[list[BlockComparison], float]:
    """The last verdicts as `--settle` gets them from all these searches, and searches an arm.

    It begins with `first` searches (seeds where nothing is searched), looks after each, and leaves
    out the arms that are settled against the one with the highest mean.
    """
    everything = {arm: trainings_of(array) for arm, array in scores.items()}
    of_key = 0 if searched else 1
    most = max(key[of_key] for key in next(iter(everything.values())))
    names = list(scores)
    pairs = [(b, a) for a, b in itertools.combinations(names, 2)]
    have = dict.fromkeys(names, first)
    looks: list[Look] = []
    verdicts: list[BlockComparison] = []
    while True:
        looks.append(next_look(looks, max(have.values()), most))
        trainings = {
            arm: {key: row for key, row in of_arm.items() if key[of_key] <= have[arm]}
            for arm, of_arm in everything.items()
        }
        verdicts = look_again(verdicts, looks[-1], pairs, trainings, 0.005, searched=searched)
        best = max(names, key=lambda arm: np.mean([row.mean() for row in trainings[arm].values()]))
        undecided = {
            name
            for each in verdicts
            if best in (each.a, each.b) and each.verdict == "inconclusive"
            for name in (each.a, each.b)
        }
        if not undecided or looks[-1].blocks == most:
            return verdicts, float(np.mean(list(have.values())))
        have |= dict.fromkeys(undecided, looks[-1].blocks + 1)


def settle_rates(
    scenario: Scenario, first: int, most: int, families: int, seed: int = 0
) -> tuple[float, float, float]:
    """The shares of false families and of true differences found, and searches an arm for these."""
    random = np.random.default_rng(seed)
    searches, replicates = (most, 2) if scenario.searched else (1, most)
    false, found, spent = 0, 0, 0.0
    for _ in range(families):
        alike = simulate(scenario, searches, replicates, ALIKE, random)
        verdicts, _ = settle(alike, first, scenario.searched)
        false += any(each.verdict in ("better", "worse") for each in verdicts)
        apart = simulate(scenario, searches, replicates, ONE_BETTER, random)
        verdicts, each_arm = settle(apart, first, scenario.searched)
        found += sum(each.verdict == "worse" for each in verdicts if each.b == "arm 0")
        spent += each_arm
    return false / families, found / families / (ARMS - 1), spent / families


@dataclass(frozen=True)
class Likeliest:
    """The arms most likely to be best, one of each family: how likely, and whether they are."""

    said: NDArray[np.float64]
    right: NDArray[np.bool_]


def likeliest(
    scenario: Scenario, searches: int, replicates: int, families: int, spread: float, seed: int = 0
) -> Likeliest:
    """Families whose arms' qualities have the standard deviation `spread`."""
    random = np.random.default_rng(seed)
    said, right = [], []
    for _ in range(families):
        shifts = random.normal(0.0, spread, ARMS)
        scores = {
            arm: trainings_of(array)
            for arm, array in simulate(scenario, searches, replicates, shifts, random).items()
        }
        found = list(probability.best(scores, list(scores), searched=scenario.searched).values())
        said.append(max(found))
        right.append(int(np.argmax(found)) == int(np.argmax(shifts)))
    return Likeliest(np.array(said), np.array(right))


def reliability(found: Likeliest) -> list[str]:
    """For each range of the probability: its mean, and the share that is right."""
    cells = []
    for low, high in itertools.pairwise(BOUNDS):
        within = (found.said >= low) & ((found.said < high) | (high == BOUNDS[-1]))
        n = int(within.sum())
        cells.append(
            f"{found.said[within].mean():.0%} → {found.right[within].mean():.0%} ({n})" if n else ""
        )
    return cells


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
    print("\n| looks from 3 to 12 searches | false | found | searches an arm |\n|---|---|---|---|")
    for scenario in SCENARIOS:
        false, found, spent = settle_rates(scenario, 3, 12, families)
        print(f"| {scenario.name} | {false:.1%} | {found:.0%} | {spent:.1f} |", flush=True)
    ranges = " | ".join(f"{low:.0%} to {high:.0%}" for low, high in itertools.pairwise(BOUNDS))
    print(f"\n| what varies | searches × replicates | alike | {ranges} |")
    print("|---" * (2 + len(BOUNDS)) + "|")
    for scenario, (searches, replicates) in itertools.product(SCENARIOS, DESIGNS):
        alike = likeliest(scenario, searches, replicates, families, 0.0).said.mean()
        cells = reliability(likeliest(scenario, searches, replicates, families, SPREAD))
        print(
            f"| {scenario.name} | {searches} × {replicates} | {alike:.0%} | {' | '.join(cells)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

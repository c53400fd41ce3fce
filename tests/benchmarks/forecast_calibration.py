"""How often two equally good forecasters are told apart, and a better one is found.

    python tests/benchmarks/forecast_calibration.py [--studies 1000]

The series are AR(1) with standard deviation 1: each value is `coefficient` times the one before,
plus noise. At each of the test times a forecaster predicts the next `horizon` values, and is scored
by the mean absolute error, so windows overlap. Two forecasters are equally good by symmetry:

- bias: the best forecast, plus or minus 0.1;
- slope: the best forecast, plus or minus 0.1 times the present value;
- constant: plus or minus 0.1, whatever the present is. Its errors persist as the series does.

Each study has ten searches of both arms, whose forecasts differ by noise with a standard deviation
of 0.005, so that nearly all of the variance comes from the test times. By the number of test times,
the table has the share of studies that call one of the two better (at most 5 % is claimed), and in
brackets the share that have too few independent blocks of time for a verdict. With 500 times, "as
independent" is the first share if the times counted as independent examples, and "found" the share
that call the better one better, where the other one's best forecast is 0.5 too high.
"""

import argparse
import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from harness.analysis.blocks import BlockComparison, compare

KINDS = ("bias", "slope", "constant")
COEFFICIENTS, HORIZONS, TIMES = (0.0, 0.5, 0.9), (1, 7), (50, 100, 200, 500)
SHIFT, WORSE, SEARCHES, LUCK = 0.1, 0.5, 10, 0.005


class Rates(NamedTuple):
    """Shares of studies, 0 to 1."""

    false: float
    independent: float
    few: float
    found: float


def series(coefficient: float, n: int, random: np.random.Generator) -> NDArray[np.float64]:
    """An AR(1) series of `n` values with standard deviation 1."""
    noise = random.normal(0.0, np.sqrt(1 - coefficient**2), n + 200)
    values: NDArray[np.float64] = lfilter([1.0], [1.0, -coefficient], noise)[200:]
    return values


def errors(
    y: NDArray[np.float64], coefficient: float, horizon: int, kind: str, shifts: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The errors (times, horizon) of the forecasters with these shifts."""
    steps = np.arange(1, horizon + 1)
    times = np.arange(len(y) - horizon)[:, None]
    truth, now = y[times + steps], y[times]
    best = np.zeros_like(truth) if kind == "constant" else coefficient**steps * now
    by = now if kind == "slope" else 1.0
    first, second = (best + shift * by - truth for shift in shifts)
    return first, second


def study(
    coefficient: float,
    horizon: int,
    times: int,
    kind: str,
    shifts: tuple[float, float],
    random: np.random.Generator,
) -> dict[str, NDArray[np.float64]]:
    """Scores of both arms, (searches, 1, times)."""
    y = series(coefficient, times + horizon, random)
    luck = random.normal(0.0, LUCK, (2, SEARCHES, 1, 1))
    both = zip(("a", "b"), errors(y, coefficient, horizon, kind, shifts), luck, strict=True)
    return {arm: np.abs(each + of).mean(axis=2)[:, None] for arm, each, of in both}


def judged(scores: dict[str, NDArray[np.float64]], horizon: int | None) -> BlockComparison:
    (found,) = compare(scores, 0.0, higher_is_better=False, horizon=horizon)
    return found


def rates(
    coefficient: float, horizon: int, times: int, kind: str, studies: int, seed: int = 0
) -> Rates:
    random = np.random.default_rng(seed)
    false = independent = few = found = 0
    for _ in range(studies):
        alike = study(coefficient, horizon, times, kind, (SHIFT, -SHIFT), random)
        verdict = judged(alike, horizon)
        false += verdict.verdict in ("better", "worse")
        few += verdict.few_times
        independent += judged(alike, None).verdict in ("better", "worse")
        apart = study(coefficient, horizon, times, "bias", (0.0, WORSE), random)
        found += judged(apart, horizon).verdict == "worse"  # b minus a
    return Rates(false / studies, independent / studies, few / studies, found / studies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    studies = parser.parse_args().studies
    print(
        f"| forecasters | coefficient | horizon | {' | '.join(f'{n} times' for n in TIMES)} | "
        "as independent | found |"
    )
    print("|---" * (5 + len(TIMES)) + "|")
    for kind, coefficient, horizon in itertools.product(KINDS, COEFFICIENTS, HORIZONS):
        found = [rates(coefficient, horizon, times, kind, studies) for times in TIMES]
        cells = " | ".join(f"{each.false:.1%} ({each.few:.0%})" for each in found)
        print(
            f"| {kind} | {coefficient:g} | {horizon} | {cells} | {found[-1].independent:.0%} | "
            f"{found[-1].found:.0%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

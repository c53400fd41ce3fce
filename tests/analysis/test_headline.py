"""The answer's first sentence: yes, no or undecided, in the terms of what is compared."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.analysis.blocks import compare
from harness.analysis.conclusions import Conclusions, Pair
from harness.analysis.headline import headline, unbeaten
from harness.core.metrics import MAE, Metric


def concluded(
    means: dict[str, float], *, bases: dict[str, float] | None = None, margin: float = 0.005,
    errors: bool = False, searches: int = 4,
) -> Conclusions:  # fmt: skip
    """Arms and baselines with these means: 4 searches of 2 replicates, 400 examples."""
    rng, bases = np.random.default_rng(1), bases or {}
    shape = (searches, 2, 400)
    scores = {
        name: rng.normal(mean, 0.05, shape) if errors else (rng.random(shape) < mean).astype(float)
        for name, mean in {**means, **bases}.items()
    }
    found = compare(scores, margin, higher_is_better=not errors)
    pairs = [Pair(each.a, each.b, each) for each in found]
    metric = Metric(MAE, "kg", "kg", False, 1.0, None, None, 0.0, np.inf) if errors else Metric()
    values: Any = SimpleNamespace(
        pairs=tuple(p for p in pairs if p.a in means and p.b in means),
        baseline_pairs=tuple(p for p in pairs if (p.a in bases) != (p.b in bases)),
        arms={name: SimpleNamespace(name=name, n=8) for name in means},
        baselines=dict.fromkeys(bases), untrained=(), metric=metric, margin=margin,
        called={name: name.removeprefix("baseline=") for name in bases},
    )  # fmt: skip
    values.between = lambda a, b: Conclusions.between(values, a, b)
    return values  # type: ignore[no-any-return]


def depths(*means: float) -> tuple[dict[str, float], dict[str, dict[str, Any]]]:
    arms = {f"depth={number}": mean for number, mean in enumerate(means, 1)}
    return arms, {arm: {"depth": number} for number, arm in enumerate(arms, 1)}


@pytest.mark.parametrize(
    ("means", "margin", "said"),
    [
        ((0.7, 0.85), 0.005, "Yes: depth 2 is better than depth 1."),
        ((0.7, 0.85, 0.86), 0.005, "Yes: depth 2 and 3 are better than depth 1."),
        ((0.7, 0.7, 0.7), 0.005, "Undecided: depth 1, 2 and 3 can't be told apart."),
        ((0.85, 0.7), 0.005, "No: no other depth is better than depth 1 by more than 0.5 points."),
        ((0.7, 0.7), 0.15, "No: no other depth is better than depth 1 by more than 15 points."),
        ((0.85, 0.7, 0.85), 0.005,
         "Undecided: nothing shows that another depth is better than depth 1."),
    ],
)  # fmt: skip
def test_does_more_pay(means: tuple[float, ...], margin: float, said: str) -> None:
    arms, values = depths(*means)
    assert headline(concluded(arms, margin=margin), values) == said


def test_of_errors_the_lower_is_better() -> None:
    arms, values = depths(2.0, 1.0)
    assert headline(concluded(arms, errors=True), values).startswith("Yes: depth 2 is better")
    arms, values = depths(1.0, 2.0)
    assert headline(concluded(arms, errors=True), values).startswith("No: no other depth")


def test_baselines_that_no_arm_beats_are_named() -> None:
    arms, values = depths(0.7, 0.7)
    found = concluded(
        arms, bases={"baseline=bag": 0.8, "baseline=last": 0.7, "baseline=majority": 0.5}
    )
    assert unbeaten(found, values) == (
        "Every depth is worse than the bag, which costs far less. "
        "No depth was shown to beat the last, which costs far less."
    )
    assert unbeaten(concluded(arms, bases={"baseline=majority": 0.5}), values) == ""


def test_arms_that_are_no_numbers_have_differences() -> None:
    cells = {"cell=rnn": 0.6, "cell=gru": 0.8, "cell=lstm": 0.8}
    values = {name: {"cell": name[5:]} for name in cells}
    said = headline(concluded(cells), values)
    assert said == (
        "Cell gru is better than cell rnn and cell lstm is better than cell rnn; "
        "the others can't be told apart."
    )
    alike = dict.fromkeys(cells, 0.7)
    assert headline(concluded(alike), values) == "Undecided: no two arms can be told apart."


def test_one_search_says_nothing() -> None:
    arms, values = depths(0.7, 0.9)
    assert headline(concluded(arms, searches=1), values) == ""

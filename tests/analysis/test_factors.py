"""Main effects and interactions: right for a known table, and rarely found where there is none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from report_testing import write_run

from harness.analysis import factors
from harness.analysis.blocks import trainings_of
from harness.analysis.summary import summarise
from harness.results.records import read_records

GRID = factors.Grid(
    ("depth", "cell"),
    ((1, 2), ("lstm", "gru")),
    {(d, c): f"depth={d},cell={c}" for d in (1, 2) for c in ("lstm", "gru")},
)

TWO: dict[str, Any] = {
    "compare": {"depth": [1, 2], "cell": ["lstm", "gru"]}, "trials": 3, "searches": 3,
    "replicates": 1,
}  # fmt: skip


def found(scores: dict[str, NDArray[np.float64]]) -> list[factors.Effect]:
    trainings = {arm: trainings_of(array) for arm, array in scores.items()}
    return factors.effects(GRID, trainings, searched=True)


def simulated(random: np.random.Generator, shifts: list[float]) -> dict[str, NDArray[np.float64]]:
    """Three searches of one replicate on 400 examples; the luck of a search is partly shared."""
    ease = random.normal(1.6, 2.0, 400)
    common = random.normal(0.0, 0.1, (3, 1, 1))
    scores = {}
    for arm, shift in zip(GRID.arms.values(), shifts, strict=True):
        quality = common + random.normal(0.0, 0.2, (3, 1, 1)) + shift
        scores[arm] = (ease + quality + random.normal(0.0, 1.0, (3, 1, 400)) > 0).astype(float)
    return scores


def test_effects_of_a_known_table() -> None:
    # depth adds 0.1 with an LSTM and 0.3 with a GRU; a GRU is better by 0.05 at depth 1.
    means = dict(zip(GRID.arms.values(), (0.50, 0.55, 0.60, 0.85), strict=True))
    random = np.random.default_rng(0)
    noise = {arm: random.normal(0, 1e-3, (4, 2, 50)) for arm in means}
    depth, cell, both = found({arm: mean + noise[arm] for arm, mean in means.items()})
    assert depth.estimate.mean == pytest.approx(0.2, abs=1e-3)
    assert cell.estimate.mean == pytest.approx(0.15, abs=1e-3)
    assert both.estimate.mean == pytest.approx(0.2, abs=1e-3)
    assert [each.interaction for each in (depth, cell, both)] == [False, False, True]
    assert both.changes == (factors.Change("depth", 2, 1), factors.Change("cell", "gru", "lstm"))
    assert all(each.interval.low > 0 and each.p < 0.01 for each in (depth, cell, both))


def test_arms_alike_have_effects_around_0() -> None:
    """Any of the three is false in at most 5 % of studies, each interval has 0 in 95 %."""
    random = np.random.default_rng(1)
    studies = [found(simulated(random, [0.0] * 4)) for _ in range(400)]
    false = np.mean(
        [any(each.interval.low > 0 or each.interval.high < 0 for each in of) for of in studies]
    )
    assert false <= 0.075  # 5 %, and two standard errors of a simulation of this size
    for place in range(3):
        intervals = [of[place].estimate.interval() for of in studies]
        covered = np.mean([low <= 0 <= high for low, high in intervals])
        assert covered >= 0.92


def test_a_true_interaction_is_found() -> None:
    random = np.random.default_rng(2)
    studies = [found(simulated(random, [0.0, 0.0, 0.0, 3.0])) for _ in range(40)]
    assert np.mean([of[2].interval.low > 0 for of in studies]) > 0.5


def test_one_search_has_no_interval() -> None:
    scores = {arm: np.zeros((1, 2, 10)) + place for place, arm in enumerate(GRID.arms.values())}
    assert [(each.estimate.known, each.p) for each in found(scores)] == [(False, 1.0)] * 3


def test_only_a_whole_table_is_one(tmp_path: Path) -> None:
    assert factors.grid_of(read_records(write_run(tmp_path / "one"))) is None
    root = write_run(tmp_path / "grid", **TWO)
    grid = factors.grid_of(read_records(root))
    assert grid is not None
    assert grid.values == ((1, 2), ("lstm", "gru"))
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["arms"].pop()
    (root / "manifest.json").write_text(json.dumps(manifest))
    assert factors.grid_of(read_records(root)) is None


def test_the_summary_has_them(tmp_path: Path) -> None:
    root = write_run(tmp_path / "grid", **TWO)
    depth, cell, both = summarise(read_records(root), "report.html")["effects"]
    assert depth["changes"] == [{"name": "depth", "value": 2, "instead": 1}]
    assert (cell["kind"], both["kind"]) == ("main effect", "interaction")
    low, high = both["ci95"]
    assert low < both["difference"] < high

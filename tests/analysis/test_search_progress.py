"""Is the search done? Expected best scores, the gain from more trials, edges of the space."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from report_testing import write_run

from harness.analysis.search_progress import (
    MORE,
    Edge,
    SearchProgress,
    edges,
    expected_best,
    gain_from_more,
    progress,
)
from harness.core.metrics import R2
from harness.results.records import read_records

# --- the curve -------------------------------------------------------------------------------


def by_all_draws(losses: list[float], scores: list[float], failed: int) -> list[float]:
    """The mean over every draw of n trials that has a trial with a score."""
    trials = [*zip(losses, scores, strict=True), *[(math.inf, math.nan)] * failed]
    curve = []
    for n in range(1, len(trials) + 1):
        best = [min(draw, key=lambda each: each[0]) for draw in itertools.combinations(trials, n)]
        curve.append(np.mean([score for loss, score in best if math.isfinite(loss)]))
    return curve


@pytest.mark.parametrize("trials", [1, 2, 5, 8])
@pytest.mark.parametrize("failed", [0, 1, 3])
def test_the_curve_is_the_mean_over_all_draws(trials: int, failed: int) -> None:
    rng = np.random.default_rng(trials + 10 * failed)
    losses, scores = rng.random((2, trials)).tolist()
    found = expected_best(losses, scores, failed)
    assert found == pytest.approx(by_all_draws(losses, scores, failed), abs=1e-12)
    assert found[-1] == scores[int(np.argmin(losses))]


def test_the_curve_rises_where_accuracy_and_loss_agree() -> None:
    losses = np.random.default_rng(0).random(40)
    curve = expected_best(losses, 1 - losses)
    assert (np.diff(curve) > 0).all()
    assert curve[0] == pytest.approx(np.mean(1 - losses))


def test_the_trial_is_chosen_by_its_loss() -> None:
    curve = expected_best([0.1, 0.2, 0.3], [0.7, 0.9, 0.8])
    assert curve == pytest.approx([0.8, (0.7 + 0.7 + 0.9) / 3, 0.7])


def test_many_trials_are_exact_enough() -> None:
    losses = np.arange(2000)
    curve = expected_best(losses, 1 - losses / 2000)
    # The expected lowest of n whole numbers from 1 to N is (N + 1) / (n + 1).
    n = np.arange(1, 2001)
    assert curve == pytest.approx(1 - (2001 / (n + 1) - 1) / 2000, abs=1e-9)


# --- the gain from more trials ---------------------------------------------------------------


def test_the_gain_is_read_from_the_curve_where_it_reaches() -> None:
    curve = np.linspace(0.5, 0.8, 20)
    assert gain_from_more(curve, 10) == pytest.approx(curve[19] - curve[9])


@pytest.mark.parametrize(("total", "trials"), [(10, 10), (12, 10), (12, 4), (19, 10)])
def test_a_short_curve_is_extended(total: int, trials: int) -> None:
    def at(n: int) -> float:
        return 0.9 - 0.2 / math.sqrt(n)

    curve = [at(n) for n in range(1, total + 1)]
    assert gain_from_more(curve, trials) == pytest.approx(at(trials + MORE) - at(trials))


def test_the_gain_is_never_below_zero() -> None:
    assert gain_from_more(np.linspace(0.8, 0.5, 10), 10) == 0.0
    assert gain_from_more(np.linspace(0.8, 0.5, 30), 10) == 0.0


@pytest.mark.parametrize(("total", "trials"), [(4, 4), (9, 10), (10, 0), (0, 10)])
def test_too_few_trials_say_nothing_about_more(total: int, trials: int) -> None:
    assert gain_from_more(np.linspace(0.5, 0.8, total), trials) is None


def test_the_extension_is_nearly_right_on_average() -> None:
    rng = np.random.default_rng(0)
    losses = np.sqrt(rng.random(300))  # the lowest of n falls about as 1/√n
    curve = expected_best(losses, -losses)
    true = curve[19] - curve[9]
    drawn = [losses[rng.choice(300, 10, replace=False)] for _ in range(800)]
    found = [gain_from_more(expected_best(each, -each), 10) for each in drawn]
    assert np.mean([each or 0.0 for each in found]) == pytest.approx(true, rel=0.2)


# --- edges -----------------------------------------------------------------------------------


def edge(distribution: BaseDistribution, *values: Any, searches: int = 1) -> str:
    space = {"x": json.loads(distribution_to_json(distribution))}
    found = edges(space, [{"x": value} for value in values], searches)
    assert len(found) <= 1
    return f"{found[0].edge} {found[0].value:g}" if found else ""


LOG = FloatDistribution(1e-4, 1e-2, log=True)  # 5 % of it is a factor of 1.259


@pytest.mark.parametrize(
    ("distribution", "value", "expected"),
    [
        (LOG, 1.25e-4, "lowest 0.0001"),
        (LOG, 1.27e-4, ""),
        (LOG, 8e-3, "highest 0.01"),
        (LOG, 7.9e-3, ""),
        (FloatDistribution(0.1, 0.5), 0.119, "lowest 0.1"),
        (FloatDistribution(0.1, 0.5), 0.121, ""),
        (FloatDistribution(0.1, 0.5), 0.481, "highest 0.5"),
        (FloatDistribution(0.0, 0.5), 0.0, ""),  # a natural limit
        (FloatDistribution(0.0, 0.5), 0.5, "highest 0.5"),
        (FloatDistribution(0.3, 0.3), 0.3, ""),
        (FloatDistribution(-2.0, 0.5), -1.95, "lowest -2"),
        (IntDistribution(4, 64, log=True), 4, "lowest 4"),
        (IntDistribution(4, 64, log=True), 5, ""),
        (IntDistribution(4, 64, log=True), 56, "highest 64"),
        (IntDistribution(4, 64, log=True), 55, ""),
        (IntDistribution(2, 4), 2, "lowest 2"),
        (IntDistribution(2, 4), 3, ""),
        (IntDistribution(2, 3), 3, ""),  # one of two is always an end
        (IntDistribution(1, 4), 1, ""),  # a natural limit
        (IntDistribution(1, 4), 4, "highest 4"),
        (IntDistribution(16, 48, step=16), 48, "highest 48"),
        (IntDistribution(16, 32, step=16), 32, ""),
        (CategoricalDistribution([50, 100, 200]), 200, "highest 200"),
        (CategoricalDistribution([200, 50, 100]), 50, "lowest 50"),
        (CategoricalDistribution([50, 100, 200]), 100, ""),
        (CategoricalDistribution([1, 96, 100]), 96, ""),  # another choice, however near
        (CategoricalDistribution([100, 200]), 200, ""),
        (CategoricalDistribution([False, True]), True, ""),
        (CategoricalDistribution(["gru", "lstm", "rnn"]), "rnn", ""),
        (CategoricalDistribution([None, 1, 2]), 2, ""),
        (LOG, None, ""),
        (LOG, math.nan, ""),
    ],
)
def test_an_edge_is_an_end_of_the_space(
    distribution: BaseDistribution, value: Any, expected: str
) -> None:
    assert edge(distribution, value) == expected


def test_more_than_half_of_the_searches_must_agree() -> None:
    choices = CategoricalDistribution([50, 100, 200])
    assert edge(choices, 200, 200, 50, searches=3) == "highest 200"
    assert edge(choices, 200, 100, 50, searches=3) == ""
    assert edge(choices, 200, 200, 50, 100, searches=4) == ""
    assert edge(choices, 200, 50, searches=2) == ""
    assert edge(choices, 200, 200, searches=2) == "highest 200"
    assert edge(choices, 200, searches=3) == ""  # the others have no finished trial yet


def test_a_damaged_space_has_no_edges() -> None:
    assert edges({"x": None, "y": {"attributes": 3}, "z": {}}, [{"x": 1, "y": 2, "z": 3}], 1) == ()


# --- records ---------------------------------------------------------------------------------


def of_depth_1(root: Path) -> SearchProgress:
    return progress(read_records(root))["depth=1"]


def change(root: Path, **entries: Any) -> Path:
    """Replace entries of the manifest's spec."""
    file = root / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["spec"] |= entries
    file.write_text(json.dumps(manifest))
    return root


def test_trials_of_all_searches_are_pooled(tmp_path: Path) -> None:
    root = write_run(tmp_path / "s", trials=10, searches=3)
    records = read_records(root)
    found = progress(records)
    assert list(found) == records.arms
    ours = records.trials[records.trials["arm"] == "depth=2"]
    assert "pruned" in set(ours["state"])
    curve = expected_best(ours["value"], ours["val_accuracy"])
    assert found["depth=2"].expected_best == pytest.approx(curve)
    assert len(curve) == 30
    assert (found["depth=2"].trials, found["depth=2"].searches) == (10, 3)
    assert found["depth=2"].at_budget == pytest.approx(curve[9])
    assert found["depth=2"].gain == pytest.approx(max(0.0, curve[19] - curve[9]))


def test_failed_trials_count_and_running_ones_do_not(tmp_path: Path) -> None:
    def edit(result: dict[str, Any]) -> dict[str, Any]:
        states = {0: {"state": "failed", "value": None}, 1: {"state": "running"},
                  2: {"value": math.inf, "val_accuracy": None}}  # fmt: skip
        return {**result, **states.get(result["trial"], {})}

    root = write_run(tmp_path / "s", trials=10, edit=edit)
    records = read_records(root)
    scored = records.trials[(records.trials["arm"] == "depth=1") & (records.trials["trial"] > 2)]
    curve = expected_best(scored["value"], scored["val_accuracy"], failed=2)
    assert of_depth_1(root).expected_best == pytest.approx(curve)
    assert len(curve) == 9
    assert of_depth_1(root).at_budget is None  # the search is not at its tenth trial yet
    assert of_depth_1(root).gain is None


def test_an_arm_without_a_score_has_no_progress(tmp_path: Path) -> None:
    def edit(result: dict[str, Any]) -> dict[str, Any]:
        failed = {"state": "failed", "value": None, "val_accuracy": None}
        return {**result, **(failed if result["arm"] == "depth=1" else {})}

    assert list(progress(read_records(write_run(tmp_path / "s", edit=edit)))) == [
        "depth=2", "depth=3", "depth=4",
    ]  # fmt: skip


def test_nothing_searched_has_no_progress(tmp_path: Path) -> None:
    root = change(write_run(tmp_path / "s"), search={})
    assert progress(read_records(root)) == {}


@pytest.mark.parametrize("why", ["loss only", "numbers"])
def test_without_accuracies_there_are_only_edges(tmp_path: Path, why: str) -> None:
    def edit(result: dict[str, Any]) -> dict[str, Any]:
        unknown = {"val_accuracy": None} if why == "loss only" else {}
        return {**result, **unknown, "params": {**result["params"], "sequence_length": 200}}

    root = write_run(tmp_path / "s", searches=3, edit=edit)
    if why == "numbers":
        manifest = json.loads((root / "manifest.json").read_text())
        manifest["dataset"]["metric"] = R2
        (root / "manifest.json").write_text(json.dumps(manifest))
    found = of_depth_1(root)
    assert (found.expected_best, found.gain) == ((), None)
    assert Edge("sequence_length", 200, "highest") in found.edges


def test_ten_more_trials_need_configurations_to_try(tmp_path: Path) -> None:
    root = write_run(tmp_path / "s", searches=3)
    assert of_depth_1(root).gain is not None
    small = {"sequence_length": {"attributes": {"choices": [50, 100, 200]}},
             "units": {"attributes": {"low": 4, "high": 9, "step": 1}}}  # fmt: skip
    assert of_depth_1(change(root, search=small)).gain is None  # 3 × 6, and 10 + 10 are needed
    small["units"]["attributes"]["high"] = 10
    assert of_depth_1(change(root, search=small)).gain is not None  # 3 × 7
    assert of_depth_1(change(root, sampler="grid")).gain is None


def test_few_trials_say_nothing_about_edges(tmp_path: Path) -> None:
    def edit(result: dict[str, Any]) -> dict[str, Any]:
        return {**result, "params": {**result["params"], "sequence_length": 200}}

    assert of_depth_1(write_run(tmp_path / "few", trials=4, edit=edit)).edges == ()
    assert of_depth_1(write_run(tmp_path / "more", trials=5, edit=edit)).edges

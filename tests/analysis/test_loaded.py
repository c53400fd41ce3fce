"""Results in Python: tables, verdicts, the model, and how a notebook shows them."""

from pathlib import Path

import pytest
from report_testing import write_accuracies, write_run

import harness
from harness.core.errors import UserError

ACCURACIES = {"depth=1": 0.868, "depth=2": 0.84}


def test_tables_of_a_study(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "runs" / "mine", ACCURACIES, searches=3)
    found = harness.load("mine", runs=tmp_path / "runs")
    assert found.path == root
    assert list(found.arms.index) == list(ACCURACIES)
    for arm, accuracy in ACCURACIES.items():
        assert found.arms.loc[arm, "mean"] == pytest.approx(accuracy, abs=0.02)
        assert found.arms.loc[arm, "trials"] == (found.trials["arm"] == arm).sum()
    assert set(found.replicates["arm"]) >= set(ACCURACIES)
    assert {"epoch", "val_loss"} <= set(found.epochs)
    (verdict,) = found.verdicts.to_dict("records")
    assert (verdict["a"], verdict["b"]) == ("depth=2", "depth=1")
    assert verdict["difference"] == pytest.approx(-0.028, abs=0.02)
    assert verdict["verdict"] in ("better", "worse", "equivalent", "inconclusive")
    assert found.recommended is not None
    assert found.recommended["arm"] == "depth=1"


def test_a_notebook_shows_the_arms_and_the_answer(tmp_path: Path) -> None:
    found = harness.load(write_accuracies(tmp_path / "mine", ACCURACIES, searches=3))
    page = found._repr_html_()
    assert "<table" in page
    assert "depth=1" in page
    assert "points" in page
    assert str(tmp_path / "mine") in repr(found)


def test_tables_are_copies(tmp_path: Path) -> None:
    found = harness.load(write_run(tmp_path / "mine"))
    table = found.trials
    table["value"] = 0.0
    assert (found.trials["value"] != 0.0).any()


def test_a_study_without_profile_has_an_empty_one(tmp_path: Path) -> None:
    root = write_run(tmp_path / "mine")
    (root / "profile.json").unlink(missing_ok=True)
    assert harness.load(root).profile.empty


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no study named 'mine'"):
        harness.load("mine", runs=tmp_path)
    found = harness.load(write_run(tmp_path / "mine"))
    with pytest.raises(UserError, match="no trained model"):
        found.model("depth=1")


def test_the_module_is_tidy() -> None:
    assert harness.__version__.count(".") == 2
    assert {"load", "Study", "__version__"} <= set(dir(harness))
    assert "importlib" not in dir(harness)

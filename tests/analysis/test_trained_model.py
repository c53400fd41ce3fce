"""The model in `best/` is the recommended arm's."""

import itertools
from pathlib import Path

import pytest
from report_testing import write_accuracies, write_run

from harness.analysis import summary, trained_model
from harness.core.errors import UserError
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory


def with_models(root: Path) -> RunDirectory:
    """A study that recommends depth 2, with a model of each search of each arm."""
    directory = RunDirectory(write_accuracies(root, {"depth=1": 0.80, "depth=2": 0.87}))
    for arm in ("depth=1", "depth=2"):
        for search, name in itertools.product(range(1, 6), trained_model.FILES):
            (directory.replicate(arm, 1, search) / name).write_text(arm)
    return directory


def best_folder(directory: RunDirectory, arm: str) -> Path:
    """The first replicate of the arm's best trial, in the search that found it."""
    best = summary.best_trials(read_records(directory.root)).set_index("arm")
    return directory.replicate(arm, 1, int(best["search"][arm]))


def test_best_is_the_recommended_arms_model(tmp_path: Path) -> None:
    directory = with_models(tmp_path / "s")
    trained_model.write_best(directory)
    assert {file.name for file in directory.best.iterdir()} == set(trained_model.FILES)
    assert (directory.best / "model.keras").read_text() == "depth=2"
    recommended = best_folder(directory, "depth=2")
    assert recommended != directory.replicate("depth=2", 1)
    assert trained_model.model_folder(directory.root, None) == recommended
    of_other = best_folder(directory, "depth=1")
    assert trained_model.model_folder(directory.root, "depth=1") == of_other


def test_a_model_of_another_arm_does_not_stay(tmp_path: Path) -> None:
    directory = with_models(tmp_path / "s")
    trained_model.write_best(directory)
    (best_folder(directory, "depth=2") / "model.keras").unlink()
    trained_model.write_best(directory)
    assert not directory.best.exists()


@pytest.mark.parametrize(
    ("arm", "message"),
    [(None, "no trained model of depth=.* yet"), ("depth=9", "depth=9")],
)
def test_a_missing_model_is_named(tmp_path: Path, arm: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        trained_model.model_folder(write_run(tmp_path / "s", trials=2), arm)


def test_without_a_finished_trial_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no trial has finished yet"):
        trained_model.model_folder(write_run(tmp_path / "s", trials=0), None)

"""Published figures beside the means of replicates."""

from pathlib import Path

import pytest
from report_testing import write_run

from harness.analysis import published
from harness.results.records import read_records

FIGURES = {"source": "A book", "val_accuracy": [0.875, 0.5, 0.7, 0.7], "val_loss": [0.5]}


def test_each_epoch_has_the_mean_of_the_replicates(tmp_path: Path) -> None:
    root = write_run(tmp_path / "s", trials=1, replicates=3, manifest={"published": FIGURES})
    found = published.by_epoch(read_records(root))
    assert list(found) == ["val_accuracy", "val_loss"]
    cells = found["val_accuracy"]
    assert cells[1].mean == pytest.approx(0.875)
    assert [cell.n for cell in cells.values()] == [3, 3, 3, 0]  # replicates have three epochs
    assert cells[4].interval is None
    assert cells[4].inside is None
    assert not cells[2].inside


def test_one_replicate_has_no_interval(tmp_path: Path) -> None:
    root = write_run(tmp_path / "s", trials=1, replicates=1, manifest={"published": FIGURES})
    cell = published.by_epoch(read_records(root))["val_loss"][1]
    assert (cell.published, cell.mean, cell.interval, cell.n) == (0.5, 0.5, None, 1)


def test_nothing_published_is_nothing_to_compare(tmp_path: Path) -> None:
    assert published.by_epoch(read_records(write_run(tmp_path / "s", trials=1))) == {}


def test_figures_by_arm_stand_beside_the_epoch_that_is_scored(tmp_path: Path) -> None:
    figures = {"source": "A book", "arms": {"depth=1": {"val_loss": 0.4}, "other": {"loss": 1}}}
    root = write_run(tmp_path / "s", trials=1, replicates=3, manifest={"published": figures})
    records = read_records(root)
    found = published.by_arm(records)
    epochs = records.replicate_epochs.merge(
        records.replicates[["arm", "search", "replicate", "best_epoch"]]
    )
    scored = epochs[(epochs["arm"] == "depth=1") & (epochs["epoch"] == epochs["best_epoch"])]
    cell = found["depth=1"]["val_loss"]
    assert (cell.published, cell.n) == (0.4, len(scored))
    assert cell.mean == pytest.approx(scored["val_loss"].mean())
    assert found["other"]["loss"].n == 0
    assert published.by_epoch(records) == {}

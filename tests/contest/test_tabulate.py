"""Tables of a grid's trainings: complete, resumable, the same however they were interrupted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from session_testing import study_file
from toys import toy_study

from harness import CategoricalDistribution, FloatDistribution, IntDistribution
from harness.contest import tabulate
from harness.contest.grid import Grid, spaced
from harness.core.errors import UserError

COMMAND = [
    sys.executable, "-m", "harness.commands.main", "tabulate", "joint_search", "--quick",
    "--at", "depth=1", "--at", "units=4", "--at", "sequence_length=50", "--at", "dropout=0",
    "--levels", "2", "--epochs", "1", "--workers", "1",
]  # fmt: skip


def run(cwd: Path, *more: str) -> subprocess.CompletedProcess[str]:
    # The script `harness` may not be on the path of those who run the tests.
    code = "import sys; from harness.commands.main import main; sys.argv[0] = 'harness'; main()"
    command = [COMMAND[0], "-c", code, *COMMAND[3:], *more]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


def test_levels_are_even_on_the_distributions_own_scale() -> None:
    assert spaced(FloatDistribution(1e-4, 1e-2, log=True), 3) == pytest.approx((1e-4, 1e-3, 1e-2))
    assert spaced(FloatDistribution(0.0, 0.5), 2) == (0.0, 0.5)
    assert spaced(IntDistribution(1, 4), 4) == (1, 2, 3, 4)
    assert spaced(IntDistribution(1, 2), 5) == (1, 2)
    assert spaced(CategoricalDistribution(["a", 1]), 9) == ("a", 1)


def test_a_grid_has_what_is_compared_and_searched() -> None:
    study = toy_study()
    grid = Grid.of(study, ["units=4,8", "sequence_length=50", "dropout=0"], 3)
    assert len(grid) == 2 * 2 * 1 * 3 * 1 == len(grid.configurations())
    assert grid.configurations()[0] == {
        "depth": 1, "units": 4, "sequence_length": 50, "learning_rate": 3e-4, "dropout": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("nits=4", "'nits' is not searched; the study searches units, sequence_length"),
        ("units=5000", "5000 lies outside of IntDistribution"),
        ("units=x", "'x' is not a number"),
        ("sequence_length=51", "51 is not one of 50, 100, 200"),
        ("units=", "give values, for example --at units=1,2"),
        ("depth=1", "'depth' is not searched"),
    ],
)
def test_values_that_make_no_sense_are_named(given: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Grid.of(toy_study(), [given], 2)


def test_too_many_are_refused() -> None:
    with pytest.raises(UserError, match="are too many; take fewer --levels"):
        Grid.of(toy_study(), [], 30)


@pytest.mark.slow
def test_a_killed_table_resumes_to_the_same_one(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow", reason="no pyarrow (pip install pyarrow)")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    assert run(whole).returncode == 0
    code = "import sys; from harness.commands.main import main; sys.argv[0] = 'harness'; main()"
    with subprocess.Popen(
        [COMMAND[0], "-c", code, *COMMAND[3:]], cwd=broken, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        folder = broken / "runs" / "joint_search-quick-table" / "trainings"
        deadline = time.monotonic() + 120
        while len(list(folder.glob("*/*/result.json"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    done = run(broken)
    assert done.returncode == 0, done.stderr
    tables: list[Any] = [
        pd.read_parquet(place / "runs" / "joint_search-quick-table" / tabulate.TABLE)
        for place in (whole, broken)
    ]
    assert len(tables[0]) == 3 * 2 * 2  # cells, rates, seeds
    same = ["configuration", "seed", "cell", "learning_rate", "epoch", "loss", "val_loss",
            "val_accuracy", "parameters", "state", "training_seed"]  # fmt: skip
    pd.testing.assert_frame_equal(tables[0][same], tables[1][same])
    assert {"step_ms", "train_s", "accuracy"} <= set(tables[0])
    other = run(broken, "--at", "units=5")
    assert other.returncode == 2
    assert "started with another grid or study (grid.units: [4] → [5])" in other.stderr


def test_backend_auto_is_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    found = []

    def stop(root: Path, study: Any, grid: Grid, seeds: int) -> None:
        found.append(study.backend)
        raise UserError("enough")

    monkeypatch.setattr(tabulate, "_prepare", stop)
    file = study_file(tmp_path, "grid", "backend='auto'")
    with pytest.raises(UserError, match="enough"):
        tabulate.tabulate(str(file), runs_directory=tmp_path, quiet=True)
    assert found[0] in ("tensorflow", "jax", "torch")

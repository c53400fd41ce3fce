"""A study with its own dataset and networks: as the documentation shows it, and with mistakes."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from document_testing import example

from harness import Budget, Study
from harness.core.errors import UserError
from harness.datasets import by_name
from harness.datasets.base.signature import Signature
from harness.results.records import read_records
from harness.spec import study_files
from harness.study.options import Options
from harness.study.overrides import apply, on


def run_study(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.study", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_the_documented_example_runs_and_resumes(tmp_path: Path) -> None:
    code = example()
    assert len(code.splitlines()) < 40
    (tmp_path / "waves.py").write_text(code)
    options = ["waves.py", "--trials", "1", "--epochs", "1", "--searches", "1",
               "--replicates", "1", "-q"]  # fmt: skip
    done = run_study(*options, "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    records = read_records(tmp_path / "runs" / "waves")
    assert set(records.trials["state"]) <= {"complete", "pruned"}
    assert set(records.trials["path"]) == {"keras"}
    assert {"baseline=bag", "baseline=linear", "baseline=majority"} <= set(
        records.replicates["arm"]
    )
    model = records.manifest["spec"]["model"]
    assert model["name"] == "build"
    assert (tmp_path / "runs" / "waves" / "best" / "model.keras").is_file()

    more = run_study(*options, "--trials", "2", "--workers", "1", cwd=tmp_path)
    assert more.returncode == 0, more.stderr
    (tmp_path / "waves.py").write_text(code.replace("5, activation", "3, activation"))
    other = run_study(*options, cwd=tmp_path)
    assert other.returncode == 2
    assert "model.source_sha256" in other.stderr
    profile = subprocess.run(
        [sys.executable, "-m", "harness.profile", "waves"],
        cwd=tmp_path, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert profile.returncode == 2
    assert "builds its own models" in profile.stderr


def test_what_a_builder_does_not_take_is_named(tmp_path: Path) -> None:
    for wrong, complaint in (
        (example().replace('"filters": [4', '"filter": [4'), "filter: no such hyperparameter"),
        (example().replace("*, filters", "*, units"), "units comes with hp"),
        (example().replace("model=build", "model=lambda hp, s: None"), "at the top of the"),
    ):
        (tmp_path / "waves.py").write_text(wrong)
        with pytest.raises(UserError, match=complaint):
            study_files.load(str(tmp_path / "waves.py"))


def build(hp: object, signature: Signature) -> None:
    raise AssertionError("only declared")


def test_networks_of_ones_own_cannot_be_held_equal() -> None:
    with pytest.raises(UserError, match="hold: goes with the networks of harness"):
        Study(
            dataset=by_name("imdb"),
            model=build,
            hold={"parameters": 10_000},
            budget=Budget(trials=1, epochs=1),
        )


def test_another_dataset_limits_what_is_searched(tmp_path: Path) -> None:
    study = study_files.load("lstm_depth").study
    digits = on(study, by_name("digits"))
    assert digits.search["sequence_length"].choices == (8,)  # type: ignore[attr-defined]
    assert set(digits.fixed) == {"cell", "batch_size"}
    order = on(study, by_name("temporal-order"))
    assert order.search["sequence_length"].choices == (50, 51)  # type: ignore[attr-defined]
    assert order.fixed["vocabulary"] == 10
    x = np.random.default_rng(0).normal(size=(60, 5, 2))
    np.savez(tmp_path / "own.npz", x=x, y=x[:, -1, 0])
    own = apply(Options(name="lstm_depth", dataset=str(tmp_path / "own.npz")), study)
    assert own.signature == Signature(classes=0, features=2)
    memory = study_files.load("long_memory").study
    with pytest.raises(UserError, match="--dataset digits: the study compares length, which"):
        on(memory, by_name("digits"))
    with pytest.raises(UserError, match="--text-column: goes with a table of texts"):
        apply(Options(name="a", dataset=str(tmp_path / "own.npz"), text_column="t"), study)


def test_what_goes_with_no_numbers_or_single_steps_is_refused() -> None:
    budget = Budget(trials=1, epochs=1)
    with pytest.raises(UserError, match="embedding_dim: dataset digits holds numbers"):
        Study(dataset=by_name("digits"), compare={"embedding_dim": [2, 4]}, budget=budget)
    with pytest.raises(UserError, match="needs a sequence_length of at least"):
        Study(dataset=by_name("copy-memory"), fixed={"sequence_length": 9}, budget=budget)
    with pytest.raises(UserError, match="a cell other than bag"):
        Study(
            dataset=by_name("copy-memory"),
            fixed={"cell": "bag", "depth": 1, "sequence_length": 50},
            budget=budget,
        )


@pytest.mark.slow
@pytest.mark.parametrize("target", ["number", "steps"])
def test_numbers_and_steps_go_through_to_the_report(tmp_path: Path, target: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 6, 2)).astype(np.float32)
    y = x[:, -1, 0] * 40 + 7 if target == "number" else (x[:, -3:, 0] > 0).astype(int)
    np.savez(tmp_path / "own.npz", x=x, y=y)
    done = run_study(
        "joint_search", "--dataset", "own.npz", "--quick", "--trials", "1", "--epochs", "2",
        "--workers", "1", "--no-profile", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = Path(tmp_path, done.stdout.splitlines()[-1]).read_text(encoding="utf-8")
    records = read_records(tmp_path / "runs" / "joint_search-own-quick")
    bags = records.replicates[records.replicates["arm"] == "baseline=bag"]
    if target == "number":
        assert "test R² " in done.stdout
        assert "Test R²" in page
        read = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
        # Names of files to download follow from anchors.
        assert "accura" not in re.sub(r"CSV\s+of [-\w ]+", "", read).lower()
        assert not re.search(r'aria-label="[^"]*accuracy', page)
        assert "training mean" in page
        majority = records.replicates[records.replicates["arm"] == "baseline=majority"]
        assert (majority["scored_accuracy"] < 0.01).all()
        assert len(bags) == 2
        linear = records.replicates[records.replicates["arm"] == "baseline=linear"]
        assert (linear["scored_accuracy"] > 0.9).all()  # the target is a linear function
    else:
        assert "Test accuracy" in page
        assert bags.empty


@pytest.mark.slow
def test_data_that_changed_are_not_mixed_with_what_was_trained_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 6, 2)).astype(np.float32)
    options = [
        "joint_search", "--dataset", "own.npz", "--quick", "--epochs", "1", "--replicates", "1",
        "--workers", "1", "--no-profile", "-q",
    ]  # fmt: skip
    np.savez(tmp_path / "own.npz", x=x, y=(x[:, -1, 0] > 0).astype(int))
    assert run_study(*options, "--trials", "1", cwd=tmp_path).returncode == 0
    np.savez(tmp_path / "own.npz", x=x + 1, y=(x[:, -1, 0] > 0).astype(int))
    other = run_study(*options, "--trials", "2", cwd=tmp_path)
    assert other.returncode == 2
    assert "the data of number-files have changed since the study began" in other.stderr
    assert len(other.stderr.splitlines()) == 1
    assert len(read_records(tmp_path / "runs" / "joint_search-own-quick").trials) == 1

"""`harness.run`: the same as the command, from Python, and bad input one line each."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from session_testing import STUDY, Pool, use_toy_pool
from toys import Noise, losses, toy_study

import harness
from harness import Budget, FloatDistribution, Parity, Study
from harness.core.errors import StudyHeldError, UserError
from harness.results import lock
from harness.results.records import read_records
from harness.study import moved


@pytest.fixture
def toy_pool(monkeypatch: pytest.MonkeyPatch, no_sections: None) -> None:
    use_toy_pool(monkeypatch)


def small(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "dataset": Parity(train=64, validation=32, test=32, length=4),
        "compare": {"depth": [1, 2]},
        "search": {"learning_rate": FloatDistribution(1e-3, 1e-2, log=True)},
        "fixed": {"cell": "gru", "units": 2, "embedding_dim": 2, "sequence_length": 4},
        "budget": Budget(trials=2, epochs=1),
        "searches": 1,
        "replicates": 1,
        **changes,
    }
    return Study(**values)


@pytest.mark.usefixtures("toy_pool")
def test_a_study_made_in_python_runs_and_resumes(
    ram_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = {"name": "small", "runs": ram_path / "runs", "quiet": True}
    found = harness.run(small(), question="Does depth pay?", **here)
    assert found.path == ram_path / "runs" / "small"
    assert len(found.trials) == 4
    assert found.report.exists()
    manifest = read_records(found.path).manifest
    assert manifest.question == "Does depth pay?"
    assert manifest.command == f"harness.run(study, name='small', runs='{ram_path}/runs')"
    assert capsys.readouterr().out == ""
    more = harness.run(small(), trials=3, **here)
    assert len(more.trials) == 6
    assert more.trials.groupby("arm").head(2).reset_index(drop=True).equals(found.trials)
    with pytest.raises(UserError, match="was started with another spec"):
        harness.run(small(seed=1), **here)

    moved.rename(found.path, "other")
    again = harness.run(small(), **{**here, "name": "other"})
    assert len(again.trials) == 6
    assert read_records(again.path).manifest.command.startswith("harness.run(study, name='other'")


@pytest.mark.usefixtures("toy_pool")
def test_a_study_file_is_run_like_the_command(
    ram_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ram_path)
    file = ram_path / "mine.py"
    file.write_text(STUDY)
    found = harness.run(file, name="toy", quick=True, quiet=True, trials=2)
    assert found.path == Path("runs/toy-quick")
    manifest = read_records(found.path).manifest
    assert manifest.command == f"python -m harness.study {file} --quick --name toy"
    assert manifest.question == "Does it run?"


@pytest.mark.usefixtures("toy_pool")
def test_an_interrupt_is_an_ordinary_one_and_the_study_resumes(
    ram_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {"name": "small", "runs": ram_path, "quiet": True}
    begun = 0

    def interrupting(request: Any) -> list[float]:
        nonlocal begun
        begun += 1
        if begun == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return losses(request)

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(Pool, "curve_of_all", staticmethod(interrupting))
        with pytest.raises(KeyboardInterrupt):
            harness.run(small(), **here)
    assert signal.getsignal(signal.SIGINT) is before
    assert len(harness.run(small(), **here).trials) == 4


@pytest.mark.usefixtures("toy_pool")
def test_without_compiled_programs_only_for_its_own_time(
    ram_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def looking(request: Any) -> list[float]:
        seen.append(os.environ["HARNESS_COMPILE_CACHE"])
        return losses(request)

    monkeypatch.setattr(Pool, "curve_of_all", staticmethod(looking))
    before = os.environ["HARNESS_COMPILE_CACHE"]
    harness.run(small(), name="small", runs=ram_path, quiet=True, compile_cache=False)
    assert set(seen) == {"off"}
    assert os.environ["HARNESS_COMPILE_CACHE"] == before


def build(hp: object, signature: object) -> None:
    raise AssertionError("only declared")


@pytest.mark.parametrize(
    ("study", "options", "complaint"),
    [
        (small, {}, "needs a name"),
        (small, {"name": "a/b"}, "name a/b: letters"),
        (small, {"name": "a", "trails": 3}, "no option named 'trails'; did you mean trials"),
        (small, {"name": "a", "dry_run": True}, "no option named 'dry_run'"),
        (small, {"name": "a", "trials": "3"}, "trials='3': give a value of type int"),
        (small, {"name": "a", "workers": True}, "workers=True: give a value of type int"),
        (small, {"name": "a", "workers": 0}, "at least one is needed"),
        (lambda: "lstm_dept", {}, "did you mean lstm_depth"),
        (lambda: 3, {}, "neither a study's name nor the path"),
        (lambda: "lstm_depth", {"question": "Why?"}, "a study file has its own"),
        (toy_study, {"name": "a"}, r"dataset: Noise is your own.*harness.run\(\"mine.py\"\)"),
        (lambda: small(model=build, fixed={}), {"name": "a"}, "model: build is your own"),
    ],
)
def test_bad_input_is_one_line(
    ram_path: Path, study: Any, options: dict[str, Any], complaint: str
) -> None:
    assert Noise.__module__ == "toys"
    with pytest.raises(UserError, match=complaint) as caught:
        harness.run(study(), runs=ram_path, **options)
    assert "\n" not in str(caught.value)
    assert list(ram_path.iterdir()) == []


@pytest.mark.usefixtures("toy_pool")
def test_a_study_in_use_is_refused(ram_path: Path) -> None:
    found = harness.run(small(), name="small", runs=ram_path, quiet=True)
    with lock.hold(found.path / "lock"), pytest.raises(StudyHeldError):
        harness.run(small(), name="small", runs=ram_path, quiet=True)


@pytest.mark.slow
def test_workers_train_a_study_that_has_no_file(tmp_path: Path) -> None:
    """As in a notebook: the study exists in the memory of `__main__` alone."""
    code = """
from harness import Budget, FloatDistribution, Parity, Study, run
study = Study(
    dataset=Parity(train=64, validation=32, test=32, length=4),
    search={"learning_rate": FloatDistribution(1e-3, 1e-2, log=True)},
    fixed={"cell": "gru", "units": 2, "embedding_dim": 2, "sequence_length": 4},
    budget=Budget(trials=1, epochs=1), searches=1, replicates=1)
found = run(study, name="small", profile=False, workers=1)
print(found.arms["replicates"].tolist(), type(found.model("all")).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-"], input=code, capture_output=True, text=True, cwd=tmp_path, timeout=250
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[1] Sequential"


def test_the_names_are_listed() -> None:
    assert {"run", "load", "Study", "__version__"} <= set(dir(harness))
    assert all(getattr(harness, name) is not None for name in harness.__all__)
    assert [name for name in dir(harness) if name.startswith("_") and name[:2] != "__"] == []

"""The main job with real workers and real training, on a study small enough to train in seconds."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest

from harness.results.records import read_records

pytestmark = pytest.mark.slow

STUDY = '''
"""Does it run for real?"""
from harness import Budget, FloatDistribution, Imdb, IntDistribution, Study

study = Study(
    dataset=Imdb(train=320, validation=64, test=64),
    compare={"depth": [1, 2]},
    search={
        "units": IntDistribution(2, 3),
        "learning_rate": FloatDistribution(1e-3, 1e-1, log=True),
    },
    fixed={"cell": "gru", "sequence_length": 12, "vocabulary": 500, "embedding_dim": 4},
    budget=Budget(trials=3, epochs=3),
    searches=1,
    replicates=2,
    seed=1,
)
'''
COMMAND = [sys.executable, "-m", "harness.study", "tiny.py"]


@pytest.fixture
def folder(ram_path: Path) -> Path:
    (ram_path / "tiny.py").write_text(STUDY)
    return ram_path


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "--no-profile", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run to the end; what must not depend on interruptions."""
    process = start(folder, "--json", *arguments)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    json.loads(out)
    return trials_in(folder)


def trials_in(folder: Path) -> dict[str, Any]:
    """What must be equal however a study was interrupted: trials, and replicates to the bit."""
    storage = f"sqlite:///{folder}/runs/tiny/study.db"
    replicates = read_records(folder / "runs/tiny").replicates
    columns = [
        "replicate",
        "trial",
        "seed",
        "value",
        "scored_loss",
        "scored_accuracy",
        "best_epoch",
    ]
    return {
        f"replicates of {arm}": [tuple(row) for row in of_arm[columns].astype(str).to_numpy()]
        for arm, of_arm in replicates.groupby("arm")
    } | {
        name: [
            (t.number, t.state.name, t.params, t.value, t.intermediate_values,
             t.user_attrs["val_accuracy"], t.user_attrs["seed"], t.user_attrs["path"])
            for t in optuna.load_study(study_name=name, storage=storage).trials
        ]
        for name in optuna.get_all_study_names(storage)
    }  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's folder once it has run to its end without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.py").write_text(STUDY)
    finish(folder, "--workers", "2")
    return folder


@pytest.fixture
def uninterrupted(finished: Path) -> dict[str, Any]:
    return trials_in(finished)


def wait_for(process: "subprocess.Popen[str]", pattern: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if re.search(pattern, line):
            return line
    raise AssertionError(f"it ended with {process.wait()} before it said {pattern!r}")


def workers_of(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def assert_gone(workers: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert [each for each in alive if not ended(each)] == []


def ended(process: psutil.Process) -> bool:
    """Whether it runs no more: also while its new parent, init, has yet to read its exit status."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_one_worker_and_two_give_the_same_trials(
    folder: Path, uninterrupted: dict[str, Any]
) -> None:
    assert {name: len(found) for name, found in uninterrupted.items()} == {
        "tiny/depth=1": 3,
        "tiny/depth=2": 3,
        "replicates of depth=1": 2,
        "replicates of depth=2": 2,
        "replicates of baseline=bag": 2,
        "replicates of baseline=linear": 2,
        "replicates of baseline=majority": 2,
    }
    assert finish(folder, "--workers", "1") == uninterrupted


def test_sigkill_at_several_moments_then_the_same_command(
    folder: Path, uninterrupted: dict[str, Any]
) -> None:
    for pattern in ("trial 0 starts", "trial 0: epoch 1/3", "trial 1: epoch 2/3"):
        process = start(folder, "--workers", "2")
        wait_for(process, pattern)
        workers = workers_of(process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert_gone(workers)
    assert finish(folder, "--workers", "2") == uninterrupted


def test_killed_while_replicates_train_then_the_same_command(
    folder: Path, uninterrupted: dict[str, Any]
) -> None:
    for pattern in ("replicate 1: epoch 1/3", "replicate 2 starts"):
        process = start(folder, "--workers", "2")
        wait_for(process, pattern)
        workers = workers_of(process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert_gone(workers)
    assert finish(folder, "--workers", "2") == uninterrupted


def test_predictions_from_the_exported_model(folder: Path, finished: Path) -> None:
    """The saved model says of the test split what the scores say; the verb says it of texts."""
    shutil.copytree(finished / "runs", folder / "runs")
    verb = [sys.executable, "-c", "from harness.commands.main import main; main()"]
    subprocess.run(
        [*verb, "export", "tiny", "--arm", "depth=2", "-o", "out"], cwd=folder, check=True
    )
    check = """if True:
        import json, numpy as np, keras
        from harness import Imdb
        from harness.datasets.base.text import encode_texts
        params = json.load(open("out/params.json"))
        split = Imdb(train=320, validation=64, test=64).load(
            "test", sequence_length=12, vocabulary=500)
        found = keras.models.load_model("out/model.keras").predict(split.x, verbose=0)[:, 0]
        scores = np.load("runs/tiny/replicates/depth=2/seed=1/scores.npy")
        assert ((found > 0.5) == split.y).tolist() == (scores == 1).tolist()
        assert abs(scores.mean() - params["scored_accuracy"]) < 1e-9
    """
    subprocess.run([sys.executable, "-c", check], cwd=folder, check=True)
    texts = ["A great film", "the worst film ever, truly"]
    out = subprocess.run(
        [*verb, "predict", "tiny", "--arm", "depth=2", "--json"], input="\n".join(texts) + "\n",
        cwd=folder, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["text"] for each in found] == texts
    for each in found:
        assert each["label"] in ("negative", "positive")
        assert each["probability"] == max(each["probabilities"].values())
        assert sum(each["probabilities"].values()) == pytest.approx(1)
    plain = subprocess.run(
        [*verb, "predict", "tiny", "A great film", "--arm", "depth=2"],
        cwd=folder, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert plain == f"{found[0]['label']} {found[0]['probability']:.3f}  A great film\n"


def test_sigint_and_sigterm_stop_in_order_and_resume(
    folder: Path, uninterrupted: dict[str, Any]
) -> None:
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = start(folder, "--workers", "2")
        wait_for(process, "epoch 1/3")
        workers = workers_of(process)
        assert len(workers) == 2
        asked = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=200)
        assert process.returncode == code
        assert time.monotonic() - asked < 10
        assert "the same command continues from here" in err
        assert "Traceback" not in err
        assert_gone(workers)
        states = {t[1] for trials in trials_in_any_state(folder).values() for t in trials}
        assert "RUNNING" not in states
        assert (folder / "runs/tiny/report.html").exists()
    assert finish(folder) == uninterrupted


def trials_in_any_state(folder: Path) -> dict[str, Any]:
    storage = f"sqlite:///{folder}/runs/tiny/study.db"
    return {
        name: [
            (t.number, t.state.name)
            for t in optuna.load_study(study_name=name, storage=storage).trials
        ]
        for name in optuna.get_all_study_names(storage)
    }


def test_a_worker_killed_from_outside_is_replaced(
    folder: Path, uninterrupted: dict[str, Any]
) -> None:
    process = start(folder, "--workers", "1")
    wait_for(process, "epoch 1/3")
    workers_of(process)[0].kill()
    assert "signal SIGKILL" in wait_for(process, "starts again")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert trials_in(folder) == uninterrupted


def test_worker_and_coordinator_killed_together(
    folder: Path, uninterrupted: dict[str, Any]
) -> None:
    process = start(folder, "--workers", "2")
    wait_for(process, "epoch 1/3")
    workers = workers_of(process)
    for each in (*workers, process):
        each.send_signal(signal.SIGKILL)
    process.communicate()
    assert_gone(workers)
    assert finish(folder) == uninterrupted


def test_a_second_ctrl_c_exits_at_once(folder: Path, uninterrupted: dict[str, Any]) -> None:
    process = start(folder, "--workers", "2")
    wait_for(process, "epoch 1/3")
    workers = workers_of(process)
    process.send_signal(signal.SIGINT)
    # Two signals at once may arrive as one.
    wait_for(process, "stopping")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert_gone(workers)
    assert finish(folder) == uninterrupted


def test_a_second_coordinator_exits_75_naming_the_first(folder: Path) -> None:
    first = start(folder)
    wait_for(first, "starts")
    second = subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True, timeout=200)
    assert second.returncode == 75
    assert f"process {first.pid} on " in second.stderr
    assert second.stderr.count("\n") == 1
    workers = workers_of(first)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=200)
    assert_gone(workers)


@pytest.mark.parametrize(
    "backend",
    [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("jax", "torch")],
)
def test_other_backends_train_too(
    folder: Path, backend: str, uninterrupted: dict[str, Any]
) -> None:
    """The same hyperparameters as with TensorFlow, and losses close to its losses."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    trials = finish(folder, "--backend", backend, "--trials", "1", "--epochs", "2")
    for name in (name for name in trials if name.startswith("tiny/")):
        ((_, state, params, _, losses, *_, path),) = trials[name]
        assert state == "COMPLETE"
        assert path in (("xla-kernel", "xla-scan") if backend == "jax" else ("keras",))
        assert params == uninterrupted[name][0][2]
        for epoch, loss in losses.items():
            assert loss == pytest.approx(uninterrupted[name][0][4][epoch], abs=0.1)


def test_progress_is_never_silent_for_long(folder: Path) -> None:
    process = start(folder, "--workers", "1")
    assert process.stderr is not None
    last, longest = time.monotonic(), 0.0
    for _ in process.stderr:
        longest = max(longest, time.monotonic() - last)
        last = time.monotonic()
    process.communicate(timeout=200)
    assert process.returncode == 0
    # A heartbeat comes after five seconds of silence; some room for a loaded machine.
    assert longest < 10


def test_it_runs_where_only_the_environment_says_where_the_package_is(folder: Path) -> None:
    """Workers find what the coordinator found, whatever the current directory holds."""
    (folder / "harness.py").write_text("raise RuntimeError('not this one')")
    process = subprocess.run(
        [sys.executable, "-P", "-m", "harness.study", "tiny.py", "--quick", "--trials", "1"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )
    assert process.returncode == 0, process.stderr
    # Nothing left out here: the profile of what the arms' best cost comes last.
    profile = json.loads((folder / "runs/tiny-quick/profile.json").read_text())
    assert {arm for entry in profile["entries"] for arm in entry["arms"]} == {"depth=1", "depth=2"}
    assert all(entry["step_ms"]["median"] > 0 for entry in profile["entries"])

"""Trainings on a Ray cluster of real nodes on this machine: the same numbers, whatever dies."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    # Ray's own, as it starts and ends its processes.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ray: Any = pytest.importorskip("ray", reason="no Ray (pip install ray)")

from harness.core.errors import UserError  # noqa: E402
from harness.datasets import by_name  # noqa: E402
from harness.results import records as runs  # noqa: E402
from harness.spec.hyperparameters import Hyperparameters  # noqa: E402
from harness.workers import ray_actor  # noqa: E402
from harness.workers import ray_pool as clusters  # noqa: E402
from harness.workers.local import Settings  # noqa: E402
from harness.workers.messages import (  # noqa: E402
    Continue,
    Died,
    EpochDone,
    Failed,
    Finished,
    Paused,
    TrainRequest,
)
from harness.workers.ray_pool import RayPool  # noqa: E402

SETTINGS = Settings(backend="tensorflow", device="cpu", threads=1, path=None)
# Three actors that each import Keras wait for one another where other tests share the cores.
TOO_LONG_S = 1200.0
SETTINGS_AUTO = dataclasses.replace(SETTINGS, device="auto")
STUDY = """
'''Does it count?'''
from harness import Budget, FloatDistribution, Parity, Study

study = Study(
    dataset=Parity(train={train}, validation=200, test=200, length=8),
    compare={{"depth": [1, 2, 3]}},
    search={{"learning_rate": FloatDistribution(1e-3, 3e-2, log=True)}},
    fixed={{"cell": "gru", "units": 4, "sequence_length": 9, "vocabulary": 6, "embedding_dim": 4}},
    pruner="none", budget=Budget(trials=2, epochs={epochs}),
    searches=1, replicates=1, patience=None)
"""


def write_study(folder: Path, train: int = 400, epochs: int = 2) -> Path:
    file = folder / "count.py"
    file.write_text(STUDY.format(train=train, epochs=epochs))
    return file


LONG: Any = {"train": 16_000, "epochs": 8}  # long enough that something can be killed during it


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The results of the long study with local workers."""
    folder = tmp_path_factory.mktemp("whole")
    run(write_study(folder, **LONG), "--workers", "2", "-q", cwd=folder)
    return numbers(folder)


@pytest.fixture
def nodes() -> Iterator[Any]:
    """A cluster whose nodes have one CPU each; its head has none, so that any node may die."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(3):
        cluster.add_node(num_cpus=1)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def start(file: Path, *arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "harness.study", str(file), "--no-profile", *arguments],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip


def run(file: Path, *arguments: str, cwd: Path, code: int = 0) -> str:
    with start(file, *arguments, cwd=cwd) as process:
        out, err = process.communicate(timeout=TOO_LONG_S)
    assert process.returncode == code, err
    return err if code else out


def numbers(folder: Path) -> list[Any]:
    """All that must not depend on where it was trained, to the last digit."""
    records = runs.read_records(folder / "runs" / "count")
    trials = records.trials.sort_values(["arm", "trial"])
    found = [
        trials[["arm", "trial", "state", "value", "val_accuracy", "params_learning_rate"]]
        .to_numpy()
        .tolist()
    ]
    epochs = records.epochs.sort_values(["arm", "trial", "epoch"])
    found.append(epochs[["loss", "accuracy", "val_loss", "val_accuracy"]].to_numpy().tolist())
    for arm in (*records.arms, "baseline=bag"):
        found += [scores.tolist() for _, scores in sorted(records.scores(arm).items())]
    return found


def until(true: Callable[[], bool], seconds: float = TOO_LONG_S) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def epochs_on_file(folder: Path) -> int:
    files = (folder / "runs" / "count").glob("trials/*/*/metrics.jsonl")
    return sum(len(file.read_text().splitlines()) for file in files)


def actors_alive(address: str) -> int:
    """Worker processes of harness that are still running."""
    import psutil

    found = 0
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        found += line.startswith("ray::") and "Actor" in line
    return found


def test_a_cluster_gives_the_numbers_of_local_workers(nodes: Any, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        write_study(folder)
    run(here / "count.py", "--workers", "2", cwd=here)
    run(there / "count.py", "--ray", nodes.address, cwd=there)
    assert numbers(here) == numbers(there)
    assert (there / "runs" / "count" / "best" / "model.keras").is_file()
    until(lambda: actors_alive(nodes.address) == 0, 60)
    manifest = (there / "runs" / "count" / "manifest.json").read_text()
    assert f"--ray {nodes.address}" in manifest


def test_a_node_that_dies_and_one_that_joins(
    nodes: Any, tmp_path: Path, uninterrupted: list[Any]
) -> None:
    write_study(tmp_path, **LONG)
    with start(tmp_path / "count.py", "--ray", nodes.address, cwd=tmp_path) as process:
        until(lambda: epochs_on_file(tmp_path) >= 3)
        nodes.remove_node(nodes.list_all_nodes()[1], allow_graceful=False)
        nodes.remove_node(nodes.list_all_nodes()[1], allow_graceful=False)
        time.sleep(3)
        nodes.add_node(num_cpus=1)
        _, err = process.communicate(timeout=TOO_LONG_S)
    assert process.returncode == 0, err
    assert "starts again (killed: the worker ended with the loss of its actor" in err
    assert numbers(tmp_path) == uninterrupted


def test_a_coordinator_killed_or_stopped_leaves_no_actor_and_goes_on(
    nodes: Any, tmp_path: Path, uninterrupted: list[Any]
) -> None:
    write_study(tmp_path, **LONG)
    for number, (wanted, end) in enumerate(((2, signal.SIGKILL), (6, signal.SIGINT)), start=1):
        with start(tmp_path / "count.py", "--ray", nodes.address, cwd=tmp_path) as process:
            until(lambda wanted=wanted: epochs_on_file(tmp_path) >= wanted)  # type: ignore[misc]
            assert actors_alive(nodes.address) > 0
            process.send_signal(end)
            process.communicate(timeout=200)
        assert process.returncode == (-9 if number == 1 else 130)
        until(lambda: actors_alive(nodes.address) == 0, 60)
    run(tmp_path / "count.py", "--ray", nodes.address, "-q", cwd=tmp_path)
    assert numbers(tmp_path) == uninterrupted


HP = Hyperparameters(cell="gru", depth=1, units=4, sequence_length=9, vocabulary=6, embedding_dim=4)


def order(folder: Path, epochs: int = 3) -> TrainRequest:
    dataset = by_name("parity", train=300, validation=60, test=60, length=8)
    return TrainRequest(
        "t", dataset, HP, 1, epochs, str(folder / "checkpoint"), score="test",
        model=str(folder / "model.keras"), keep_best=True,
    )  # fmt: skip


def drive(pool: RayPool, train: TrainRequest, stop_after: int | None = None) -> list[Any]:
    """The messages of one training; ends after so many EpochDone."""
    said: list[Any] = []
    until(lambda: pool.wait(0.5) is not None and bool(pool.ready))
    pool.send(0, train)
    deadline = time.monotonic() + TOO_LONG_S
    while time.monotonic() < deadline:
        for _, message in pool.wait(0.5):
            said.append(message)
            if isinstance(message, EpochDone):
                if message.metrics["epoch"] == stop_after:
                    return said
                pool.send(0, Continue("t"))
            if isinstance(message, Finished | Failed | Paused | Died):
                return said
    raise AssertionError(f"no end: {said}")


class Unshared(RayPool):
    """Like nodes that do not see the coordinator's files."""

    def _create(self) -> Any:
        self._token.unlink(missing_ok=True)
        return super()._create()


def test_without_shared_files_checkpoints_and_models_come_back(tmp_path: Path) -> None:
    once, cut = tmp_path / "once", tmp_path / "cut"
    with Unshared("local", 1, SETTINGS, tmp_path / "logs") as pool:
        whole = drive(pool, order(once))
        assert isinstance(whole[-1], Finished)
        assert (once / "model.keras").stat().st_size > 1_000
        drive(pool, order(cut), stop_after=2)
        kept = sorted(file.name for file in (cut / "checkpoint").iterdir())
        assert [name for name in kept if name.endswith(".json")] == [
            "0001-00000000.json", "0002-00000000.json",
        ]  # fmt: skip
        pool.replace(0)
        again = drive(pool, order(cut))
    first, second = (
        [message.metrics for message in said if isinstance(message, EpochDone)]
        for said in (whole, again)
    )
    names = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")
    assert [[m[n] for n in names] for m in first] == [[m[n] for n in names] for m in second]
    # The new actor compiled for the last epoch only; the epochs before were restored.
    assert second[2]["compile_s"] > 0.1 > first[2]["compile_s"]
    np.testing.assert_array_equal(whole[-1].test.scores, again[-1].test.scores)


def test_shares_of_a_gpu_are_placed_by_ray(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 4, "num_gpus": 1})
    try:
        with RayPool(cluster.address, 3, SETTINGS, tmp_path, gpus=0.5) as pool:
            until(lambda: pool.wait(0.5) is not None and len(pool.ready) == 2)
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                pool.wait(0.5)
            assert len(pool.ready) == 2  # the third waits for a half
            host = cluster.address.rpartition(":")[0]
            assert {pool.name(each) for each in pool.ready} == {
                f"{host}/{each}" for each in pool.ready
            }
            pool._end(pool._workers[pool.ready[0]])
            until(lambda: pool.wait(0.5) is not None and len(pool.ready) == 2)
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.parametrize(
    ("gpus", "visible", "growth"), [(0, "-1", None), (0.1, None, "true"), (1, None, None)]
)
def test_an_actor_sees_the_gpus_that_it_got(
    gpus: float, visible: str | None, growth: str | None
) -> None:
    variables = clusters.variables_of(SETTINGS_AUTO, gpus)
    assert variables.get("CUDA_VISIBLE_DEVICES") == visible
    assert variables.get("TF_FORCE_GPU_ALLOW_GROWTH") == growth


def test_other_versions_on_a_node_are_named_before_any_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ray_actor.known_versions()
    monkeypatch.setattr(clusters, "known_versions", lambda: {**known, "keras": "3.0.0"})
    with (
        RayPool("local", 1, SETTINGS, tmp_path) as pool,
        pytest.raises(UserError, match=r"node .* has keras .* \(here 3.0.0\); install the same"),
    ):
        until(lambda: bool(pool.ready) or pool.wait(1) is None)


def test_a_study_of_ones_own_travels_whole(tmp_path: Path) -> None:
    from document_testing import example

    file = tmp_path / "waves.py"
    file.write_text(example())
    small = ("--trials", "1", "--epochs", "1", "--searches", "1", "--replicates", "1")
    run(file, "--ray", "local", *small, cwd=tmp_path)
    assert (tmp_path / "runs" / "waves" / "best" / "model.keras").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--ray", "127.0.0.1:1"], "--ray 127.0.0.1:1: no cluster can be joined there"),
        (["--ray", "somewhere"], "--ray somewhere: no cluster can be joined there"),
        (["--ray", "auto"], "--ray auto: no cluster can be joined there"),
        (["--ray", "ray://127.0.0.1:10001"], "run the study on a node of the cluster"),
        (["--gpus-per-trial", "0.5"], "--gpus-per-trial goes with --ray"),
        (["--ray", "local", "--gpus-per-trial", "-1"], "--gpus-per-trial -1: from 0 to 64"),
        (["--ray", "local", "--gpus-per-trial", "1", "--device", "cpu"], "not with --device cpu"),
        (["--ray", "local", "--gpus-per-trial", "0", "--device", "gpu"], "needs a share of a GPU"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    err = run(write_study(tmp_path), *arguments, "-q", cwd=tmp_path, code=2)
    assert complaint in err
    assert len(err.splitlines()) == 1

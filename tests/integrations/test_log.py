"""`harness log`: runs in a real MLflow database and real event files, and nothing twice."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_testing import write_run
from typer.testing import CliRunner

from harness.commands import verbs
from harness.core.errors import UserError
from harness.integrations import logged, to_mlflow
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory

theirs = pytest.mark.filterwarnings("ignore")  # MLflow warns of much in itself

STATES = {1: "pruned", 2: "failed", 3: "running"}  # of the trials with these numbers


def _edit(result: dict[str, Any]) -> dict[str, Any]:
    state = STATES.get(result["trial"], "complete")
    reason = "out of memory" if state == "failed" else None
    return {**result, "state": state, "reason": reason}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two arms of four trials in the four states, and one replicate each and of the bag."""
    folder = tmp_path / "runs" / "words"
    write_run(folder, compare={"depth": [1, 2]}, trials=4, replicates=1, edit=_edit)
    (folder / "report.html").write_text("the report")
    return folder


def end_running(root: Path) -> None:
    """The trials that were running end after one more epoch."""
    for arm in ("depth=1", "depth=2"):
        folder = RunDirectory(root).trial(arm, 3)
        record = json.loads((folder / "started.json").read_text())
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        more = {**json.loads(lines[-1]), "epoch": 6}
        (folder / "metrics.jsonl").write_text("\n".join([*lines, json.dumps(more)]) + "\n")
        (folder / "started.json").unlink()
        (folder / "result.json").write_text(json.dumps({**record, "state": "complete"}))


def log(root: Path, *options: str) -> str:
    """The line that the command prints."""
    done = CliRunner().invoke(
        verbs.app, ["log", "words", "--runs", str(root.parent), *options], standalone_mode=False
    )
    if done.exception is not None:
        raise done.exception
    return done.stdout.strip()


def test_a_run_has_parameters_epochs_and_final_figures(root: Path) -> None:
    runs = {run.key: run for run in logged.runs_of(read_records(root))}
    assert len(runs) == 2 * 4 + 3
    run = runs["trials/depth=2/search=1/0000"]
    assert run.params["depth"] == 2
    assert run.params["cell"] == "lstm"
    assert isinstance(run.params["units"], int)
    assert [epoch.number for epoch in run.epochs] == [1, 2, 3, 4, 5]
    assert [e.at_s for e in run.epochs] == sorted({e.at_s for e in run.epochs})
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(run.epochs[0].metrics)
    record = json.loads((RunDirectory(root).trial("depth=2", 0) / "result.json").read_text())
    assert run.final["final/val_loss"] == record["value"]
    running = runs["trials/depth=2/search=1/0003"]
    assert (running.ended, running.final) == (False, {})
    replicate = runs["replicates/depth=1/search=1/seed=1"]
    assert 0.8 < replicate.final["final/test_accuracy"] < 0.95
    assert "cell" not in runs["replicates/baseline=bag/search=1/seed=1"].params


def test_metrics_have_the_names_of_the_task(tmp_path: Path) -> None:
    forecast = {
        "name": "co2",
        "train": 9,
        "validation": 9,
        "test": 9,
        "horizon": 2,
        "metric": "MAE",
    }
    root = write_run(
        tmp_path / "runs" / "words", compare={}, trials=1, manifest={"dataset": forecast}
    )
    (run,) = logged.runs_of(read_records(root))
    assert {"mae", "val_mae"} <= set(run.epochs[0].metrics)
    assert "final/val_mae" in run.final
    assert not any("accuracy" in name for name in [*run.final, *run.epochs[0].metrics])


def test_a_new_study_of_the_same_name_and_spec_is_another_one(tmp_path: Path) -> None:
    one, same, fresh = (
        logged.identity(read_records(write_run(tmp_path / name / "words", trials=0, manifest=more)))
        for name, more in (("a", {}), ("b", {}), ("c", {"created": "2026-11-25T12:00:00Z"}))
    )
    assert one == same
    assert one != fresh


def events(folder: Path) -> Iterator[Any]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    for file in sorted(folder.glob("events.out.tfevents.*")):
        yield from EventFileLoader(str(file)).Load()


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    from tensorboard.util.tensor_util import make_ndarray

    return [
        (event.step, float(make_ndarray(value.tensor)))
        for event in events(folder)
        for value in event.summary.value
        if value.tag == tag
    ]


def test_tensorboard_has_each_epoch_once(root: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    assert "11 new, 0 updated, 0 skipped" in log(root, "--tensorboard", str(logs))
    folder = logs / "words" / "trials" / "depth=2" / "search=1"
    records = read_records(root)
    ours = records.epochs[(records.epochs["arm"] == "depth=2") & (records.epochs["trial"] == 0)]
    losses = dict(zip(ours["epoch"], ours["val_loss"], strict=True))
    wanted = [(epoch, pytest.approx(loss)) for epoch, loss in losses.items()]
    assert scalars(folder / "0000", "val_loss") == wanted
    assert len(scalars(folder / "0000", "final/val_loss")) == 1
    assert scalars(folder / "0003", "final/val_loss") == []
    assert "0 new, 0 updated, 11 skipped" in log(root, "--tensorboard", str(logs))
    assert len(scalars(folder / "0000", "val_loss")) == 5

    end_running(root)
    assert "0 new, 2 updated, 9 skipped" in log(root, "--tensorboard", str(logs))
    assert [step for step, _ in scalars(folder / "0003", "val_loss")] == [1, 2, 3, 4, 5, 6]
    assert len(scalars(folder / "0003", "final/val_loss")) == 1


def test_tensorboard_shows_the_hyperparameters(root: Path, tmp_path: Path) -> None:
    from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

    log(root, "--tensorboard", str(tmp_path / "logs"))
    trials = tmp_path / "logs" / "words" / "trials" / "depth=2" / "search=1"
    found = {}
    for number, status in (("0000", "STATUS_SUCCESS"), ("0002", "STATUS_FAILURE")):
        data = [
            plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
            for event in events(trials / number)
            for value in event.summary.value
            if value.metadata.plugin_data.plugin_name == "hparams"
        ]
        starts = [each.session_start_info for each in data if each.HasField("session_start_info")]
        ends = [each.session_end_info for each in data if each.HasField("session_end_info")]
        assert len(starts) == len(ends) == 1
        found[number] = starts[0].hparams
        assert ends[0].status == getattr(api_pb2, status)
    assert found["0000"]["depth"].number_value == 2
    assert found["0000"]["arm"].string_value == "depth=2"


def test_a_folder_of_another_study_is_refused(root: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    log(root, "--tensorboard", str(logs))
    manifest = json.loads((root / "manifest.json").read_text())
    (root / "manifest.json").write_text(json.dumps({**manifest, "created": "2026-11-25T12:00:00Z"}))
    with pytest.raises(UserError, match="another study of this name"):
        log(root, "--tensorboard", str(logs))
    with pytest.raises(UserError, match="a folder of this machine"):
        log(root, "--tensorboard", "gs://bucket/logs")


def test_one_of_the_tools_must_be_named(root: Path) -> None:
    with pytest.raises(UserError, match="log: say where: --mlflow"):
        log(root)


@pytest.mark.parametrize(
    ("missing", "option"),
    [
        ("mlflow", "--mlflow"),
        ("tensorboard.plugins.hparams", "--tensorboard"),
        ("wandb", "--wandb"),
    ],
)
def test_a_missing_package_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, missing: str, option: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UserError, match=rf"{option} needs .*; pip install {missing[:5]}"):
        log(root, option, "offline")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an MLflow database that is not there yet."""
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{tmp_path}/mlflow.db"


def children(store: str) -> dict[str, Any]:
    from mlflow import MlflowClient

    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("words")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    assert len({run.data.tags["harness.training"] for run in runs}) == len(runs)  # none twice
    return {run.data.tags["harness.training"]: run for run in runs}


def steps(store: str, run: Any, name: str) -> list[int]:
    from mlflow import MlflowClient

    return [each.step for each in MlflowClient(store).get_metric_history(run.info.run_id, name)]


@theirs
def test_mlflow_has_each_training_once(root: Path, tmp_path: Path, store: str) -> None:
    assert "experiment words: 11 new, 0 updated, 0 skipped" in log(root, "--mlflow", store)
    runs = children(store)
    trial = runs["trials/depth=2/search=1/0000"]
    assert trial.data.params["depth"] == "2"
    assert trial.data.tags["mlflow.parentRunId"] == runs["study"].info.run_id
    assert steps(store, trial, "val_loss") == [1, 2, 3, 4, 5]
    record = json.loads((RunDirectory(root).trial("depth=2", 0) / "result.json").read_text())
    assert trial.data.metrics["final/val_loss"] == record["value"]
    statuses = [runs[f"trials/depth=2/search=1/000{n}"].info.status for n in range(4)]
    assert statuses == ["FINISHED", "KILLED", "FAILED", "RUNNING"]
    assert runs["trials/depth=2/search=1/0002"].data.tags["harness.reason"] == "out of memory"
    assert runs["study"].info.status == "RUNNING"
    (report,) = tmp_path.glob("mlartifacts/words/*/artifacts/report.html")
    assert report.read_text() == "the report"

    assert "0 new, 0 updated, 11 skipped" in log(root, "--mlflow", store)
    end_running(root)
    (root / "report.html").write_text("a newer report")
    assert "0 new, 2 updated, 9 skipped" in log(root, "--mlflow", store)
    assert report.read_text() == "a newer report"
    after = children(store)
    assert after.keys() == runs.keys()
    ended = after["trials/depth=2/search=1/0003"]
    assert steps(store, ended, "val_loss") == [1, 2, 3, 4, 5, 6]
    assert len(steps(store, ended, "final/val_loss")) == 1
    assert ended.info.status == "FINISHED"


@theirs
@pytest.mark.slow
def test_an_export_that_was_cut_short_is_completed(
    root: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    real, calls = MlflowClient.log_batch, 0

    def dying(self: Any, *args: Any, **values: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:  # after one whole training: between the next one's parameters and figures
            raise KeyboardInterrupt
        real(self, *args, **values)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", dying)
        with pytest.raises(KeyboardInterrupt):
            to_mlflow.log_study(read_records(root), store)
    assert "9 new, 1 updated, 1 skipped" in log(root, "--mlflow", store)
    assert all(
        steps(store, run, "val_loss") == sorted(set(steps(store, run, "val_loss")))
        for run in children(store).values()
    )


@theirs
@pytest.mark.parametrize("uri", ["sqlite://", "nonsense://x", "http://127.0.0.1:9"])
def test_a_store_that_cannot_be_used_is_one_line(root: Path, store: str, uri: str) -> None:
    with pytest.raises(UserError, match=f"--mlflow {uri}: .*; give the address of a server"):
        log(root, "--mlflow", uri)


BLOCK, HEAD = 32_768, 7  # bytes of W&B's files: blocks of records, each with a head


def wandb_records(folder: Path) -> Iterator[Any]:
    """The records of an offline run: a head of the file, then parts, cut where a block ends."""
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.glob("run-*.wandb")
    content, at, whole = file.read_bytes(), HEAD, b""
    while at + HEAD <= len(content):
        if BLOCK - at % BLOCK < HEAD:  # no room for a head: the rest of the block is empty
            at += BLOCK - at % BLOCK
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        whole += content[at + HEAD : at + HEAD + length]
        at += HEAD + length
        if kind in (1, 4):  # the whole of a record, or its last part
            yield Record.FromString(whole)
            whole = b""


@theirs
def test_wandb_has_each_ended_training_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb", reason="Weights & Biases is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_DIR", raising=False)
    assert "project words: 9 new, 0 updated, 0 skipped" in log(root, "--wandb", "offline")
    found = {}
    for folder in (tmp_path / "wandb").glob("offline-run-*"):
        records = list(wandb_records(folder))
        (of_run,) = [record.run for record in records if record.HasField("run")]
        rows = [
            {item.key or item.nested_key[0]: json.loads(item.value_json) for item in r.history.item}
            for r in records
            if r.HasField("history")
        ]
        (end,) = [r.exit.exit_code for r in records if r.HasField("exit")]
        config = {item.key: item.value_json for item in of_run.config.update}
        found[of_run.display_name] = (of_run, config, rows, end)
    of_run, config, rows, end = found["trials/depth=2/search=1/0000"]
    assert (of_run.project, of_run.run_group, of_run.job_type) == ("words", "depth=2", "trial")
    assert (config["depth"], end) == ("2", 0)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5]
    epochs = read_records(root).epochs
    ours = epochs[(epochs["arm"] == "depth=2") & (epochs["trial"] == 0)]
    assert [row["val_loss"] for row in rows] == pytest.approx(list(ours["val_loss"]))
    assert found["trials/depth=2/search=1/0002"][3] == 1  # it failed
    assert not any(name.endswith("0003") for name in found)  # they are running

    assert "0 new, 0 updated, 9 skipped" in log(root, "--wandb", "offline")
    end_running(root)
    assert "2 new, 0 updated, 9 skipped" in log(root, "--wandb", "offline")
    assert len(list((tmp_path / "wandb").glob("offline-run-*"))) == 11


def test_wandb_is_offline_only(root: Path) -> None:
    with pytest.raises(UserError, match="--wandb online: give --wandb offline, then send"):
        log(root, "--wandb", "online")

"""A study in MLflow: `harness log lstm_depth --mlflow sqlite:///mlflow.db`.

The study is an experiment with one parent run, which has the report; trainings are runs below it.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UserError, shortened
from harness.integrations.logged import LoggedRun, Told, identity, runs_of
from harness.results.records import Records
from harness.results.run_directory import RunDirectory
from harness.search.database import file_of, shown

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

STUDY, TRAINING, STATE, LOGGED = (
    "harness.study", "harness.training", "harness.state", "harness.logged"
)  # fmt: skip
PARENT = "study"  # the parent run's value of TRAINING
_STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
METRICS_A_CALL, PARAMS_A_CALL = 1000, 100  # MLflow's limits of one request
LONGEST = 500  # characters of a parameter or tag; older servers take no more
PAGE = 1000  # runs read at once
_WANTED = "give the address of a server or a database, for example sqlite:///mlflow.db"


def log_study(records: Records, uri: str) -> Told:
    """Write the study's trainings to an MLflow store; what is there already is not written twice.

    Raises UserError where MLflow is not installed, or the store can't be used.
    """
    # Neither wait for minutes for a server that is not there, nor report on the user to others.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise UserError("--mlflow needs MLflow; pip install mlflow") from None
    for name in ("mlflow", "alembic"):  # they tell of each table that they make
        logging.getLogger(name).setLevel(logging.WARNING)
    from requests import RequestException  # a dependency of MLflow
    from sqlalchemy.exc import SQLAlchemyError

    file = _sqlite_file(uri)
    try:
        client = MlflowClient(tracking_uri=uri)
        return _Export(client, records, _experiment(client, records, file)).write()
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        sentence = shortened(line.split(". ")[0].rstrip("."))
        raise UserError(f"--mlflow {displayed(uri)}: {sentence}; {_WANTED}") from None


def displayed(uri: str) -> str:
    """The address of a store without its password."""
    return shown(uri) if "://" in uri else uri


def _sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite store; None for others. Raises UserError where it names none."""
    if not uri.startswith("sqlite"):
        return None
    try:
        return file_of(uri)
    except UserError:  # one in memory, or no URL at all
        raise UserError(f"--mlflow {displayed(uri)}: names no file; {_WANTED}") from None


def _experiment(client: "MlflowClient", records: Records, file: Path | None) -> str:
    """The id of the study's experiment; it is made if there is none.

    The files of its runs are beside a SQLite store's own `file`, or where the server puts them.
    """
    known = client.search_experiments(filter_string=f"tags.`{STUDY}` = '{identity(records)}'")
    found = known[0] if known else client.get_experiment_by_name(records.study)
    if found is None:
        # MLflow itself would take the current directory.
        folder = None if file is None else file.absolute().parent / "mlartifacts" / records.study
        place = None if folder is None else folder.as_uri()
        tags = {STUDY: identity(records)}
        return str(client.create_experiment(records.study, artifact_location=place, tags=tags))
    if found.lifecycle_stage != "active":
        raise UserError(
            f"--mlflow: the experiment {records.study} was deleted there; restore it with: "
            f"mlflow experiments restore --experiment-id {found.experiment_id}"
        )
    return str(found.experiment_id)


class _Export:
    """One export of a study into an experiment."""

    def __init__(self, client: "MlflowClient", records: Records, experiment: str) -> None:
        self._client = client
        self._records = records
        self._experiment = experiment
        self._identity = identity(records)

    def write(self) -> Told:
        there = {run.data.tags.get(TRAINING): run for run in self._runs()}
        parent = self._write_parent(there.get(PARENT))
        new = updated = skipped = 0
        for run in runs_of(self._records):
            known = there.get(run.key)
            if known is not None and known.data.tags.get(LOGGED) == _version(run):
                skipped += 1
                continue
            self._write_run(run, known, parent)
            new, updated = new + (known is None), updated + (known is not None)
        return Told(new, updated, skipped)

    def _runs(self) -> Iterator["Run"]:
        """The runs that are in the experiment from earlier exports of this study."""
        token = None
        while True:
            query = f"tags.`{STUDY}` = '{self._identity}'"
            page = self._client.search_runs(
                [self._experiment], query, max_results=PAGE, page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return

    def _write_parent(self, known: "Run | None") -> str:
        """The study's own run, with its report; returns its id."""
        records, manifest = self._records, self._records.manifest
        run_id = known.info.run_id if known else self._create(PARENT, records.study, {}, 0.0)
        described = {
            "dataset": manifest.declared_dataset.get("name"),
            **{name: manifest.spec.get(name) for name in ("sampler", "pruner", "seed")},
            **manifest.fixed,
        }
        if known is None:
            self._log(run_id, params={k: v for k, v in described.items() if v is not None})
            self._client.set_tag(run_id, "mlflow.note.content", manifest.question)
        for file in (RunDirectory(records.root).report, records.root / "summary.json"):
            if file.is_file():
                self._client.log_artifact(run_id, str(file))
        self._client.set_tag(run_id, STATE, "finished" if records.finished else "unfinished")
        if records.finished:
            self._client.set_terminated(run_id, "FINISHED")
        else:
            self._client.update_run(run_id, status="RUNNING")
        return run_id

    def _write_run(self, run: LoggedRun, known: "Run | None", parent: str) -> None:
        """Make a training's run, or add what is missing to it."""
        if known is None:
            tags = {
                "mlflow.parentRunId": parent,
                "harness.kind": run.kind,
                "harness.arm": run.arm,
                "harness.search": str(run.search),
            }
            run_id = self._create(run.key, run.key.partition("/")[2], tags, run.started_s)
            self._log(run_id, params={"arm": run.arm, **run.params})
        else:
            run_id = known.info.run_id
        self._log(run_id, metrics=self._missing(run, None if known is None else run_id))
        for tag, value in ((STATE, run.state), ("harness.reason", run.reason)):
            if value:
                self._client.set_tag(run_id, tag, value[:LONGEST])
        if run.ended:
            ended_ms = None if run.finished_s is None else _ms(run.finished_s)
            self._client.set_terminated(run_id, _STATUS[run.state], end_time=ended_ms)
        self._client.set_tag(run_id, LOGGED, _version(run))  # last: all of it is there now

    def _missing(self, run: LoggedRun, run_id: str | None) -> list[Any]:
        """The figures of a training that its run does not have yet."""
        from mlflow.entities import Metric

        last, ended_s = run.end
        found = [
            Metric(name, value, _ms(epoch.at_s), epoch.number)
            for epoch in run.epochs
            for name, value in epoch.metrics.items()
        ]
        found += [Metric(name, value, _ms(ended_s), last) for name, value in run.final.items()]
        if run_id is None:
            return found
        there = {
            (name, old.step)
            for name in {metric.key for metric in found}
            for old in self._client.get_metric_history(run_id, name)
        }
        return [metric for metric in found if (metric.key, metric.step) not in there]

    def _create(self, key: str, name: str, tags: dict[str, str], started_s: float) -> str:
        made = self._client.create_run(
            self._experiment,
            start_time=_ms(started_s) if started_s else None,
            tags={STUDY: self._identity, TRAINING: key, **tags},
            run_name=name,
        )
        return str(made.info.run_id)

    def _log(
        self, run_id: str, metrics: Sequence[Any] = (), params: dict[str, Any] | None = None
    ) -> None:
        """Metrics and parameters, in requests as large as MLflow takes them."""
        from mlflow.entities import Param

        texts = [Param(name, str(value)[:LONGEST]) for name, value in (params or {}).items()]
        for start in range(0, len(texts), PARAMS_A_CALL):
            self._client.log_batch(run_id, params=texts[start : start + PARAMS_A_CALL])
        for start in range(0, len(metrics), METRICS_A_CALL):
            self._client.log_batch(run_id, metrics=metrics[start : start + METRICS_A_CALL])


def _version(run: LoggedRun) -> str:
    """What an export has written of a training; another one has nothing to add to the same."""
    return f"{run.state}, {len(run.epochs)} epochs"


def _ms(seconds: float) -> int:
    return round(1000 * seconds)

"""How well a running study's time left is estimated: the estimate replayed over finished studies.

    python tests/benchmarks/time_left.py runs/lstm_depth runs/gru_depth

For each run directory it takes the records as they were after 25, 50 and 75 % of the study's time,
and prints what harness.analysis.clock said then, and how far off that was. With `--quick-look DIR`
it also prints what the run directory of a quick look predicted for the first study.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from harness.analysis.clock import time_left
from harness.core.text import duration
from harness.profile.estimate import predict_study
from harness.results.manifest import Manifest
from harness.results.records import Records, read_records
from harness.spec import study_files

SHARES = (0.25, 0.5, 0.75)
LONGEST_PROFILE = pd.Timedelta(minutes=30)  # a later one was made on another occasion


def main(roots: list[Path], quick_look: Annotated[Path | None, typer.Option()] = None) -> None:
    """Print a table, a row for each study."""
    print("| study | took | " + " | ".join(f"left at {share:.0%} (error)" for share in SHARES))
    for root in roots:
        records = read_records(root)
        began, ended = span(records)
        cells = []
        for share in SHARES:
            moment = began + (ended - began) * share
            found = time_left(at(records, moment), moment.to_pydatetime())
            left_s = (ended - moment).total_seconds()
            said = "unknown" if found is None else duration(found.seconds)
            error = "" if found is None else f" ({found.seconds / left_s - 1:+.0%})"
            cells.append(f"{said} of {duration(left_s)}{error}")
        print(f"| {root} | {duration((ended - began).total_seconds())} | " + " | ".join(cells))
    if quick_look is not None:
        first = read_records(roots[0])
        study = study_files.load(first.study).study
        predicted = predict_study(study, first.study, workers_of(first), quick_look)
        print(f"predicted by {quick_look}: {predicted and predicted[0].told}")


def span(records: Records) -> tuple[pd.Timestamp, pd.Timestamp]:
    """From the first start to the last end, that of the profile included."""
    tables = records.trials, records.replicates
    began = min(moments(table["started"]).min() for table in tables)
    ended = max(moments(table["finished"]).max() for table in tables)
    if records.profile is not None:
        profiled = pd.Timestamp(records.profile["created"])
        if ended < profiled < ended + LONGEST_PROFILE:
            ended = profiled
    return began, ended


def at(records: Records, moment: pd.Timestamp) -> Records:
    """The records as they were on file at that moment."""
    trials, epochs = cut(records.trials, records.epochs, "trial", moment)
    replicates, of_replicates = cut(
        records.replicates, records.replicate_epochs, "replicate", moment
    )
    manifest = Manifest(records.manifest)
    for of_the_end in ("finished", "profiled", "trained", "estimate"):
        manifest.pop(of_the_end, None)
    # Earlier versions did not put these on record.
    manifest |= {"workers": workers_of(records), "with_profile": records.profile is not None}
    return replace(
        records, manifest=Manifest(manifest), profile=None, trials=trials, epochs=epochs,
        replicates=replicates, replicate_epochs=of_replicates,
    )  # fmt: skip


def cut(
    table: pd.DataFrame, epochs: pd.DataFrame, kind: str, moment: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The trainings that had begun, and their epochs that had ended."""
    keys = ["arm", "search", kind]
    there = table[moments(table["started"]) <= moment].copy()
    running = moments(there["finished"]) > moment
    there.loc[running, "state"] = "running"
    there.loc[running, ["value", "step_ms", "train_s"]] = float("nan")
    there.loc[running, "finished"] = None
    began = there.assign(began=moments(there["started"]), running=running)
    joined = epochs.reset_index().merge(began[[*keys, "began", "running"]], on=keys)
    took = joined["train_s"] + joined["validation_s"] + joined["compile_s"]
    ended = joined["began"] + pd.to_timedelta(took.groupby([joined[k] for k in keys]).cumsum(), "s")
    return there, epochs.loc[joined["index"][~joined["running"] | (ended <= moment)]]


def workers_of(records: Records) -> int:
    """The most trials that ran at once; times on file are whole seconds."""
    steps = [(at, 1) for at in moments(records.trials["started"])]
    steps += [(at, -1) for at in moments(records.trials["finished"])]
    at_once = pd.Series([step for _, step in sorted(steps)]).cumsum()
    return max(1, int(at_once.max()))


def moments(texts: "pd.Series[str]") -> "pd.Series[pd.Timestamp]":
    return pd.to_datetime(texts, utc=True, format="ISO8601")


if __name__ == "__main__":
    typer.run(main)

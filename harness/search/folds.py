"""The trainings of a replicate's folds as one result: `seed=1/fold=1/`, …, then `seed=1/`.

Each fold has a training of its own, on what lies before its block of test times. Their scores
follow each other in time. The replicate's result has the last fold's epochs and model, the mean
loss of all, and the time of all trainings. It fails if one of them fails.
"""

import math
from pathlib import Path
from typing import Any

from harness.core import files
from harness.results.training_folder import (
    EVIDENCE,
    METRICS,
    MODEL,
    RESULT,
    STARTED,
    read_result,
    write_result,
    write_started,
)
from harness.search import score_files


def of(whole: Path) -> list[Path]:
    """The folders of a replicate's folds; empty for other trainings."""
    return sorted(whole.glob("fold=*"))


def take_apart(whole: Path) -> None:
    """Remove what `join` has written."""
    for name in (RESULT, STARTED, *EVIDENCE):
        (whole / name).unlink(missing_ok=True)


def join(whole: Path, count: int) -> None:
    """Write the result of a replicate once all of its `count` folds have theirs."""
    folders = [whole / f"fold={fold}" for fold in range(1, count + 1)]
    if read_result(whole) is not None:
        return
    records = [read_result(folder) for folder in folders]
    found = [each for each in records if each is not None]
    if len(found) < count:
        return
    last = {name: value for name, value in found[-1].items() if name not in ("fold", "files")}
    write_started(whole, {**last, "state": "running"})
    last |= {
        "train_s": math.fsum(each["train_s"] for each in found),
        "started": min(each["started"] for each in found),
    }
    failed = next((each for each in found if each["state"] != "complete"), None)
    if failed is not None:
        last |= {"state": failed["state"], "reason": failed["reason"]}
        _drop_scores(last)
    else:
        forecasts, times = score_files.read_forecasts(folders)
        loss = math.fsum(each["scored_loss"] for each in found) / count
        last |= score_files.write(whole, forecasts.scores, loss, forecasts, times)
    for name in (METRICS,) if failed else (METRICS, *MODEL):
        if (folders[-1] / name).exists():
            files.write_atomically(whole / name, (folders[-1] / name).read_bytes())
    write_result(whole, last)


def _drop_scores(record: dict[str, Any]) -> None:
    for name in ("split", "scored_accuracy", "scored_loss", "scored_n", "measures"):
        record.pop(name, None)

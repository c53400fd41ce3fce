"""A study in Weights & Biases: `harness log lstm_depth --wandb offline`, then `wandb sync`.

Each training that has ended is a run, grouped by its arm. Nothing is sent: the runs are folders in
`wandb/`, and a file beside them says which trainings are there already.
"""

import hashlib
import os
from pathlib import Path
from typing import Any, Final

from harness.core import files
from harness.core.errors import UserError, of_disk
from harness.integrations.logged import LoggedRun, Told, identity, runs_of
from harness.results.records import Records

OFFLINE: Final = "offline"
_SYNC = "send the runs with: wandb sync wandb/offline-run-*"


def folder() -> Path:
    """Where the runs are: `wandb/` here, or in the folder that WANDB_DIR names."""
    return Path(os.environ.get("WANDB_DIR") or ".") / "wandb"


def log_study(records: Records, mode: str) -> Told:
    """Write the study's trainings as offline runs; what is there already is not written twice.

    A training that still runs is left out: given again, the command adds it once it has ended.
    Raises UserError where W&B is not installed, the mode is another one, or nothing can be written.
    """
    if mode != OFFLINE:
        raise UserError(f"--wandb {mode}: give --wandb {OFFLINE}, then {_SYNC}")
    try:
        import wandb
    except ImportError:
        raise UserError("--wandb needs Weights & Biases; pip install wandb") from None
    ledger = folder() / f"harness-{identity(records)}.json"
    there = set((files.read_object(ledger) or {}).get("runs") or ())
    new = skipped = 0
    try:
        files.make_folder(ledger.parent)
        for run in runs_of(records):
            if not run.ended:
                continue
            if run.key in there:
                skipped += 1
                continue
            _write(records, run)
            there.add(run.key)
            new += 1
            files.write_atomically(ledger, files.to_json({"runs": sorted(there)}))
    except (wandb.Error, OSError) as error:
        if isinstance(error, OSError):
            raise of_disk(error, str(folder())) from None
        raise UserError(f"--wandb {mode}: {error}") from None
    return Told(new, 0, skipped)


def _write(records: Records, run: LoggedRun) -> None:
    """One offline run: its hyperparameters, a row for each epoch, and the final figures."""
    import wandb

    settings: dict[str, Any] = {
        "silent": True, "console": "off", "disable_git": True, "save_code": False,
        # Nothing about this machine: the training may have been on another one.
        "x_disable_stats": True, "x_disable_meta": True, "x_start_time": run.started_s or None,
    }  # fmt: skip
    # The same training has the same name for W&B, so sending it twice does not double it.
    key = hashlib.sha256(f"{identity(records)} {run.key}".encode()).hexdigest()[:32]
    written = wandb.init(
        project=records.study,
        dir=str(folder().parent),
        mode=OFFLINE,
        id=key,
        name=run.key,
        group=run.arm,
        job_type=run.kind,
        tags=[run.state],
        notes=run.reason or None,
        config={"arm": run.arm, "search": run.search, **run.params},
        reinit="finish_previous",
        settings=wandb.Settings(**settings),
    )
    for epoch in run.epochs:
        written.log({**epoch.metrics, "epoch": epoch.number, "_timestamp": epoch.at_s})
    written.summary.update({**run.final, "state": run.state})
    written.finish(exit_code=1 if run.state == "failed" else 0)

"""A study's results in Python: `harness.load("runs/lstm_depth")`."""

import html
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis import outcome_text, summary, trained_model
from harness.analysis.verdicts import conclude
from harness.results.records import Records, read_records
from harness.results.run_directory import RunDirectory, find

if TYPE_CHECKING:
    import keras
    import pandas as pd


def load(name: str | os.PathLike[str], runs: str | os.PathLike[str] = "runs") -> "Results":
    """The results of a study, by its name (in the folder `runs`) or its run directory.

    It may be running still: these are the results so far. Raises UserError where there is no such
    study, or files of it are damaged.
    """
    return Results(read_records(find(os.fspath(name), Path(runs))))


class Results:
    """What a study found, as tables and a model; read when this object was made.

    A notebook shows it as a table of the arms.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    @property
    def path(self) -> Path:
        """The run directory."""
        return self._records.root

    @property
    def report(self) -> Path:
        """The HTML report; it is there once the study has ended or was stopped."""
        return RunDirectory(self.path).report

    @property
    def trials(self) -> "pd.DataFrame":
        """A row for each trial.

        `value` is the validation loss, `val_accuracy` is from 0 to 1, `step_ms` in milliseconds,
        `train_s` in seconds; searched hyperparameters are columns `params_NAME`.
        """
        return self._records.trials.copy()

    @property
    def epochs(self) -> "pd.DataFrame":
        """A row for each epoch of each trial, counted from 1."""
        return self._records.epochs.copy()

    @property
    def replicates(self) -> "pd.DataFrame":
        """A row for each replicate, baselines included; `scored_accuracy` is from 0 to 1."""
        return self._records.replicates.copy()

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What `python -m harness.study --json` prints."""
        return summary.summarise(self._records, str(self.report))

    @property
    def arms(self) -> "pd.DataFrame":
        """A row for each arm, by name: its trials and replicates, `mean` and `ci95` of their
        score, `val_loss` of its best trial, `step_ms` and `parameters`; missing where unknown."""
        import pandas as pd

        rows = []
        for arm in self.summary["arms"]:
            tested, best, cost = arm["replicates"], arm["best"] or {}, arm["cost"]
            rows.append(
                {
                    "arm": arm["arm"],
                    "trials": sum(arm["trials"].values()),
                    "replicates": tested["n"],
                    "mean": tested["mean"],
                    "ci95": tested["ci95"],
                    "val_loss": best.get("value"),
                    "step_ms": cost["step_ms"],
                    "parameters": cost["parameters"],
                }
            )
        return pd.DataFrame(rows).set_index("arm")

    @property
    def verdicts(self) -> "pd.DataFrame":
        """A row for each two arms: `difference` (`a` − `b`), `ci95`, `verdict`, `reason`, …."""
        import pandas as pd

        return pd.DataFrame(self.summary["verdicts"])

    @property
    def profile(self) -> "pd.DataFrame":
        """A row for each configuration that was measured; empty before the profile."""
        import pandas as pd

        measured = self._records.profile or {}
        return pd.json_normalize(measured.get("entries") or [], sep="_")

    @property
    def recommended(self) -> dict[str, Any] | None:
        """The recommended arm and its hyperparameters; None where nothing is recommended."""
        found: dict[str, Any] | None = self.summary["recommended"]
        return found

    def model(self, arm: str | None = None) -> "keras.Model":
        """The trained model of an arm, by default of the recommended one; stock Keras layers.

        Raises UserError where there is none, or its files are damaged.
        """
        folder = trained_model.model_folder(self.path, arm)
        trained_model.check_files(folder)
        return trained_model.load_model(folder)

    def __repr__(self) -> str:
        return f"<results of {self._records.study} in {self.path}: {len(self.trials)} trials>"

    def _repr_html_(self) -> str:
        lines = outcome_text.conclusion_lines(self.summary, conclude(self._records))
        return f"{self.arms.to_html()}<p>{'<br>'.join(map(html.escape, lines))}</p>"

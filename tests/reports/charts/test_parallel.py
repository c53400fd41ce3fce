"""Parallel coordinates need several trials and hyperparameters."""

from report_testing import MakeRun

from harness.results.records import read_records
from reports.charts import parallel


def test_the_text_tells_where_the_best_trials_are(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=8))
    panel = parallel.panel(records, records.trials, ["units", "dropout"])
    assert panel is not None
    complete = int((records.trials["state"] == "complete").sum())
    assert panel.alt.startswith(f"Parallel coordinates of {complete} finished trials. The best ")
    assert "units " in panel.alt
    assert "dropout " in panel.alt


def test_little_is_not_drawn(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=8))
    assert parallel.panel(records, records.trials, ["units"]) is None
    assert parallel.panel(records, records.trials.head(4), ["units", "dropout"]) is None
    assert parallel.panel(records, records.trials.head(0), ["units", "dropout"]) is None

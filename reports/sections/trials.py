"""Every trial and every replicate with its state, its numbers and, if it failed, the reason."""

from typing import TYPE_CHECKING, Any

from harness.results.records import BASELINES, Records
from reports import cells, selection, wording
from reports.content import Column, Row, Section, Table

if TYPE_CHECKING:
    import pandas as pd

ORDER = 80


def build(records: Records) -> Section | None:
    trials = records.trials
    if trials.empty:
        return None
    rank = {arm: position for position, arm in enumerate(records.arms)}
    trials = trials.assign(rank=trials["arm"].map(rank)).sort_values(["rank", "search", "trial"])
    params, metric = selection.searched(records), records.validation_metric
    several = len(records.arms) > 1
    columns = (
        *((Column("Arm"),) if several else ()),
        *_search_column(records),
        Column("Trial", numeric=True),
        Column("State"),
        Column("Loss", numeric=True),
        Column(wording.capital(metric.name), numeric=True, unit=metric.unit),
        Column("Best epoch", numeric=True),
        *(
            Column(
                wording.label(name).capitalize(),
                True,
                choices=bool(selection.choices(records, name, trials[f"params_{name}"].dropna())),
            )
            for name in params
        ),
        Column("Parameters", numeric=True),
        Column("Step", numeric=True, unit="ms"),
        Column("Training", numeric=True, unit="s"),
        Column("Path"),
        Column("Reason"),
    )
    rows = tuple(
        _row(records, trial, params, best=best, several=several)
        for (_, trial), best in zip(
            trials.iterrows(), selection.is_best(records, trials), strict=True
        )
    )
    counts = trials["state"].value_counts()
    tally = ", ".join(
        f"{counts[state]:,} {word}"
        for state, word in (
            ("complete", "finished"),
            ("pruned", "pruned"),
            ("failed", "failed"),
            ("running", "running"),
        )
        if state in counts
    )
    return Section(
        id="trials",
        title="All trials" + (" and replicates" if len(records.replicates) else ""),
        text=(
            f"{wording.counted(len(trials), 'trial')}: {tally}. Loss and {wording.metric(records)} "
            "are those of the best epoch on the validation split; for a pruned trial, of its best "
            "epoch so far.",
        ),
        tables=(
            Table("all-trials", "All trials, arm by arm", columns, rows),
            *_replicates(records),
        ),
    )


def _search_column(records: Records) -> tuple[Column, ...]:
    return (Column("Search", numeric=True),) if wording.several_searches(records) else ()


def _search_cell(records: Records, training: "pd.Series[Any]") -> tuple[str, ...]:
    return (_number(training["search"]),) if wording.several_searches(records) else ()


def _replicates(records: Records) -> tuple[Table, ...]:
    """Of arms and of baselines."""
    table = records.replicates
    if table.empty:
        return ()
    columns = (
        Column("Arm"),
        *_search_column(records),
        Column("Replicate", True),
        Column("State"),
        Column(wording.scored_metric(records), True, records.metric.unit),
        Column(f"{wording.capital(records.scored_split)} loss", True),
        Column("Validation loss", True),
        Column("Best epoch", True),
        Column("Parameters", True),
        Column("Step", True, "ms"),
        Column("Training", True, "s"),
        Column("Seed", True),
        Column("Reason"),
    )
    rows = []
    for arm in (*records.arms, *BASELINES):
        for _, each in selection.of_arm(table, arm).iterrows():
            state, reason = str(each["state"]), each["reason"]
            rows.append(
                Row(
                    (
                        wording.arm_label(records, arm),
                        *_search_cell(records, each),
                        f"{each['replicate']}",
                        "finished" if state == "complete" else state,
                        cells.score(records.metric, each["scored_accuracy"]),
                        cells.loss(each["scored_loss"]),
                        cells.loss(each["value"]),
                        _number(each["best_epoch"]),
                        cells.count(each["parameters"]),
                        cells.milliseconds(each["step_ms"]),
                        cells.seconds(each["train_s"]),
                        _number(each["seed"]),
                        "" if wording.missing(reason) else str(reason),
                    ),
                    id=wording.replicate_anchor(arm, each["replicate"], each["search"]),
                    kind="" if state == "complete" else state,
                )
            )
    return (Table("all-replicates", "All replicates, arm by arm", columns, tuple(rows)),)


def _number(value: Any) -> str:
    return wording.MISSING if wording.missing(value) else str(value)


def _row(
    records: Records,
    trial: "pd.Series[Any]",
    params: list[str],
    *,
    best: bool,
    several: bool,
) -> Row:
    def text(column: str) -> str:
        return "" if wording.missing(trial[column]) else str(trial[column])

    state = text("state")
    return Row(
        cells=(
            *((wording.arm_label(records, trial["arm"]),) if several else ()),
            *_search_cell(records, trial),
            text("trial"),
            "finished, best" if best else "finished" if state == "complete" else state,
            cells.loss(trial["value"]),
            cells.score(
                records.validation_metric, trial["val_accuracy"], wording.validation_size(records)
            ),
            text("best_epoch") or wording.MISSING,
            *(cells.parameter(trial[f"params_{name}"]) for name in params),
            cells.count(trial["parameters"]),
            cells.milliseconds(trial["step_ms"]),
            cells.seconds(trial["train_s"]),
            text("path"),
            text("reason"),
        ),
        id=wording.trial_anchor(trial["arm"], trial["trial"], trial["search"]),
        kind="best" if best else "" if state == "complete" else state,
    )

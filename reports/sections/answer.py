"""The answer first: what to take, what it costs, and how little one training each can prove."""

from typing import TYPE_CHECKING, Any

from harness.runs import Records
from harness.summary import all_parameters, best_trials, recommended_arm
from reports import selection, wording
from reports.content import Column, Command, Fact, Row, Section, Table

if TYPE_CHECKING:
    import pandas as pd

ORDER = 10


def build(records: Records) -> Section:
    best = best_trials(records)
    chosen = recommended_arm(records)
    rerun = Command("Runs the study, or goes on with it", wording.study_command(records))
    if chosen is None:
        return Section(
            id="answer",
            title="Answer",
            text=(_nothing_finished(records),),
            notices=_notices(records),
            commands=(rerun,),
        )
    trial = best[best["arm"] == chosen].iloc[0]
    others = best[best["arm"] != chosen]
    return Section(
        id="answer",
        title="Answer",
        text=(
            " ".join([_finding(records, trial), *_price(records, trial, others)]),
            *_runner_up(records, trial, others),
            _caution(records, trial),
        ),
        facts=_facts(records, trial),
        tables=(_configuration(records, trial),),
        notices=_notices(records),
        commands=(rerun,),
    )


def _finding(records: Records, trial: "pd.Series[Any]") -> str:
    size = wording.validation_size(records)
    reached = (
        f"the lowest validation loss: {wording.loss(trial['value'])}, with "
        f"{wording.percent(trial['val_accuracy'], size)} of the validation split right"
    )
    if len(records.arms) == 1:
        ended = int((records.trials["state"] != "running").sum())
        return f"Of {wording.plural(ended, 'trial')}, trial {trial['trial']} reached {reached}."
    label = wording.arm_label(records, str(trial["arm"]))
    return f"{label[:1].upper()}{label[1:]} reached {reached}."


def _price(records: Records, trial: "pd.Series[Any]", others: "pd.DataFrame") -> list[str]:
    """A step's time beside that of the cheapest other arm, each with its best configuration."""
    others = others.dropna(subset=["step_ms"])
    if others.empty or wording.missing(trial["step_ms"]):
        return []
    cheapest = others.iloc[int(others["step_ms"].argmin())]
    ratio = trial["step_ms"] / cheapest["step_ms"]
    label = wording.arm_label(records, str(cheapest["arm"]))
    if ratio < 1:
        return ["No other arm's best configuration has a faster training step."]
    return [
        f"A training step of it takes {wording.significant(ratio, 2)} times as long as one of "
        f"the best configuration of {label}, the fastest of the other arms."
    ]


def _runner_up(records: Records, trial: "pd.Series[Any]", others: "pd.DataFrame") -> list[str]:
    """Whether the next arm's accuracy is told apart from the best one's by more than chance."""
    if others.empty:
        return []
    second = others.iloc[int(others["value"].argmin())]
    size = wording.validation_size(records)
    label = wording.arm_label(records, str(second["arm"]))
    sentence = (
        f"Next is {label} with a loss of {wording.loss(second['value'])} and "
        f"{wording.percent(second['val_accuracy'], size)} right"
    )
    error = wording.standard_error(trial["val_accuracy"], size)
    if error is None or wording.missing(second["val_accuracy"]):
        return [sentence + "."]
    gap = abs(trial["val_accuracy"] - second["val_accuracy"])
    if gap <= error:
        return [
            f"{sentence}: accuracies {wording.points(gap)} apart, no more than one standard error "
            f"({wording.points(error)}), so this is no evidence that one is better than the other."
        ]
    return [
        f"{sentence}: accuracies {wording.points(gap)} apart, more than one standard error "
        f"({wording.points(error)}), which only trainings on fresh seeds could confirm."
    ]


def _caution(records: Records, trial: "pd.Series[Any]") -> str:
    ended = records.trials[records.trials["state"] != "running"]
    tried = int((ended["arm"] == trial["arm"]).sum())
    size = wording.validation_size(records)
    split = f"validation split of {size:,} examples" if size else "validation split"
    chosen = (
        f"the best of {tried} trials chosen on the very {split} that scores it, so its score is "
        "somewhat flattering"
        if tried > 1
        else f"scored on the {split}"
    )
    return (
        f"Each configuration was trained once, without replicates; the one shown is {chosen}. "
        "Differences of about one standard error or less are not evidence."
    )


def _facts(records: Records, trial: "pd.Series[Any]") -> tuple[Fact, ...]:
    size = wording.validation_size(records)
    error = wording.standard_error(trial["val_accuracy"], size)
    epoch = trial["best_epoch"]
    return (
        Fact(
            "Validation accuracy",
            wording.percent(trial["val_accuracy"], size),
            f"± {wording.points(error)}, one standard error" if error is not None else "",
        ),
        Fact(
            "Validation loss",
            wording.loss(trial["value"]),
            "" if wording.missing(epoch) else f"after epoch {epoch}",
        ),
        Fact("Parameters", wording.count(trial["parameters"]), "trainable weights"),
        Fact("Step time", wording.milliseconds(trial["step_ms"]), "median of the training"),
        Fact("Training time", wording.seconds(trial["train_s"]), "validation, compiling included"),
    )


def _configuration(records: Records, trial: "pd.Series[Any]") -> Table:
    spec = records.manifest.get("spec")
    compared = set(wording.look_up(spec, "compare") or ())
    fixed = set(wording.look_up(spec, "fixed") or ())
    parameters = all_parameters(records, trial)

    def kind(name: str) -> str:
        return "compared" if name in compared else "fixed" if name in fixed else "searched"

    order = {"compared": 0, "searched": 1, "fixed": 2}
    declared = selection.searched(records)
    names = [*declared, *(name for name in parameters if name not in declared)]
    return Table(
        id="configuration",
        caption="The recommended configuration",
        columns=(Column("Hyperparameter"), Column("Value", numeric=True), Column("How it was set")),
        rows=tuple(
            Row((wording.spoken(name), wording.value_text(parameters[name]), kind(name)))
            for name in sorted(names, key=lambda name: order[kind(name)])
            if name in parameters
        ),
    )


def _notices(records: Records) -> tuple[str, ...]:
    notices = []
    states = records.trials["state"]
    if not records.finished:
        wanted = (wording.look_up(records.manifest, "spec", "budget", "trials") or 0) * len(
            records.arms
        )
        notices.append(
            f"Unfinished: {int((states != 'running').sum()):,} of "
            f"{wording.plural(wanted, 'trial')} have ended. What follows may change; the command "
            "below goes on with the study."
        )
    if records.manifest.get("quick"):
        notices.append(
            "A quick study, on little data and a small budget: it shows that everything works, "
            "and decides nothing."
        )
    failed = records.trials[states == "failed"]
    if not failed.empty:
        labels = [
            wording.arm_label(records, arm) for arm in records.arms if arm in set(failed["arm"])
        ]
        where = "" if len(records.arms) == 1 else f" (in {', '.join(labels)})"
        notices.append(
            f"{wording.plural(len(failed), 'trial')} failed{where}; "
            "the table of all trials says why."
        )
    return tuple(notices)


def _nothing_finished(records: Records) -> str:
    counts = records.trials["state"].value_counts()
    if not records.trials["state"].isin(["pruned", "failed"]).any():
        return "No trial has finished yet, so there is nothing to recommend."
    ended = " and ".join(
        f"{counts[state]:,} {state}" for state in ("pruned", "failed") if state in counts
    )
    return f"No trial has finished ({ended}), so there is nothing to recommend."

"""The answer before all replicates are complete, from one training of each configuration."""

from typing import TYPE_CHECKING, Any

from harness.core.metrics import ACCURACY, Metric
from harness.results.records import Records
from reports import wording
from reports.content import Fact

if TYPE_CHECKING:
    import pandas as pd


def paragraphs(
    records: Records, trial: "pd.Series[Any]", others: "pd.DataFrame"
) -> tuple[str, ...]:
    """The best trial, what it costs, the second-best arm, and how little this proves."""
    return (
        " ".join([_finding(records, trial), *_price(records, trial, others)]),
        *_runner_up(records, trial, others),
        _caution(records, trial),
    )


def _finding(records: Records, trial: "pd.Series[Any]") -> str:
    size, metric = wording.validation_size(records), records.validation_metric
    reached = (
        f"the lowest validation loss: {wording.loss(trial['value'])}, with "
        + wording.reached(metric, "validation", wording.score(metric, trial["val_accuracy"], size))
    )
    if len(records.arms) == 1:
        ended = int((records.trials["state"] != "running").sum())
        which = wording.training_label(records, "trial", trial["trial"], trial["search"])
        return f"Of {wording.counted(ended, 'trial')}, {which} reached {reached}."
    label = wording.arm_label(records, str(trial["arm"]))
    return f"{wording.capital(label)} reached {reached}."


def _price(records: Records, trial: "pd.Series[Any]", others: "pd.DataFrame") -> list[str]:
    """Its step time beside that of the fastest other arm, each with its best configuration."""
    others = others.dropna(subset=["step_ms"])
    if others.empty or wording.missing(trial["step_ms"]):
        return []
    cheapest = others.iloc[int(others["step_ms"].argmin())]
    ratio = trial["step_ms"] / cheapest["step_ms"]
    label = wording.arm_label(records, str(cheapest["arm"]))
    if ratio < 1:
        return ["No other arm's best configuration has a faster training step."]
    return [
        f"Its training step takes {wording.significant(ratio, 2)} times as long as that of the "
        f"best configuration of {label}, the fastest of the other arms."
    ]


def _runner_up(records: Records, trial: "pd.Series[Any]", others: "pd.DataFrame") -> list[str]:
    """Whether the second-best arm's accuracy differs by more than one standard error."""
    if others.empty:
        return []
    second = others.iloc[int(others["value"].argmin())]
    size = wording.validation_size(records)
    label = wording.arm_label(records, str(second["arm"]))
    score = wording.score(records.validation_metric, second["val_accuracy"], size)
    sentence = f"Next is {label} with a loss of {wording.loss(second['value'])} and " + (
        f"{score} right"
        if records.validation_metric.name == ACCURACY
        else wording.reached(records.validation_metric, "validation", score)
    )
    error = wording.standard_error(trial["val_accuracy"], size)
    if error is None or wording.missing(second["val_accuracy"]):
        return [sentence + "."]
    gap = abs(trial["val_accuracy"] - second["val_accuracy"])
    if gap <= error:
        return [
            f"{sentence}. The accuracies differ by {_points(gap)}, no more than one "
            f"standard error ({_points(error)}): this is no evidence that one is better "
            "than the other."
        ]
    return [
        f"{sentence}. The accuracies differ by {_points(gap)}, more than one standard error "
        f"({_points(error)}). Only trainings on fresh seeds can confirm the difference."
    ]


def _caution(records: Records, trial: "pd.Series[Any]") -> str:
    ended = records.trials[records.trials["state"] != "running"]
    tried = int((ended["arm"] == trial["arm"]).sum())
    size = wording.validation_size(records)
    split = f"validation split of {size:,} examples" if size else "validation split"
    chosen = (
        f"the best of {tried} trials. It was chosen by its score on the {split}, so this score is "
        "probably too good."
        if tried > 1
        else f"scored on the {split}."
    )
    repeated = int((records.replicates["state"] != "running").sum())
    trained = (
        f"{wording.counted(repeated, 'replicate')} on fresh seeds "
        f"{'has' if repeated == 1 else 'have'} ended and {records.replicates_missing:,} are still "
        "missing. Until then, each configuration is judged by one training"
        if records.replicates_missing
        else "Each configuration was trained once, without replicates"
    )
    return (
        f"{trained}. The configuration shown is {chosen} "
        "Differences of about one standard error or less are not evidence."
    )


def _points(difference: float) -> str:
    """A difference of accuracies: only they have a binomial standard error."""
    return wording.difference_text(Metric(), difference)


def facts(records: Records, trial: "pd.Series[Any]") -> tuple[Fact, ...]:
    size = wording.validation_size(records)
    error = wording.standard_error(trial["val_accuracy"], size)
    epoch = trial["best_epoch"]
    return (
        Fact(
            f"Validation {wording.metric(records)}",
            wording.score(records.validation_metric, trial["val_accuracy"], size),
            f"± {_points(error)}, one standard error" if error is not None else "",
        ),
        Fact(
            "Validation loss",
            wording.loss(trial["value"]),
            "" if wording.missing(epoch) else f"after epoch {epoch}",
        ),
        Fact("Parameters", wording.count(trial["parameters"]), "trainable weights"),
        Fact("Step time", wording.milliseconds(trial["step_ms"]), "median of the training"),
        Fact("Training time", wording.seconds(trial["train_s"]), "with validation and compiling"),
    )

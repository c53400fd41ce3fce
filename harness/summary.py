"""What a study came to, as one JSON object: the contract of `--json`. No Keras, no Optuna."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.runs import Records

if TYPE_CHECKING:
    import pandas as pd

ENDS = ("complete", "pruned", "failed")


def best_trials(records: Records) -> "pd.DataFrame":
    """The best finished trial of each arm that has one: lowest validation loss, then first."""
    trials = records.trials
    complete = trials[(trials["state"] == "complete") & trials["value"].notna()]
    ordered = complete.sort_values(["value", "trial"], kind="stable").drop_duplicates("arm")
    rank = {arm: position for position, arm in enumerate(records.arms)}
    return ordered.sort_values("arm", key=lambda arms: arms.map(rank)).reset_index(drop=True)


def recommended_arm(records: Records) -> str | None:
    """The arm whose best trial has the lowest validation loss; None before any has finished."""
    best = best_trials(records)
    return None if best.empty else str(best["arm"].iloc[int(best["value"].argmin())])


def searched_parameters(trial: "pd.Series[Any]") -> dict[str, Any]:
    """A trial's own hyperparameters, as searched; columns that it does not use are left out."""
    return {
        str(column).removeprefix("params_"): _python(value)
        for column, value in trial.items()
        if str(column).startswith("params_") and not _missing(value)
    }


def all_parameters(records: Records, trial: "pd.Series[Any]") -> dict[str, Any]:
    """Fixed, compared and searched hyperparameters of a trial: all that a retraining needs."""
    compared = next(
        arm["values"] for arm in records.manifest["arms"] if arm["name"] == trial["arm"]
    )
    return {**records.manifest["spec"]["fixed"], **compared, **searched_parameters(trial)}


def summarise(records: Records, report: str) -> dict[str, Any]:
    """The object that `--json` prints; `report` is the page's path.

    `verdicts` is empty and `replicates` has n = 0 as long as a study has no replicates.
    """
    best = {str(trial["arm"]): trial for _, trial in best_trials(records).iterrows()}
    arms = []
    for arm in records.arms:
        states = list(records.trials.loc[records.trials["arm"] == arm, "state"])
        trial = best.get(arm)
        arms.append(
            {
                "arm": arm,
                "trials": {state: states.count(state) for state in ENDS},
                "best": None if trial is None else _best(trial),
                "replicates": {
                    "n": 0, "split": "test", "metric": "accuracy", "mean": None, "ci95": None,
                },
                "cost": {
                    "step_ms": None if trial is None else float(trial["step_ms"]),
                    "parameters": None if trial is None else int(trial["parameters"]),
                },
            }
        )  # fmt: skip
    chosen = recommended_arm(records)
    return {
        "study": records.study,
        "report": report,
        "storage": records.manifest["storage"],
        "arms": arms,
        "verdicts": [],
        "recommended": None
        if chosen is None
        else {"arm": chosen, "params": all_parameters(records, best[chosen])},
        "environment": records.manifest["environment"],
    }


def _best(trial: "pd.Series[Any]") -> dict[str, Any]:
    return {
        "trial": int(trial["trial"]),
        "value": float(trial["value"]),
        "val_accuracy": float(trial["val_accuracy"]),
        "params": searched_parameters(trial),
    }


def in_words(outcome: Mapping[str, Any]) -> list[str]:
    """The outcome of `summarise` as lines for a terminal."""
    lines = []
    for arm in outcome["arms"]:
        best, cost = arm["best"], arm["cost"]
        if best is None:
            lines.append(f"{arm['arm']}: no trial completed")
            continue
        lines.append(
            f"{arm['arm']}: accuracy {best['val_accuracy']:.1%}, val_loss {best['value']:.4f} "
            f"(best of {sum(arm['trials'].values())} trials: {short(best['params'])}); "
            f"{cost['step_ms']:.1f} ms a step, {cost['parameters']:,} parameters"
        )
    if outcome["recommended"] is not None and len(outcome["arms"]) > 1:
        lines.append(
            f"Lowest validation loss: {outcome['recommended']['arm']}. Each figure is one "
            "training, the best of its arm's search: small differences may be chance."
        )
    return lines


def short(params: Mapping[str, Any]) -> str:
    """`units=12 dropout=0.25`: numbers to three digits."""
    return " ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in params.items()
    )


def _missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _python(value: Any) -> Any:
    """A NumPy scalar as the Python value it stands for."""
    return value.item() if hasattr(value, "item") else value

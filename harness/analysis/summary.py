"""A study's outcome as one JSON object, as `--json` prints it. No Keras, no Optuna."""

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.analysis import clock, factors, outcome_text, published
from harness.analysis.conclusions import ArmResult, Conclusions, Pair, Recommendation
from harness.analysis.headline import headline
from harness.analysis.parameters import all_parameters, searched_parameters
from harness.analysis.pareto import pareto_front
from harness.analysis.verdicts import conclude
from harness.core import files
from harness.core.scalars import missing
from harness.results import estimates
from harness.results.records import ENDS, MEASURE, Records
from harness.results.tables import to_csv

if TYPE_CHECKING:
    import pandas as pd


def best_trials(records: Records) -> "pd.DataFrame":
    """The best complete trial of each arm that has one, in the order of the arms.

    It has the lowest validation loss of all searches; of equal ones the first counts.
    """
    return _lowest(records, "arm")


def best_of_searches(records: Records) -> "pd.DataFrame":
    """The best complete trial of each search that has one, in the order of arms and searches."""
    return _lowest(records, "arm", "search")


def _lowest(records: Records, *keys: str) -> "pd.DataFrame":
    trials = records.trials
    complete = trials[(trials["state"] == "complete") & trials["value"].notna()]
    ordered = complete.sort_values(["value", "search", "trial"], kind="stable")
    first = ordered.drop_duplicates(list(keys)).sort_values("search", kind="stable")
    rank = {arm: position for position, arm in enumerate(records.arms)}
    in_order = first.sort_values("arm", key=lambda arms: arms.map(rank), kind="stable")
    return in_order.reset_index(drop=True)


def recommended_arm(records: Records) -> str | None:
    """The recommended arm: by its replicates once they are complete, until then by validation loss.

    None before any trial has finished.
    """
    confirmed = confirmed_recommendation(records)
    if confirmed is not None:
        return confirmed.arm
    best = best_trials(records)
    return None if best.empty else str(best["arm"].iloc[int(best["value"].argmin())])


def confirmed_recommendation(records: Records) -> Recommendation | None:
    """What the replicates recommend; None while some are missing."""
    return None if records.replicates_missing else conclude(records).recommended


def summarise(records: Records, report: str) -> dict[str, Any]:
    """The object that `--json` prints; `report` is the page's path.

    Accuracies and their differences are fractions, 0 to 1; errors are in the target's unit, and
    `higher_is_better` of replicates is then false. `measures` has the means of the other errors of
    forecasts: RMSE, MASE, sMAPE. `ci95` of replicates is the t interval over
    seeds; its bounds are null for one replicate. `ci95_seeds_and_examples` also counts the test
    examples as a random sample. So does `ci95` of a verdict, which is corrected for the number of
    verdicts, too. With several searches these intervals are over searches, not seeds. `variance` is
    that of a single draw, in squared fractions. A quick study recommends nothing.

    `probability` of a verdict is that `a` is truly better than `b`, for that pair alone,
    without a correction. `effects` are those of two compared hyperparameters; `changes` names
    the value and what it stands instead of, twice for an interaction. `probability_best` is
    that an arm is the best of all, or of those at the decisive level of difficulty. Both are
    null where an arm has one search. `answer` is the first sentence of the page;
    null where nothing can be said about arms.

    `time_left` is what an unfinished study still takes, in seconds (harness.analysis.clock).
    """
    best = {str(trial["arm"]): trial for _, trial in best_trials(records).iterrows()}
    found = conclude(records)
    arms = []
    for arm in records.arms:
        states = list(records.trials.loc[records.trials["arm"] == arm, "state"])
        trial = best.get(arm)
        arms.append(
            {
                "arm": arm,
                "trials": {state: states.count(state) for state in ENDS},
                "best": None if trial is None else _best(trial),
                "searches": _searches(records, arm, found.arms[arm]),
                "search_progress": _progress(found, arm),
                "replicates": _replicates(records, found.arms[arm]),
                "probability_best": found.probability_best.get(arm),
                "cost": {
                    "step_ms": None if trial is None else _step_ms(found.arms[arm], trial),
                    "parameters": None
                    if trial is None or missing(trial["parameters"])
                    else int(trial["parameters"]),
                },
            }
        )
    chosen = None if records.manifest.quick else recommended_arm(records)
    confirmed = confirmed_recommendation(records)
    left = clock.time_left(records, datetime.now(UTC))
    return {
        "study": records.study,
        "report": report,
        "storage": records.manifest.storage or None,
        "answer": headline(found, records.manifest.arm_values) or None,
        "arms": arms,
        "verdicts": [_verdict(pair) for pair in found.pairs],
        "effects": [_effect(each) for each in factors.effects_of(records)],
        "full_study": records.manifest.full or None,
        "recommended": None
        if chosen is None
        else {
            "arm": chosen,
            "params": all_parameters(records, best[chosen]),
            "reason": confirmed.reason if confirmed else None,
            "loss": confirmed.loss if confirmed else None,
            "loss_ci95": list(confirmed.loss_interval)
            if confirmed and confirmed.loss_interval
            else None,
        },
        "variance": {
            "search": found.variance.search,
            "seed": found.variance.seed,
            "examples": found.variance.examples,
        },
        "baselines": [
            {
                "baseline": name,
                "name": found.called[name],
                "trained": name not in found.untrained,
                "note": outcome_text.did_not_train(found, name) or None,
                "replicates": _replicates(records, result),
            }
            for name, result in found.baselines.items()
        ],
        "baseline_verdicts": [_verdict(pair) for pair in found.baseline_pairs],
        "pareto": {"arms": list(found.front), "trials": _trial_front(records)},
        "published": _published(records),
        "estimate": estimates.compare(records),
        "time_left": None if left is None else left.to_mapping(),
        "environment": records.manifest.environment,
    }


def write_verdicts(records: Records) -> None:
    """Write `tables/verdicts.csv`: a row for each pair of arms, then for each arm and baseline."""
    import pandas as pd

    found = conclude(records)
    columns = ("a", "b", "difference", "low", "high", "verdict", "reason", "p",
               "probability", "effect", "margin", "searches", "replicates", "detectable",
               "replicates_needed")  # fmt: skip
    rows = []
    for pair in (*found.pairs, *found.baseline_pairs):
        verdict = _verdict(pair)
        low, high = verdict.pop("ci95")
        rows.append({**verdict, "low": low, "high": high})
    table = pd.DataFrame(rows, columns=list(columns))
    files.write_atomically(records.root / "tables" / "verdicts.csv", to_csv(table))


def _searches(records: Records, arm: str, result: ArmResult) -> list[dict[str, Any]]:
    """What each search of an arm found, and what its best configuration scored."""
    best = best_of_searches(records)
    ours = records.trials[records.trials["arm"] == arm]
    found = []
    for search in range(1, records.manifest.searches_of(arm) + 1):
        states = list(ours.loc[ours["search"] == search, "state"])
        of_search = best[(best["arm"] == arm) & (best["search"] == search)]
        values = [value for (of, _), value in result.values.items() if of == search]
        found.append(
            {
                "search": search,
                "trials": {state: states.count(state) for state in ENDS},
                "best": None if of_search.empty else _best(of_search.iloc[0]),
                "replicates": {
                    "n": len(values),
                    "mean": sum(values) / len(values) if values else None,
                },
            }
        )
    return found


def _progress(found: Conclusions, arm: str) -> dict[str, Any] | None:
    """What its searches say about more trials; None where nothing was searched or scored."""
    progress = found.progress.get(arm)
    if progress is None:
        return None
    return {
        "trials": progress.trials,
        "expected_best": list(progress.expected_best),
        "gain_from_ten_more": progress.gain,
        "edges": [asdict(edge) for edge in progress.edges],
    }


def _replicates(records: Records, result: ArmResult) -> dict[str, Any]:
    return {
        "n": result.n,
        "split": records.scored_split,
        "metric": records.metric.title,
        "higher_is_better": records.metric.higher_is_better,
        "mean": result.mean,
        "measures": measures(records, result.name) or None,
        "ci95": None if result.seeds is None else list(result.seeds),
        "ci95_seeds_and_examples": None if result.both is None else list(result.both),
        "failed": result.failed,
    }


def measures(records: Records, arm: str) -> dict[str, float | None]:
    """The mean of each other error of an arm's replicates; None where one has no value."""
    ours = records.replicates
    ours = ours[(ours["arm"] == arm) & (ours["state"] == "complete")]
    found = {}
    for column in ours.columns:
        if column.startswith(MEASURE):
            mean = float(ours[column].mean(skipna=False)) if len(ours) else math.nan
            found[column.removeprefix(MEASURE)] = mean if math.isfinite(mean) else None
    return found


def _published(records: Records) -> list[dict[str, Any]]:
    return [
        {
            "measure": measure,
            "epoch": epoch,
            "published": cell.published,
            "mean": cell.mean,
            "ci95": None if cell.interval is None else list(cell.interval),
            "n": cell.n,
        }
        for measure, epochs in published.by_epoch(records).items()
        for epoch, cell in epochs.items()
    ]


def _verdict(pair: Pair) -> dict[str, Any]:
    each = pair.comparison
    return {
        "a": pair.a,
        "b": pair.b,
        "difference": each.difference,
        "ci95": list(each.interval),
        "verdict": each.verdict,
        "reason": each.reason,
        "p": each.p,
        "probability": each.probability,
        "effect": each.effect,
        "margin": each.margin,
        "searches": each.estimate.seeds if each.searched else 0,
        "replicates": each.replicates,
        "detectable": each.detectable,
        "replicates_needed": each.replicates_needed,
    }


def _effect(effect: factors.Effect) -> dict[str, Any]:
    return {
        "kind": "interaction" if effect.interaction else "main effect",
        "changes": [asdict(each) for each in effect.changes],
        "difference": effect.estimate.mean,
        "ci95": list(effect.interval),
        "p": effect.p,
    }


def _step_ms(result: ArmResult, trial: "pd.Series[Any]") -> float | None:
    if result.step_ms is not None:
        return result.step_ms
    return None if missing(trial["step_ms"]) else float(trial["step_ms"])


def _trial_front(records: Records) -> list[dict[str, Any]]:
    """Complete trials on the Pareto front of step time and validation score, fastest first."""
    trials = records.trials[records.trials["state"] == "complete"].reset_index(drop=True)
    scores = records.validation_metric.sign * trials["val_accuracy"]
    front = pareto_front(trials["step_ms"], scores)
    return [
        {"arm": str(trials["arm"].iloc[i]), "trial": int(trials["trial"].iloc[i])} for i in front
    ]


def _best(trial: "pd.Series[Any]") -> dict[str, Any]:
    return {
        "trial": int(trial["trial"]),
        "value": float(trial["value"]),
        "val_accuracy": None if missing(trial["val_accuracy"]) else float(trial["val_accuracy"]),
        "params": searched_parameters(trial),
    }

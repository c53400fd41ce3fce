"""How much each searched hyperparameter matters, and whether that is more than noise. No Keras.

Importance is Optuna's PED-ANOVA (Watanabe, Bansal and Hutter 2023, arXiv:2304.10255): how different
the values of the best trials are from those of all. It also takes hyperparameters that only some
trials have (arXiv:2601.20800). Its numbers are never negative, so noise alone has some, too. They
are compared with those of the same trials with shuffled losses.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.scalars import as_python, missing, same
from harness.results.records import Records

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    from optuna.distributions import BaseDistribution

MIN_TRIALS = 20  # finished ones; fewer are too few
BEST_SHARE, MIN_BEST = 0.1, 5  # the best trials: Optuna's tenth, but the five that it recommends
MOST_TRIALS = 1_000  # drawn at random where there are more, so that a page takes a few seconds
SHUFFLES = 39  # a Monte Carlo test at 5 %: at most one of 39 shuffles may have more

ROUNDING = 1e-9  # with equal losses all shuffles have the same importances


@dataclass(frozen=True)
class Importance:
    """The importance of one hyperparameter, as a share of the sum of all.

    With shuffled losses, in 95 % of the cases no hyperparameter is above its `by_chance`.
    """

    share: float
    by_chance: float

    @property
    def clear(self) -> bool:
        """Whether it is more than noise, at 5 % for all hyperparameters together."""
        return self.share > self.by_chance * (1 + ROUNDING)


def finished_trials(records: Records) -> "pd.DataFrame":
    """The trials that importances are from."""
    finite = np.isfinite(records.trials["value"].to_numpy(float))
    found: pd.DataFrame = records.trials[(records.trials["state"] == "complete") & finite]
    return found


def importances(records: Records) -> dict[str, Importance]:
    """By hyperparameter, the most important first; empty with fewer than MIN_TRIALS trials.

    A trial's loss is its rank within its arm, so differences between arms do not count. The same
    records always give the same numbers.
    """
    trials = finished_trials(records)
    if len(trials) < MIN_TRIALS:
        return {}
    if len(trials) > MOST_TRIALS:
        trials = trials.sample(MOST_TRIALS, random_state=0)
    ranks = trials.groupby("arm")["value"].rank(pct=True).to_numpy(float)
    arms = trials["arm"].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Optuna: unnormalized importances are experimental
        study = _study(records.manifest.search, trials)
        found = _evaluated(study, ranks)
        rng = np.random.default_rng(0)
        shuffled = [_evaluated(study, _shuffled(ranks, arms, rng)) for _ in range(SHUFFLES)]
    names = [name for name in found if any(each[name] > 0 for each in shuffled)]
    if not names or not sum(found.values()):
        return {}
    # Single-step maxT (Westfall and Young 1993): each is measured in units of its own mean.
    table = np.array([[each[name] for name in names] for each in [found, *shuffled]])
    means = table.mean(axis=0)
    second_highest = np.sort((table[1:] / means).max(axis=1))[-2]
    total = float(table[0].sum())
    return {
        name: Importance(float(value) / total, float(mean * second_highest) / total)
        for name, value, mean in zip(names, table[0], means, strict=True)
    }


def _study(search: Mapping[str, Any], trials: "pd.DataFrame") -> "optuna.Study":
    """An Optuna study in memory with the hyperparameters of these trials, in their order."""
    import optuna

    space = {name: space for name, each in search.items() if (space := _readable(each)) is not None}
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it tells of each study
    try:
        study = optuna.create_study()
    finally:
        optuna.logging.set_verbosity(level)
    created = []
    for _, trial in trials.iterrows():
        params = {
            name: value
            for name, (distribution, choices) in space.items()
            if (value := _value(distribution, choices, trial.get(f"params_{name}", np.nan)))
            is not None
        }
        created.append(
            optuna.trial.create_trial(
                value=0.0, params=params, distributions={name: space[name][0] for name in params}
            )
        )
    study.add_trials(created)
    return study


def _readable(declared: Any) -> "tuple[BaseDistribution, list[Any] | None] | None":
    """A distribution as Optuna's JSON has it, and its choices; None where it is damaged.

    Choices are given to Optuna by their place: its evaluator does so too, and takes no lists.
    """
    from optuna.distributions import CategoricalDistribution, json_to_distribution

    try:
        if declared["name"] == CategoricalDistribution.__name__:
            choices = list(declared["attributes"]["choices"])
            return CategoricalDistribution(range(len(choices))), choices
        return json_to_distribution(json.dumps(declared)), None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _value(distribution: "BaseDistribution", choices: list[Any] | None, found: Any) -> Any:
    """A trial's value as Optuna takes it; None where it has none, or one outside of the range."""
    from harness.core.optuna_private import contains

    if found is not None and missing(found):
        return None
    if choices is not None:
        places = (place for place, choice in enumerate(choices) if same(choice, as_python(found)))
        return next(places, None)
    value = as_python(found)
    return value if value is not None and contains(distribution, value) else None


def _evaluated(study: "optuna.Study", losses: np.ndarray[Any, Any]) -> dict[str, float]:
    """By hyperparameter, its importance if the trials had these losses."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    best = max(BEST_SHARE, MIN_BEST / len(losses))
    return get_param_importances(
        study,
        evaluator=PedAnovaImportanceEvaluator(target_quantile=best),
        target=lambda trial: float(losses[trial.number]),
        normalize=False,
    )


def _shuffled(
    losses: np.ndarray[Any, Any], arms: np.ndarray[Any, Any], rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    """The losses in another order, within each arm."""
    found = losses.copy()
    for arm in dict.fromkeys(arms):
        ours = arms == arm
        found[ours] = rng.permutation(losses[ours])
    return found

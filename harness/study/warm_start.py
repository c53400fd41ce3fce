"""Another study's best configurations as a study's first trials. No Keras."""

import contextlib
from collections.abc import Mapping
from typing import Any

from optuna.distributions import CategoricalDistribution

from harness.analysis.parameters import all_parameters
from harness.core.errors import UserError
from harness.core.optuna_private import contains
from harness.core.scalars import same
from harness.results.records import Records, read_records
from harness.results.run_directory import find
from harness.samplers.base.space import Space
from harness.spec.distributions import chosen
from harness.spec.study import Study
from harness.study.options import Options

MAX_TRIED = 3  # configurations of each arm


def of_options(options: Options, study: Study) -> dict[str, list[dict[str, Any]]]:
    """The `configurations` that `--warm-start` tries first; none without it."""
    if study.warm_start is None:
        return {}
    return configurations(study, read_records(find(study.warm_start, options.runs)))


def configurations(study: Study, source: Records) -> dict[str, list[dict[str, Any]]]:
    """By arm, searched values of the source's best trials that fit the arm, at most MAX_TRIED.

    A trial fits an arm where it has the arm's compared values. Values that it lacks, or that are
    outside of the study's distributions, are left to the sampler. Raises UserError where no trial
    fits any arm.
    """
    trials = source.trials
    complete = trials[(trials["state"] == "complete") & trials["value"].notna()]
    best = [
        all_parameters(source, trial)
        for _, trial in complete.sort_values(["value", "trial"], kind="stable").iterrows()
    ]
    found: dict[str, list[dict[str, Any]]] = {}
    for arm in study.arms():
        fitting = [
            values
            for params in best
            if all(same(params.get(name, value), value) for name, value in arm.values.items())
            and (values := within(study.space_of(arm), params))
        ]
        unique = {repr(sorted(values.items())): values for values in fitting}
        found[arm.name] = list(unique.values())[:MAX_TRIED]
    if not any(found.values()):
        raise UserError(
            f"--warm-start {study.warm_start}: none of its finished trials has values that this "
            "study searches"
        )
    return found


def within(space: Space, params: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the distributions contain, as the distributions have them."""
    found = {}
    for name, distribution in space.items():
        if name not in params:
            continue
        if isinstance(distribution, CategoricalDistribution):
            with contextlib.suppress(ValueError):
                found[name] = chosen(distribution, params[name])
        elif contains(distribution, params[name]):
            found[name] = params[name]
    return found

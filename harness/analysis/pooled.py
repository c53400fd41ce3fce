"""A random-effects summary over studies: what a second layer does on a task like these."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.statistics import CONFIDENCE, Interval, t_quantile

LEAST = 3  # studies; with fewer, nothing is known about how tasks differ


@dataclass(frozen=True)
class Pooled:
    """The mean effect over tasks, and how tasks differ.

    `interval` is of the mean, by Hartung, Knapp, Sidik and Jonkman; `prediction` is where the true
    effect on one more task lies. `i2` (0 to 1) is the share of the variance that is between tasks,
    and `tau` the standard deviation of true effects, in their unit.
    """

    mean: float
    interval: Interval
    prediction: Interval
    i2: float
    tau: float
    effects: int


def pool(effects: Sequence[float], errors: Sequence[float]) -> Pooled | None:
    """Random effects by Paule and Mandel's estimate; None for fewer than `LEAST` effects.

    The effects must be independent: one of each study, because tasks of one study are alike.
    `effects` and their standard `errors`, all positive, are in one unit. The prediction interval is
    that of Higgins, Thompson and Spiegelhalter (2009), J. R. Statist. Soc. A 172:137-159.
    """
    if len(effects) < LEAST:
        return None
    from statsmodels.stats.meta_analysis import combine_effects

    found = combine_effects(
        np.asarray(effects, float), np.asarray(errors, float) ** 2, method_re="pm", use_t=True
    )
    mean, count = float(found.mean_effect_re), len(effects)
    tau2 = max(0.0, float(found.tau2))
    # Where effects happen to agree better than chance lets them, the mean is not known better.
    error = math.sqrt(max(float(found.var_hksj_re), float(found.var_eff_w_re)))
    level = (1 + CONFIDENCE) / 2
    half = t_quantile(level, count - 1) * error
    beyond = t_quantile(level, count - 2) * math.sqrt(tau2 + error**2)
    return Pooled(
        mean=mean,
        interval=Interval(mean - half, mean + half),
        prediction=Interval(mean - beyond, mean + beyond),
        i2=min(1.0, max(0.0, float(found.i2))) if tau2 else 0.0,
        tau=math.sqrt(tau2),
        effects=count,
    )

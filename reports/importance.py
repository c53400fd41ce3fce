"""How much of the loss each searched hyperparameter explains alone, without a fitted model."""

from typing import TYPE_CHECKING

from harness.results.records import Records
from reports import selection, wording

if TYPE_CHECKING:
    import pandas as pd

EVALUATOR = "Kruskal–Wallis epsilon squared"
MIN_TRIALS = 12  # complete trials; fewer are not enough
GROUPS = 4  # with equal numbers of trials, for numeric values


def importances(records: Records) -> dict[str, float]:
    """By hyperparameter, the share (0 to 1) of the variance of loss ranks that it explains alone.

    Losses are ranked within each arm, so differences between arms do not count. Epsilon squared
    (Kelley 1935, PNAS 21:554-559) is eta squared corrected for chance: for a hyperparameter that
    does not matter, 0 is expected. Empty with fewer than MIN_TRIALS complete trials.
    """
    import pandas as pd

    trials = selection.in_state(records, "complete", needs=("value",))
    if len(trials) < MIN_TRIALS:
        return {}
    ranks = trials.groupby("arm")["value"].rank(pct=True)
    found = {}
    for name in selection.searched(records):
        values = trials[f"params_{name}"].dropna()
        if values.map(lambda v: isinstance(v, int | float) and not isinstance(v, bool)).all():
            numbers = values.astype(float)
            groups = (
                pd.qcut(numbers.rank(method="first"), GROUPS, labels=False)
                if numbers.nunique() > GROUPS
                else numbers
            )
        else:
            groups = values.map(wording.value_text)
        found[name] = _epsilon_squared(ranks[values.index], groups)
    return found


def _epsilon_squared(ranks: "pd.Series[float]", groups: "pd.Series[float]") -> float:
    n, k = len(ranks), groups.nunique()
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if k < 2 or n <= k or total == 0:
        return 0.0
    means = ranks.groupby(groups).transform("mean")
    within = float(((ranks - means) ** 2).sum())
    return max(0.0, 1 - (within / (n - k)) / (total / (n - 1)))

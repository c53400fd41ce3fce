"""Which trials a section shows, and what can be said about them in words."""

from typing import TYPE_CHECKING, Any

from harness.analysis.summary import best_of_searches, best_trials
from harness.results.records import Records
from reports import wording
from reports.content import Data

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

KEYS = ("arm", "search", "trial")  # what identifies a trial


def in_state(records: Records, state: str, *, needs: tuple[str, ...]) -> "pd.DataFrame":
    """Trials in a state that have a number in each of the columns `needs`."""
    trials = records.trials[records.trials["state"] == state]
    return trials.dropna(subset=list(needs))


def of_arm(table: "pd.DataFrame", arm: str) -> "pd.DataFrame":
    return table[table["arm"] == arm]


def best_of(records: Records, arm: str) -> "pd.Series[Any] | None":
    """The arm's finished trial with the lowest validation loss."""
    best = of_arm(best_trials(records), arm)
    return None if best.empty else best.iloc[0]


def is_best(records: Records, table: "pd.DataFrame") -> "pd.Series[bool]":
    """For each row of `table`: is it the best trial of its search?"""
    import pandas as pd

    best = set(_keys(best_of_searches(records)))
    return pd.Series([key in best for key in _keys(table)], index=table.index, dtype=bool)


def best_of_each(records: Records) -> str:
    """Which trials `is_best` marks, in words."""
    if wording.several_searches(records):
        return "the best trial of each search"
    return "the best trial" if len(records.arms) == 1 else "each arm's best trial"


def search_column(records: Records) -> tuple[str, ...]:
    """The column `search` for a figure's data, where arms have several."""
    return ("search",) if wording.several_searches(records) else ()


def _keys(table: "pd.DataFrame") -> "Iterator[tuple[Any, ...]]":
    return zip(*(table[name] for name in KEYS), strict=True)


def searched(records: Records) -> list[str]:
    """The searched hyperparameters on file: in the order declared, others after them."""
    prefix = "params_"
    found = [c.removeprefix(prefix) for c in records.trials.columns if c.startswith(prefix)]
    declared = list(records.manifest.search)
    return sorted(found, key=lambda n: declared.index(n) if n in declared else len(declared))


def data(table: "pd.DataFrame", *columns: str) -> Data:
    """These columns as a figure's data; floats to six significant digits."""

    def plain(value: Any) -> str | int | float | None:
        if wording.missing(value):
            return None
        if hasattr(value, "item"):
            value = value.item()
        if isinstance(value, float):
            return float(f"{value:.6g}")
        return value if isinstance(value, str | int) else wording.value_text(value)

    rows = zip(*(map(plain, table[column]) for column in columns), strict=True)
    return Data(columns, tuple(rows))


def anchors(table: "pd.DataFrame") -> list[str]:
    """The ids of these trials' rows in the table of all trials."""
    return [wording.trial_anchor(arm, number, search) for arm, search, number in _keys(table)]


def replicate_tooltips(records: Records) -> dict[str, str]:
    """By row id, the tooltip of a replicate's mark in a chart."""
    metric = records.metric
    return {
        wording.replicate_anchor(arm, number, search): (
            f"{wording.shorten(wording.arm_label(records, arm), 60)}, "
            f"{wording.training_label(records, 'replicate', number, search)}: "
            + wording.reached(metric, records.scored_split, wording.score(metric, accuracy))
        )
        for arm, search, number, accuracy in zip(
            *(records.replicates[c] for c in ("arm", "search", "replicate", "scored_accuracy")),
            strict=True,
        )
    }


def trend(x: "pd.Series[Any]", y: "pd.Series[Any]", what: str, against: str) -> str:
    """How `y` changes with `x`, by rank correlation, in words."""
    ranks_x, ranks_y = x.astype(float).rank(), y.astype(float).rank()
    if len(x) < 5 or ranks_x.nunique() < 2 or ranks_y.nunique() < 2:
        return f"too few trials to say how {what} changes with {against}"
    correlation = float(ranks_x.corr(ranks_y))
    if abs(correlation) < 0.3:
        return f"{what} shows no clear trend with {against} (rank correlation {correlation:.2f})"
    verb = "rise" if correlation > 0 else "fall"
    return f"{what} tends to {verb} with {against} (rank correlation {correlation:.2f})"


def is_logarithmic(records: Records, name: str, numbers: list[float]) -> bool:
    """As declared for the search; without a declaration, by the range of the numbers."""
    if min(numbers) <= 0:
        return False
    declared = wording.look_up(records.manifest.search, name, "attributes", "log")
    return declared if isinstance(declared, bool) else max(numbers) / min(numbers) > 10


def choices(records: Records, name: str, values: "pd.Series[Any]") -> list[str]:
    """The values of a categorical hyperparameter, in the declared order; [] for a numeric one."""
    declared = wording.look_up(records.manifest.search, name, "attributes", "choices")
    found = list(dict.fromkeys(map(wording.value_text, values)))
    if (
        declared is None
        and values.map(lambda v: not isinstance(v, bool | str | list | tuple)).all()
    ):
        return []
    listed = [text for text in map(wording.value_text, declared or ()) if text in found]
    return [*listed, *sorted(text for text in found if text not in listed)]

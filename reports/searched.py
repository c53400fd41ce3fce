"""How a searched hyperparameter is laid out on an axis: as numbers, on a log scale, or as words."""

from typing import TYPE_CHECKING, Any

from harness.results.records import Records
from reports import wording

if TYPE_CHECKING:
    import pandas as pd


def is_logarithmic(records: Records, name: str, numbers: list[float]) -> bool:
    """As it was searched; where the manifest does not say, by the numbers' extent."""
    if min(numbers) <= 0:
        return False
    declared = wording.look_up(records.manifest, "spec", "search", name, "attributes", "log")
    return declared if isinstance(declared, bool) else max(numbers) / min(numbers) > 10


def choices(records: Records, name: str, values: "pd.Series[Any]") -> list[str]:
    """The values in order, of a hyperparameter that is chosen from a list; [] of a numeric one."""
    declared = wording.look_up(records.manifest, "spec", "search", name, "attributes", "choices")
    found = list(dict.fromkeys(map(wording.value_text, values)))
    if declared is None and values.map(lambda v: not isinstance(v, bool | str | list)).all():
        return []
    listed = [text for text in map(wording.value_text, declared or ()) if text in found]
    return [*listed, *sorted(text for text in found if text not in listed)]

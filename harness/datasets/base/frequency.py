"""Times of a series: how far apart they are, what season that suggests, calendar features."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import counted, cut

if TYPE_CHECKING:
    import pandas as pd

_DAY_S = 86_400
# Steps of a season by the seconds of a step: a day of hours or minutes, a week of days, a year.
_SEASONS = {_DAY_S: 7, 7 * _DAY_S: 52}
_OF_CALENDAR = {"B": (5, "business day"), "M": (12, "month"), "Q": (4, "quarter"), "Y": (1, "year")}
_UNITS = (("week", 7 * _DAY_S), ("day", _DAY_S), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True)
class Frequency:
    """The step from one time to the next: a pandas offset such as `D`, or a number.

    `offset` is "" where times are numbers, `step` is then their distance.
    """

    offset: str = ""
    step: float = 1.0

    @classmethod
    def of(cls, name: str, numbers: bool) -> "Frequency":
        """The frequency that a user names: `D`, `15min`, `1 day`, or a number where times are."""
        if numbers:
            try:
                step = float(name)
            except ValueError:
                step = math.nan
            if not (math.isfinite(step) and step > 0):
                raise UserError(f"--frequency {cut(name)}: the times are numbers; give their step")
            return cls("", step)
        import pandas as pd

        for spelled in (name, name.upper(), _of_words(name)):
            try:
                offset = pd.tseries.frequencies.to_offset(spelled)
            except (ValueError, KeyError, TypeError):
                continue
            if offset is not None and offset.n > 0:
                anchored = offset.name.startswith("W") and "-" not in name
                return cls(f"{7 * offset.n}D" if anchored else offset.freqstr)
        raise UserError(
            f"--frequency {cut(name)}: not a step of time; write for example D, h, 15min, W, MS, B"
        )

    @classmethod
    def guessed(cls, times: NDArray[Any]) -> "Frequency":
        """The frequency of sorted, different times: the rule that all follow, else the median."""
        steps = np.diff(times)
        if times.dtype.kind == "f":
            return cls("", float(np.median(steps)))
        import pandas as pd

        index = pd.DatetimeIndex(times)
        inferred = pd.infer_freq(index) if len(index) > 2 else None
        if inferred is not None:
            offset = pd.tseries.frequencies.to_offset(inferred)
            if offset.n > 0:
                return cls(offset.freqstr)
        median = pd.Timedelta(np.median(steps.astype("timedelta64[ns]").astype(np.int64)), "ns")
        return cls(_of_median(index, median))

    @property
    def text(self) -> str:
        """`1 day`, `15 minutes`, `1 month`; for numbers their step."""
        if not self.offset:
            return f"{self.step:g}"
        offset = self._offset()
        known = self._of_calendar()
        if known is not None:
            return counted(offset.n, known[1])
        seconds = self.seconds
        if seconds is None:
            return self.offset
        for unit, size in _UNITS:
            if seconds >= size and seconds % size == 0:
                return counted(int(seconds // size), unit)
        return f"{seconds:g} seconds"

    @property
    def season(self) -> int:
        """The steps of the season that the frequency suggests; 1 where it suggests none."""
        if not self.offset:
            return 1
        known = self._of_calendar()
        if known is not None:
            return max(1, known[0] // self._offset().n)
        seconds = self.seconds or 0.0
        if seconds in _SEASONS:
            return _SEASONS[int(seconds)]
        if 0 < seconds < _DAY_S and _DAY_S % seconds == 0:
            return int(_DAY_S // seconds)
        return 1

    @property
    def seconds(self) -> float | None:
        """The seconds of a step; None where they differ, as with months."""
        if not self.offset:
            return None
        offset = self._offset()
        if offset.name.startswith("W"):
            return float(7 * _DAY_S * offset.n)
        import pandas as pd

        try:
            return float(pd.Timedelta(offset).total_seconds())  # type: ignore[arg-type]
        except ValueError:
            return None

    def grid(self, first: Any, last: Any) -> NDArray[Any]:
        """All times from one to another, both included."""
        if not self.offset:
            count = round(float((last - first) / self.step))
            return np.asarray(first + self.step * np.arange(count + 1))
        import pandas as pd

        return pd.date_range(first, last, freq=self._offset()).to_numpy()

    def following(self, last: Any, steps: int) -> NDArray[Any]:
        """The times of so many steps after one."""
        if not self.offset:
            return np.asarray(last + self.step * np.arange(1, steps + 1))
        import pandas as pd

        found = pd.date_range(last, periods=steps + 1, freq=self._offset())
        # A time off the grid, such as a Saturday of business days, begins at the next one.
        return found[found > pd.Timestamp(last)][:steps].to_numpy()

    def _offset(self) -> Any:
        import pandas as pd

        return pd.tseries.frequencies.to_offset(self.offset)

    def _of_calendar(self) -> tuple[int, str] | None:
        name = self._offset().name.split("-")[0]
        name = {"BME": "M", "BMS": "M", "ME": "M", "MS": "M"}.get(name, name)
        name = "Q" if name.lstrip("B").startswith("Q") else name
        name = "Y" if name.lstrip("B").startswith("Y") else name
        return _OF_CALENDAR.get(name)


def _of_words(name: str) -> str:
    """`1 day` as pandas's `D`; other texts as they are."""
    words = name.lower().replace("-", " ").split()
    number, unit = (words[0], words[1]) if len(words) == 2 else ("1", "".join(words))
    aliases = {
        "second": "s", "minute": "min", "hour": "h", "day": "D", "week": "W", "month": "MS",
        "quarter": "QS", "year": "YS", "business day": "B", "hourly": "h", "daily": "D",
        "weekly": "W", "monthly": "MS", "quarterly": "QS", "yearly": "YS",
    }  # fmt: skip
    alias = aliases.get(unit.removesuffix("s"), aliases.get(unit))
    return f"{number}{alias}" if alias and number.isdigit() else name


def _of_median(index: "pd.DatetimeIndex", median: "pd.Timedelta") -> str:
    """An offset for times of which some are missing, by the median of their distances."""
    days = median.total_seconds() / _DAY_S
    first_days = bool((index.day == 1).all() and (index == index.normalize()).all())
    last_days = bool(index.is_month_end.all() and (index == index.normalize()).all())
    for least, most, letters in ((28, 31, "M"), (89, 92, "Q"), (365, 366, "Y")):
        if least <= days <= most and first_days:
            return f"{letters}S-{_month(index)}" if letters == "Q" else f"{letters}S"
        if least <= days <= most and last_days:
            return f"{letters}E"
    if days == 7 and len(set(index.weekday)) == 1:
        return f"W-{index[0].day_name()[:3].upper()}"
    if days == 1 and index.weekday.max() < 5 and len(index) > 5:
        return "B"
    seconds = median.total_seconds()
    for unit, size in (("D", _DAY_S), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{max(1, int(median.value))}ns"


def _month(index: "pd.DatetimeIndex") -> str:
    return str(index[0].strftime("%b").upper())


def calendar(times: NDArray[Any], frequency: Frequency) -> tuple[NDArray[np.float64], list[str]]:
    """Features of dates: sine and cosine of the time of day, the day of the week and of the year.

    Only those that the frequency can tell apart. Shape (times, features), and their names.
    """
    import pandas as pd

    index = pd.DatetimeIndex(times)
    seconds = frequency.seconds or 28 * _DAY_S
    of_day = (index - index.normalize()).total_seconds().to_numpy() / _DAY_S
    parts: list[tuple[str, NDArray[Any]]] = []
    if seconds < _DAY_S:
        parts.append(("time of day", of_day))
    if seconds <= _DAY_S or frequency.offset.endswith("B"):
        parts.append(("day of week", (index.weekday.to_numpy() + of_day) / 7))
    parts.append(("day of year", (index.dayofyear.to_numpy() - 1 + of_day) / 365.25))
    found = [wave(2 * np.pi * part) for _, part in parts for wave in (np.sin, np.cos)]
    names = [f"{wave} of {name}" for name, _ in parts for wave in ("sine", "cosine")]
    return np.stack(found, axis=1), names


def shown(times: Any) -> list[str]:
    """Times as texts: dates without a time of day where all are whole days; plain numbers."""
    found = np.asarray(times)
    if found.dtype.kind == "f":
        return [f"{value:.15g}" for value in found.ravel().tolist()]
    flat = found.ravel().astype("datetime64[ns]")
    whole = bool((flat == flat.astype("datetime64[D]")).all())
    seconds = bool((flat == flat.astype("datetime64[s]")).all())
    unit: Any = "D" if whole else "s" if seconds else "ns"
    return list(np.datetime_as_string(flat, unit=unit).tolist())


def one_shown(time: Any) -> str:
    """A single time as a text."""
    return shown(np.asarray([time]))[0]

"""A horizontal axis of times that come as texts: dates, numbers, or anything in its order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from numpy.typing import NDArray

from reports.charts import scales


@dataclass(frozen=True)
class TimeAxis:
    """Where times are on the axis. Of kind `order` they are evenly spaced, in the order given."""

    kind: Literal["dates", "numbers", "order"]
    order: tuple[str, ...]

    def places(self, times: Sequence[str] | NDArray[Any]) -> list[float]:
        """The place of each of these times."""
        if self.kind == "dates":
            moments = [_moment(str(each)) for each in times]
            return [float(each) for each in date2num(moments)]  # type: ignore[no-untyped-call]
        if self.kind == "numbers":
            return [float(each) for each in times]
        rank = {time: float(place) for place, time in enumerate(self.order)}
        return [rank[str(each)] for each in times]

    def label(self, axes: Axes) -> None:
        """Round ticks, and what the axis shows."""
        if self.kind == "dates":
            locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_locator(locator)
            form = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_formatter(form)
        else:
            scales.linear(axes, "x")
        axes.set_xlabel("Time" if self.kind != "order" else "Test time, in their order")


def axis_of(times: Sequence[str] | NDArray[Any]) -> TimeAxis:
    """The axis for these times: dates in ISO, else numbers, else their order."""
    texts = tuple(dict.fromkeys(str(each) for each in times))
    if _numbers(texts):
        return TimeAxis("numbers", texts)
    return TimeAxis("dates" if _dates(texts) else "order", texts)


def _numbers(texts: Sequence[str]) -> bool:
    try:
        return bool(np.isfinite([float(each) for each in texts]).all())
    except ValueError:
        return False


def _dates(texts: Sequence[str]) -> bool:
    try:
        years = {_moment(each).year for each in texts}
    except (ValueError, OverflowError):
        return False
    return min(years) > 1 and max(years) < 9999  # matplotlib's ticks need room on either side


def _moment(text: str) -> datetime:
    """A time in ISO as one without a zone, in UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)

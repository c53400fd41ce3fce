"""Forecasts after the last row of a newer table, by a study's model, as CSV."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.trained_model import damaged, load_model, outputs_of
from harness.commands.labels import save
from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base.frequency import shown
from harness.datasets.base.series import Series, channels
from harness.datasets.files.forecasts import newer
from harness.results.training_folder import PARAMS


def write(
    name: str, folder: Path, params: dict[str, Any], data: Path | None, output: Path | None
) -> None:
    """Write the forecasts of `data` to a file, or to stdout without one. Raises UserError."""
    facts = params["forecast"]
    if "time_column" not in facts:
        raise UserError(
            f"{name}: its data are no table of yours; {folder}/forecast.py is an example of use"
        )
    if data is None:
        raise UserError(f"{name}: its model forecasts; give a newer table with --data FILE")
    rows = list(_rows(folder, params, data))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    save(text.getvalue(), output)


def _rows(folder: Path, params: dict[str, Any], data: Path) -> Iterator[list[str]]:
    """The heading, then a row for each step: time, series and target if several, forecast."""
    facts = params["forecast"]
    series = newer(data, facts)
    several = len(facts["targets"]) > 1
    heading = [facts["time_column"]]
    heading += [facts["series_column"]] if facts["series_column"] else []
    heading += ["target"] if several else []
    yield [*heading, "forecast"]
    windows = [_window(data, series, number, params) for number in range(len(series.members))]
    forecasts = _predicted(folder, params, np.stack([window for window, _ in windows]))
    for member, (_, times), forecast in zip(series.members, windows, forecasts, strict=True):
        for time, step in zip(shown(times), forecast, strict=True):
            for target, value in zip(facts["targets"], step.tolist(), strict=True):
                of_series = [member] if facts["series_column"] else []
                yield [time, *of_series, *([target] if several else []), f"{value:.9g}"]


def _window(
    data: Path, series: Series, number: int, params: dict[str, Any]
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """The last window of a series with all targets, and the times of the steps after it."""
    facts, length = params["forecast"], int(params["hyperparameters"]["sequence_length"])
    horizon = int(facts["horizon"])
    part = series.member(number)
    targets, known = tuple(facts["targets"]), tuple(facts["known"])
    complete = np.flatnonzero(~np.isnan(part.columns(targets)).any(axis=1))
    end = int(complete[-1]) + 1 if len(complete) else 0
    called = f" of series {cut(part.members[0])!r}" if facts["series_column"] else ""
    if end < length:
        raise UserError(
            f"{data}: {end:,} rows{called} are too few: the model reads the last {length:,} rows"
        )
    if known and len(part) < end + horizon:
        raise UserError(
            f"{data}: {len(part) - end:,} rows{called} follow the last one with a target; "
            f"{horizon:,} are needed, with {', '.join(map(cut, known))} and no target"
        )
    inputs = (*targets, *facts["inputs"])
    found, _ = channels(part, inputs, known, horizon, bool(facts["calendar"]))
    times = part.times[end : end + horizon]
    if len(times) < horizon:
        times = part.frequency.following(part.times[end - 1], horizon)
    return found[end - length : end], times


def _predicted(
    folder: Path, params: dict[str, Any], windows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Forecasts in the unit, (n, horizon, targets)."""
    model = load_model(folder)
    try:
        scaling, horizon = params["scaling"], params["forecast"]["horizon"]
        x = (windows - np.array(scaling["x_mean"])) / np.array(scaling["x_std"])
        outputs = outputs_of(model, x.astype(np.float32))
        shaped = outputs.reshape(len(x), horizon, -1)
        found: NDArray[np.float64] = shaped * scaling["y_std"] + scaling["y_mean"]
    except (KeyError, TypeError, ValueError) as error:
        reason = f"it does not fit the model: {type(error).__name__}: {error}"
        raise damaged(folder, PARAMS, reason) from None
    return found

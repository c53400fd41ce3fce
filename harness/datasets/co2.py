"""The dataset `co2`: the weekly record of carbon dioxide at Mauna Loa."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from harness.core.errors import UserError
from harness.datasets.base.forecast import Forecast
from harness.datasets.base.frequency import Frequency
from harness.datasets.base.series import Series


@dataclass(frozen=True, kw_only=True)
class Co2(Forecast):
    """2,284 weeks from 1958 to 2001, in parts per million: a season of a year on a rising trend.

    C. D. Keeling and T. P. Whorf, "Atmospheric CO2 concentrations derived from flask air samples at
    sites in the SIO network" (2004), as statsmodels contains it. 59 weeks have no value; they are
    filled by interpolation, and no window ends there.
    """

    train: int | None = 1_000
    validation: int | None = 250
    test: int | None = 300
    targets: tuple[str, ...] = ("co2",)
    horizon: int = 13
    lookback: int = 104

    name: ClassVar[str] = "co2"

    def series(self) -> Series:
        return _co2()


@functools.lru_cache(maxsize=1)
def _co2() -> Series:
    package = importlib.util.find_spec("statsmodels")  # importing it would take a second
    if package is None or package.origin is None:
        raise UserError("dataset co2 is in statsmodels; pip install statsmodels")
    file = Path(package.origin).parent / "datasets" / "co2" / "co2.csv"
    rows = [line.split(",") for line in file.read_text(encoding="utf-8").split()[1:]]
    days = [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day, _ in rows]
    times = np.array(days, "datetime64[ns]")
    values = np.array([float(value or "nan") for _, value in rows])
    missing = np.isnan(values)
    at = np.arange(len(values))
    values[missing] = np.interp(at[missing], at[~missing], values[~missing])
    return Series(
        values=values[:, None],
        names=("co2",),
        times=times,
        bounds=np.array([0, len(times)]),
        frequency=Frequency("7D"),
        filled=missing,
        notes=(f"{missing.sum()} weeks without a value are filled by interpolation",),
    )

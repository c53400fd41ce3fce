"""The dataset `forecast-files`: a forecast from your own table over time.

The table (CSV, TSV, JSON Lines or Parquet) has a column of times and columns of numbers. Everything
is checked before anything is trained.
"""

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypedDict, Unpack

import numpy as np

from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base import cache
from harness.datasets.base.forecast import Forecast
from harness.datasets.base.frequency import Frequency
from harness.datasets.base.series import Series
from harness.datasets.base.series_scale import check_varying
from harness.datasets.base.time_splits import longest_lookback
from harness.datasets.files import rows_in_time, tables
from harness.datasets.files.rows_in_time import Reading

_VERSION = 1  # of reading files; with a new number, they are read again
_ARRAYS = ("values", "times", "bounds", "filled")
_LOOKBACK = 100

Columns = str | Sequence[str]


class Choices(TypedDict, total=False):
    """How a table is read and what is forecast; see `Reading` and `Forecast`."""

    inputs: Columns | None
    known: Columns
    series_column: str | None
    horizon: int
    frequency: str | None
    season: int | None
    missing: str
    gaps: str
    calendar: bool
    folds: int
    lookback: int
    encoding: str | None
    train: int | None
    validation: int | None
    test: int | None


@dataclass(frozen=True, kw_only=True)
class ForecastFiles(Forecast):
    """Made by `of`, which reads the table; `content` is the SHA-256 of its bytes."""

    path: str = ""
    how: Reading | None = None
    content: str = ""

    name: ClassVar[str] = "forecast-files"

    def __post_init__(self) -> None:
        if self.how is None:
            raise UserError(
                "dataset forecast-files: name the file itself, --dataset sales.csv --time-column "
                'date --target-column units, or in a study file ForecastFiles.of("sales.csv", '
                'time_column="date", targets="units")'
            )
        super().__post_init__()

    @classmethod
    def of(
        cls, path: str | Path, *, time_column: str, targets: Columns, **choices: Unpack[Choices]
    ) -> Self:
        """The dataset of a table. Reads the whole file.

        `targets`, `inputs` and `known` are names of columns; `inputs` are all other columns of
        numbers, where they are not given. With `series_column` the table has several series. The
        rest is as in `Forecast` and in `Reading`. Raises UserError with a line that says what is
        wrong.
        """
        for name in choices:
            if name not in Choices.__annotations__:
                raise TypeError(f"got an unexpected keyword argument {name!r}")
        given: dict[str, Any] = dict(choices)
        inputs = given.pop("inputs", None)
        of_reading = ("series_column", "frequency", "missing", "gaps", "encoding")
        how = Reading(
            time_column=time_column,
            targets=_names(targets),
            inputs=None if inputs is None else _names(inputs),
            known=_names(given.pop("known", ())),
            **{name: given.pop(name) for name in of_reading if name in given},
        )
        file = os.path.abspath(path)
        _read.cache_clear()  # the file may be another one than before
        series, sha256 = _read(file, how)
        columns = {
            "targets": how.targets,
            "inputs": tuple(n for n in series.names if n not in (*how.targets, *how.known)),
            "known": how.known,
        }
        for at, name in enumerate(how.targets):
            check_varying(file, name, series.values[:, at])
        made = {"path": file, "how": how, "content": sha256, **columns, **given}
        if "lookback" not in given:
            # Until a study says how long its windows are.
            horizon = max(1, given.get("horizon", 1))
            most = min(_LOOKBACK, longest_lookback(series, horizon))
            made["lookback"] = max(most, horizon) if how.known else most
        return cls(**made)

    def series(self) -> Series:
        assert self.how is not None
        series, sha256 = _read(self.path, self.how)
        if sha256 != self.content:
            raise UserError(f"{self.path} has changed while it was in use; put it back")
        return series

    @property
    def source(self) -> str:
        return self.path

    def reading(self) -> dict[str, Any]:
        assert self.how is not None
        return {
            "file": Path(self.path).name,
            "time_column": self.how.time_column,
            "series_column": self.how.series_column,
            "missing": self.how.missing,
            "gaps": self.how.gaps,
            "encoding": self.how.encoding,
        }

    def to_mapping(self) -> dict[str, Any]:
        found = {name: value for name, value in self.reading().items() if value is not None}
        frequency = self.how.frequency if self.how else None
        return super().to_mapping() | found | ({"frequency": frequency} if frequency else {})


def newer(path: str | Path, facts: Mapping[str, Any]) -> Series:
    """The series of another table, read as that of a model with these `facts`."""
    step = facts["offset"]
    how = Reading(
        time_column=facts["time_column"],
        targets=tuple(facts["targets"]),
        inputs=tuple(facts["inputs"]),
        known=tuple(facts["known"]),
        series_column=facts["series_column"],
        frequency=step if isinstance(step, str) else f"{step!r}",
        missing=facts["missing"],
        gaps=facts["gaps"],
        encoding=facts["encoding"],
        future=True,
    )
    return _read(os.path.abspath(path), how)[0]


def split_names(given: Sequence[str] | None) -> tuple[str, ...]:
    """Names of columns from options that are repeated, or have several with commas between."""
    return tuple(name for each in given or () for name in _apart(each))


def _apart(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _names(columns: Columns) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)


@functools.lru_cache(maxsize=2)
def _read(file: str, how: Reading) -> tuple[Series, str]:
    """The series of a table, from the cache where it was read before, and the file's SHA-256."""
    path = Path(file)
    if path.suffix.lower() not in tables.SUFFIXES:
        raise UserError(
            f"--dataset {path}: files of this kind are not read as tables over time; use "
            f"{', '.join(tables.SUFFIXES)}"
        )
    if not os.path.isfile(path):
        raise UserError(f"{path}: no such file")
    try:
        sha256 = cache.sha256(path)
    except OSError as error:
        raise UserError(f"{cut(file, 300)} can't be read: {error.strerror}") from None
    told = json.dumps([sha256, path.suffix.lower(), asdict(how), _VERSION])
    series = cache.cached(
        f"forecast-files-{hashlib.sha256(told.encode()).hexdigest()[:16]}",
        build=lambda: rows_in_time.read(path, path.read_bytes(), how),
        write=_save,
        read=_open,
        notify=lambda line: None,
    )
    return series, sha256


def _save(series: Series, directory: Path) -> None:
    for name in _ARRAYS:
        np.save(directory / f"{name}.npy", getattr(series, name), allow_pickle=False)
    told = {
        "names": series.names,
        "members": series.members,
        "frequency": [series.frequency.offset, series.frequency.step],
        "left_out": dict(series.left_out),
        "notes": series.notes,
    }
    (directory / "read.json").write_text(json.dumps(told), encoding="utf-8")


def _open(directory: Path) -> Series:
    told = json.loads((directory / "read.json").read_text(encoding="utf-8"))
    # Several processes then share the memory of the file.
    arrays = {
        name: np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in _ARRAYS
    }
    return Series(
        **arrays,
        names=tuple(told["names"]),
        members=tuple(told["members"]),
        frequency=Frequency(*told["frequency"]),
        left_out=told["left_out"],
        notes=tuple(told["notes"]),
    )

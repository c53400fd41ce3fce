"""Datasets for forecasts: windows of a series, split in time, scaled by the training part alone.

The splits follow each other in time. Between two of them at least `lookback + horizon` times are
left out, so no row that is learnt from or forecast in one split is read or forecast in the next.
Every lookback that a study tries is scored on the same times.

With `folds` K the test part is K blocks, one after another (rolling origin: Tashman 2000, Int. J.
Forecasting 16:437-450). Fold k has block k as its test split, and trains and validates on what lies
before it, fold by fold on more. A search uses fold 1 alone, so it sees nothing of any block.
"""

import abc
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from harness.core.checks import check_whole
from harness.core.errors import UserError
from harness.core.metrics import MAE
from harness.datasets.base.dataset import SPLITS, Dataset, Split
from harness.datasets.base.forecast_contents import ForecastContents
from harness.datasets.base.frequency import shown
from harness.datasets.base.series import Series, channels
from harness.datasets.base.series_scale import (
    check_varying,
    moments_of,
    naive_error,
    scaled,
    season_of,
)
from harness.datasets.base.signature import Signature
from harness.datasets.base.text import check_encoding
from harness.datasets.base.time_splits import LEAST, TimeSplits, longest_lookback
from harness.datasets.base.windows import Windows


@dataclass(frozen=True, kw_only=True)
class Forecast(Dataset):
    """A forecast of `targets` for each of the next `horizon` steps, all at once.

    The sizes count times; by default they are 64, 16 and 20 % of those that the gaps leave.
    `lookback` is the longest window, which a study sets to its longest `sequence_length`. A window
    has the columns `targets` and `inputs`; the columns `known` in advance both as they are and as
    they will be `horizon` rows later, so that its last rows have their values at the steps to be
    forecast; and with `calendar` features of the date. `season` is the period, in steps, of the
    seasonal baseline; by default it follows from the frequency.
    """

    train: int | None = None  # type: ignore[assignment]
    validation: int | None = None  # type: ignore[assignment]
    test: int | None = None  # type: ignore[assignment]
    targets: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    calendar: bool = False
    horizon: int = 1
    lookback: int = 100
    season: int | None = None
    folds: int = 1  # type: ignore[misc]
    fold: int = 1
    shares: tuple[str, ...] = ()  # the splits whose sizes follow from the number of rows

    classes: ClassVar[int] = 0
    metric: ClassVar[str] = MAE
    input: ClassVar[str] = "numbers"
    encoding: ClassVar[str] = "the last sequence_length rows, scaled; see forecast.py"

    def __post_init__(self) -> None:
        if self.horizon == 0:
            raise UserError("--horizon 0: a forecast is at least one step ahead; give 1 or more")
        for name in ("horizon", "lookback", "folds"):
            check_whole(name, getattr(self, name), 1)
        if self.season is not None:
            check_whole("season", self.season, 1)
        missing = tuple(name for name in SPLITS if getattr(self, name) is None)
        if missing:
            object.__setattr__(self, "shares", missing)
            for name, size in self.splits().complete(self.series()).items():
                object.__setattr__(self, name, size)
        super().__post_init__()
        if self.folds > 1 and (self.test or 0) < self.folds:
            raise UserError(
                f"--folds {self.folds}: the test part has {self.test} times, and each block needs "
                "at least one; give fewer"
            )
        object.__setattr__(self, "test", self.block * self.folds)

    @abc.abstractmethod
    def series(self) -> Series:
        """The rows, with all columns; read once in a process. Raises UserError."""

    @property
    def source(self) -> str:
        """What messages call the data."""
        return self.name

    @property
    def block(self) -> int:
        """The test times of a fold."""
        return (self.test or 0) // self.folds

    @property
    def gap(self) -> int:
        """The times left out between two splits, at least."""
        return self.splits().gap

    @property
    def features(self) -> int:  # type: ignore[override]
        return len(_channels(self)[1])

    @property
    def signature(self) -> Signature:
        numbers = self.horizon * len(self.targets)
        return Signature(classes=0, features=self.features, numbers=numbers, horizon=self.horizon)

    def for_sequences(self, longest: int) -> Self:
        if longest == self.lookback:
            return self
        return self.with_changes(lookback=longest)

    def with_changes(self, **changes: Any) -> Self:
        """The same with other values of some fields; sizes follow where they were not given."""
        again: dict[str, Any] = dict.fromkeys(self.shares)
        return replace(self, **again, **changes)

    def of_fold(self, fold: int) -> Self:
        return replace(self, fold=fold)

    def smaller(self, train: int, validation: int, test: int) -> Self:
        least = self.folds if self.folds > 1 else 0
        sizes = {"train": train, "validation": validation, "test": max(test, least)}
        less: dict[str, Any] = {n: min(getattr(self, n), size) for n, size in sizes.items()}
        return replace(self, **less, shares=())

    def prepare(self, notify: Callable[[str], None]) -> None:
        prepared(self)

    def limits(self) -> dict[str, int]:
        """A lookback that leaves most rows for training; or what the declared sizes leave."""
        sizes = LEAST if self.shares else self.sizes()
        most = longest_lookback(self.series(), self.horizon, sum(sizes.values()))
        if not self.shares:
            most = max(most, self.lookback)
        return {"sequence_length": max(most, self.horizon if self.known else 1)}

    def check_length(self, sequence_length: int) -> None:
        if sequence_length > self.lookback:
            raise UserError(
                f"sequence_length: {sequence_length} is more than the lookback of the dataset, "
                f"{self.lookback}"
            )
        if self.known and sequence_length < self.horizon:
            raise UserError(
                f"sequence_length: {sequence_length} is less than the horizon of {self.horizon}; "
                "with --known-columns a window has their values at all steps to be forecast: lower "
                "--horizon, or leave those columns out"
            )

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Windows:
        check_encoding(sequence_length, vocabulary)
        self.check_length(sequence_length)
        state = prepared(self)
        rows = state.rows[split]
        series = state.series
        of_row, starts = series.of_row, []
        for number in np.unique(of_row[rows]) if len(rows) else [0]:
            ours = rows[of_row[rows] == number] if len(rows) else np.array([sequence_length - 1])
            starts.append((int(ours[0]) - sequence_length + 1, int(ours[-1]) + self.horizon + 1))
        parts = [slice(*each) for each in starts]
        # Where each part's first row is after those of the parts before.
        sizes = np.array([part.stop - part.start for part in parts])
        shift = np.cumsum(sizes) - sizes - np.array([part.start for part in parts])
        numbers = np.searchsorted([part.start for part in parts], rows, side="right") - 1
        return Windows(
            series=_joined(state.matrix, parts),
            targets=_joined(state.matrix[:, : len(self.targets)], parts),
            unit=_joined(state.unit, parts),
            origins=(rows + shift[numbers]).astype(np.int32)
            if len(rows)
            else rows.astype(np.int32),
            moments=state.moments[rows],
            members=of_row[rows],
            lookback=sequence_length,
            horizon=self.horizon,
            means=state.means[: len(self.targets)],
            deviations=state.deviations[: len(self.targets)],
            naive=state.naive,
        )

    def period(self) -> int:
        """The steps of a season: as given, else as the frequency suggests, 1 for none."""
        return prepared(self).season

    def scaling(self) -> dict[str, list[float]]:
        state, targets = prepared(self), len(self.targets)
        return {
            "x_mean": state.means.tolist(),
            "x_std": state.deviations.tolist(),
            "y_mean": state.means[:targets].tolist(),
            "y_std": state.deviations[:targets].tolist(),
        }

    def words(self, vocabulary: int) -> list[str]:
        return []

    def times(self, split: Split) -> NDArray[Any]:
        """The times of the steps to be forecast, (n, horizon), of the first series at each time."""
        state = prepared(self)
        rows = state.rows[split]
        _, first = np.unique(state.moments[rows], return_index=True)
        found: NDArray[Any] = state.series.times[
            rows[first][:, None] + np.arange(1, self.horizon + 1)
        ]
        return found

    def reading(self) -> dict[str, Any]:
        """What is needed to read newer data in the same way."""
        return {}

    def facts(self) -> dict[str, Any]:
        state = prepared(self)
        series = state.series
        naive = state.naive[np.isfinite(state.naive)]
        return {
            "task": "forecast",
            "unit": ", ".join(self.targets),
            "numbers": self.horizon * len(self.targets),
            "horizon": self.horizon,
            "lookback": self.lookback,
            "frequency": series.frequency.text,
            "offset": series.frequency.offset or series.frequency.step,
            "season": state.season,
            "targets": list(self.targets),
            "inputs": list(self.inputs),
            "known": list(self.known),
            "channels": _channels(self)[1],
            "calendar": self.calendar,
            "series": len(series.members),
            "mase_scale": float(naive.mean()) if len(naive) else None,
            "test_times": self.test,
            "folds": self.folds,
            **self.reading(),
        }

    def contents(self, notify: Callable[[str], None]) -> ForecastContents:
        state = prepared(self)
        series, rows = state.series, state.rows
        spans: dict[str, tuple[str, ...]] = {
            split: tuple(shown(series.times[[found[0] + 1, found[-1] + self.horizon]]))
            for split in SPLITS
            if len(found := np.sort(rows[split]))
        }
        notes = list(series.notes)
        if state.note:
            notes.append(state.note)
        return ForecastContents(
            task="forecast",
            classes={},
            rows=len(series),
            splits=self.sizes(),
            features=self.features,
            length=self.lookback,
            typical_length=self.lookback,
            left_out=series.left_out,
            notes=notes,
            facts=self.facts(),
            spans=spans,
            gap=self.gap,
            ends=(shown(series.times[[0]])[0], shown(series.times.max(keepdims=True))[0]),
        )

    def fingerprint(self) -> str:
        return _fingerprint(self)

    def to_mapping(self) -> dict[str, Any]:
        plain = {
            "targets": list(self.targets),
            "horizon": self.horizon,
            "lookback": self.lookback,
        }
        others: dict[str, Any] = {
            "inputs": list(self.inputs),
            "known": list(self.known),
            "calendar": self.calendar,
            "season": self.season,
            "folds": self.folds if self.folds > 1 else 0,
            "fold": self.fold if self.fold > 1 else 0,
        }
        return super().to_mapping() | plain | {name: each for name, each in others.items() if each}

    def splits(self) -> TimeSplits:
        """The layout of the splits, with the sizes that are given."""
        given = {name: getattr(self, name) for name in SPLITS}
        return TimeSplits(
            source=self.source,
            lookback=self.lookback,
            horizon=self.horizon,
            sizes={name: size for name, size in given.items() if size is not None},
            folds=self.folds,
            fold=self.fold,
        )


def _joined(array: NDArray[Any], parts: list[slice]) -> NDArray[Any]:
    """Parts of an array's rows, one after another; a single part is not copied."""
    return array[parts[0]] if len(parts) == 1 else np.concatenate([array[part] for part in parts])


@dataclass(frozen=True, eq=False)
class Prepared:
    """A dataset's rows, scaled, with the rows at which each split's windows end."""

    series: Series
    moments: NDArray[np.int64]
    matrix: NDArray[np.float32]  # (rows, features)
    unit: NDArray[np.float64]  # (rows, targets)
    rows: Mapping[Split, NDArray[np.int64]]
    means: NDArray[np.float64]  # (features,)
    deviations: NDArray[np.float64]
    naive: NDArray[np.float64]  # (targets,)
    season: int
    note: str


def _channels(dataset: Forecast) -> tuple[NDArray[np.float64], list[str]]:
    inputs = (*dataset.targets, *dataset.inputs)
    return _channels_of(dataset.series(), inputs, dataset.known, dataset.horizon, dataset.calendar)


@functools.lru_cache(maxsize=2)
def _channels_of(
    series: Series, inputs: tuple[str, ...], known: tuple[str, ...], horizon: int, calendar: bool
) -> tuple[NDArray[np.float64], list[str]]:
    return channels(series, inputs, known, horizon, calendar)


@functools.lru_cache(maxsize=3)
def prepared(dataset: Forecast) -> Prepared:
    """The rows of a dataset, scaled, and its splits: computed once in a process."""
    series = dataset.series()
    moments = series.moments
    rows = dataset.splits().rows(series, moments)
    learnt = moments[rows["train"]]
    low, high = learnt.min() - dataset.lookback + 1, learnt.max() + dataset.horizon
    training = (moments >= low) & (moments <= high)
    values, _ = _channels(dataset)
    means, deviations = moments_of(values, training)
    unit = series.columns(dataset.targets)
    for target, of_target in zip(dataset.targets, unit.T, strict=True):
        check_varying(dataset.source, target, of_target[training], " in all of the training part")
    season, note = season_of(dataset.season, series, int(high - low) + 1)
    return Prepared(
        series=series,
        moments=moments,
        matrix=scaled(values, means, deviations),
        unit=unit,
        rows=rows,
        means=means,
        deviations=deviations,
        naive=naive_error(series, unit, training, season),
        season=season,
        note=note,
    )


@functools.lru_cache(maxsize=8)
def _fingerprint(dataset: Forecast) -> str:
    import hashlib

    whole = hashlib.sha256(dataset.series().sha256().encode())
    for fold in range(1, dataset.folds + 1):
        of_fold = dataset if fold == dataset.fold else dataset.of_fold(fold)
        series = of_fold.series()
        for split, rows in of_fold.splits().rows(series, series.moments).items():
            whole.update(f"{split} {len(rows)}\n".encode() + rows.tobytes())
    return whole.hexdigest()

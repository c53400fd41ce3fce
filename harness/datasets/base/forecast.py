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
from harness.datasets.base.signature import Signature
from harness.datasets.base.text import check_encoding
from harness.datasets.base.windows import Windows

SHARES = {"validation": 0.16, "test": 0.20}  # of the times that the gaps leave
LEAST = {"train": 20, "validation": 5, "test": 5}
_MOST_OF_ROWS = 10  # a lookback of at most one in so many rows leaves most of them to train


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
            for name, size in self._sizes(missing).items():
                object.__setattr__(self, name, size)
        super().__post_init__()
        if self.folds > 1 and (self.test or 0) < self.folds:
            raise UserError(
                f"folds: {self.folds} blocks of {self.test} test times; each needs at least one"
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
        return self.lookback + self.horizon

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
        again: dict[str, Any] = dict.fromkeys(self.shares)
        return replace(self, lookback=longest, **again)

    def of_fold(self, fold: int) -> Self:
        return replace(self, fold=fold)

    def smaller(self, train: int, validation: int, test: int) -> Self:
        sizes = {"train": train, "validation": validation, "test": max(test, self.folds)}
        less: dict[str, Any] = {n: min(getattr(self, n), size) for n, size in sizes.items()}
        return replace(self, **less, shares=())

    def prepare(self, notify: Callable[[str], None]) -> None:
        prepared(self)

    def limits(self) -> dict[str, int]:
        """A lookback that leaves most rows for training; or what the declared sizes leave."""
        series = self.series()
        times = int(series.moments.max()) + 1
        if self.shares:
            most = times // _MOST_OF_ROWS
        else:
            used = sum(self.sizes().values()) + 3 * self.horizon + int(series.filled.sum())
            most = (times - used) // 3
        return {"sequence_length": max(1, self.horizon if self.known else 1, most)}

    def check_length(self, sequence_length: int) -> None:
        if sequence_length > self.lookback:
            raise UserError(
                f"sequence_length: {sequence_length} is more than the lookback of the dataset, "
                f"{self.lookback}"
            )
        if self.known and sequence_length < self.horizon:
            raise UserError(
                f"sequence_length: {sequence_length} is less than the horizon of {self.horizon}; "
                "with --known-columns a window has the values of all steps to be forecast"
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

    def _sizes(self, missing: tuple[str, ...]) -> dict[str, int]:
        """The sizes that are not given; raises UserError where there are too few rows."""
        series = self.series()
        times = np.unique(series.moments[series.ends(self.lookback, self.horizon)])
        room = len(times) - 2 * self.gap
        found = {
            name: max(LEAST[name], round(share * room))
            for name, share in SHARES.items()
            if name in missing
        }
        if "test" in found:
            found["test"] = max(found["test"] // self.folds, 1) * self.folds
        given: dict[str, int] = {n: getattr(self, n) for n in SPLITS if n not in missing}
        if "train" in missing:
            found["train"] = room - sum(given.values()) - sum(found.values())
        if found.get("train", LEAST["train"]) < LEAST["train"]:
            raise self.too_few(series)
        return found

    def too_few(self, series: Series) -> UserError:
        """The error for too few rows, with the number that is needed."""
        rows = int(series.moments.max()) + 1 if len(series) else 0
        sizes: dict[str, int] = LEAST | {"test": max(LEAST["test"], self.folds)}
        for name in SPLITS:
            size = getattr(self, name)
            if name not in self.shares and size is not None:
                sizes[name] = size
        needed = self.lookback - 1 + 2 * self.gap + self.horizon + sum(sizes.values())
        needed = max(needed + int(series.filled.sum()), rows + 1)
        splits = ", ".join(f"{sizes[name]:,} to {verb}" for name, verb in _VERBS.items())
        return UserError(
            f"{self.source}: {rows:,} rows are too few: {needed:,} are needed for a lookback of "
            f"{self.lookback:,}, a horizon of {self.horizon:,} and the splits ({splits}, with gaps "
            f"of {self.gap:,} between them); add rows, or lower --horizon or sequence_length"
        )


_VERBS = {"train": "train", "validation": "validate", "test": "test"}


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
    rows = _rows(dataset, series, moments)
    learnt = moments[rows["train"]]
    low, high = learnt.min() - dataset.lookback + 1, learnt.max() + dataset.horizon
    training = (moments >= low) & (moments <= high)
    values, _ = _channels(dataset)
    means, deviations = _moments_of(values[training])
    unit = series.columns(dataset.targets)
    _check_varying(dataset, unit, unit[training])
    season, note = _season(dataset, series, int(high - low) + 1)
    scaled = values - means
    scaled /= deviations
    return Prepared(
        series=series,
        moments=moments,
        matrix=scaled.astype(np.float32),
        unit=unit,
        rows=rows,
        means=means,
        deviations=deviations,
        naive=_naive_error(series, unit, training, season),
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
        for split, rows in _rows(of_fold, series, series.moments).items():
            whole.update(f"{split} {len(rows)}\n".encode() + rows.tobytes())
    return whole.hexdigest()


def _rows(
    dataset: Forecast, series: Series, moments: NDArray[np.int64]
) -> dict[Split, NDArray[np.int64]]:
    """The rows at which the windows of each split end; raises UserError for sizes that do not fit.

    From the end: test blocks, a gap, the validation split, a gap, the training split.
    """
    ends = series.ends(dataset.lookback, dataset.horizon)
    times = np.unique(moments[ends])
    block = dataset.block
    last = len(times) - (dataset.folds - dataset.fold) * block
    test = times[max(0, last - block) : max(0, last)]
    if len(test) < block:
        raise dataset.too_few(series)
    chosen: dict[Split, NDArray[np.int64]] = {"test": test}
    before, following = times[: max(0, last - block)], test
    # A later fold has what the blocks before its own add.
    wanted = {
        "validation": dataset.validation or 0,
        "train": (dataset.train or 0) + (dataset.fold - 1) * block,
    }
    for split in ("validation", "train"):
        if len(following):
            before = before[before < following[0] - dataset.gap]
        following = before[-wanted[split] :]
        if len(following) < (wanted[split] if dataset.fold == 1 or split == "validation" else 1):
            raise dataset.too_few(series)
        chosen[split] = following
    of_ends = moments[ends]
    return {split: ends[np.isin(of_ends, chosen[split])] for split in SPLITS}


def _moments_of(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each column. One that never varies becomes 0: its deviation is 1."""
    means, deviations = values.mean(axis=0), values.std(axis=0)
    constant = values.min(axis=0) == values.max(axis=0)
    return np.where(constant, values[0], means), np.where(
        constant | (deviations == 0), 1, deviations
    )


def _check_varying(
    dataset: Forecast, whole: NDArray[np.float64], training: NDArray[np.float64]
) -> None:
    """Raises UserError for a target that is constant, in all rows or where it is learnt."""
    for name, every, learnt in zip(dataset.targets, whole.T, training.T, strict=True):
        if learnt.min() == learnt.max():
            where = "" if every.min() == every.max() else " in all of the training part"
            raise UserError(
                f"{dataset.source}: target {name!r} is {learnt[0]:g}{where}; there is nothing to "
                "forecast: name another --target-column"
            )


def _season(dataset: Forecast, series: Series, training: int) -> tuple[int, str]:
    """The season in steps, and a sentence where it can't be used."""
    given = dataset.season
    if given is not None:
        if given >= training:
            raise UserError(
                f"--season {given}: the training part has {training:,} times; give a shorter one"
            )
        return given, ""
    guessed = series.frequency.season
    if guessed >= training:
        return (
            1,
            f"too few rows for a season of {guessed:,} steps: none is used (--season names one)",
        )
    if guessed == 1:
        return 1, (
            "the frequency suggests no season, so the seasonal baseline is the last value "
            "(--season names one)"
        )
    return guessed, ""


def _naive_error(
    series: Series, unit: NDArray[np.float64], training: NDArray[np.bool_], season: int
) -> NDArray[np.float64]:
    """The mean absolute error of the seasonal naive forecast on the training part, by target.

    It is what MASE divides by: Hyndman and Koehler 2006, Int. J. Forecasting 22:679-688. NaN where
    it is 0.
    """
    total, count = np.zeros(unit.shape[1]), 0
    for start, end in zip(series.bounds[:-1], series.bounds[1:], strict=True):
        values, used = unit[start:end], training[start:end]
        errors = np.abs(values[season:] - values[:-season])[used[season:] & used[:-season]]
        total += errors.sum(axis=0)
        count += len(errors)
    found = total / max(1, count)
    return np.where(found > 0, found, np.nan)

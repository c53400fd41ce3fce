"""The time that a study still takes, by what its trainings have taken so far. No Keras.

This is the only estimate of a running study: the live table, `harness status`, `summary.json` and
the report show it. It is made from the files alone. tests/benchmarks/time_left.py replays it over
finished studies; docs/cost.md has its errors.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from harness.analysis import step_time
from harness.analysis.parameters import all_parameters
from harness.core.errors import UserError
from harness.core.scalars import missing
from harness.core.text import duration
from harness.datasets.base.signature import FIELDS, Signature
from harness.results.records import BAG_OF_EMBEDDINGS, BASELINES, ENDS, Records
from harness.spec.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    import pandas as pd

# The next trials of a sampler that learns cost the mean of two things: an arm's trials so far, and
# the best one of the search. Other samplers do not go to slow configurations as time goes on.
BLIND = ("random", "qmc", "grid", "kt-random", "kt-grid")
LATEST = 12  # trainings of an arm that tell how fast it is now: other programs come and go
RECOMPILED = 0.3  # of a trial's compile time, a replicate's, whose program is on file
PROFILE_S, QUICK_PROFILE_S = 3.5, 1.3  # for one arm, whose program is there already
CANDIDATES = 3  # trainings of the bag of embeddings before its replicates


@dataclass(frozen=True)
class TimeLeft:
    """Seconds left of each part of a study; baselines are replicates, too."""

    search_s: float
    replicates_s: float
    profile_s: float

    @property
    def seconds(self) -> float:
        return self.search_s + self.replicates_s + self.profile_s

    @property
    def told(self) -> str:
        return f"about {duration(self.seconds)} left"

    def to_mapping(self) -> dict[str, float]:
        return {"seconds": self.seconds, **asdict(self)}


def time_left(records: Records, now: datetime) -> TimeLeft | None:
    """What is left at `now`, a time with a zone; None if nothing is left or nothing is known.

    Before the first epoch of any training it is the estimate made before the study, less the time
    since then.
    """
    manifest = records.manifest
    profiled = records.profile is not None or not manifest.with_profile or manifest.finished
    if records.finished and profiled:
        return None
    spent = _Spent(records, now)
    workers = manifest.workers or max(1, spent.running)
    if not spent.known:
        return _estimated_before(records, now)
    searches = [sum(spent.left_of_search(*each)) for each in records.arm_searches]
    replicates = [*spent.left_of_replicates(), *spent.left_of_bag()]
    each_s = QUICK_PROFILE_S if manifest.quick else PROFILE_S
    return TimeLeft(
        side_by_side(searches, workers),
        side_by_side(replicates, workers),
        0.0 if profiled else each_s * len(records.arms),
    )


def signature_of(records: Records) -> Signature:
    """The inputs and outputs of a study's models, as far as its manifest says."""
    known = records.manifest.dataset
    return Signature(**{name: known[name] for name in FIELDS if name in known})


def side_by_side(seconds: Sequence[float], workers: int) -> float:
    """Seconds until all pieces of work are done; the next free worker takes the longest one."""
    busy = [0.0] * max(1, workers)
    for piece in sorted(seconds, reverse=True):
        busy[busy.index(min(busy))] += piece
    return max(busy)


def _estimated_before(records: Records, now: datetime) -> TimeLeft | None:
    estimate, began = records.manifest.get("estimate"), _instant(records.manifest.created)
    if not estimate or estimate.get("interrupted") or began is None:
        return None
    search_s = float(estimate.get("search_s") or estimate["seconds"])
    replicates_s = float(estimate.get("replicates_s") or 0.0)
    since_s = max(0.0, (now - began).total_seconds())
    if since_s >= search_s:  # no epoch in all that time: it was wrong, or the study has stopped
        return None
    return TimeLeft(search_s - since_s, replicates_s, 0.0)


@dataclass(frozen=True, kw_only=True)
class _Training:
    """What a training has taken, in seconds; `epoch_s` is None before its first epoch.

    `other_s` is the time of its worker besides epochs and compiling, None while it runs. `parts` is
    what the time of an epoch is a sum of, None where the shape is not known.
    """

    arm: str
    search: int
    state: str
    value: float | None
    best_epoch: int
    epochs: int
    epoch_s: float | None
    compile_s: float
    other_s: float | None
    since_s: float  # from its start until now
    parts: Any

    @property
    def running(self) -> bool:
        return self.state == "running"


class _Spent:
    """What the trainings of a study have taken, and what those that are left will take."""

    def __init__(self, records: Records, now: datetime) -> None:
        self._records, self._now = records, now
        self._manifest = manifest = records.manifest
        self._signature = signature_of(records)
        self._rows = int(
            manifest.dataset.get("train") or manifest.declared_dataset.get("train") or 1
        )
        self._trials = self._read(records.trials, records.epochs, "trial")
        self._replicates = self._read(records.replicates, records.replicate_epochs, "replicate")
        timed = [(e.arm, e.parts, e.epoch_s) for e in self._all if e.epoch_s]
        shaped = [(arm, parts, epoch_s) for arm, parts, epoch_s in timed if parts is not None]
        self._fitted = step_time.Fitted([(parts, epoch_s) for _, parts, epoch_s in shaped])
        ratios = defaultdict(list)
        for arm, parts, epoch_s in shaped:
            ratios[arm].append(epoch_s / self._fitted(parts))
        self._ratio = {arm: median(found[-LATEST:]) for arm, found in ratios.items()}
        self._unseen: dict[str, float] = {}

    @property
    def _all(self) -> list[_Training]:
        return self._trials + self._replicates

    @property
    def known(self) -> bool:
        return any(each.epoch_s for each in self._all)

    @property
    def running(self) -> int:
        return sum(each.running for each in self._all)

    def left_of_search(self, arm: str, search: int) -> list[float]:
        """Seconds of the trials that are left of a search, or of what is left of them."""
        ours = _of(self._trials, arm, search)
        ended = [each for each in self._trials if each.arm == arm and each.state in ENDS]
        start_s = self._start_s(arm)
        epochs = _mean([e.epochs for e in ended if e.epochs]) or self._manifest.trial_epochs or 1
        new = max(0, self._manifest.trials - len(ours))
        left = [start_s + epochs * self._next_epoch_s(arm, ours)] * new if new else []
        for each in ours:
            if each.running:
                epoch_s = self._epoch_s(each) or self._next_epoch_s(arm, ours)
                left.append(_left_of(each, start_s, epochs, epoch_s))
        return left

    def left_of_replicates(self) -> list[float]:
        """Seconds of each replicate of the arms that is left, or of what is left of it."""
        ours = [each for each in self._replicates if each.arm not in BASELINES]
        ended = [each for each in ours if not each.running and each.epochs]
        of_trials = [each.compile_s for each in self._trials if not each.running]
        compile_s = _mean([e.compile_s for e in ended])
        if compile_s is None:
            compile_s = RECOMPILED * (_mean(of_trials) or 0.0)
        other_s = _typical([e.other_s for e in ended or self._trials])
        left: list[float] = []
        for arm, search in self._records.arm_searches:
            there = _of(ours, arm, search)
            done = sum(not each.running for each in there)
            wanted = max(0, self._manifest.replicates_of(arm) - done)
            trials = _of(self._trials, arm, search)
            best = _best(trials)
            states = [each.state for each in trials if each.state in ENDS]
            if "complete" not in states and len(states) >= self._manifest.trials:
                continue  # there is no configuration to train again
            if not wanted:
                continue
            epoch_s = _mean([e.epoch_s for e in there if e.epoch_s])
            if epoch_s is None and best is not None:
                epoch_s = self._epoch_s(best)
            if epoch_s is None:
                epoch_s = self._next_epoch_s(arm, trials)
            epochs, start_s = self._replicate_epochs(best, ended), compile_s + other_s
            running = [_left_of(each, start_s, epochs, epoch_s) for each in there if each.running]
            left += running + [start_s + epochs * epoch_s] * (wanted - len(running))
        return left

    def left_of_bag(self) -> list[float]:
        """Seconds of each training of the bag of embeddings; other baselines take few."""
        manifest, dataset = self._manifest, self._manifest.dataset
        if not manifest.replicates or dataset.get("steps") or dataset.get("horizon"):
            return []
        ended = [e for e in self._replicates if e.arm == BAG_OF_EMBEDDINGS and not e.running]
        left = manifest.replicates * manifest.searches - len(ended)
        if not self._replicates:
            left += CANDIDATES
        if ended:
            of_each = [(e.epoch_s or 0) * e.epochs + e.compile_s + (e.other_s or 0) for e in ended]
            return [fmean(of_each)] * max(0, left)
        # No recurrent network is faster.
        fastest = min(each.epoch_s for each in self._all if each.epoch_s)
        return [fastest * (manifest.epochs or 1)] * max(0, left)

    def _start_s(self, arm: str) -> float:
        """Seconds of a trial besides its epochs."""
        ended = [each for each in self._trials if not each.running]
        ours = [each for each in ended if each.arm == arm] or ended
        compiled = ours or [each for each in self._trials if each.epochs]
        return (_mean([e.compile_s for e in compiled]) or 0.0) + _typical([e.other_s for e in ours])

    def _epoch_s(self, training: _Training) -> float | None:
        """Seconds of an epoch of this training's shape, now; None where nothing is known."""
        if training.parts is None or not self._fitted.known:
            return training.epoch_s
        return self._fitted(training.parts) * self._ratio.get(training.arm, 1.0)

    def _next_epoch_s(self, arm: str, of_search: list[_Training]) -> float:
        """Seconds of an epoch of the next trials of a search."""
        ours = [each for each in self._trials if each.arm == arm and each.epoch_s]
        mean = _mean([each.epoch_s for each in ours])
        if mean is None:
            return self._epoch_s_of_unseen(arm)
        best = None if self._manifest.spec.get("sampler") in BLIND else _best(of_search or ours)
        known = None if best is None else self._epoch_s(best)
        return mean if known is None else (mean + known) / 2

    def _epoch_s_of_unseen(self, arm: str) -> float:
        """The mean over the shapes tried so far, had they been tried in this arm."""
        if arm not in self._unseen:
            rows = self._records.trials.assign(arm=arm)
            shapes = [self._parts(row) for _, row in rows.iterrows()] if self._fitted.known else []
            fitted = [self._fitted(each) for each in shapes if each is not None]
            mean = _mean(fitted) or _mean([e.epoch_s for e in self._all if e.epoch_s])
            self._unseen[arm] = mean or 0.0
        return self._unseen[arm]

    def _replicate_epochs(self, best: _Training | None, ended: Sequence[_Training]) -> float:
        """How many epochs a replicate takes: it stops `patience` epochs after its best one.

        That is the mean of the most it may take, of what it takes if its best epoch is that of the
        trial, and of what those that have ended took.
        """
        most, patience = self._manifest.epochs or 1, self._manifest.patience
        known = [_mean([each.epochs for each in ended])]
        if best is not None and patience is not None:
            known.append(min(most, best.best_epoch + patience))
        return _mean([most, *known]) or 1.0

    def _read(self, table: "pd.DataFrame", epochs: "pd.DataFrame", kind: str) -> list[_Training]:
        """The trainings of a table in the order in which they began."""
        keys = ["arm", "search", kind]
        of = dict(iter(epochs.groupby(keys)))
        table = table.sort_values("started", kind="stable")
        return [self._training(row, of.get(tuple(row[keys]))) for _, row in table.iterrows()]

    def _training(self, row: "pd.Series[Any]", epochs: "pd.DataFrame | None") -> _Training:
        n, epochs_s, compile_s = 0, 0.0, 0.0
        if epochs is not None:
            n, compile_s = len(epochs), float(epochs["compile_s"].sum())
            epochs_s = float(epochs["train_s"].sum() + epochs["validation_s"].sum())
        began, ended = _instant(row["started"]), _instant(row["finished"])
        other_s = None
        if began and ended:
            other_s = max(0.0, (ended - began).total_seconds() - epochs_s - compile_s)
        return _Training(
            arm=str(row["arm"]),
            search=int(row["search"]),
            state=str(row["state"]),
            value=None if missing(row["value"]) else float(row["value"]),
            best_epoch=n if missing(row["best_epoch"]) else int(row["best_epoch"]),
            epochs=n,
            epoch_s=epochs_s / n if n else None,
            compile_s=compile_s,
            other_s=other_s,
            since_s=(self._now - began).total_seconds() if began else 0.0,
            parts=self._parts(row),
        )

    def _parts(self, row: "pd.Series[Any]") -> Any:
        """What the time of an epoch follows from; None for own models and baselines."""
        if self._manifest.spec.get("model") or row["arm"] in BASELINES:
            return None
        try:
            hp = Hyperparameters.from_mapping(all_parameters(self._records, row))
        except UserError:
            return None
        return step_time.parts(hp, self._signature) * self._rows / hp.batch_size


def _left_of(training: _Training, start_s: float, epochs: float, epoch_s: float) -> float:
    """Seconds left of a running training, by its start and by its epochs so far.

    Its start alone would mislead where the study has stopped since then, or was resumed.
    """
    done_s = training.epochs * epoch_s
    spent_s = min(max(training.since_s, done_s), start_s + done_s + epoch_s)
    return max(0.0, start_s + epochs * epoch_s - spent_s)


def _of(trainings: Sequence[_Training], arm: str, search: int) -> list[_Training]:
    return [each for each in trainings if (each.arm, each.search) == (arm, search)]


def _best(trainings: Sequence[_Training]) -> _Training | None:
    scored = [e for e in trainings if e.state == "complete" and e.value is not None and e.epoch_s]
    return min(scored, key=lambda each: each.value, default=None)  # type: ignore[arg-type, return-value]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _typical(values: Sequence[float | None]) -> float:
    """The median: the first trainings also wait for their workers to start."""
    known = [value for value in values if value is not None]
    return median(known) if known else 0.0


def _instant(text: Any) -> datetime | None:
    """A recorded time, with its zone; None where there is none that can be read."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)

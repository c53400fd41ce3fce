"""Estimates how long a study will take, from profiles of this machine."""

import contextlib
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from harness.analysis import clock
from harness.analysis.parameters import all_parameters
from harness.analysis.step_time import Fitted, parts
from harness.core.errors import UserError
from harness.core.seeds import derive_seed
from harness.core.text import duration
from harness.datasets.base.signature import FIELDS, Signature
from harness.results.profile_file import read_profile
from harness.results.records import BASELINES, read_records
from harness.spec import counts
from harness.spec.hyperparameters import OPTIONS, Hyperparameters
from harness.spec.study import Arm, Study

Trained = tuple[Hyperparameters, Signature, float]  # the last one in ms

DRAWS = 64  # configurations, drawn from an arm's search space, for its mean cost
SLOW = 0.25  # of the draws: the best configurations of finished studies cost about as much


class StepTime:
    """Milliseconds of a training step of any shape, from the entries of a profile.

    It is fitted to the entries of the same cell (harness.analysis.step_time); a cell that was not
    measured gets the coefficients of all cells together. `trained` are hyperparameters, signatures
    and step times of trainings on the same machine: a profile alone may have one shape only, that
    of the best configurations.
    """

    def __init__(
        self,
        entries: Sequence[Mapping[str, Any]],
        backend: str,
        device: str,
        trained: Sequence[Trained] = (),
    ) -> None:
        ours = [e for e in entries if (e["backend"], e["device"]) == (backend, device)]
        measured = [
            (hyperparameters_of(entry), signature_of(entry), float(entry["step_ms"]["median"]))
            for entry in ours
        ]
        self._measured = [
            each for each in (*measured, *(trained if ours else ())) if each[0].cell in counts.GATES
        ]
        self._fitted: dict[str, Fitted] = {}

    def __bool__(self) -> bool:
        return bool(self._measured)

    def __call__(self, hp: Hyperparameters, signature: Signature) -> float:
        if hp.cell not in self._fitted:
            same = [each for each in self._measured if each[0].cell == hp.cell]
            self._fitted[hp.cell] = Fitted(
                [(parts(of, sig), step_ms) for of, sig, step_ms in same or self._measured]
            )
        return self._fitted[hp.cell](parts(hp, signature))


@dataclass(frozen=True)
class TimeEstimate:
    """Seconds of a study whose trainings take all their epochs; pruning reduces them.

    `search_s` and `replicates_s` are those of configurations as a search is likely to try them.
    `most_s` is that of a study all of whose trainings take the slowest one: a sampler that learns
    may go there.
    """

    search_s: float
    replicates_s: float
    workers: int
    most_s: float

    @property
    def seconds(self) -> float:
        return self.search_s + self.replicates_s

    @property
    def told(self) -> str:
        """Both times in words."""
        if self.most_s < 1.1 * self.seconds:
            return f"at most {duration(self.most_s)}"
        most = f"at most {duration(self.most_s)}"
        return f"about {duration(self.seconds)} ({most}, if the search goes to slow configurations)"


def estimate(
    study: Study,
    profile: Mapping[str, Any],
    *,
    workers: int,
    device: str = "cpu",
    trained: Sequence[Trained] = (),
) -> TimeEstimate | None:
    """How long the study takes on `workers` workers of the profile's machine.

    The cost of an arm is that of DRAWS configurations, drawn from its search space, and that of the
    slowest one when its numbers are at their highest. The best configurations are rarely fast:
    replicates cost what the slowest draws do, a share of SLOW, and trials of a sampler that learns
    the mean of that and of all draws. Searches run side by side, the trials of a search one
    after another. Reports and the bag of embeddings are left out. `trained` are trainings on the
    same machine. Returns None if the profile has no entry of the study's backend and device, or if
    the study builds its own models.
    """
    entries = profile["entries"]
    step_ms = StepTime(entries, study.backend, device, trained)
    if not step_ms or study.model is not None:
        return None
    ours = [e for e in entries if (e["backend"], e["device"]) == (study.backend, device)]
    evaluation = float(
        np.median([e["evaluation_ms"]["median"] / e["step_ms"]["median"] for e in ours])
    )
    compile_s = float(np.median([e["compile_s"] + e["build_s"] for e in ours]))
    import_s = float(np.median([e["import_s"] for e in ours]))
    signature = study.signature
    rng = random.Random(derive_seed(study.seed, "estimate"))
    epochs = np.array([study.budget.search_epochs, study.budget.epochs])
    learns = study.sampler not in clock.BLIND

    def epoch_s(arm: Arm, params: dict[str, Any]) -> float:
        hp = study.hyperparameters(arm, params)
        examples = study.dataset_of(arm).train, study.dataset.validation
        trained, validated = (math.ceil(n / hp.batch_size) for n in examples)
        return step_ms(hp, signature) * (trained + evaluation * validated) / 1000.0

    mean, most = [], []  # seconds of a trial and of a replicate, by arm
    for arm in study.arms():
        space = study.space_of(arm)
        drawn = [{n: draw(rng, d) for n, d in space.items()} for _ in range(DRAWS)]
        highest = [{n: _highest(space[n], v) for n, v in p.items()} for p in drawn]
        of_drawn = sorted(epoch_s(arm, space.active(params)) for params in drawn)
        slow = np.mean(of_drawn[-round(SLOW * DRAWS) :])
        of_trials = (np.mean(of_drawn) + slow) / 2 if learns else np.mean(of_drawn)
        mean.append((compile_s + epochs * np.array([of_trials, slow])).tolist())
        slowest = max([*of_drawn, *(epoch_s(arm, space.active(params)) for params in highest)])
        most.append((compile_s + epochs * slowest).tolist())

    def side_by_side(of_arms: Sequence[Any]) -> tuple[float, float]:
        searches = [study.budget.trials * trial for trial, _ in of_arms]
        trainings = study.replicates * study.dataset.folds
        replicates = [replicate for _, replicate in of_arms] * trainings
        return (
            import_s + clock.side_by_side(searches * study.independent_searches, workers),
            clock.side_by_side(replicates * study.independent_searches, workers),
        )

    return TimeEstimate(*side_by_side(mean), workers, most_s=sum(side_by_side(most)))


def draw(rng: random.Random, distribution: BaseDistribution) -> Any:
    """A value drawn uniformly from a search distribution, on its own scale."""
    if isinstance(distribution, CategoricalDistribution):
        return rng.choice(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high = distribution.low, distribution.high
    if distribution.log:
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
    else:
        value = rng.uniform(low, high)
    if isinstance(distribution, IntDistribution):
        steps = round((value - low) / distribution.step)
        return min(high, low + steps * distribution.step)
    return min(high, max(low, value))


def _highest(distribution: BaseDistribution, drawn: Any) -> Any:
    """The highest number of a distribution; where choices are no numbers, the one drawn."""
    if isinstance(distribution, IntDistribution | FloatDistribution):
        return distribution.high
    assert isinstance(distribution, CategoricalDistribution)
    numbers = [choice for choice in distribution.choices if type(choice) in (int, float)]
    return max(numbers) if len(numbers) == len(distribution.choices) else drawn  # type: ignore[type-var]


def hyperparameters_of(entry: Mapping[str, Any]) -> Hyperparameters:
    """The hyperparameters that an entry of a profile was measured with."""
    names = ("cell", "depth", "units", "sequence_length", "batch_size", "bidirectional",
             "embedding_dim", "vocabulary", "dropout")  # fmt: skip
    options = {name: entry[name] for name in OPTIONS if name in entry}
    return Hyperparameters.from_mapping({name: entry[name] for name in names} | options)


def signature_of(entry: Mapping[str, Any]) -> Signature:
    """The signature that an entry of a profile was measured with."""
    return Signature(**{name: entry[name] for name in FIELDS if name in entry})


def predict_study(
    study: Study, name: str, workers: int, *places: Path
) -> tuple[TimeEstimate, str] | None:
    """How long a study will take, and a text that names the profiles used.

    Profiles are looked for in the run directory of `name` below each of `places`, then in `places`
    themselves, then in the run directories of other studies. The first usable profile is used,
    together with all others of the same processor and versions, and with the trainings beside them:
    the more shapes were measured, the less has to be extrapolated. Returns None if no profile has
    the study's backend.
    """
    files = [place / name / "profile.json" for place in places]
    files += [place / "profile.json" for place in places]
    files += [file for place in places for file in sorted(place.glob("*/profile.json"))]
    profiles = {file: found for file in files if (found := _readable(file))}
    for file, first in profiles.items():
        if not estimate(study, first, workers=workers):
            continue
        alike = {each: p for each, p in profiles.items() if _machine(p) == _machine(first)}
        entries = [entry for each in alike.values() for entry in each["entries"]]
        trained = [one for each in alike for one in _trained_beside(each, study.backend)]
        estimated = estimate(study, {"entries": entries}, workers=workers, trained=trained)
        assert estimated is not None  # it has the entries of `first`, which were enough
        others = f" and {len(alike) - 1} more of this machine" if len(alike) > 1 else ""
        return estimated, f"{file}{others}"
    return None


def _trained_beside(profile: Path, backend: str) -> list[Trained]:
    """The trainings of the run directory that a profile is in, if they ran on the processor."""
    try:
        records = read_records(profile.parent)
    except UserError:  # it is in no run directory, or in a damaged one
        return []
    spec = records.manifest.spec
    gpu = spec.get("device") == "gpu" or records.manifest.environment.get("gpus")
    if spec.get("backend") != backend or spec.get("model") or gpu:
        return []
    signature = clock.signature_of(records)
    found = []
    for table in (records.trials, records.replicates[~records.replicates["arm"].isin(BASELINES)]):
        for _, row in table[table["step_ms"].notna()].iterrows():
            with contextlib.suppress(UserError):  # of another version
                hp = Hyperparameters.from_mapping(all_parameters(records, row))
                found.append((hp, signature, float(row["step_ms"])))
    return found


def _readable(file: Path) -> dict[str, Any] | None:
    """A profile; None also where it is damaged: another study's must not stop this one."""
    with contextlib.suppress(UserError, OSError):
        return read_profile(file)
    return None


def _machine(profile: Any) -> Any:
    """Equal for profiles whose step times may be used together."""
    environment = profile.get("environment") or {}
    return [environment.get(key) for key in ("cpu", "gpus", "packages")]

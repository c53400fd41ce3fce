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

from harness.core.errors import UserError
from harness.core.seeds import derive_seed
from harness.core.text import duration
from harness.datasets.base.signature import FIELDS, Signature
from harness.results.profile_file import read_profile
from harness.spec import counts
from harness.spec.hyperparameters import OPTIONS, Hyperparameters
from harness.spec.study import Arm, Study

DRAWS = 64  # configurations, drawn from an arm's search space, for its mean cost


class StepTime:
    """Milliseconds of a training step of any shape, from the entries of a profile.

    A step's time is the sum of four parts: a constant, the parameters (Adam), the iterations of
    the recurrence, and the operations of its products. Their coefficients are fitted to the
    relative errors by non-negative least squares. Outside the measured range a power law would
    have larger errors. A cell that was not measured gets the coefficients of all cells together.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]], backend: str, device: str) -> None:
        of_both = [e for e in entries if (e["backend"], e["device"]) == (backend, device)]
        self._entries = [entry for entry in of_both if entry["cell"] in counts.GATES]
        self._prices: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def __call__(self, hp: Hyperparameters, signature: Signature) -> float:
        if hp.cell not in self._prices:
            self._prices[hp.cell] = self._fit(hp.cell)
        return float(_parts(hp, signature) @ self._prices[hp.cell])

    def _fit(self, cell: str) -> Any:
        from scipy.optimize import nnls

        chosen = [e for e in self._entries if e["cell"] == cell] or self._entries
        rows = [
            _parts(hyperparameters_of(e), signature_of(e)) / e["step_ms"]["median"] for e in chosen
        ]
        # Scaled, because counts of operations are far larger than the rest.
        scale = np.maximum(np.abs(rows).max(axis=0), 1e-300)
        prices, _ = nnls(np.asarray(rows) / scale, np.ones(len(rows)))
        return prices / scale


@dataclass(frozen=True)
class TimeEstimate:
    """Seconds of a study whose trainings take all their epochs; pruning reduces them.

    `search_s` and `replicates_s` are those of configurations spread evenly over the search space.
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
    study: Study, profile: Mapping[str, Any], *, workers: int, device: str = "cpu"
) -> TimeEstimate | None:
    """How long the study takes on `workers` workers of the profile's machine.

    The cost of an arm is that of DRAWS configurations, drawn from its search space: their mean, and
    that of the slowest one when its numbers are at their highest. Searches run side by side, the
    trials of a search one after another. Reports and the bag of embeddings are left out. Returns
    None if the profile has no entry of the study's backend and device, or if the study builds its
    own models.
    """
    entries = profile["entries"]
    step_ms = StepTime(entries, study.backend, device)
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
        of_drawn = [epoch_s(arm, space.active(params)) for params in drawn]
        mean.append((compile_s + epochs * np.mean(of_drawn)).tolist())
        slowest = max([*of_drawn, *(epoch_s(arm, space.active(params)) for params in highest)])
        most.append((compile_s + epochs * slowest).tolist())

    def side_by_side(of_arms: Sequence[Any]) -> tuple[float, float]:
        searches = [study.budget.trials * trial for trial, _ in of_arms]
        trainings = study.replicates * study.dataset.folds
        replicates = [replicate for _, replicate in of_arms] * trainings
        return (
            import_s + _side_by_side(searches * study.independent_searches, workers),
            _side_by_side(replicates * study.independent_searches, workers),
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


def _parts(hp: Hyperparameters, signature: Signature) -> Any:
    return np.array(
        [
            1.0,
            counts.parameters(hp, signature),
            counts.recurrence_iterations(hp),
            counts.flops_per_step(hp, signature),
        ]
    )


def _side_by_side(seconds: Sequence[float], workers: int) -> float:
    """Seconds until all pieces of work are done; the next free worker takes the next piece."""
    busy = [0.0] * max(1, workers)
    for piece in sorted(seconds, reverse=True):
        busy[busy.index(min(busy))] += piece
    return max(busy)


def predict_study(
    study: Study, name: str, workers: int, *places: Path
) -> tuple[TimeEstimate, str] | None:
    """How long a study will take, and a text that names the profiles used.

    Profiles are looked for in the run directory of `name` below each of `places`, then in `places`
    themselves, then in the run directories of other studies. The first usable profile is used,
    together with all others of the same processor and versions: the more shapes were measured, the
    less has to be extrapolated. Returns None if no profile has the study's backend.
    """
    files = [place / name / "profile.json" for place in places]
    files += [place / "profile.json" for place in places]
    files += [file for place in places for file in sorted(place.glob("*/profile.json"))]
    profiles = {file: found for file in files if (found := _readable(file))}
    for file, first in profiles.items():
        if not estimate(study, first, workers=workers):
            continue
        alike = [each for each in profiles.values() if _machine(each) == _machine(first)]
        entries = [entry for each in alike for entry in each["entries"]]
        estimated = estimate(study, {"entries": entries}, workers=workers)
        assert estimated is not None  # it has the entries of `first`, which were enough
        others = f" and {len(alike) - 1} more of this machine" if len(alike) > 1 else ""
        return estimated, f"{file}{others}"
    return None


def _readable(file: Path) -> dict[str, Any] | None:
    """A profile; None also where it is damaged: another study's must not stop this one."""
    with contextlib.suppress(UserError, OSError):
        return read_profile(file)
    return None


def _machine(profile: Any) -> Any:
    """Equal for profiles whose step times may be used together."""
    environment = profile.get("environment") or {}
    return [environment.get(key) for key in ("cpu", "gpus", "packages")]

"""What a study declares: dataset, what it compares, searches and fixes, budget. No Keras."""

import bisect
import hashlib
import inspect
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from harness import pruners, samplers
from harness.core.checks import check_whole, is_number, is_whole
from harness.core.errors import UserError
from harness.datasets.base.dataset import Dataset
from harness.datasets.base.signature import Signature
from harness.spec import counts
from harness.spec.choices import BACKENDS, DEVICES, MEASURES, PATHS
from harness.spec.hyperparameters import BAG, OF_TOKENS, Hyperparameters

PATIENCE = 2  # epochs without a lower validation loss, by default
TRAIN = "train"  # the field of datasets that counts training examples
MAX_UNITS = 4096  # with `hold`, units are looked for up to here

QUICK_SPLITS = {"train": 2_000, "validation": 1_000, "test": 1_000}
QUICK_TRIALS, QUICK_EPOCHS, QUICK_REPLICATES = 3, 2, 2
QUICK_TRIALS_IN_ALL = 24  # with many arms: `--quick` takes two minutes at most


@dataclass(frozen=True, kw_only=True)
class Budget:
    """`trials` for each arm in total; each trains at most `epochs` epochs."""

    trials: int
    epochs: int

    def __post_init__(self) -> None:
        for name in ("trials", "epochs"):
            check_whole(name, getattr(self, name), 1)


@dataclass(frozen=True)
class Arm:
    """One value of what the study compares: `depth=2`, or `all` where nothing is compared."""

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Study:
    """A question, as one file of `studies/` declares it.

    `compare`, `search` and `fixed` are the scientific, nuisance and fixed hyperparameters of the
    Deep Learning Tuning Playbook. Every value of `compare` becomes an arm, and everything in
    `search` is searched again within each arm. Each arm's best configuration is then trained on
    `replicates` fresh seeds. A difference in accuracy of up to `margin` (0 to 1) counts as too
    small to matter.

    `compare` may also name fields of the dataset: `train`, with numbers of training examples up to
    the dataset's own, or what makes a generated task harder. Baselines use the dataset as declared.

    Replicates are scored on the test split, or on the validation split of a dataset without one.
    A replicate stops after `patience` epochs without a lower validation loss, and its best epoch is
    scored. With None it trains all epochs, and the last one is scored. `published` has figures that
    others published for the same protocol, to be shown beside the replicates: `source`, and lists
    by epoch of any of harness.spec.choices.MEASURES.

    Arms have equal numbers of trials. `hold` keeps something else equal as well; the units then
    follow from it and are not declared. `{"parameters": 330_000}` gives every trial the units whose
    number of trainable parameters is nearest to 330,000. `{"step_ms": 10}` gives every arm the
    units with which a training step takes 10 ms. They are measured before the first trial, and are
    then in `measured_units`, by arm.

    `warm_start` names another study, whose best configurations each arm tries first.

    `model` builds the networks instead of `harness.models`. It is a function at the top of the
    study's file. It is called as `model(hp, signature, **own)` and returns a Keras model that is
    not compiled. Its keyword-only parameters are hyperparameters like the others. `hp` has all the
    others (learning rate and batch size act on any model); `signature` has the shapes of inputs and
    outputs. Raises UserError naming the parameter that is wrong.
    """

    dataset: Dataset
    compare: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    search: Mapping[str, BaseDistribution] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    sampler: str = "tpe"
    pruner: str = "median"
    budget: Budget
    replicates: int = 5
    margin: float = 0.005
    patience: int | None = PATIENCE
    hold: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    backend: str = "tensorflow"
    device: str = "auto"
    threads: int = 1
    path: str | None = None
    measured_units: Mapping[str, int] = field(default_factory=dict)
    published: Mapping[str, Any] = field(default_factory=dict)
    model: Callable[..., Any] | None = None
    warm_start: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.dataset, Dataset):
            raise UserError(f"dataset: {self.dataset!r} is not a dataset; write for example Imdb()")
        if not isinstance(self.budget, Budget):
            raise UserError(f"budget: {self.budget!r} is not a Budget(trials=…, epochs=…)")
        for name, least in (("replicates", 0), ("seed", 0), ("threads", 1)):
            check_whole(name, getattr(self, name), least)
        if not is_number(self.margin) or not 0 <= self.margin < 1:
            raise UserError(
                f"margin: {self.margin!r} is not a difference in accuracy from 0 to 1; "
                "0.005 is half a point"
            )
        _one_of("backend", self.backend, BACKENDS)
        _one_of("device", self.device, DEVICES)
        if self.path is not None:
            _one_of("path", self.path, PATHS)
        if self.patience is not None and (not is_whole(self.patience) or self.patience < 1):
            raise UserError(f"patience: {self.patience!r} is neither None nor a number of epochs")
        self._check_published()
        self._check_model()
        self._check_hold()
        self._check_hyperparameters()
        for arm in self.arms():
            samplers.check(self.sampler, self.search, trials=self.budget.trials)
            _check_arm_name(arm.name)
        pruners.check(self.pruner)

    def arms(self) -> list[Arm]:
        """One arm for each combination of the compared values, in the order declared."""
        if not self.compare:
            return [Arm("all", {})]
        names = list(self.compare)
        combinations = itertools.product(*(self.compare[name] for name in names))
        arms = [dict(zip(names, values, strict=True)) for values in combinations]
        return [
            Arm(",".join(f"{name}={_text(value)}" for name, value in arm.items()), arm)
            for arm in arms
        ]

    def dataset_of(self, arm: Arm) -> Dataset:
        """The dataset that the arm is trained and scored on."""
        changes = {name: v for name, v in arm.values.items() if name in self.of_dataset}
        return replace(self.dataset, **changes) if changes else self.dataset

    @property
    def signature(self) -> Signature:
        """The inputs and outputs of the study's models."""
        return replace(self.dataset.signature, builder=self.model)

    def signature_of(self, arm: Arm) -> Signature:
        """The same for one arm; the bag of embeddings is never built by the study's own `model`."""
        own = None if arm.values.get("cell") == BAG else self.model
        return replace(self.dataset_of(arm).signature, builder=own)

    @property
    def of_dataset(self) -> set[str]:
        """The compared names that are fields of the dataset."""
        return {each.name for each in fields(self.dataset)} & set(self.compare)

    def hyperparameters(self, arm: Arm, params: Mapping[str, Any]) -> Hyperparameters:
        """What a trial of the arm trains with; `hold` sets the units."""
        of_arm = {name: v for name, v in arm.values.items() if name not in self.of_dataset}
        values = {**self.fixed, **of_arm, **params}
        if self.hold and "units" not in values:
            values["units"] = self.measured_units.get(arm.name, 1)
            if "parameters" in self.hold:
                values["units"] = self._units_by_parameters(arm, values)
        hp = Hyperparameters.from_mapping(values, self._of_model)
        if hp.sequence_length < self.dataset.steps or (self.dataset.steps and hp.cell == BAG):
            raise UserError(
                f"dataset {self.dataset.name} has a class for each of the last "
                f"{self.dataset.steps} steps: it needs a sequence_length of at least "
                f"{self.dataset.steps}, and a cell other than {BAG}"
            )
        return hp

    @property
    def _of_model(self) -> frozenset[str]:
        """The hyperparameters that `model` takes: its keyword-only parameters."""
        if self.model is None:
            return frozenset()
        parameters = inspect.signature(self.model).parameters.values()
        return frozenset(p.name for p in parameters if p.kind == p.KEYWORD_ONLY)

    def quick(self) -> "Study":
        """The same question on a subsample with a small budget."""
        dataset = self.dataset.smaller(**QUICK_SPLITS)
        compare = dict(self.compare)
        if TRAIN in compare:
            share = dataset.train / self.dataset.train
            compare[TRAIN] = [max(1, round(size * share)) for size in compare[TRAIN]]
        return replace(
            self,
            dataset=dataset,
            compare=compare,
            budget=Budget(
                trials=min(
                    self.budget.trials,
                    QUICK_TRIALS,
                    max(1, QUICK_TRIALS_IN_ALL // len(self.arms())),
                ),
                epochs=min(self.budget.epochs, QUICK_EPOCHS),
            ),
            replicates=min(self.replicates, QUICK_REPLICATES),
        )

    def to_mapping(self) -> dict[str, Any]:
        """The spec as plain JSON values, for the manifest and the fingerprint."""
        return {
            "dataset": self.dataset.to_mapping(),
            "compare": {name: list(values) for name, values in self.compare.items()},
            "search": {
                name: json.loads(distribution_to_json(distribution))
                for name, distribution in self.search.items()
            },
            "fixed": dict(self.fixed),
            "sampler": self.sampler,
            "pruner": self.pruner,
            "budget": {"trials": self.budget.trials, "epochs": self.budget.epochs},
            "replicates": self.replicates,
            "margin": self.margin,
            "seed": self.seed,
            "backend": self.backend,
            "device": self.device,
            "threads": self.threads,
            "path": self.path,
            **({} if self.warm_start is None else {"warm_start": self.warm_start}),
            **({} if self.model is None else {"model": _described(self.model)}),
            # Only where it is set, so that older run directories, without it, still resume.
            **({"hold": dict(self.hold)} if self.hold else {}),
            **({} if self.patience == PATIENCE else {"patience": self.patience}),
        }

    def _units_by_parameters(self, arm: Arm, values: Mapping[str, Any]) -> int:
        """The units whose number of trainable parameters is nearest to the one in `hold`."""
        wanted = self.hold["parameters"]

        def count(units: int) -> int:
            hp = Hyperparameters.from_mapping({**values, "units": units})
            return counts.parameters(hp, self.dataset.signature)

        if count(1) > wanted:
            raise UserError(
                f"hold: {wanted:,} parameters are too few for {arm.name}, "
                f"which has {count(1):,} with a single unit"
            )
        above = bisect.bisect_left(range(MAX_UNITS), wanted, key=lambda less: count(less + 1)) + 1
        return min(max(1, above - 1), above, key=lambda units: abs(count(units) - wanted))

    def _check_model(self) -> None:
        if self.model is None:
            return
        name = getattr(self.model, "__qualname__", "<")
        if not callable(self.model) or "<" in name:
            raise UserError(
                f"model: {self.model!r} is not a function at the top of the study's file"
            )
        if self.hold:
            raise UserError("hold: goes with the networks of harness.models, not with model")
        taken = self._of_model & {each.name for each in fields(Hyperparameters)}
        if taken:
            raise UserError(
                f"model: {sorted(taken)[0]} comes with hp; leave it out of {name}'s parameters"
            )

    def _check_published(self) -> None:
        for name, values in self.published.items():
            if name == "source" and isinstance(values, str):
                continue
            if name not in MEASURES:
                raise UserError(f"published: {name!r} is not one of source, {', '.join(MEASURES)}")
            if not isinstance(values, Sequence) or not all(is_number(value) for value in values):
                raise UserError(f"published: {name} needs a list of numbers, one an epoch")

    def _check_hold(self) -> None:
        if not self.hold:
            return
        if list(self.hold) not in (["parameters"], ["step_ms"]):
            raise UserError(f"hold: {dict(self.hold)!r} is not one of parameters and step_ms")
        (value,) = self.hold.values()
        if not is_number(value) or not value > 0:
            raise UserError(f"hold: {value!r} is not a number above 0")
        for group in (self.compare, self.search, self.fixed):
            if "units" in group:
                raise UserError(
                    "units: follow from what is held; leave them out, or leave out hold"
                )
        if "step_ms" in self.hold:
            for name in self.search:
                if name not in ("learning_rate", "dropout"):
                    raise UserError(
                        f"search: {name} changes how long a step takes, so step_ms can't be held; "
                        f"move {name} to fixed"
                    )

    def _check_hyperparameters(self) -> None:
        groups = {"compare": self.compare, "search": self.search, "fixed": self.fixed}
        for (one, first), (two, second) in itertools.combinations(groups.items(), 2):
            for name in first:
                if name in second:
                    raise UserError(f"{name}: stands in both {one} and {two}; leave it in one")
        for name, values in self.compare.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise UserError(f"compare: {name} needs a list of values, got {values!r}")
            if len({_text(value) for value in values}) != len(values):
                raise UserError(f"compare: {name} lists a value twice")
        for name in OF_TOKENS:
            if self.dataset.features and (name in self.compare or name in self.search):
                raise UserError(
                    f"{name}: dataset {self.dataset.name} holds numbers, not tokens; leave it out"
                )
        for name in ("validation", "test"):
            if name in self.compare:
                raise UserError(f"compare: {name}: arms are judged by equally many examples")
        for arm in self.arms():
            self.dataset_of(arm)  # raises UserError for a value that the dataset refuses
        for size in self.compare.get(TRAIN, ()):
            if size > self.dataset.train:
                raise UserError(
                    f"compare: {TRAIN}: {size:,} are more than the dataset's {self.dataset.train:,}"
                )
        for name, distribution in self.search.items():
            if not isinstance(distribution, BaseDistribution):
                raise UserError(
                    f"search: {name} needs an Optuna distribution, got {distribution!r}; "
                    "put a value that stays the same into fixed"
                )
        # Try each end of each distribution, with the first end of all others.
        ends = {name: _ends(distribution) for name, distribution in self.search.items()}
        first_ends = {name: values[0] for name, values in ends.items()}
        for arm in self.arms():
            self.hyperparameters(arm, first_ends)
            for name, values in ends.items():
                for value in values[1:]:
                    self.hyperparameters(arm, {**first_ends, name: value})


def _ends(distribution: BaseDistribution) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if isinstance(distribution, IntDistribution | FloatDistribution):
        return [distribution.low, distribution.high]
    raise UserError(f"{type(distribution).__name__}: not a distribution that a study can search")


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "-".join(_text(item) for item in value)
    return str(value)


def _check_arm_name(name: str) -> None:
    # Arm names become folder names and Optuna study names.
    if len(name) > 200 or any(c in name for c in '/\\:*?"<>|{}\0\n') or name.strip(". ") != name:
        raise UserError(f"compare: the arm name {name!r} can't be a folder's; use plain values")


def _described(function: Callable[..., Any]) -> dict[str, str]:
    """Name and source of a function, so that a changed one is noticed."""
    source = inspect.getsource(function)
    return {
        "name": function.__name__,
        "source_sha256": hashlib.sha256(source.encode()).hexdigest(),
    }


def _one_of(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise UserError(f"{name}: {value!r} is not one of {', '.join(known)}")

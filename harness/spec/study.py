"""What a study declares: dataset, what it compares, searches and fixes, budget. No Keras."""

import bisect
import hashlib
import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from harness import pruners, samplers
from harness.core.checks import check_whole, is_whole
from harness.core.errors import UserError
from harness.core.metrics import BITS, MAE
from harness.datasets.base import vectors
from harness.datasets.base.dataset import Dataset
from harness.datasets.base.signature import Signature
from harness.samplers.base.space import Space
from harness.spec import by_layer, checks, choices, conditions, counts, own_code
from harness.spec.choices import BACKENDS, DEVICES, MARGIN, PATHS, PATIENCE, RELATIVE_MARGIN, TRAIN
from harness.spec.distributions import plain_search
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.spec.values import plain_compare, plain_fixed

LENGTHENS = ("depth", "units", "sequence_length", TRAIN)  # more of these takes longer
MAX_UNITS = 4096  # with `hold`, units are looked for up to here

QUICK_SPLITS = {"train": 1_200, "validation": 600, "test": 1_000}
QUICK_TRIALS, QUICK_EPOCHS, QUICK_SEARCHES, QUICK_REPLICATES = 3, 2, 1, 2
QUICK_TRIALS_IN_ALL = 24  # with many arms: `--quick` takes two minutes at most


@dataclass(frozen=True, kw_only=True)
class Budget:
    """`trials` for each search of an arm; each training takes at most `epochs` epochs.

    With `trial_epochs` trials take only so many, and `epochs` is for the replicates: for the same
    money more configurations are tried. After two epochs it mostly shows which are good.
    """

    trials: int
    epochs: int
    trial_epochs: int | None = None

    def __post_init__(self) -> None:
        for name in ("trials", "epochs"):
            check_whole(name, getattr(self, name), 1)
        if self.trial_epochs is not None:
            check_whole("trial_epochs", self.trial_epochs, 1)
            if self.trial_epochs > self.epochs:
                raise UserError(
                    f"trial_epochs: {self.trial_epochs} is more than epochs, {self.epochs}; "
                    "lower it, or leave it out"
                )

    @property
    def search_epochs(self) -> int:
        """The most epochs of a trial."""
        return self.epochs if self.trial_epochs is None else self.trial_epochs


@dataclass(frozen=True)
class Arm:
    """One value of what the study compares: `depth=2`, or `all` where nothing is compared."""

    name: str
    values: Mapping[str, Any]

    @property
    def size(self) -> float:
        """By how much its trainings are longer than other arms', as far as its values tell it."""
        values = (self.values.get(name, 1) for name in LENGTHENS)
        return math.prod(value for value in values if isinstance(value, int))


@dataclass(frozen=True, kw_only=True)
class Study:
    """A question, as one file of `studies/` declares it.

    `compare`, `search` and `fixed` are the scientific, nuisance and fixed hyperparameters of the
    Deep Learning Tuning Playbook. Every value of `compare` becomes an arm, and everything in
    `search` is searched again within each arm. Each arm has `searches` independent searches, of
    `budget.trials` trials each, and the best configuration of each search is then trained on
    `replicates` fresh seeds. Verdicts about arms need two searches or more; where `search` is empty
    there is nothing to repeat, `searches` has no effect, and verdicts rest on the seeds. A
    difference of up to `margin` (0 to 1) counts as too small to matter: in accuracy or R², by
    default 0.005; for forecasts relative to the best arm's error, by default 0.01.

    `compare` may also name fields of the dataset: `train`, with numbers of training examples up to
    the dataset's own, or what makes a generated task harder. Baselines use the dataset as declared.

    Replicates are scored on the test split, or on the validation split of a dataset without one.
    A replicate stops after `patience` epochs without a lower validation loss, and its best epoch is
    scored. With None it trains all epochs, and the last one is scored. `published` has figures that
    others published for the same protocol, to be shown beside the replicates: `source`, and lists
    by epoch of any of harness.spec.choices.MEASURES; or `arms`, by arm such measures of the epoch
    that is scored.

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
    search: Mapping[str, conditions.Declared] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    sampler: str = "tpe"
    pruner: str = "median"
    budget: Budget
    searches: int = 3
    replicates: int = 2
    margin: float | None = None
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
        object.__setattr__(self, "compare", plain_compare(self.compare))
        object.__setattr__(self, "search", plain_search(self.search))
        object.__setattr__(self, "fixed", plain_fixed(self.fixed))
        for name, least in (("searches", 1), ("replicates", 0), ("seed", 0), ("threads", 1)):
            check_whole(name, getattr(self, name), least)
        if self.margin is not None:
            checks.check_margin(self.margin)
        checks.check_one_of("backend", self.backend, (*BACKENDS, choices.AUTO))
        checks.check_one_of("device", self.device, DEVICES)
        if self.path is not None:
            checks.check_one_of("path", self.path, PATHS)
            choices.check_path(self.path, self.backend)
        checks.check_patience(self.patience)
        checks.check_published(self.published)
        if self.model is not None:
            checks.check_model(self.model, self.hold)
        if self.hold:
            checks.check_hold(self.hold, self._groups)
        object.__setattr__(self, "dataset", self.dataset.for_sequences(self._longest()))
        self._check_hyperparameters()
        for arm in self.arms():
            samplers.check(self.sampler, self.space_of(arm), trials=self.budget.trials)
            checks.check_arm_name(arm.name)
        pruners.check(self.pruner)

    def arms(self) -> list[Arm]:
        """One arm for each combination of the compared values, in the order declared."""
        if not self.compare:
            return [Arm("all", {})]
        names = list(self.compare)
        combinations = itertools.product(*(self.compare[name] for name in names))
        arms = [dict(zip(names, values, strict=True)) for values in combinations]
        return [
            Arm(
                ",".join(f"{name}={checks.arm_text(name, value)}" for name, value in arm.items()),
                arm,
            )
            for arm in arms
        ]

    @cached_property
    def space(self) -> Space:
        """The distributions of `search`, and where each applies, for all arms together."""
        return conditions.space_of(self.search, self.compare, self.fixed)

    def space_of(self, arm: Arm) -> Space:
        """What is searched in one arm: conditions on what is compared or fixed are decided."""
        return self.space.at({**self.fixed, **arm.values})

    @property
    def independent_searches(self) -> int:
        """The searches of each arm; one where nothing is searched."""
        return self.searches if self.search else 1

    @property
    def searches_in_all(self) -> int:
        """Searches of all arms: more trainings at once would be of one search."""
        return len(self.arms()) * self.independent_searches

    @property
    def blocks(self) -> int:
        """What verdicts rest on: searches or, where nothing is searched, seeds."""
        return self.searches if self.search else self.replicates

    @property
    def unit(self) -> str:
        """What a block of this study is called: a search or a replicate."""
        return "search" if self.search else "replicate"

    def with_blocks(self, blocks: int) -> "Study":
        """The same study with so many searches or, where nothing is searched, seeds."""
        if self.search:
            return replace(self, searches=blocks)
        return replace(self, replicates=blocks)

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
        depth = values.get("depth", Hyperparameters.depth)
        values = by_layer.joined(values, depth, own=self._of_model)
        if self.hold and "units" not in values:
            values["units"] = self.measured_units.get(arm.name, 1)
            if "parameters" in self.hold:
                values["units"] = self._units_by_parameters(arm, values)
        hp = Hyperparameters.from_mapping(values, self._of_model)
        self.dataset.check_length(hp.sequence_length)
        if hp.sequence_length < self.dataset.steps or (self.dataset.steps and hp.cell == BAG):
            raise UserError(
                f"dataset {self.dataset.name} has a class for each of the last "
                f"{self.dataset.steps} steps: it needs a sequence_length of at least "
                f"{self.dataset.steps}, and a cell other than {BAG}"
            )
        checks.check_options(self.dataset_of(arm), hp)
        choices.check_precision(hp.precision, self.path, self.backend)
        if hp.pretrained is not None and self.model is not None:
            raise UserError("pretrained: goes with the networks of harness.models, not with model")
        return hp

    @property
    def pretrained(self) -> list[str]:
        """The files of vectors that embeddings may start from."""
        return checks.pretrained_files(self._groups)

    def _longest(self) -> int:
        """The longest sequences that any trial reads."""
        name, plain = "sequence_length", Hyperparameters().sequence_length
        values = self.compare.get(name) or [self.fixed.get(name, plain)]
        if name in self.space:
            values = checks.ends(self.space[name]) + [plain] * (name in self.space.conditions)
        return max(filter(is_whole, values), default=plain)

    @property
    def _groups(self) -> dict[str, Mapping[str, Any]]:
        return {"compare": self.compare, "search": self.space, "fixed": self.fixed}

    @property
    def _of_model(self) -> frozenset[str]:
        return frozenset() if self.model is None else checks.own_parameters(self.model)

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
                trial_epochs=None
                if self.budget.trial_epochs is None
                else min(self.budget.trial_epochs, QUICK_EPOCHS),
            ),
            searches=QUICK_SEARCHES,
            replicates=min(self.replicates, QUICK_REPLICATES),
        )

    def to_mapping(self) -> dict[str, Any]:
        """The spec as plain JSON values, for the manifest and the fingerprint."""
        return {
            "dataset": self.dataset.to_mapping(),
            "compare": {name: list(values) for name, values in self.compare.items()},
            "search": conditions.to_mapping(self.space),
            "fixed": dict(self.fixed),
            "sampler": self.sampler,
            "pruner": self.pruner,
            "budget": {
                "trials": self.budget.trials,
                "epochs": self.budget.epochs,
                # Only where it is set, as below.
                **(
                    {}
                    if self.budget.trial_epochs is None
                    else {"trial_epochs": self.budget.trial_epochs}
                ),
            },
            "searches": self.independent_searches,
            "replicates": self.replicates,
            "margin": self.small_difference,
            "seed": self.seed,
            "backend": self.backend,
            "device": self.device,
            "threads": self.threads,
            "path": self.path,
            **({} if self.warm_start is None else {"warm_start": self.warm_start}),
            **({"pretrained": hashes} if (hashes := self._hashes()) else {}),
            **({} if self.model is None else {"model": _described(self.model)}),
            **({"code": code} if (code := own_code.definitions(self.model, self.dataset)) else {}),
            # Only where it is set, so that older run directories, without it, still resume.
            **({"hold": dict(self.hold)} if self.hold else {}),
            **({} if self.patience == PATIENCE else {"patience": self.patience}),
        }

    def _hashes(self) -> dict[str, str]:
        """The SHA-256 of each file of vectors, so that a changed one is noticed."""
        return {path: vectors.sha256(path) for path in self.pretrained}

    @property
    def small_difference(self) -> float:
        """The margin: as declared, or the default for the dataset's metric."""
        if self.margin is not None:
            return self.margin
        return RELATIVE_MARGIN if self.dataset.metric in (MAE, BITS) else MARGIN

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

    def extremes(self) -> Iterator[Hyperparameters]:
        """Those at the ends of each arm's search space; see `checks.extremes`."""
        for arm in self.arms():
            for params in checks.extremes(self.space_of(arm)):
                yield self.hyperparameters(arm, params)

    def _check_hyperparameters(self) -> None:
        checks.check_groups(self._groups)
        checks.check_compared(self.compare)
        checks.check_of_tokens({*self.compare, *self.space}, self.dataset)
        checks.check_scored_splits(self.compare)
        checks.check_pretrained(self._groups)
        for arm in self.arms():
            self.dataset_of(arm)  # raises UserError for a value that the dataset refuses
        checks.check_train_sizes(self.compare, self.dataset)
        checks.check_defaults(self.model, self.space.conditions)
        for _ in self.extremes():
            pass  # raises UserError for what goes together badly


def _described(function: Callable[..., Any]) -> dict[str, str]:
    """Name and source of a function, so that a changed one is noticed."""
    source = inspect.getsource(function)
    return {
        "name": function.__name__,
        "source_sha256": hashlib.sha256(source.encode()).hexdigest(),
    }

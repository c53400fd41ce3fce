"""The checks of what a study declares; each raises UserError, which names what is wrong.

They take the values that they check, not the study.
"""

import inspect
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from harness.core.checks import is_number, is_whole
from harness.core.errors import UserError
from harness.datasets.base import vectors
from harness.datasets.base.dataset import Dataset
from harness.samplers.base.space import Space
from harness.spec.by_layer import is_of_layer
from harness.spec.choices import MEASURES, TRAIN
from harness.spec.hyperparameters import OF_TOKENS, Hyperparameters

# What may be searched where step times are held equal.
AT_NO_COST = (
    "learning_rate",
    "dropout",
    "momentum",
    "weight_decay",
    "clip_norm",
    "label_smoothing",
)


def check_one_of(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise UserError(f"{name}: {value!r} is not one of {', '.join(known)}")


def check_margin(margin: object) -> None:
    if not is_number(margin) or not 0 <= margin < 1:
        raise UserError(
            f"margin: {margin!r} is not a number from 0 to 1; 0.005 is half a point of accuracy, "
            "or half a percent of a forecast's error"
        )


def check_patience(patience: object) -> None:
    if patience is not None and (not is_whole(patience) or patience < 1):
        raise UserError(f"patience: {patience!r} is neither None nor a number of epochs")


def check_published(published: Mapping[str, Any]) -> None:
    """`source` is a text, each measure a list of numbers; `arms` has measures of some arms."""
    for name, values in published.items():
        if name == "source" and isinstance(values, str):
            continue
        if name == "arms" and isinstance(values, Mapping):
            for arm, measures in values.items():
                _check_of_arm(arm, measures)
            continue
        if name not in MEASURES:
            raise UserError(
                f"published: {name!r} is not one of source, arms, {', '.join(MEASURES)}"
            )
        if not isinstance(values, Sequence) or not all(is_number(value) for value in values):
            raise UserError(f"published: {name} needs a list of numbers, one an epoch")


def _check_of_arm(arm: str, measures: object) -> None:
    right = isinstance(measures, Mapping) and all(
        name in MEASURES and is_number(value) for name, value in measures.items()
    )
    if not right:
        raise UserError(
            f"published: arms: {arm!r} needs numbers by measure, of {', '.join(MEASURES)}"
        )


def check_model(model: Callable[..., Any], hold: Mapping[str, float]) -> None:
    """A study's own `model` is a function at the top of a file, so that workers can import it.

    Its own parameters have no names of the harness, and `hold` is not used with it.
    """
    name = getattr(model, "__qualname__", "<")
    if not callable(model) or "<" in name:
        raise UserError(f"model: {model!r} is not a function at the top of the study's file")
    if hold:
        raise UserError("hold: goes with the networks of harness.models, not with model")
    taken = own_parameters(model) & {each.name for each in fields(Hyperparameters)}
    if taken:
        raise UserError(
            f"model: {sorted(taken)[0]} comes with hp; leave it out of {name}'s parameters"
        )


def check_defaults(model: Callable[..., Any] | None, conditional: Collection[str]) -> None:
    """What only some trials search has a default in the study's own `model`, if that takes it."""
    if model is None:
        return
    for name, parameter in inspect.signature(model).parameters.items():
        needed = parameter.kind == parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        if name in conditional and needed:
            raise UserError(
                f"model: {name} is not searched in every trial; give it a default: {name}=…"
            )


def check_hold(hold: Mapping[str, float], groups: Mapping[str, Mapping[str, Any]]) -> None:
    """`hold` names one positive number; no group of hyperparameters contradicts it."""
    if list(hold) not in (["parameters"], ["step_ms"]):
        raise UserError(f"hold: {dict(hold)!r} is not one of parameters and step_ms")
    (value,) = hold.values()
    if not is_number(value) or not value > 0:
        raise UserError(f"hold: {value!r} is not a number above 0")
    for group in groups.values():
        if any(name == "units" or is_of_layer(name) for name in group):
            raise UserError("units: follow from what is held; leave them out, or leave out hold")
    if "step_ms" in hold:
        for name in groups["search"]:
            if name not in AT_NO_COST:
                raise UserError(
                    f"search: {name} changes how long a step takes, so step_ms can't be held; "
                    f"move {name} to fixed"
                )


def check_groups(groups: Mapping[str, Mapping[str, Any]]) -> None:
    """No hyperparameter is in two of `compare`, `search` and `fixed`."""
    for (one, first), (two, second) in itertools.combinations(groups.items(), 2):
        for name in first:
            if name in second:
                raise UserError(f"{name}: stands in both {one} and {two}; leave it in one")


def check_compared(compare: Mapping[str, Sequence[Any]]) -> None:
    """Each compared name has different values; for Optuna 1, 1.0 and True are one value."""
    for name, values in compare.items():
        texts = {value_text(value) for value in values}
        if len(texts) != len(values) or any(v in values[:i] for i, v in enumerate(values)):
            raise UserError(f"compare: {name} lists a value twice")


def check_of_tokens(names: Collection[str], dataset: Dataset) -> None:
    """`names` has nothing that only acts on tokens, if the dataset has numbers."""
    for name in OF_TOKENS:
        if dataset.features and name in names:
            raise UserError(
                f"{name}: dataset {dataset.name} holds numbers, not tokens; leave it out"
            )


def check_scored_splits(compare: Mapping[str, Sequence[Any]]) -> None:
    """All arms are scored on equally many examples."""
    for name in ("validation", "test"):
        if name in compare:
            raise UserError(f"compare: {name}: arms are judged by equally many examples")


def check_train_sizes(compare: Mapping[str, Sequence[Any]], dataset: Dataset) -> None:
    """No arm trains on more examples than the dataset has."""
    for size in compare.get(TRAIN, ()):
        if size > dataset.train:
            raise UserError(
                f"compare: {TRAIN}: {size:,} are more than the dataset's {dataset.train:,}"
            )


def check_arm_name(name: str) -> None:
    """Arm names become folder names and Optuna study names."""
    if len(name) > 200 or any(c in name for c in '/\\:*?"<>|{}\0\n') or name.strip(". ") != name:
        raise UserError(f"compare: the arm name {name!r} can't be a folder's; use plain values")


def extremes(space: Space) -> list[dict[str, Any]]:
    """Configurations to try before a search: each end of each distribution.

    All other hyperparameters have their first end, or the value that the condition needs.
    """
    of_each = {name: ends(distribution) for name, distribution in space.items()}
    first_ends = {name: values[0] for name, values in of_each.items()}

    def needed(name: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for parent, values in space.conditions.get(name, {}).items():
            found |= {**needed(parent), parent: values[0]}
        return found

    configurations = [first_ends]
    for name, values in of_each.items():
        new = values if name in space.conditions else values[1:]
        configurations += [{**first_ends, **needed(name), name: value} for value in new]
    return [space.active(each) for each in configurations]


def own_parameters(model: Callable[..., Any]) -> frozenset[str]:
    """The hyperparameters that a study's `model` takes: its keyword-only parameters."""
    parameters = inspect.signature(model).parameters.values()
    return frozenset(p.name for p in parameters if p.kind == p.KEYWORD_ONLY)


def arm_text(name: str, value: Any) -> str:
    """A compared value as it stands in the name of an arm; of a file without its folder."""
    return Path(value).name if name == "pretrained" and value else value_text(value)


def value_text(value: Any) -> str:
    """A compared value as it stands in the name of an arm."""
    if isinstance(value, list | tuple):
        return "-".join(value_text(item) for item in value)
    return str(value)


def ends(distribution: BaseDistribution) -> list[Any]:
    """The choices of a distribution, or its lowest and its highest value."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    return [distribution.low, distribution.high]


def check_pretrained(groups: Mapping[str, Mapping[str, Any]]) -> None:
    """What a search may combine with files of vectors has their number of dimensions.

    Other combinations are checked one by one. Names of files that become arms differ.
    """
    paths, name = pretrained_files(groups), "embedding_dim"
    if name in groups["search"]:
        for path, dim in itertools.product(paths, ends(groups["search"][name])):
            _check_dimension(path, dim)
    names = [arm_text("pretrained", path) for path in groups["compare"].get("pretrained", ())]
    if len({*names}) < len(names):
        raise UserError("compare: pretrained: two files have one name; rename one")


def pretrained_files(groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The files of vectors that trials may start from."""
    name = "pretrained"
    found = [groups["fixed"].get(name), *groups["compare"].get(name, ())]
    if isinstance(groups["search"].get(name), CategoricalDistribution):
        found += groups["search"][name].choices
    return [path for path in dict.fromkeys(found) if isinstance(path, str) and path]


def _check_dimension(path: str, embedding_dim: int) -> None:
    dim = vectors.dimension(path)
    if dim != embedding_dim:
        raise UserError(
            f"pretrained: {path} has {dim:,} numbers a word, embedding_dim is {embedding_dim:,}; "
            f"set embedding_dim to {dim}"
        )


def check_options(dataset: Dataset, hp: Hyperparameters) -> None:
    """Raises UserError for an option that means nothing on a dataset."""
    named = f"dataset {dataset.name}"
    for name in ("embedding_dropout", "pretrained"):
        if dataset.features and getattr(hp, name):
            raise UserError(f"{name}: {named} holds numbers, not tokens; leave it out")
    if hp.pretrained is not None:
        _check_dimension(hp.pretrained, hp.embedding_dim)
    if dataset.steps:
        for name in ("pooling", "mask"):
            if name in hp.options and not (name == "mask" and dataset.ragged):
                raise UserError(
                    f"{name}: {named} has an output for each of several steps; leave it out"
                )
    of = dataset.signature
    if hp.bidirectional and (of.bits or of.decodes):
        raise UserError(
            f"bidirectional: a network for {named} would read what it is to predict; leave it out"
        )
    if hp.stateful:
        _check_stateful(dataset, hp)
    if hp.decoder_depth and not of.decodes:
        raise UserError(f"decoder_depth: {named} has nothing to decode; leave it out")
    if of.decodes and (hp.residual or not isinstance(hp.units, int) or hp.units_shape != "equal"):
        raise UserError(
            f"{'residual' if hp.residual else 'units'}: networks for {named} have one number of "
            "units for all layers, and no residual connections"
        )
    if not dataset.classes:
        for name in ("label_smoothing", "class_weight"):
            if name in hp.options:
                raise UserError(
                    f"{name}: {named} has numbers to predict, not classes; leave it out"
                )


def _check_stateful(dataset: Dataset, hp: Hyperparameters) -> None:
    """A state is carried on only where an example goes on where the one before ends."""
    if not dataset.signature.bits:
        raise UserError(
            f"stateful: the examples of dataset {dataset.name} do not follow each other; leave it "
            "out"
        )
    if hp.sequence_length != dataset.steps:
        raise UserError(
            f"stateful: examples follow each other with a sequence_length of {dataset.steps}, the "
            f"characters that each predicts; not with {hp.sequence_length}"
        )
    for split, size in dataset.sizes().items():
        if 0 < size < hp.batch_size:  # a study may have no test split
            raise UserError(
                f"stateful: {split} has {size:,} examples, fewer than the batch_size "
                f"{hp.batch_size}; give more data, a smaller batch_size, or no stateful"
            )
        if size % hp.batch_size:
            raise UserError(
                f"stateful: {split} has {size:,} examples, which is no multiple of the batch_size "
                f"{hp.batch_size}; choose one, such as {size - size % hp.batch_size:,}"
            )

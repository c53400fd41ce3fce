"""Studies: arms, checks, fingerprints."""

import pytest
from toys import SPACE, Noise, toy_study

from harness import (
    Adding,
    Budget,
    CategoricalDistribution,
    CopyMemory,
    Digits,
    FloatDistribution,
    IntDistribution,
    Study,
)
from harness.core.errors import UserError
from harness.spec.fingerprint import differences, fingerprint


def test_each_compared_value_is_an_arm_in_order() -> None:
    study = toy_study(compare={"depth": [2, 1]})
    assert [arm.name for arm in study.arms()] == ["depth=2", "depth=1"]


def test_several_compared_parameters_cross() -> None:
    study = toy_study(compare={"cell": ["gru", "rnn"], "depth": [1, 2]}, fixed={})
    assert [arm.name for arm in study.arms()] == [
        "cell=gru,depth=1", "cell=gru,depth=2", "cell=rnn,depth=1", "cell=rnn,depth=2",
    ]  # fmt: skip


def test_nothing_compared_is_one_arm() -> None:
    assert [arm.name for arm in toy_study(compare={}).arms()] == ["all"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fixed": {"cell": "lsmt"}}, "^cell:"),
        ({"fixed": {"depth": 2}}, "^depth: stands in both compare and fixed"),
        ({"compare": {"units": [4, 8]}}, "^units: stands in both compare and search"),
        ({"compare": {"depth": []}}, "depth needs a list"),
        ({"compare": {"depth": 3}}, "depth needs a list"),
        ({"compare": {"depth": [1, 1]}}, "lists a value twice"),
        ({"compare": {"depth": [0, 1]}}, "^depth:"),
        ({"compare": {"train": [9_000_000]}}, "more than the dataset's"),
        ({"compare": {"train": [0]}}, "^train: 0 examples are too few"),
        ({"compare": {"test": [10, 20]}}, "^compare: test: arms are judged"),
        ({"patience": 0}, "^patience:"),
        ({"published": {"f1": [0.5]}}, "^published: 'f1' is not one of"),
        ({"published": {"loss": "low"}}, "^published: loss needs a list"),
        ({"compare": {"width": [1, 2]}}, "^width: no such hyperparameter"),
        ({"search": {"units": 5}}, "units needs an Optuna distribution"),
        ({"search": {"units": IntDistribution(0, 5)}}, "^units:"),
        ({"search": {"dropout": FloatDistribution(0.0, 1.0)}}, "^dropout:"),
        ({"search": {"sequence_length": CategoricalDistribution([50, 0])}}, "^sequence_length:"),
        ({"sampler": "tpee"}, "did you mean tpe?"),
        ({"pruner": "medien"}, "did you mean median?"),
        ({"backend": "theano"}, "^backend:"),
        ({"device": "tpu"}, "^device:"),
        ({"threads": 0}, "^threads:"),
        ({"seed": -1}, "^seed:"),
        ({"replicates": -1}, "^replicates:"),
        ({"dataset": "imdb"}, "^dataset:"),
        ({"budget": 10}, "^budget:"),
        ({"sampler": "grid", "budget": Budget(trials=2000, epochs=1)}, "375 cells"),
        ({"sampler": "cmaes", "search": {"units": IntDistribution(4, 8)}}, "^sampler cmaes needs"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        toy_study(**changes)


@pytest.mark.parametrize(("trials", "epochs"), [(0, 1), (-1, 1), (1, 0), (1, -5), (True, 1)])
def test_a_budget_is_at_least_one(trials: int, epochs: int) -> None:
    with pytest.raises(UserError, match="whole number of at least 1"):
        Budget(trials=trials, epochs=epochs)


@pytest.mark.parametrize(
    ("epochs", "message"), [(0, "^trial_epochs:"), (6, "^trial_epochs: 6 is more than epochs, 5")]
)
def test_trials_take_no_more_epochs_than_replicates(epochs: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Budget(trials=3, epochs=5, trial_epochs=epochs)


def test_trials_of_fewer_epochs_are_another_spec_and_stay_so_in_a_quick_look() -> None:
    plain = toy_study(budget=Budget(trials=6, epochs=4))
    fewer = toy_study(budget=Budget(trials=6, epochs=4, trial_epochs=1))
    assert "trial_epochs" not in plain.to_mapping()["budget"]
    assert differences(plain.to_mapping(), fewer.to_mapping()) == [
        "budget.trial_epochs: absent → 1"
    ]
    assert fewer.quick().budget == Budget(trials=3, epochs=2, trial_epochs=1)


def test_more_trials_keep_the_fingerprint_and_nothing_else_does() -> None:
    base = fingerprint(toy_study().to_mapping())
    more = toy_study(budget=Budget(trials=60, epochs=4), replicates=9)
    assert fingerprint(more.to_mapping()) == base
    for change in (
        {"seed": 1},
        {"budget": Budget(trials=6, epochs=5)},
        {"dataset": Noise(train=65)},
        {"fixed": {"cell": "gru", "vocabulary": 100}},
        {"search": {**SPACE, "dropout": FloatDistribution(0.0, 0.4)}},
        {"threads": 2},
        {"path": "keras"},
    ):
        assert fingerprint(toy_study(**change).to_mapping()) != base, change


def test_a_path_that_the_backend_does_not_have_is_refused() -> None:
    assert toy_study(backend="jax", path="xla-kernel").path == "xla-kernel"
    assert toy_study(backend="torch", path="keras").path == "keras"
    with pytest.raises(UserError, match=r"^path: xla-scan is written for tensorflow and jax"):
        toy_study(backend="torch", path="xla-scan")


def test_differences_name_the_fields() -> None:
    old = toy_study().to_mapping()
    new = toy_study(
        seed=3,
        budget=Budget(trials=60, epochs=9),
        compare={"depth": [1, 2, 3]},
        fixed={"cell": "lstm"},
    ).to_mapping()
    assert differences(old, old) == []
    assert differences(old, new) == [
        "compare.depth: [1, 2] → [1, 2, 3]",
        "fixed.vocabulary: 100 → absent",
        "budget.epochs: 4 → 9",
        "seed: 0 → 3",
    ]


def test_quick_is_smaller_and_asks_the_same() -> None:
    study = toy_study(dataset=Noise(train=9000, validation=9000, test=9000))
    quick = study.quick()
    assert quick.compare == study.compare
    assert quick.search == study.search
    assert (quick.dataset.train, quick.dataset.validation) == (1200, 600)
    assert (quick.budget.trials, quick.budget.epochs) == (3, 2)
    assert toy_study().quick().dataset.train == 64


def test_training_sizes_may_be_compared() -> None:
    study = toy_study(dataset=Noise(train=9000, validation=900, test=900),
                      compare={"train": [100, 3000, 9000]}, fixed={})  # fmt: skip
    sizes = {arm.name: study.dataset_of(arm) for arm in study.arms()}
    assert {name: each.train for name, each in sizes.items()} == {
        "train=100": 100, "train=3000": 3000, "train=9000": 9000,
    }  # fmt: skip
    assert {(each.validation, each.test) for each in sizes.values()} == {(900, 900)}
    assert [arm.name for arm in study.quick().arms()] == ["train=13", "train=400", "train=1200"]


def test_a_quick_look_at_many_arms_has_fewer_trials() -> None:
    few = toy_study(compare={"depth": [1, 2, 3]})
    many = toy_study(compare={"depth": list(range(1, 13))})
    assert few.quick().budget.trials == 3
    assert many.quick().budget.trials == 2


@pytest.mark.parametrize(
    ("dataset", "fixed", "message"),
    [
        (Digits(), {"embedding_dropout": 0.1}, "^embedding_dropout: dataset digits holds numbers"),
        (CopyMemory(), {"pooling": "mean"}, "^pooling: dataset copy-memory has an output for each"),
        (CopyMemory(), {"mask": True}, "^mask: dataset copy-memory has an output for each"),
        (Adding(), {"label_smoothing": 0.1}, "^label_smoothing: dataset adding has numbers to"),
        (Adding(), {"class_weight": "balanced"}, "^class_weight: dataset adding has numbers to"),
    ],
)
def test_an_option_that_means_nothing_on_a_dataset_is_refused(dataset, fixed, message) -> None:
    with pytest.raises(UserError, match=message):
        Study(dataset=dataset, fixed=fixed, budget=Budget(trials=1, epochs=1))


def test_options_are_compared_searched_and_fixed_like_others() -> None:
    study = toy_study(
        compare={"residual": [False, True], "clip_norm": [None, 1.0]},
        search={"weight_decay": FloatDistribution(1e-5, 1e-1, log=True),
                "pooling": CategoricalDistribution(["last", "mean"])},
        fixed={"optimizer": "adamw", "schedule": "cosine"},
    )  # fmt: skip
    arms = study.arms()
    assert [arm.name for arm in arms][-1] == "residual=True,clip_norm=1.0"
    hp = study.hyperparameters(arms[-1], {"weight_decay": 0.01, "pooling": "mean"})
    assert hp.options == {
        "optimizer": "adamw", "weight_decay": 0.01, "clip_norm": 1.0, "schedule": "cosine",
        "pooling": "mean", "residual": True,
    }  # fmt: skip


def test_an_option_that_is_not_named_is_not_in_the_fingerprint() -> None:
    spec = toy_study().to_mapping()
    assert not any(name in str(spec) for name in ("optimizer", "residual", "clip_norm"))
    assert differences(spec, toy_study(fixed={"clip_norm": 1.0}).to_mapping())

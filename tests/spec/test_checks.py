"""What a study declares wrongly is named, one check at a time."""

import pytest
from optuna.distributions import BaseDistribution
from toys import Noise

from harness import CategoricalDistribution, FloatDistribution, IntDistribution
from harness.core.errors import UserError
from harness.datasets.digits import Digits
from harness.samplers.base.space import Space
from harness.spec import checks


def top_level(hp: object, signature: object, *, heads: int, blocks: int = 2) -> None:
    """A builder of networks; only its parameters matter here."""


def takes_the_depth(hp: object, signature: object, *, depth: int) -> None:
    """`depth` is the harness's own."""


@pytest.mark.parametrize("margin", [-0.1, 1, True, "0.005", None, float("nan")])
def test_a_margin_is_a_number_from_0_to_1(margin: object) -> None:
    checks.check_margin(0)
    checks.check_margin(0.999)
    with pytest.raises(UserError, match=r"^margin: .* is not a number from 0 to 1"):
        checks.check_margin(margin)


@pytest.mark.parametrize("patience", [0, 1.5, True, "2"])
def test_patience_is_none_or_epochs(patience: object) -> None:
    checks.check_patience(None)
    checks.check_patience(1)
    with pytest.raises(UserError, match=r"^patience: .* is neither None nor a number of epochs"):
        checks.check_patience(patience)


def test_published_figures_are_lists_of_numbers() -> None:
    checks.check_published({"source": "a paper", "val_accuracy": [0.8, 0.9], "step_ms": (3,)})
    with pytest.raises(UserError, match=r"^published: .source. is not one of"):
        checks.check_published({"source": 3})
    with pytest.raises(UserError, match=r"^published: loss needs a list of numbers"):
        checks.check_published({"loss": [0.5, None]})
    checks.check_published({"arms": {"depth=1": {"val_loss": 0.4}}})
    for wrong in ({"depth=1": 0.4}, {"depth=1": {"val_loss": [0.4]}}, {"depth=1": {"f1": 0.4}}):
        with pytest.raises(UserError, match=r"^published: arms: 'depth=1' needs numbers by"):
            checks.check_published({"arms": wrong})


def test_a_model_is_a_function_of_a_file() -> None:
    checks.check_model(top_level, {})
    assert checks.own_parameters(top_level) == {"heads", "blocks"}
    for wrong in (lambda hp, signature: None, "StackedRNN"):
        with pytest.raises(UserError, match=r"^model: .* is not a function at the top"):
            checks.check_model(wrong, {})  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"^model: depth comes with hp; leave it out of takes_the"):
        checks.check_model(takes_the_depth, {})
    with pytest.raises(UserError, match=r"^hold: goes with the networks of"):
        checks.check_model(top_level, {"parameters": 1000})


@pytest.mark.parametrize(
    ("hold", "search", "message"),
    [
        ({"flops": 3}, {}, "^hold: .* is not one of parameters and step_ms"),
        ({"parameters": 3, "step_ms": 3}, {}, "^hold: .* is not one of parameters and step_ms"),
        ({"parameters": 0}, {}, "^hold: 0 is not a number above 0"),
        ({"step_ms": float("nan")}, {}, "^hold: nan is not a number above 0"),
        ({"parameters": 9}, {"units": IntDistribution(1, 9)}, "^units: follow from what is held"),
        ({"step_ms": 9}, {"batch_size": IntDistribution(1, 9)}, "move batch_size to fixed"),
    ],
)
def test_hold_names_one_positive_number(
    hold: dict[str, float], search: dict[str, BaseDistribution], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        checks.check_hold(hold, {"compare": {}, "search": search, "fixed": {}})


def test_the_search_may_change_what_costs_no_time() -> None:
    search = {"dropout": FloatDistribution(0, 0.5), "learning_rate": FloatDistribution(0.01, 0.1)}
    checks.check_hold({"step_ms": 10}, {"compare": {"depth": [1, 2]}, "search": search})
    checks.check_hold(
        {"parameters": 10}, {"compare": {}, "search": {"batch_size": IntDistribution(1, 9)}}
    )


def test_numbers_have_no_vocabulary() -> None:
    checks.check_of_tokens({"vocabulary"}, Noise())
    checks.check_of_tokens({"depth"}, Digits())
    with pytest.raises(UserError, match=r"^vocabulary: dataset digits holds numbers"):
        checks.check_of_tokens({"vocabulary"}, Digits())


@pytest.mark.parametrize("name", ["a/b", "a:b", "a\nb", " a", "a.", "a" * 201])
def test_an_arm_name_can_be_a_folder_s(name: str) -> None:
    checks.check_arm_name("depth=2,units=8-4")
    with pytest.raises(UserError, match=r"^compare: the arm name .* can't be a folder's"):
        checks.check_arm_name(name)


def test_lists_in_arm_names_are_joined() -> None:
    assert checks.value_text([8, (4, 2)]) == "8-4-2"
    with pytest.raises(UserError, match="lists a value twice"):
        checks.check_compared({"units": [[8, 4], (8, 4)]})


def test_extremes_change_one_hyperparameter_at_a_time() -> None:
    search = {
        "units": IntDistribution(4, 8),
        "cell": CategoricalDistribution(["gru", "lstm", "rnn"]),
        "dropout": FloatDistribution(0.0, 0.5),
    }
    first = {"units": 4, "cell": "gru", "dropout": 0.0}
    assert checks.extremes(Space(search)) == [
        first,
        {**first, "units": 8},
        {**first, "cell": "lstm"},
        {**first, "cell": "rnn"},
        {**first, "dropout": 0.5},
    ]
    assert checks.extremes(Space({})) == [{}]


def test_extremes_cover_what_has_a_condition() -> None:
    space = Space(
        {
            "momentum": FloatDistribution(0.0, 0.9),
            "optimizer": CategoricalDistribution(["adam", "sgd"]),
        },
        {"momentum": {"optimizer": ("sgd",)}},
    )
    assert checks.extremes(space) == [
        {"optimizer": "adam"},
        {"optimizer": "sgd", "momentum": 0.0},
        {"optimizer": "sgd", "momentum": 0.0},
        {"optimizer": "sgd", "momentum": 0.9},
    ]

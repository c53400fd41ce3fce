"""Conditions of what is searched, and units by layer."""

import json
from typing import Any

import pytest
from toys import toy_study

from harness import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    Study,
    UnitsByLayer,
    When,
)
from harness.core.errors import UserError
from harness.spec.fingerprint import differences, fingerprint
from reports.wording import distribution_text

MOMENTUM = FloatDistribution(0.0, 0.99)
OPTIMIZER = CategoricalDistribution(["adam", "sgd", "rmsprop"])


def study(search: dict[str, Any], **changes: Any) -> Study:
    return toy_study(search=search, **{"compare": {}, **changes})


def searched(of: Study, arm: int = 0) -> dict[str, Any]:
    """What an arm searches, with the conditions that are left in it."""
    space = of.space_of(of.arms()[arm])
    return {name: space.conditions.get(name) for name in space}


def test_a_parent_is_searched_compared_or_fixed() -> None:
    conditional = {"momentum": When("optimizer", "sgd", MOMENTUM)}
    assert searched(study({**conditional, "optimizer": OPTIMIZER})) == {
        "optimizer": None,  # before what depends on it
        "momentum": {"optimizer": ("sgd",)},
    }
    compared = study(conditional, compare={"optimizer": ["adam", "sgd"]})
    assert [searched(compared, arm) for arm in (0, 1)] == [{}, {"momentum": None}]
    fixed = study(conditional, fixed={"optimizer": "sgd"})
    assert searched(fixed) == {"momentum": None}


def test_where_it_is_not_searched_it_has_its_default() -> None:
    of = study({"optimizer": OPTIMIZER, "momentum": When("optimizer", "sgd", MOMENTUM)})
    (arm,) = of.arms()
    assert of.hyperparameters(arm, {"optimizer": "adam"}).momentum == 0.0
    values = {"optimizer": "adam", "momentum": 0.5}
    assert of.space_of(arm).active(values) == {"optimizer": "adam"}


def test_what_depends_on_it_does_not_apply_either() -> None:
    of = study(
        {
            "weight_decay": When("optimizer", "adamw", FloatDistribution(0.0, 0.1)),
            "momentum": When("optimizer", ["sgd", "rmsprop"], MOMENTUM),
            "optimizer": When("cell", ("gru", "lstm"), OPTIMIZER),
            "cell": CategoricalDistribution(["rnn", "gru", "lstm"]),
        }
        | {"optimizer": When("cell", "gru", CategoricalDistribution(["adamw", "sgd", "rmsprop"]))},
        fixed={"vocabulary": 100},
    )
    space = of.space_of(of.arms()[0])
    everything = {"cell": "rnn", "optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.1}
    assert space.active(everything) == {"cell": "rnn"}
    del everything["weight_decay"]
    assert space.active(everything | {"cell": "gru"}) == everything | {"cell": "gru"}


def test_one_condition_in_another_needs_both() -> None:
    both = When("optimizer", "sgd", When("depth", (2, 3), MOMENTUM))
    of = study({"momentum": both, "optimizer": OPTIMIZER}, compare={"depth": [1, 2, 3]})
    assert [list(searched(of, arm)) for arm in (0, 1, 2)] == [
        ["optimizer"],
        ["optimizer", "momentum"],
        ["optimizer", "momentum"],
    ]


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"momentum": When("optimiser", "sgd", MOMENTUM), "optimizer": OPTIMIZER},
         "^no search: momentum: When: hyperparameter of the study named 'optimiser'; did you mean "
         "optimizer"),
        ({"momentum": When("optimizer", "sgd", MOMENTUM)}, "named 'optimizer'"),
        ({"momentum": When("momentum", 0.5, MOMENTUM)}, "named 'momentum'"),
        ({"momentum": When("optimizer", "adamw", MOMENTUM), "optimizer": OPTIMIZER},
         "optimizer is 'adamw', but the study never has that"),
        ({"momentum": When("optimizer", ("sgd", "SGD"), MOMENTUM), "optimizer": OPTIMIZER},
         "optimizer is 'SGD', but the study never has that"),
        ({"momentum": When("depth", 4, MOMENTUM), "depth": IntDistribution(1, 3)}, "depth is 4"),
        ({"momentum": When("depth", True, MOMENTUM), "depth": IntDistribution(1, 3)}, "is True"),
        ({"momentum": When("dropout", 0.25, MOMENTUM), "dropout": FloatDistribution(0.0, 0.5)},
         "dropout is 0.25, but the study never has that"),
        ({"momentum": When("cell", "gru", MOMENTUM)}, "cell is 'gru', but the study never"),
        ({"momentum": When("optimizer", (), MOMENTUM), "optimizer": OPTIMIZER}, "needs a value"),
        ({"momentum": When("optimizer", "sgd", 0.5), "optimizer": OPTIMIZER},
         "needs an Optuna distribution, got 0.5"),
        ({"optimizer": When("depth", 1, OPTIMIZER),
          "depth": When("optimizer", "sgd", IntDistribution(1, 3))}, "depends on optimizer itself"),
        ({"dropout": UnitsByLayer(4, 8)}, "UnitsByLayer goes with units alone"),
        ({"units": When("optimizer", "sgd", UnitsByLayer(4, 8)), "optimizer": OPTIMIZER},
         "UnitsByLayer can't have a condition"),
        ({"units": UnitsByLayer(4, 8), "units_1": IntDistribution(4, 8)}, "units_1 stands beside"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_met_is_one_line(search: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        study(search)
    assert "\n" not in str(raised.value)


def test_units_by_layer_follow_the_depth() -> None:
    of = study({"units": UnitsByLayer(4, 16)}, compare={"depth": [1, 3]})
    assert searched(of, 0) == {"units_1": None}
    assert searched(of, 1) == {"units_1": None, "units_2": None, "units_3": None}
    params = {"units_1": 8, "units_2": 16, "units_3": 4}
    assert of.hyperparameters(of.arms()[1], params).units == (8, 16, 4)
    deep = study({"units": UnitsByLayer(4, 16), "depth": IntDistribution(1, 3)})
    assert searched(deep) == {
        "depth": None,
        "units_1": None,
        "units_2": {"depth": (2, 3)},
        "units_3": {"depth": (3,)},
    }
    assert list(deep.space["units_1"].choices) == [4, 5, 6, 7, 8, 10, 12, 14, 16]  # type: ignore[attr-defined]
    assert study({"units": UnitsByLayer(4, 16)}, fixed={"depth": 2}).space.keys() == {
        "units_1",
        "units_2",
    }


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"units_1": 4, "depth": 2}, "units_2: is missing for depth 2"),
        ({"units_1": 4, "units_2": 4, "depth": 1}, "units_2: is too many for depth 1"),
        ({"units_1": 4, "units": 4, "depth": 1}, "units: stands beside units_1"),
    ],
)
def test_numbers_of_layers_fit_the_depth(fixed: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        study({}, fixed=fixed)


def test_a_condition_is_part_of_the_study_and_shown() -> None:
    first, second = (
        study({"optimizer": OPTIMIZER, "momentum": When("optimizer", value, MOMENTUM)}).to_mapping()
        for value in ("sgd", ("sgd", "rmsprop"))
    )
    assert json.loads(json.dumps(first)) == first
    assert fingerprint(first) != fingerprint(second)
    (difference,) = differences(first, second)
    assert difference.startswith("search.momentum.when.optimizer: ")
    assert distribution_text(second["search"]["momentum"]) == (
        "0 to 0.99; only where optimizer is sgd or rmsprop"
    )
    plain = study({"momentum": MOMENTUM, "optimizer": CategoricalDistribution(["sgd"])})
    assert list(plain.to_mapping()["search"]["momentum"]) == ["name", "attributes"]


def of_bound(hp: Any, signature: Any, *, rank: int) -> None: ...


def test_an_own_models_hyperparameter_needs_a_default() -> None:
    search = {"optimizer": OPTIMIZER, "rank": When("optimizer", "sgd", IntDistribution(1, 4))}
    with pytest.raises(UserError, match="rank is not searched in every trial; give it a default"):
        study(search, model=of_bound)


@pytest.mark.parametrize(("low", "high"), [(8, 4), (0, 4), (4.5, 8), ("4", 8), (True, 8)])
def test_units_by_layer_are_whole_numbers(low: Any, high: Any) -> None:
    with pytest.raises(UserError, match=r"^UnitsByLayer\(.*\): needs whole numbers, 1 <= low"):
        UnitsByLayer(low, high)

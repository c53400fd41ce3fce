"""Wrong hyperparameters name themselves."""

import pytest

from harness.core.errors import UserError
from harness.spec.hyperparameters import Hyperparameters


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cell", "LSTN"),
        ("depth", 0),
        ("depth", 1.5),
        ("depth", True),
        ("units", 0),
        ("units", "5"),
        ("units", [5]),
        ("units", [5, 0]),
        ("bidirectional", 1),
        ("embedding_dim", -3),
        ("vocabulary", 3),
        ("sequence_length", 0),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("batch_size", 0),
        ("unitz", 5),
    ],
)
def test_a_wrong_value_names_its_parameter(name: str, value: object) -> None:
    with pytest.raises(UserError, match=f"^{name}:"):
        Hyperparameters.from_mapping({"depth": 2, name: value})


def test_units_may_be_one_number_or_one_a_layer() -> None:
    assert Hyperparameters(depth=3, units=7).units_per_layer == (7, 7, 7)
    assert Hyperparameters(depth=2, units=(8, 4)).units_per_layer == (8, 4)
    assert Hyperparameters.from_mapping({"depth": 2, "units": [8, 4]}).units == (8, 4)


def test_it_goes_to_a_mapping_and_back() -> None:
    hp = Hyperparameters(cell="gru", depth=2, units=(3, 4), dropout=0.25)
    assert Hyperparameters.from_mapping(hp.to_mapping()) == hp

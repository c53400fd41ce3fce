"""Wrong hyperparameters name themselves."""

import pytest

from harness.core.errors import UserError
from harness.spec.hyperparameters import OPTIONS, Hyperparameters


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
        ("optimizer", "lion"),
        ("optimizer", None),
        ("momentum", 0.9),  # goes with sgd or rmsprop
        ("momentum", 1.0),
        ("weight_decay", -0.1),
        ("weight_decay", True),
        ("clip_norm", 0.0),
        ("clip_norm", float("inf")),
        ("clip_norm", "1"),
        ("schedule", "linear"),
        ("pooling", "sum"),
        ("pooling", ["mean"]),
        ("embedding_dropout", 1.0),
        ("residual", "add"),
        ("layer_norm", True),
        ("recurrent_dropout", -0.1),
        ("mask", 1),
        ("label_smoothing", 1.0),
        ("class_weight", None),
        ("units_shape", "hourglass"),
        ("activation", "selu"),
        ("kernel_initializer", "xavier"),
        ("recurrent_initializer", ""),
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


def test_options_at_their_defaults_are_left_out_of_files() -> None:
    plain = Hyperparameters()
    assert not set(OPTIONS) & set(plain.to_mapping())
    assert list(plain.to_mapping()) == [
        "cell", "depth", "units", "bidirectional", "embedding_dim", "vocabulary",
        "sequence_length", "dropout", "learning_rate", "batch_size",
    ]  # fmt: skip
    assert plain.to_mapping(defaults=True)["optimizer"] == "adam"
    hp = Hyperparameters(residual=True, clip_norm=1.0, optimizer="sgd", momentum=0.9)
    assert hp.options == {
        "optimizer": "sgd", "momentum": 0.9, "clip_norm": 1.0, "residual": True
    }  # fmt: skip
    assert Hyperparameters.from_mapping(hp.to_mapping()) == hp
    assert Hyperparameters.from_mapping(hp.to_mapping(defaults=True)) == hp


def test_a_pyramid_halves_the_units_from_layer_to_layer() -> None:
    hp = Hyperparameters(depth=4, units=10, units_shape="pyramid")
    assert hp.units_per_layer == (10, 5, 2, 1)
    assert Hyperparameters(depth=3, units=1, units_shape="pyramid").units_per_layer == (1, 1, 1)
    with pytest.raises(UserError, match="units_shape: pyramid goes with one number"):
        Hyperparameters(depth=2, units=(4, 2), units_shape="pyramid")


@pytest.mark.parametrize(
    ("name", "value"),
    [("pooling", "max"), ("residual", True), ("layer_norm", "output"), ("activation", "relu"),
     ("recurrent_dropout", 0.1), ("units_shape", "pyramid"), ("kernel_initializer", "he_normal")],
)  # fmt: skip
def test_what_has_no_effect_on_a_bag_is_refused(name: str, value: object) -> None:
    with pytest.raises(UserError, match=f"^{name}: cell bag has no recurrent layers"):
        Hyperparameters.from_mapping({"cell": "bag", "depth": 1, name: value})
    Hyperparameters.from_mapping({"cell": "bag", "depth": 1, "mask": True, "optimizer": "adamw"})

"""Mixed precision: bfloat16 where layers compute, float32 weights, and the paths that have it.

On the backend of the process; test_jax_epochs.py runs this file on JAX.
"""

import os
from dataclasses import replace

import numpy as np
import pytest
from parity_testing import outputs_and_gradients
from toys import toy_study
from training_testing import SMALL, toy_data, train

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

from harness.core.errors import UserError
from harness.datasets.base.signature import BINARY
from harness.spec.hyperparameters import Hyperparameters
from harness.training import networks
from harness.training.recurrent import choose_path, set_xla_flags
from harness.training.trainer import Trainer

set_xla_flags()

MIXED = "mixed_bfloat16"
ROUNDING = 2.0**-8  # of a bfloat16, relative
# How often it may add up over layers and steps. The scan sums in float32; the gradients of Keras's
# own layers are sums of bfloat16 numbers.
IN_OUTPUTS, IN_GRADIENTS = 12, 12 if keras.backend.backend() == "jax" else 40
BACKEND = keras.backend.backend()
PATH = "xla-scan" if BACKEND == "jax" else "keras"
# No layer_norm: of four units that are almost equal it makes anything of a rounding. No dropout:
# where Keras draws it in bfloat16, a rate near 0 still drops one number in a hundred.
OPTIONS = {"cell": "lstm", "depth": 2, "residual": True, "mask": True, "pooling": "mean"}
NETWORKS = [
    {"cell": "rnn", "depth": 1},
    pytest.param({"cell": "gru", "depth": 1, "bidirectional": True}, marks=pytest.mark.slow),
    pytest.param(OPTIONS, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("options", NETWORKS, ids=["rnn", "gru", "options"])
def test_outputs_and_gradients_are_within_rounding_of_float32(options):
    plain = Hyperparameters(**{**SMALL, **options})
    mixed = Hyperparameters(**{**SMALL, **options, "precision": MIXED})
    names, exact = outputs_and_gradients(plain, PATH, 16, compiled=False)
    _, rounded = outputs_and_gradients(mixed, PATH, 16, compiled=False)
    stock = rounded  # on TensorFlow
    if PATH != "keras":
        _, stock = outputs_and_gradients(mixed, "keras", 16)
    for name, one, other, of_keras in zip(names, rounded, exact, stock, strict=True):
        one, other, of_keras = (np.asarray(each) for each in (one, other, of_keras))
        assert one.dtype == np.float32, name
        rounding = ROUNDING * np.abs(other).max()
        times = IN_OUTPUTS if name == "probabilities" else IN_GRADIENTS
        assert np.abs(one - other).max() <= times * rounding, name
        assert np.abs(one - of_keras).max() <= 16 * rounding, name
    assert not np.array_equal(rounded[0], exact[0])


@pytest.mark.slow
def test_weights_start_alike_and_stay_float32_and_an_easy_task_is_learnt():
    data = toy_data(train=320, validation=80)
    values = {**SMALL, "cell": "lstm", "depth": 1, "learning_rate": 0.03}
    found = {}
    for precision in ("float32", MIXED):
        hp = Hyperparameters(**values, precision=precision)
        trainer = Trainer(notify=pytest.fail)
        training = train(trainer, hp, data, seed=3, epochs=8)
        assert training.path == choose_path(hp, device="cpu", backend=BACKEND)
        assert {w.dtype for w in trainer.weights()} == {np.dtype(np.float32)}
        assert training.epochs[-1].val_accuracy > 0.9
        stock = trainer.stock_model()
        policies = {layer.dtype_policy.name for layer in stock.layers}
        assert policies == ({"float32"} if precision == "float32" else {"float32", MIXED})
        predicted = trainer.predict(data.validation)
        assert predicted.dtype == np.float32
        np.testing.assert_allclose(
            np.asarray(stock(data.validation.x)), predicted, atol=8 * ROUNDING
        )
        found[precision] = training.epochs[-1].val_loss
    assert found[MIXED] == pytest.approx(found["float32"], abs=0.05)
    assert found[MIXED] != found["float32"]
    one, other = (
        networks.build(Hyperparameters(**values, precision=p), path=PATH, seed=3).get_weights()
        for p in ("float32", MIXED)
    )
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
    assert keras.config.dtype_policy().name == "float32"


def test_tensorflows_scan_does_not_take_it():
    hp = Hyperparameters(units=64, precision=MIXED)
    assert choose_path(hp, device="cpu", backend="tensorflow") == "keras"
    assert choose_path(hp, device="cpu", backend="jax") == "xla-scan"
    if BACKEND == "tensorflow":
        with pytest.raises(ValueError, match="bfloat16: the scan has only float32"):
            networks.build(hp, path="xla-scan", seed=0)
    fixed = {"cell": "lstm", "vocabulary": 100, "precision": MIXED}
    with pytest.raises(UserError, match="path xla-scan of tensorflow has no mixed_bfloat16"):
        toy_study(fixed=fixed, path="xla-scan")
    toy_study(fixed=fixed, path="keras")
    toy_study(fixed=fixed, path="xla-scan", backend="jax")


def test_it_can_be_compared_and_old_studies_do_not_know_it():
    compared = {"precision": ["float32", MIXED]}
    arms = toy_study(compare=compared).arms()
    assert [arm.name for arm in arms] == ["precision=float32", f"precision={MIXED}"]
    assert "precision" not in Hyperparameters(precision="float32").to_mapping()
    with pytest.raises(UserError, match="'float16' is not one of float32, mixed_bfloat16"):
        Hyperparameters(precision="float16")


@pytest.mark.parametrize("dtype", [None, "float32"])
def test_a_network_of_your_own_must_have_float32_outputs(dtype):
    def own(hp, signature):
        head = keras.layers.Dense(1, activation="sigmoid", dtype=dtype)
        return keras.Sequential([keras.Input((4, 2)), keras.layers.Flatten(), head])

    hp, signature = Hyperparameters(precision=MIXED), replace(BINARY, builder=own)
    if dtype is None:
        with pytest.raises(UserError, match='in bfloat16; give that layer dtype="float32"'):
            networks.build(hp, signature, path="keras", seed=0)
    else:
        model = networks.build(hp, signature, path="keras", seed=0)
        assert model.layers[0].compute_dtype == "bfloat16"

"""Models for numbers, for a class in each step, and for numbers to predict, on every path."""

import functools
import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

from harness.core.metrics import scored
from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.spec import counts
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.training import networks
from harness.training.recurrent import PATHS
from harness.training.trainer import Callbacks, Data, Trainer, TrainOptions

LENGTH = 6
SIGNATURES = {
    "numbers to classes": Signature(features=3, classes=4),
    "numbers to a number": Signature(features=3, classes=0),
    "tokens to a number": Signature(classes=0),
    "a class of many a step": Signature(classes=4, steps=3),
    "a class of two a step": Signature(classes=2, steps=3),
    "a class a step, all of them": Signature(features=2, classes=3, steps=LENGTH),
}
every = pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES.keys())


def hyperparameters(**changes):
    values = {"cell": "gru", "depth": 2, "units": 4, "embedding_dim": 4, "vocabulary": 20,
              "sequence_length": LENGTH, "batch_size": 16, "learning_rate": 0.02}  # fmt: skip
    return Hyperparameters(**{**values, **changes})


def split(signature, n, seed):
    """Targets that follow from the last steps."""
    rng = np.random.default_rng(seed)
    if signature.features:
        x = rng.standard_normal((n, LENGTH, signature.features), np.float32)
        told = x[..., 0]
    else:
        x = rng.integers(4, 20, (n, LENGTH), dtype=np.int32)
        told = (x - 12) / 4
    told = told[:, -signature.steps :] if signature.steps else told[:, -1]
    if signature.classes == 0:
        return Arrays(x, told.astype(np.float32))
    classes = np.clip((told + 1) / 2 * signature.classes, 0, signature.classes - 1)
    return Arrays(x, classes.astype(np.int32))


def data_of(signature, n=120):
    return Data(
        train=split(signature, n, 1), validation=split(signature, 45, 2), signature=signature
    )


def train(path, signature, epochs=4, **changes):
    trainer = Trainer(path=path, device="cpu")
    found = trainer.train(
        hyperparameters(**changes),
        data_of(signature),
        TrainOptions(seed=5, epochs=epochs),
        Callbacks(),
    )
    return trainer, found


@functools.cache
def trained_by_keras(signature):
    return train("keras", signature)[1]


@every
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if path == "xla-scan" else pytest.mark.slow)
        for path in PATHS
        if path != "keras"
    ],
)
def test_every_path_trains_as_keras_does(signature, path):
    _, ours = train(path, signature)
    stock = trained_by_keras(signature)
    for one, other in zip(ours.epochs, stock.epochs, strict=True):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=2e-3), name
    assert ours.parameters == stock.parameters


@every
def test_the_score_is_that_of_the_outputs(signature):
    trainer, found = train("xla-scan", signature, epochs=8)
    validation = data_of(signature).validation
    outputs = trainer.predict(validation)
    steps = (signature.steps,) if signature.steps else ()
    assert outputs.shape == (len(validation.x), *steps, signature.outputs)
    if signature.classes == 0:
        metric, predicted = "R²", outputs[..., 0]
    else:
        metric = "accuracy"
        predicted = outputs[..., 0] > 0.5 if signature.outputs == 1 else outputs.argmax(-1)
    mean = scored(predicted, validation.y, metric).mean()
    assert found.epochs[-1].val_accuracy == pytest.approx(mean, abs=1e-4)
    assert found.epochs[-1].val_loss < found.epochs[0].val_loss
    chance = {0: 0.0, 2: 0.5}.get(signature.classes, 1 / max(1, signature.classes))
    assert mean > chance + 0.1


@every
def test_stock_models_and_counts_agree(signature):
    hp = hyperparameters()
    model = networks.build(hp, signature, path="xla-scan", seed=0)
    stock = networks.to_stock(model, hp, signature)
    x = split(signature, 5, 3).x
    np.testing.assert_allclose(
        stock.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4, atol=1e-6
    )
    counted = counts.parameters(hp, signature)
    assert counted == sum(int(np.prod(w.shape)) for w in stock.trainable_weights)


def test_the_bag_takes_the_mean_of_numbers_over_time():
    signature = SIGNATURES["numbers to a number"]
    hp = hyperparameters(cell=BAG, depth=1, units=1)
    model = networks.build(hp, signature, path="keras", seed=0)
    x = split(signature, 5, 3).x
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(
        model.predict(x, verbose=0), x.mean(axis=1) @ kernel + bias, rtol=1e-4, atol=1e-6
    )
    assert counts.parameters(hp, signature) == 4


def own_builder(hp, signature, *, width):
    """A network without recurrence, as a user may declare it."""
    return keras.Sequential(
        [
            keras.Input((hp.sequence_length, signature.features)),
            keras.layers.Flatten(),
            keras.layers.Dense(width, activation="tanh"),
            keras.layers.Dense(signature.outputs, activation="softmax"),
        ]
    )


def test_the_users_own_builder_gets_its_hyperparameters():
    signature = Signature(features=3, classes=4, builder=own_builder)
    values = {**hyperparameters().to_mapping(), "width": 7}
    hp = Hyperparameters.from_mapping(values, {"width"})
    assert hp.to_mapping() == values
    trainer = Trainer(device="cpu")
    found = trainer.train(
        hp,
        data_of(signature),
        TrainOptions(seed=1, epochs=6),
        Callbacks(),
    )
    assert found.path == "keras"
    assert found.parameters == (6 * 3 + 1) * 7 + (7 + 1) * 4
    assert found.epochs[-1].val_accuracy > 0.4
    x = data_of(signature).validation
    # Two programs may round the last digit of a float32 differently.
    stock = trainer.stock_model().predict(x.x, verbose=0)
    np.testing.assert_allclose(stock, trainer.predict(x), rtol=1e-5, atol=1e-6)

"""Forecasts train on the fast path with the numbers of stock Keras, from windows cut on the fly."""

import os
from dataclasses import replace

import numpy as np
import pytest
from training_testing import numbers, train

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

from harness.datasets.base.signature import Signature
from harness.datasets.base.windows import Windows
from harness.spec.hyperparameters import Hyperparameters
from harness.training.epochs import epoch_order
from harness.training.trainer import Data, Trainer

LENGTH, HORIZON, TARGETS, FEATURES = 8, 3, 2, 4


def _split(rows: int, seed: int) -> Windows:
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(rows, FEATURES)).cumsum(axis=0).astype(np.float32) / 5
    origins = np.arange(LENGTH - 1, rows - HORIZON, dtype=np.int32)
    origins = np.delete(origins, [3, 4, 9])  # times that no window ends at
    deviations = np.array([2.0, 30.0])
    return Windows(
        series=series,
        targets=series[:, :TARGETS],
        unit=series[:, :TARGETS] * deviations + 5,
        origins=origins,
        moments=np.arange(len(origins)),
        members=np.zeros(len(origins), np.int64),
        lookback=LENGTH,
        horizon=HORIZON,
        means=np.full(TARGETS, 5.0),
        deviations=deviations,
    )


@pytest.fixture(scope="module")
def data() -> Data:
    signature = Signature(classes=0, features=FEATURES, numbers=HORIZON * TARGETS, horizon=HORIZON)
    return Data(train=_split(120, 0), validation=_split(50, 1), signature=signature)


def _hp(**changes) -> Hyperparameters:
    plain = {"cell": "lstm", "depth": 2, "units": 4, "sequence_length": LENGTH, "batch_size": 16}
    return Hyperparameters(**plain | changes)


def _mae(y, outputs):
    """In the unit: each target's error times its deviation."""
    errors = np.abs(y - outputs).reshape(-1, HORIZON, TARGETS) * np.array([2.0, 30.0])
    return errors.mean()


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_epochs_equal_stock_fit(cell: str, data: Data) -> None:
    trainer = Trainer()
    ours = train(trainer, _hp(cell=cell), data, seed=9)
    assert ours.path != "keras"
    keras.utils.set_random_seed(9)
    layer = {"rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
    stock = keras.Sequential(
        [
            keras.Input((LENGTH, FEATURES)),
            layer[cell](4, return_sequences=True),
            layer[cell](4),
            keras.layers.Dense(HORIZON * TARGETS),
        ]
    )
    stock.compile("adam", "mse")
    x, y = data.train.x, data.train.y
    assert x.shape == (len(data.train), LENGTH, FEATURES)
    for epoch in ours.epochs:
        order = epoch_order(9, epoch.epoch, len(x))
        loss = stock.fit(x[order], y[order], 16, shuffle=False, verbose=0).history["loss"][0]
        val = data.validation
        assert epoch.loss == pytest.approx(loss, abs=1e-5)
        assert epoch.val_loss == pytest.approx(stock.evaluate(val.x, val.y, verbose=0), abs=1e-5)
        expected = _mae(val.y, stock.predict(val.x, verbose=0))
        assert epoch.val_accuracy == pytest.approx(expected, rel=1e-4)
    for got, expected in zip(trainer.weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-4)


def test_the_reference_path_trains_the_same(data: Data) -> None:
    fast = train(Trainer(), _hp(), data, seed=3)
    stock = train(Trainer(path="keras"), _hp(), data, seed=3)
    assert stock.path == "keras"
    for one, other in zip(numbers(fast), numbers(stock), strict=True):
        assert one == pytest.approx(other, rel=1e-4)


def test_one_number_ahead(data: Data) -> None:
    signature = Signature(classes=0, features=FEATURES, numbers=1, horizon=1)

    def one(split: Windows) -> Windows:
        parts = {"targets": split.targets[:, :1], "unit": split.unit[:, :1], "horizon": 1}
        return replace(split, **parts, means=split.means[:1], deviations=split.deviations[:1])

    single = Data(train=one(data.train), validation=one(data.validation), signature=signature)
    fast = train(Trainer(), _hp(), single, seed=3)
    stock = train(Trainer(path="keras"), _hp(), single, seed=3)
    for a, b in zip(numbers(fast), numbers(stock), strict=True):
        assert a == pytest.approx(b, rel=1e-4)


def test_outputs_are_those_of_the_stock_model_for_splits_of_any_size(data: Data) -> None:
    trainer = Trainer()
    train(trainer, _hp(), data, epochs=1)
    model = trainer.stock_model()
    for rows in (24, 51, 200):
        split = _split(rows, rows)
        outputs = trainer.predict(split)
        np.testing.assert_allclose(outputs, model.predict(split.x, verbose=0), atol=1e-5)
        _, error = trainer.evaluate(split)
        np.testing.assert_allclose(error, _mae(split.y, outputs), rtol=1e-4)
        forecasts = split.forecasts(outputs)
        np.testing.assert_allclose(np.abs(forecasts - split.truth()).mean(), error, rtol=1e-4)


def test_another_scale_with_the_same_program(data: Data) -> None:
    """Folds have deviations of their own, and share programs."""
    trainer = Trainer()
    before = train(trainer, _hp(), data, seed=2)
    splits = {n: replace(getattr(data, n), deviations=np.ones(2)) for n in ("train", "validation")}
    after = train(trainer, _hp(), replace(data, **splits), seed=2)
    assert after.epochs[0].compile_s == 0.0
    assert [e.val_loss for e in after.epochs] == [e.val_loss for e in before.epochs]
    assert after.epochs[0].val_accuracy < before.epochs[0].val_accuracy

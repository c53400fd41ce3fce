"""Trainings give stock Keras's numbers, whatever was trained before, and report what they do."""

import os
import subprocess
import sys

import numpy as np
import pytest
from training_testing import SMALL, numbers, toy_data, train

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

from harness.core.errors import UserError
from harness.spec.hyperparameters import Hyperparameters
from harness.training import compiled_epochs
from harness.training.epochs import epoch_order
from harness.training.trainer import Callbacks, Trainer, TrainOptions


@pytest.fixture(scope="module")
def trainer():
    return Trainer()


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_epochs_equal_stock_fit(cell, trainer):
    """The last batch is a partial one: 100 = 6 · 16 + 4."""
    hp = Hyperparameters(cell=cell, depth=2, **SMALL)
    data = toy_data()
    ours = train(trainer, hp, data, seed=9)

    keras.utils.set_random_seed(9)
    layer = {"rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
    stock = keras.Sequential(
        [
            keras.Input((8,), dtype="int32"),
            keras.layers.Embedding(40, 5),
            layer[cell](4, return_sequences=True),
            layer[cell](4),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    stock.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    for epoch in ours.epochs:
        order = epoch_order(9, epoch.epoch, 100)
        history = stock.fit(
            data.train.x[order],
            data.train.y[order],
            16,
            shuffle=False,
            validation_data=(data.validation.x, data.validation.y),
            verbose=0,
        ).history
        assert epoch.loss == pytest.approx(history["loss"][0], abs=1e-5)
        assert epoch.accuracy == pytest.approx(history["accuracy"][0], abs=1e-6)
        assert epoch.val_loss == pytest.approx(history["val_loss"][0], abs=1e-5)
        assert epoch.val_accuracy == pytest.approx(history["val_accuracy"][0], abs=1e-6)
    for got, expected in zip(trainer.weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-4)


def test_a_reused_program_trains_as_a_fresh_one(trainer):
    hp = Hyperparameters(cell="gru", dropout=0.3, **SMALL)
    data = toy_data()
    expected = train(Trainer(), hp, data, seed=1)
    # The same trainer trains other seeds, rates and shapes before.
    other = Hyperparameters(cell="gru", dropout=0.1, learning_rate=0.03, **SMALL)
    train(trainer, other, data, seed=2)
    train(trainer, Hyperparameters(cell="rnn", depth=1, **SMALL), data, seed=3)
    reused = train(trainer, hp, data, seed=1)
    assert reused.epochs[0].compile_s == 0.0
    assert expected.epochs[0].compile_s > 0.0
    assert numbers(reused) == numbers(expected)


def test_seed_and_rates_matter(trainer):
    data = toy_data()
    base = Hyperparameters(cell="gru", dropout=0.3, **SMALL)
    losses = {
        train(trainer, base, data, seed=1, epochs=1).epochs[0].loss,
        train(trainer, base, data, seed=2, epochs=1).epochs[0].loss,
        train(trainer, Hyperparameters(cell="gru", dropout=0.2, **SMALL), data, seed=1, epochs=1)
        .epochs[0]
        .loss,
        train(
            trainer,
            Hyperparameters(cell="gru", dropout=0.3, learning_rate=0.01, **SMALL),
            data,
            seed=1,
            epochs=1,
        )
        .epochs[0]
        .loss,
    }
    assert len(losses) == 4


def test_blocks_of_steps_do_not_change_the_numbers(trainer, monkeypatch):
    hp = Hyperparameters(cell="gru", dropout=0.3, **SMALL)
    data = toy_data()
    whole = train(trainer, hp, data)
    monkeypatch.setattr(compiled_epochs, "PROGRESS_S", 0.0)  # one step a block
    said = []
    blocks = trainer.train(
        hp,
        data,
        TrainOptions(seed=0, epochs=2),
        Callbacks(on_progress=lambda *progress: said.append(progress)),
    )
    assert numbers(blocks) == numbers(whole)
    assert all(steps == 7 and step < steps for _, step, steps, _ in said)


def test_a_training_stops_when_on_epoch_returns_false(trainer):
    hp = Hyperparameters(cell="gru", dropout=0.3, **SMALL)
    training = train(trainer, hp, toy_data(), epochs=5, on_epoch=lambda epoch: epoch.epoch < 2)
    assert [epoch.epoch for epoch in training.epochs] == [1, 2]


def test_several_classes_are_learnt():
    hp = Hyperparameters(cell="gru", depth=1, learning_rate=0.03, **SMALL)
    data = toy_data(train=400, classes=3)
    training = train(Trainer(), hp, data, epochs=6)
    assert training.epochs[-1].val_accuracy > 0.9


def test_evaluation_takes_splits_of_any_size(trainer):
    hp = Hyperparameters(cell="gru", dropout=0.3, **SMALL)
    data = toy_data()
    train(trainer, hp, data)
    stock = trainer.stock_model()
    stock.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    for examples in (5, 37, 90):  # fewer than, as many as, and more than the validation split
        split = toy_data(train=examples, seed=3).train
        expected = stock.evaluate(split.x, split.y, verbose=0)
        assert trainer.evaluate(split) == pytest.approx(tuple(expected), abs=1e-5)


def test_a_path_that_fails_says_so_and_the_next_is_used(monkeypatch):
    from harness.training import programs
    from harness.training.recurrent import layers

    monkeypatch.setattr(programs, "_known", {})  # a program that is found needs no layer
    monkeypatch.setattr(programs, "_cache", lambda: None)

    def broken(*args, **kwargs):
        raise RuntimeError("no such instruction")

    monkeypatch.setattr(layers, "scan", broken)
    said = []
    hp = Hyperparameters(cell="rnn", depth=1, **SMALL)
    training = train(Trainer(path="xla-kernel", notify=said.append), hp, toy_data(), epochs=1)
    assert training.path == "keras"
    assert len(said) == 2
    assert "xla-kernel" in said[0]
    assert "no such instruction" in said[0]
    assert "path keras" in said[1]


def test_the_reference_path_trains_the_same(trainer):
    hp = Hyperparameters(cell="rnn", depth=1, **SMALL)
    data = toy_data()
    fast = train(trainer, hp, data)
    reference = train(Trainer(path="keras"), hp, data)
    assert (fast.path, reference.path) == ("xla-kernel", "keras")
    for ours, theirs in zip(numbers(fast), numbers(reference), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)


def test_few_programs_are_kept(monkeypatch):
    monkeypatch.setattr("harness.training.trainer.KEPT_PROGRAMS", 1)
    trainer = Trainer()
    data = toy_data()
    one = Hyperparameters(cell="rnn", depth=1, **SMALL)
    first = train(trainer, one, data, epochs=1)
    train(trainer, Hyperparameters(cell="rnn", depth=2, **SMALL), data, epochs=1)
    again = train(trainer, one, data, epochs=1)
    assert again.epochs[0].compile_s > 0.0  # was dropped
    assert numbers(again) == numbers(first)


def test_wrong_paths_and_devices_are_refused_by_name():
    with pytest.raises(UserError, match=r"path: 'quick'.*xla-scan"):
        Trainer(path="quick")
    with pytest.raises(UserError, match=r"device: 'tpu'"):
        Trainer(device="tpu")


def test_nothing_trained_has_no_weights():
    with pytest.raises(RuntimeError, match="nothing was trained"):
        Trainer().weights()


OPTIONS = {
    "optimizer": "adamw", "weight_decay": 0.001, "schedule": "warmup_cosine", "clip_norm": 1.0,
    "mask": True, "pooling": "attention", "layer_norm": "output", "label_smoothing": 0.05,
    "class_weight": "balanced", "learning_rate": 0.05,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"learning_rate": 0.03}, OPTIONS], ids=["plain", "options"])
@pytest.mark.parametrize(("backend", "path"), [("jax", "xla-kernel"), ("torch", "keras")])
def test_other_backends_train_as_stock_fit_does(backend, path, options):
    pytest.importorskip(backend)
    code = f"""
import sys
sys.path.insert(0, "tests")
from training_testing import SMALL, numbers, toy_data, train
from harness.spec.hyperparameters import Hyperparameters
from harness.training.epochs import epoch_order
from harness.training.trainer import Trainer
hp = Hyperparameters(cell="gru", depth=1, **{options}, **SMALL)
trainer = Trainer(notify=sys.exit)
first = train(trainer, hp, toy_data(train=1600), seed=1, epochs=6)
train(trainer, hp, toy_data(train=1600), seed=2, epochs=1)
again = train(trainer, hp, toy_data(train=1600), seed=1, epochs=6)
assert first.path == "{path}" and numbers(first) == numbers(again)
if first.path != "keras":
    stock = train(
        Trainer(path="keras"), hp, toy_data(train=1600), seed=1, epochs=6,
        on_epoch=lambda epoch: False,  # later on rounding has grown too far, at this rate
    )
    for one, other in zip(numbers(first), numbers(stock)):
        assert all(abs(a - b) < 1e-3 * max(1, abs(b)) for a, b in zip(one, other)), (one, other)
print(first.epochs[-1].val_accuracy)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) > 0.9


@pytest.mark.parametrize("path", ["xla-scan", "keras"])
@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_the_stock_model(path, classes):
    """For a split larger than the validation split, whose last batch is partial."""
    trainer = Trainer(path=path)
    data = toy_data(classes=classes)
    train(trainer, Hyperparameters(cell="gru", depth=1, **SMALL), data)
    found = trainer.predict(data.train)
    expected = trainer.stock_model().predict(data.train.x, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    said = (found[:, 0] > 0.5) if classes == 2 else found.argmax(axis=1)
    assert np.mean(said == data.train.y) == pytest.approx(trainer.evaluate(data.train)[1])


@pytest.mark.parametrize("mask", [False, True])
def test_the_bag_of_embeddings_equals_stock_fit(trainer, mask):
    hp = Hyperparameters(cell="bag", depth=1, mask=mask, **SMALL)
    data = toy_data()
    ours = numbers(train(trainer, hp, data, seed=4))
    stock = numbers(train(Trainer(path="keras"), hp, data, seed=4))
    np.testing.assert_allclose(ours, stock, rtol=1e-4)
    names = [type(layer).__name__ for layer in trainer.stock_model().layers]
    if not mask:
        assert names == ["Embedding", "GlobalAveragePooling1D", "Dense"]

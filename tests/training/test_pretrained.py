"""Embeddings that start from vectors, on the compiled path and in stock Keras."""

from dataclasses import replace

import numpy as np
import pytest
from training_testing import SMALL, numbers, toy_data, train

from harness.datasets.base.vectors import Vectors
from harness.spec.hyperparameters import Hyperparameters
from harness.training.trainer import Callbacks, Trainer, TrainOptions

IDS = np.array([4, 7, 39])
VECTORS = Vectors(IDS, np.arange(15, dtype=np.float32).reshape(3, 5) / 10)
HP = Hyperparameters(**SMALL, cell="gru", depth=1, learning_rate=0.01)


def test_words_start_from_their_vectors_on_each_path_and_are_trained():
    data, found = replace(toy_data(), vectors=VECTORS), []
    for path in ("xla-scan", "keras"):
        trainer, started = Trainer(path=path), []
        options = TrainOptions(seed=3, epochs=2)
        keep = Callbacks(on_start=lambda *_, s=started, t=trainer: s.append(t.weights()))
        of_vectors = trainer.train(HP, data, options, keep)
        trained = trainer.weights()[0]
        of_seed = trainer.train(HP, toy_data(), options, keep)
        again = trainer.train(HP, data, options, keep)
        with_vectors, without, _ = started
        np.testing.assert_array_equal(with_vectors[0][IDS], VECTORS.values)
        others = np.setdiff1d(np.arange(40), IDS)
        np.testing.assert_array_equal(with_vectors[0][others], without[0][others])
        for one, other in zip(with_vectors[1:], without[1:], strict=True):
            np.testing.assert_array_equal(one, other)
        assert (trained[IDS] != VECTORS.values).any()
        assert numbers(of_seed) != numbers(of_vectors) == numbers(again)
        found.append(numbers(of_vectors))
    np.testing.assert_allclose(*found, rtol=2e-4)


def test_a_program_is_shared_with_trainings_without_vectors():
    trainer = Trainer()
    train(trainer, HP, toy_data())
    hp = replace(HP, pretrained="v.txt")
    again = train(trainer, hp, replace(toy_data(), vectors=VECTORS))
    assert again.epochs[0].compile_s == 0.0
    assert pytest.approx(VECTORS.values, abs=0.5) == trainer.stock_model().get_weights()[0][IDS]

"""The next character is learnt, and scored in bits on every path."""

import math
from pathlib import Path

import numpy as np
import pytest

from harness import CharacterFiles, Hyperparameters
from harness.core.metrics import bits
from harness.training.trainer import Callbacks, Data, Trainer, TrainOptions, load

TEXT = "the cat sat on the mat. a dog ran to the cat, and the mat was flat. " * 60


@pytest.mark.parametrize("path", ["xla-scan", "keras"])
def test_scores_are_bits_and_fall_far_below_equal_odds(path: str, tmp_path: Path) -> None:
    file = tmp_path / "book.txt"
    file.write_text(TEXT)
    dataset = CharacterFiles.of(file, predicted=8, train=320, validation=32, test=40)
    hp = Hyperparameters(
        cell="gru", depth=1, units=32, embedding_dim=8, vocabulary=30, sequence_length=12,
        batch_size=32, learning_rate=0.02,
    )  # fmt: skip
    trainer = Trainer(path=path)
    options = TrainOptions(seed=0, epochs=12)
    training = trainer.train(hp, Data.of(dataset, hp), options, Callbacks())
    for epoch in training.epochs:
        assert epoch.val_accuracy == pytest.approx(epoch.val_loss / math.log(2), rel=1e-5)
        assert epoch.accuracy == pytest.approx(epoch.loss / math.log(2), rel=1e-5)
    assert training.epochs[-1].val_accuracy < 0.3 * math.log2(dataset.classes)
    split = load(dataset, "test", hp)
    _, measured = trainer.evaluate(split)
    scores = bits(trainer.predict(split), np.asarray(split.y))
    assert scores.shape == (40,)
    assert scores.mean() == pytest.approx(measured, rel=1e-4)

"""A class for each step where some steps are padding: it counts nowhere, on any path."""

from dataclasses import replace

import numpy as np
import pytest
from training_testing import SMALL, numbers, toy_data, train

from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training.trainer import Data, Trainer

WEIGHTED = {"label_smoothing": 0.2, "class_weight": "balanced"}


def ragged(classes: int, filling: int = 0, more: int = 0) -> Data:
    """Sentences of 1 to 8 tokens, padded in front; a token's class is that of its neighbour."""
    plain, random = toy_data(), np.random.default_rng(3)

    def split(each):
        x = each.x.copy()
        y = (np.roll(x, 1, axis=1) % classes).astype(np.int32)
        before = np.arange(8) < random.integers(0, 8, (len(x), 1))
        x[before], y[before] = filling, -1
        x = np.pad(x, ((0, 0), (more, 0)), constant_values=filling)
        return Arrays(x, np.pad(y, ((0, 0), (more, 0)), constant_values=-1))

    signature = Signature(classes=classes, steps=8 + more, ragged=True)
    return Data(train=split(plain.train), validation=split(plain.validation), signature=signature)


@pytest.mark.parametrize(
    ("classes", "options"),
    [(2, {"mask": True, "bidirectional": True}), (3, {"mask": True, **WEIGHTED})],
    ids=["both directions", "weighted"],
)
def test_the_compiled_path_gives_what_stock_keras_gives(classes, options):
    hp = Hyperparameters(**{**SMALL, "cell": "gru", "depth": 1, "learning_rate": 0.01, **options})
    data = ragged(classes)
    found, scores, outputs = [], [], []
    for path in ("xla-scan", "keras"):
        trainer = Trainer(path=path)
        found.append(train(trainer, hp, data, seed=4))
        scores.append(trainer.evaluate(data.validation))
        outputs.append(trainer.predict(data.validation))
    assert [each.path for each in found] == ["xla-scan", "keras"]
    np.testing.assert_allclose(numbers(found[0]), numbers(found[1]), rtol=2e-4)
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4)
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-4)


def test_loss_and_accuracy_are_means_over_real_steps_however_much_padding():
    hp = Hyperparameters(**SMALL, cell="gru", depth=1, mask=True)
    data = ragged(3)
    trainer = Trainer()
    training = train(trainer, hp, data, seed=4)
    outputs, y = trainer.predict(data.validation), data.validation.y
    real = y >= 0
    likely = np.take_along_axis(outputs, np.maximum(y, 0)[..., None], axis=-1)[..., 0]
    assert training.epochs[-1].val_loss == pytest.approx(-np.log(likely[real]).mean(), rel=1e-4)
    right = (outputs.argmax(axis=-1) == y)[real].mean()
    assert training.epochs[-1].val_accuracy == pytest.approx(right, rel=1e-5)
    short = numbers(training)
    longer = numbers(train(Trainer(), replace(hp, sequence_length=13), ragged(3, more=5), seed=4))
    np.testing.assert_allclose(short, longer, rtol=1e-4)

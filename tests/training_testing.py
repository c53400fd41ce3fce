"""A training small enough for tests."""

import numpy as np

from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.training.trainer import Callbacks, Data, TrainOptions

SMALL = {"units": 4, "embedding_dim": 5, "vocabulary": 40, "sequence_length": 8, "batch_size": 16}


def toy_data(train=100, validation=37, length=8, classes=2, seed=0, *, padded=False):
    """Reviews of random words; the last word decides the class, so it can be learnt.

    With `padded` they have different lengths, and zeros in front; the first is padding alone.
    """
    random = np.random.default_rng(seed)

    def split(examples):
        x = random.integers(3, 40, (examples, length), dtype=np.int32)
        y = (x[:, -1] % classes).astype(np.int32)
        if padded:
            x[np.arange(length) < random.integers(0, length, (examples, 1))] = 0
            x[0] = 0
        return Arrays(x, y)

    return Data(
        train=split(train), validation=split(validation), signature=Signature(classes=classes)
    )


def train(trainer, hp, data, *, seed=0, epochs=2, on_epoch=lambda epoch: True):
    return trainer.train(
        hp,
        data,
        TrainOptions(seed=seed, epochs=epochs),
        Callbacks(on_epoch=on_epoch),
    )


def numbers(training):
    """The results of a training, without its times."""
    return [(e.epoch, e.loss, e.accuracy, e.val_loss, e.val_accuracy) for e in training.epochs]

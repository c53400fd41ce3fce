"""Trainings of several networks on the backend of this process, for comparison with another one.

    KERAS_BACKEND=jax python tests/backend_testing.py FILE.npz

One process has one backend, so tests start this one twice. Weights are drawn by NumPy: both
backends start from the same ones.
"""

import sys

import numpy as np
from training_testing import SMALL, numbers, toy_data

from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training.engines import build_program
from harness.training.losses import class_weights
from harness.training.trainer import Callbacks, Data, Trainer, TrainOptions
from harness.workers.timing import random_split

NONE = 1e-9  # a rate of dropout that drops nothing: backends draw different random numbers

# All options together in a few networks: path, classes (0: a forecast), hyperparameters.
# On TensorFlow, Keras's Adam and RMSprop square the gradient of an embedding for each occurrence of
# a word, and so differ from its other backends. Where Keras clips gradients it adds them up first.
NETWORKS = [
    ("xla-scan", 2, {
        "cell": "lstm", "depth": 2, "units": (4, 6), "bidirectional": True, "residual": True,
        "layer_norm": "output", "mask": True, "pooling": "attention", "optimizer": "adamw",
        "weight_decay": 0.05, "clip_norm": 0.3, "schedule": "cosine", "label_smoothing": 0.1,
        "class_weight": "balanced", "recurrent_dropout": NONE, "kernel_initializer": "he_normal",
    }),
    ("xla-scan", 3, {
        "cell": "gru", "depth": 3, "units_shape": "pyramid", "dropout": NONE, "mask": True,
        "embedding_dropout": NONE, "recurrent_dropout": NONE, "activation": "elu",
        "pooling": "mean", "optimizer": "sgd", "momentum": 0.9, "schedule": "warmup_cosine",
        "label_smoothing": 0.1, "class_weight": "balanced",
    }),
    ("xla-kernel", 2, {
        "cell": "rnn", "depth": 2, "residual": True, "recurrent_dropout": NONE, "mask": True,
        "bidirectional": True, "optimizer": "rmsprop", "momentum": 0.9, "schedule": "plateau",
        "clip_norm": 100.0, "pooling": "max", "activation": "softsign",
    }),
    ("xla-kernel", 0, {"cell": "gru", "depth": 2, "batch_size": 32}),
    ("xla-scan", 3, {"cell": "lstm", "depth": 1, "stateful": True, "clip_norm": 100.0}),
]  # fmt: skip


def outputs_and_gradients(program, data):
    """Of the first batch, without dropout that matters: outputs, then the gradient of each weight.

    The loss is that of a training, so smoothed labels and weighted classes are in it.
    """
    import keras

    x, y = data.train.examples(np.arange(16))
    weights = np.ones(16, np.float32)
    variables = program.model.trainable_variables
    if keras.backend.backend() == "jax":
        import jax

        def loss_of(values):
            with keras.StatelessScope(list(zip(variables, values, strict=True))):
                return program._forward(x, y, weights, training=True)

        (_, outputs), gradients = jax.jit(jax.value_and_grad(loss_of, has_aux=True))(
            [v.value for v in variables]
        )
    else:
        import tensorflow as tf

        @tf.function(jit_compile=True, autograph=False)
        def run():
            with tf.GradientTape() as tape:
                loss, outputs = program._forward(*map(tf.constant, (x, y, weights)), training=True)
            return outputs, tape.gradient(loss, [v.value for v in variables])

        outputs, gradients = run()
    dense = [keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(g)) for g in gradients]
    return [np.asarray(outputs), *dense]


def data_of(hp, classes):
    """Padded reviews of random words, one class rarer than the others; or windows of a series."""
    if classes == 0:
        signature = Signature(classes=0, features=2, numbers=4, horizon=2)
        train, validation = (random_split(hp, signature, rows) for rows in (100, 37))
        return Data(train=train, validation=validation, signature=signature)
    if hp.stateful:  # a class for each step, and no partial batch
        data = toy_data(train=96, validation=32, classes=classes)
        splits = (Arrays(s.x, s.x % classes) for s in (data.train, data.validation))
        signature = Signature(classes=classes, steps=hp.sequence_length)
        return Data(train=next(splits), validation=next(splits), signature=signature)
    data = toy_data(classes=classes, padded=True)
    data.train.y[np.flatnonzero(data.train.y == 1)[5:]] = 0
    return data


def initial_weights(model):
    random = np.random.default_rng(7)
    return [
        random.normal(0.0, min(0.4, 0.9 / w.shape[0] ** 0.5), w.shape).astype(np.float32)
        for w in model.get_weights()
    ]


def refuse(line):
    raise RuntimeError(line)


def main(file):
    found = {}
    for number, (path, classes, options) in enumerate(NETWORKS):
        hp = Hyperparameters(**{**SMALL, "learning_rate": 0.003, **options})
        data = data_of(hp, classes)
        program = build_program(hp, data.signature, path)
        weights = initial_weights(program.model)
        program.model.set_weights(weights)
        if hp.class_weight != "none":
            program._class_weights.assign(class_weights(data.signature, data.train.y))
        for place, array in enumerate(outputs_and_gradients(program, data)):
            found[f"{number} gradient {place:02d}"] = array
        trainer = Trainer(path=path, notify=refuse)
        begin = TrainOptions(seed=3, epochs=3, initial=weights)
        training = trainer.train(hp, data, begin, Callbacks())
        assert training.path == path
        found[f"{number} epochs"] = np.array(numbers(training))
        for place, array in enumerate(trainer.weights()):
            found[f"{number} weight {place:02d}"] = array
    np.savez(file, **found)


if __name__ == "__main__":
    main(sys.argv[1])

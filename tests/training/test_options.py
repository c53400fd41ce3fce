"""Each option of a network and its training gives, on the fast paths, what stock Keras gives."""

import os
import subprocess
import sys

import numpy as np
import pytest
from pairwise import pairwise
from parity_testing import assert_parity
from training_testing import SMALL, numbers, toy_data, train

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import OPTIONS, Hyperparameters
from harness.spec.training_options import INITIALIZERS, POOLINGS
from harness.training import networks
from harness.training.epochs import epoch_order
from harness.training.recurrent import set_xla_flags
from harness.training.trainer import Data, Trainer

set_xla_flags()

NONE = 1e-9  # a rate of dropout that drops nothing: paths draw different random numbers

# Initializers only change the first weights; they have a test of their own.
GRID = pairwise(
    {
        "path": ["xla-scan", "xla-kernel"],
        "cell": ["lstm", "gru", "rnn"],
        "depth": [3, 2],
        "bidirectional": [False, True],
        "units": [4, (3, 5, 4)],
        "classes": [2, 3],
        "optimizer": ["adam", "adamw", "rmsprop", "sgd"],
        "momentum": [0.0, 0.9],
        "weight_decay": [None, 0.05],
        "clip_norm": [None, 0.3],
        "schedule": ["constant", "cosine", "warmup_cosine", "plateau"],
        "pooling": ["last", "mean", "max", "attention"],
        "dropout": [0.0, NONE],
        "embedding_dropout": [0.0, NONE],
        "residual": [False, True],
        "layer_norm": ["none", "output"],
        "recurrent_dropout": [0.0, NONE],
        "mask": [False, True],
        "label_smoothing": [0.0, 0.1],
        "class_weight": ["none", "balanced"],
        "units_shape": ["equal", "pyramid"],
        "activation": ["tanh", "relu", "elu"],
    }
)


def configuration(row):
    """Path, classes and hyperparameters of a row; what does not go together is left out."""
    values = dict(row)
    path, classes = values.pop("path"), values.pop("classes")
    if values["optimizer"] not in ("rmsprop", "sgd"):
        del values["momentum"]
    if not isinstance(values["units"], int):
        values["units"] = values["units"][: values["depth"]]
        del values["units_shape"]
    return path, classes, Hyperparameters(**{**SMALL, "learning_rate": 0.003, **values})


def named(row):
    return "-".join(str(value) for value in row.values()).replace(" ", "")


def test_the_grid_has_every_option():
    # In test_decoding.py, test_stateful.py, test_pretrained.py and test_precision.py.
    elsewhere = {"decoder_depth", "stateful", "pretrained", "precision"}
    initial = {"kernel_initializer", "recurrent_initializer"}
    assert set(OPTIONS) - set(GRID[0]) == initial | elsewhere


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=[] if number % 6 == 0 else [pytest.mark.slow])
        for number, row in enumerate(GRID)
    ],
    ids=named,
)
def test_outputs_gradients_and_epochs_equal_stock_keras(row):
    path, classes, hp = configuration(row)
    assert_parity(hp, path, batch=5, classes=classes)

    data = toy_data(classes=classes, padded=True)
    fast, stock = Trainer(path=path, notify=pytest.fail), Trainer(path="keras")
    ours = train(fast, hp, data, seed=3, epochs=3)
    theirs = train(stock, hp, data, seed=3, epochs=3)
    assert (ours.path, theirs.path) == (path, "keras")
    assert ours.parameters == theirs.parameters
    np.testing.assert_allclose(numbers(ours), numbers(theirs), rtol=2e-4, atol=2e-5)
    for one, other in zip(fast.weights(), stock.weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=5e-4)


def hand_written(hp, data, layers, *, optimizer, epochs=2, seed=5, **fitting):
    """The losses of an ordinary Keras model, trained as `train` does; its weights too."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((8,), dtype="int32"), *layers()])
    model.compile(optimizer(), fitting.pop("loss", "binary_crossentropy"), metrics=["accuracy"])
    callbacks = fitting.pop("callbacks", list)()
    found = []
    for epoch in range(1, epochs + 1):
        order = epoch_order(seed, epoch, len(data.train.x))
        history = model.fit(
            data.train.x[order], data.train.y[order], hp.batch_size, shuffle=False, verbose=0,
            validation_data=(data.validation.x, data.validation.y), callbacks=callbacks,
            epochs=epoch, initial_epoch=epoch - 1, **fitting,
        ).history  # fmt: skip
        found.append([history[n][0] for n in ("loss", "accuracy", "val_loss", "val_accuracy")])
    return found, model.get_weights()


def assert_as_hand_written(hp, layers, *, classes=2, data=None, epochs=2, **fitting):
    data = data or toy_data(classes=classes, padded=True)
    trainer = Trainer(notify=pytest.fail)
    ours = train(trainer, hp, data, seed=5, epochs=epochs)
    assert ours.path != "keras"
    found, weights = hand_written(hp, data, layers, epochs=epochs, **fitting)
    np.testing.assert_allclose([n[1:] for n in numbers(ours)], found, rtol=1e-4, atol=1e-5)
    for one, other in zip(trainer.weights(), weights, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)


def plain_layers():
    return [
        keras.layers.Embedding(40, 5),
        keras.layers.GRU(4),
        keras.layers.Dense(1, activation="sigmoid"),
    ]


GRU = {"cell": "gru", "depth": 1, "learning_rate": 0.01, **SMALL}
STEPS = 2 * 7  # two epochs of 100 examples in batches of 16


@pytest.mark.parametrize(
    ("options", "optimizer"),
    [
        ({"optimizer": "adamw"}, lambda: keras.optimizers.AdamW(0.01)),
        (
            {"optimizer": "adamw", "weight_decay": 0.1},
            lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
        ),
        (
            {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.1},
            lambda: keras.optimizers.SGD(0.01, momentum=0.9, weight_decay=0.1),
        ),
        (
            {"optimizer": "rmsprop", "momentum": 0.5},
            lambda: keras.optimizers.RMSprop(0.01, momentum=0.5),
        ),
        ({"clip_norm": 0.05}, lambda: keras.optimizers.Adam(0.01, global_clipnorm=0.05)),
        (
            {"schedule": "cosine"},
            lambda: keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, STEPS)),
        ),
        (
            {"schedule": "warmup_cosine", "optimizer": "sgd"},
            lambda: keras.optimizers.SGD(
                keras.optimizers.schedules.CosineDecay(
                    0.0, STEPS - 1, warmup_target=0.01, warmup_steps=1
                )
            ),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "keras",
)
def test_optimizers_and_schedules_are_those_of_keras(options, optimizer):
    hp = Hyperparameters(**GRU, **options)
    assert_as_hand_written(hp, plain_layers, optimizer=optimizer)


def test_a_plateau_lowers_the_rate_as_keras_callback_does():
    hp = Hyperparameters(**{**GRU, "learning_rate": 0.5}, optimizer="sgd", schedule="plateau")
    random = np.random.default_rng(0)  # labels by chance: validation does not improve for long
    noise = [
        Arrays(random.integers(3, 40, (n, 8), dtype=np.int32), random.integers(0, 2, n))
        for n in (48, 40)
    ]
    reduced = keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=1, min_delta=1e-4)
    reduced.on_train_begin = lambda logs=None: None  # `hand_written` calls `fit` for each epoch
    reduced._reset()
    rates = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append(float(logs["learning_rate"]))
    )
    assert_as_hand_written(
        hp, plain_layers, data=Data(train=noise[0], validation=noise[1]), epochs=5,
        optimizer=lambda: keras.optimizers.SGD(0.5), callbacks=lambda: [reduced, watch],
    )  # fmt: skip
    assert min(rates) < 0.1  # else this would test nothing


def test_a_mask_is_that_of_a_masked_embedding():
    hp = Hyperparameters(**{**GRU, "cell": "lstm", "depth": 2}, mask=True, pooling="mean")
    data = toy_data(padded=True)
    for split in (data.train, data.validation):
        split.x[0] = 7  # Keras's mean of padding alone is not a number

    def layers():
        return [
            keras.layers.Embedding(40, 5, mask_zero=True),
            keras.layers.LSTM(4, return_sequences=True),
            keras.layers.LSTM(4, return_sequences=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]

    assert_as_hand_written(hp, layers, data=data, optimizer=lambda: keras.optimizers.Adam(0.01))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_masked_last_states_are_those_of_keras(bidirectional):
    hp = Hyperparameters(**GRU, mask=True, bidirectional=bidirectional)
    wrap = keras.layers.Bidirectional if bidirectional else (lambda layer: layer)

    def layers():
        return [
            keras.layers.Embedding(40, 5, mask_zero=True),
            wrap(keras.layers.GRU(4)),
            keras.layers.Dense(1, activation="sigmoid"),
        ]

    assert_as_hand_written(hp, layers, optimizer=lambda: keras.optimizers.Adam(0.01))


def test_balanced_classes_are_the_class_weights_of_fit():
    hp = Hyperparameters(**GRU, class_weight="balanced")
    data = toy_data()
    rare = np.flatnonzero(data.train.y == 1)[8:]
    data.train.y[rare] = 0
    assert_as_hand_written(
        hp, plain_layers, data=data, optimizer=lambda: keras.optimizers.Adam(0.01),
        class_weight={0: 100 / (2 * 92), 1: 100 / (2 * 8)},
    )  # fmt: skip


@pytest.mark.parametrize("path", ["xla-scan", "keras"])
def test_class_weights_follow_the_data_where_a_program_is_used_again(path):
    hp = Hyperparameters(**GRU, class_weight="balanced")
    one, two = toy_data(seed=1), toy_data(seed=1)
    two.train.y[20:] = 0
    trainer = Trainer(path=path)
    train(trainer, hp, one)
    again = train(trainer, hp, two)
    assert again.epochs[0].compile_s == 0.0
    assert numbers(again) == numbers(train(Trainer(path=path), hp, two))


@pytest.mark.parametrize("classes", [2, 3])
def test_smoothed_labels_are_those_of_keras_and_validation_has_none(classes):
    hp = Hyperparameters(**GRU, label_smoothing=0.2)
    data = toy_data(classes=classes)
    trainer = Trainer()
    ours = train(trainer, hp, data, seed=5)
    kind = keras.losses.CategoricalCrossentropy if classes > 2 else keras.losses.BinaryCrossentropy
    wanted = {name: getattr(data, name) for name in ("train", "validation")}
    if classes > 2:
        wanted = {n: Arrays(s.x, np.eye(classes)[s.y]) for n, s in wanted.items()}
    outputs, activation = (3, "softmax") if classes > 2 else (1, "sigmoid")

    def layers():
        return [
            keras.layers.Embedding(40, 5),
            keras.layers.GRU(4),
            keras.layers.Dense(outputs, activation=activation),
        ]

    found, weights = hand_written(
        hp, Data(**wanted), layers, optimizer=lambda: keras.optimizers.Adam(0.01),
        loss=kind(label_smoothing=0.2),
    )  # fmt: skip
    np.testing.assert_allclose([e.loss for e in ours.epochs], [f[0] for f in found], rtol=1e-4)
    for one, other in zip(trainer.weights(), weights, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    model = trainer.stock_model()
    plain = "sparse_categorical_crossentropy" if classes > 2 else "binary_crossentropy"
    model.compile("adam", plain)
    expected = model.evaluate(data.validation.x, data.validation.y, verbose=0)
    assert ours.epochs[-1].val_loss == pytest.approx(expected, rel=1e-4)


def test_a_residual_stack_is_what_a_user_of_keras_would_write():
    hp = Hyperparameters(
        **{**GRU, "depth": 3, "units": (4, 4, 3)}, residual=True, layer_norm="output"
    )
    model = networks.build(hp, path="xla-scan", seed=2)
    keras.utils.set_random_seed(2)
    words = keras.Input((8,), dtype="int32")
    x = keras.layers.Embedding(40, 5)(words)
    x = keras.layers.LayerNormalization()(keras.layers.GRU(4, return_sequences=True)(x))
    y = keras.layers.LayerNormalization()(keras.layers.GRU(4, return_sequences=True)(x))
    x = keras.layers.Add()([x, y])
    last, projection = keras.layers.GRU(3), keras.layers.Dense(3, use_bias=False)
    y = keras.layers.LayerNormalization()(last(x))
    x = keras.layers.Add()([projection(keras.layers.Lambda(lambda t: t[:, -1])(x)), y])
    expected = keras.Model(words, keras.layers.Dense(1, activation="sigmoid")(x))
    shapes = [w.shape for w in model.get_weights()]
    assert sorted(shapes) == sorted(w.shape for w in expected.get_weights())
    assert any("projection_3" in weight.path for weight in model.weights)
    by_shape = sorted(zip(shapes, model.get_weights(), strict=True), key=lambda pair: pair[0])
    places = sorted(range(len(shapes)), key=lambda i: expected.get_weights()[i].shape)
    weights = [None] * len(shapes)
    for place, (_, weight) in zip(places, by_shape, strict=True):
        weights[place] = weight
    expected.set_weights(weights)
    tokens = toy_data().train.x
    np.testing.assert_allclose(
        model.predict(tokens, verbose=0), expected.predict(tokens, verbose=0), rtol=1e-4
    )


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    "options", [{}, {"depth": 2, "bidirectional": True, "residual": True}], ids=["one", "two"]
)
def test_with_a_mask_padding_changes_nothing_and_alone_is_finite(options, pooling):
    def built(length, mask):
        hp = Hyperparameters(
            **{**GRU, "sequence_length": length, **options}, pooling=pooling, mask=mask
        )
        return networks.build(hp, path="xla-scan", seed=1)

    tokens = np.random.default_rng(0).integers(3, 40, (4, 3), dtype=np.int32)
    long = np.concatenate([np.zeros((4, 5), np.int32), tokens], axis=1)
    padded, short = built(8, True), built(3, False)
    np.testing.assert_allclose(
        padded.predict(long, verbose=0), short.predict(tokens, verbose=0), rtol=1e-5
    )
    assert np.isfinite(padded.predict(np.zeros((1, 8), np.int32), verbose=0)).all()


@pytest.mark.parametrize("options", [{"mask": True}, {"mask": True, "pooling": "max"}])
def test_steps_of_zeros_are_padding_where_inputs_are_numbers(options):
    hp = Hyperparameters(**GRU, **options)
    model = networks.build(hp, Signature(features=2), path="xla-scan", seed=1)
    x = np.random.default_rng(0).normal(size=(2, 8, 2)).astype(np.float32)
    x[:, :3] = 0.0
    expected = keras.Sequential(
        [
            keras.Input((8, 2)),
            keras.layers.Masking(),
            keras.layers.GRU(4),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    expected.set_weights(model.get_weights())
    if "pooling" not in options:
        np.testing.assert_allclose(model.predict(x, verbose=0), expected.predict(x, verbose=0),
                                   rtol=1e-5)  # fmt: skip
    changed = x.copy()
    changed[:, :3] = 1.0
    assert (model.predict(changed, verbose=0) != model.predict(x, verbose=0)).all()


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_are_keras_own_by_name(name):
    hp = Hyperparameters(**GRU, kernel_initializer=name, recurrent_initializer=name)
    model = networks.build(hp, path="xla-scan", seed=6)
    keras.utils.set_random_seed(6)
    stock = keras.Sequential(
        [
            keras.Input((8,), dtype="int32"),
            keras.layers.Embedding(40, 5),
            keras.layers.GRU(4, kernel_initializer=name, recurrent_initializer=name),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    for ours, theirs in zip(model.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_programs_are_shared_for_rates_and_never_for_other_options():
    from harness.training.same_program import compiled_shape

    base = Hyperparameters(**GRU)
    other = {
        "optimizer": "sgd", "weight_decay": 0.1, "clip_norm": 1.0, "schedule": "cosine",
        "pooling": "mean", "embedding_dropout": 0.1, "residual": True, "layer_norm": "output",
        "recurrent_dropout": 0.1, "mask": True, "label_smoothing": 0.1,
        "class_weight": "balanced", "activation": "relu",
    }  # fmt: skip
    shapes = {
        compiled_shape(Hyperparameters(**GRU, **{n: v}), "xla-scan") for n, v in other.items()
    }
    assert len(shapes | {compiled_shape(base, "xla-scan")}) == len(other) + 1
    for rate in ("dropout", "embedding_dropout", "recurrent_dropout", "weight_decay"):
        one, two = (Hyperparameters(**GRU, **{rate: value}) for value in (0.1, 0.3))
        assert compiled_shape(one, "xla-scan") == compiled_shape(two, "xla-scan")
        assert compiled_shape(one, "keras") != compiled_shape(two, "keras")
    same = Hyperparameters(**GRU, schedule="plateau", kernel_initializer="he_normal")
    assert compiled_shape(same, "xla-scan") == compiled_shape(base, "xla-scan")


def test_rates_act_where_a_program_is_used_again():
    data = toy_data()
    for name in ("embedding_dropout", "recurrent_dropout", "weight_decay"):
        trainer = Trainer()
        low, high = (Hyperparameters(**GRU, **{name: rate}) for rate in (0.1, 0.5))
        first = train(trainer, low, data)
        second = train(trainer, high, data)
        assert second.epochs[0].compile_s == 0.0
        assert numbers(first) != numbers(second)
        assert numbers(train(trainer, low, data)) == numbers(first)


def test_an_exported_model_loads_without_this_package(tmp_path):
    hp = Hyperparameters(
        **{**GRU, "units": 6, "depth": 3}, bidirectional=True, units_shape="pyramid", residual=True,
        layer_norm="output", pooling="attention", mask=True, recurrent_dropout=0.2,
        embedding_dropout=0.1, dropout=0.1, activation="relu",
    )  # fmt: skip
    trainer, data = Trainer(), toy_data(padded=True)
    train(trainer, hp, data, epochs=1)
    trainer.stock_model().save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", data.validation.x)
    code = (
        "import sys, numpy, keras; sys.modules['harness'] = None\n"
        "model = keras.models.load_model('model.keras')\n"
        "numpy.save('y.npy', model.predict(numpy.load('x.npy'), verbose=0))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    found = np.load(tmp_path / "y.npy")
    np.testing.assert_allclose(found, trainer.predict(data.validation), rtol=1e-4, atol=1e-6)

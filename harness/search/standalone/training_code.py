"""`train.py` beside a model: its network and its training in stock Keras, on the same data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.datasets.base.dataset import Dataset
from harness.datasets.base.signature import Signature
from harness.datasets.files.decoding import UTF8
from harness.datasets.files.sequences import NumberFiles
from harness.datasets.files.texts import TextFiles
from harness.search.standalone import network_code, packaged_data
from harness.spec.hyperparameters import Hyperparameters

_OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}
_SEPARATED, _LINES = (".csv", ".tsv"), (".jsonl", ".ndjson")


def code(dataset: Dataset, hp: Hyperparameters, epochs: int, patience: int | None) -> str | None:
    """The script, which trains on a file of the user's, or on a packaged dataset.

    None for data that it doesn't read: tables of texts in Parquet, folders of texts, and datasets
    that `packaged_data` does not write.
    """
    if dataset.ragged:  # its loss leaves padding out, which takes more than a few lines
        return None
    imported = "encoded, read" if dataset.features else "encoded"
    packed = hp.pretrained is not None
    if isinstance(dataset, NumberFiles):
        beginning = [*_heading(imported, packed), *_numbers(dataset), *_SPLIT]
    elif isinstance(dataset, TextFiles):
        if _suffix(dataset) not in (*_SEPARATED, *_LINES):
            return None
        beginning = [*_heading(imported, packed), *_texts(dataset), *_SPLIT]
    elif packaged_data.file(dataset, hp) is not None:
        beginning = [
            *packaged_data.heading(dataset, packed),
            *packaged_data.lines(dataset, hp),
            "",
            _SEED,
            "",
        ]
    else:
        return None
    lines = [
        *beginning,
        *network_code.lines(hp, dataset.signature),
        *_pretrained(hp),
        "model.summary()",
        "",
        f"epochs, batch_size = {epochs}, {hp.batch_size}",
        *_training(hp, dataset.signature, patience),
        *_test(dataset, hp),
    ]
    return "\n".join(lines) + "\n"


def _suffix(dataset: TextFiles) -> str:
    return Path(dataset.path).suffix.lower()


def _heading(imported: str, packed: bool) -> list[str]:
    return [
        '"""Train this network from the beginning with stock Keras: python train.py FILE',
        "",
        "FILE is the data of the study, or another file like it. Its rows are split at random,",
        "80 % to learn from and 20 % for validation. The study has splits of its own, so its",
        "figures differ a little. Writes retrained.keras into the working directory. Needs Keras,",
        "NumPy, and the files beside this one.",
        '"""',
        "",
        "import csv",
        *(["import gzip"] if packed else []),
        "import json",
        "import sys",
        "from pathlib import Path",
        "",
        "import numpy as np",
        "",
        "FOLDER = Path(__file__).resolve().parent",
        "if len(sys.argv) != 2:",
        "    sys.exit(__doc__)",
        "",
        "import keras",
        "from keras import layers",
        "",
        "sys.path.insert(0, str(FOLDER))",
        f"from predict import {imported}",
        "",
        'about = json.loads((FOLDER / "params.json").read_text(encoding="utf-8"))',
        'labels = about["labels"]',
        "",
        "",
        "def number_of(label):",
        "    if isinstance(label, float) and label.is_integer():",
        "        label = int(label)",
        "    label = str(label).strip()",
        "    if label not in labels:",
        '        sys.exit(f"the label {label!r} is none of {labels}")',
        "    return labels.index(label)",
        "",
        "",
    ]


def _texts(dataset: TextFiles) -> Iterator[str]:
    encoding = "utf-8-sig" if dataset.text_encoding == UTF8 else dataset.text_encoding
    yield f'with open(sys.argv[1], encoding="{encoding}", newline="") as file:'
    if _suffix(dataset) in _LINES:
        yield "    rows = [json.loads(line) for line in file if line.strip()]"
    else:
        yield '    delimiter = max(",;\\t|", key=file.readline().count)'
        yield "    file.seek(0)"
        yield "    rows = list(csv.DictReader(file, delimiter=delimiter))"
    yield "rows = [{name.strip().casefold(): cell for name, cell in row.items()} for row in rows]"
    text, label = (
        repr(name.strip().casefold()) for name in (dataset.text_column, dataset.label_column)
    )
    yield 'length = about["hyperparameters"]["sequence_length"]'
    yield f"x = encoded([row[{text}] for row in rows], length)"
    yield f"y = np.array([number_of(row[{label}]) for row in rows])"


def _numbers(dataset: NumberFiles) -> Iterator[str]:
    yield "x, lengths = read(sys.argv[1], about)"
    if dataset.path.lower().endswith(_LINES):
        yield 'with open(sys.argv[1], encoding="utf-8-sig") as file:'
        yield "    rows = [json.loads(line) for line in file if line.strip()]"
        yield f"y = np.array([row[{dataset.y_column!r}] for row in rows])"
    else:
        yield "with np.load(sys.argv[1], allow_pickle=False) as arrays:"
        yield '    y = arrays["y"]'
    yield f"x = encoded(x, about, {dataset.steps > 0}, lengths)"
    if dataset.classes == 0:
        yield 'scaling = about["scaling"]'
        yield 'y = (y.reshape(-1) - scaling["y_mean"][0]) / scaling["y_std"][0]'
        return
    if not dataset.steps:
        yield "if y.ndim == 2:  # one-hot, or a column"
        yield "    y = y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0]"
    yield 'if y.dtype.kind == "f":'
    yield "    y = y.astype(int)"
    yield "y = np.vectorize(number_of)(y)"


_SEED = "keras.utils.set_random_seed(0)"


def _pretrained(hp: Hyperparameters) -> Iterator[str]:
    """Set the embeddings of words that the file of vectors has."""
    if hp.pretrained is None:
        return
    yield "# Words start from the vectors of this file; those that it does not have, at random."
    yield f"file = {hp.pretrained!r}"
    yield 'text = (FOLDER / "vocabulary.txt").read_bytes().decode("utf-8", "surrogatepass")'
    yield 'words = text.split("\\n")[:-1]'
    yield "wanted = {*words, *map(str.lower, words)}"
    yield "vectors = {}"
    yield 'with open(file, "rb") as raw:'
    yield '    opened = gzip.open if raw.read(2) == b"\\x1f\\x8b" else open'
    yield 'with opened(file, "rt", encoding="utf-8", errors="replace", newline="\\n") as lines:'
    yield "    for line in lines:"
    yield '        word, *numbers = line.split() or [""]'
    yield f"        if word in wanted and len(numbers) == {hp.embedding_dim}:"
    yield "            vectors.setdefault(word, np.array(numbers, np.float32))"
    yield 'embedding = model.get_layer("embedding")'
    yield "(weights,) = embedding.get_weights()"
    yield "for number, word in enumerate(words):"
    yield "    found = vectors.get(word, vectors.get(word.lower()))"
    yield "    if number > 3 and found is not None:"
    yield "        weights[number] = found"
    yield "embedding.set_weights([weights])"
    yield ""


_SPLIT = [
    "",
    _SEED,
    "order = np.random.permutation(len(x))",
    "held, learnt = order[: len(x) // 5], order[len(x) // 5 :]",
    "x_train, y_train, x_held, y_held = x[learnt], y[learnt], x[held], y[held]",
    "",
]


def _training(hp: Hyperparameters, signature: Signature, patience: int | None) -> Iterator[str]:
    """Optimizer, loss and `fit`."""
    classes = signature.classes
    weighted = ""
    if hp.class_weight != "none" and classes:
        yield f"counts = np.bincount(y_train.ravel(), minlength={classes})"
        yield f"weights = (y_train.size / ({classes} * np.maximum(counts, 1)))[y_train]"
        weighted = ", sample_weight=weights"
    if classes == 0:
        loss, metric = '"mean_squared_error"', "keras.metrics.R2Score()"
        yield "y_train, y_held = y_train[:, None], y_held[:, None]"
    elif classes == 2:
        loss, metric = "keras.losses.BinaryCrossentropy()", '"accuracy"'
        if hp.label_smoothing:
            loss = f"keras.losses.BinaryCrossentropy(label_smoothing={hp.label_smoothing!r})"
        yield "y_train, y_held = y_train[..., None], y_held[..., None]"
    elif hp.label_smoothing:
        loss = f"keras.losses.CategoricalCrossentropy(label_smoothing={hp.label_smoothing!r})"
        metric = '"accuracy"'
        yield f"y_train = keras.utils.to_categorical(y_train, {classes})"
        yield f"y_held = keras.utils.to_categorical(y_held, {classes})"
    else:
        loss, metric = "keras.losses.SparseCategoricalCrossentropy()", '"accuracy"'
    yield from _optimizer(hp)
    yield f"model.compile(optimizer, {loss}, metrics=[{metric}])"
    yield "callbacks = ["
    if patience is not None:
        yield f"    keras.callbacks.EarlyStopping(patience={patience}, restore_best_weights=True),"
    if hp.schedule == "plateau":
        yield "    keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=1),"
    yield "]"
    yield "model.fit("
    yield f"    x_train, y_train{weighted}, validation_data=(x_held, y_held), epochs=epochs,"
    yield "    batch_size=batch_size, callbacks=callbacks, verbose=2,"
    yield ")"
    yield 'model.save("retrained.keras")'


def _test(dataset: Dataset, hp: Hyperparameters) -> Iterator[str]:
    """The score on the test split, which a file of the user's does not have."""
    if isinstance(dataset, NumberFiles | TextFiles) or not dataset.test:
        return
    target = "y_test[..., None]"
    if dataset.classes > 2:
        target = f"keras.utils.to_categorical(y_test, {dataset.classes})"
        target = target if hp.label_smoothing else "y_test"
    yield f'print("test:", model.evaluate(x_test, {target}, verbose=0, return_dict=True))'


def _optimizer(hp: Hyperparameters) -> Iterator[str]:
    rate = f"{hp.learning_rate!r}"
    if hp.schedule in ("cosine", "warmup_cosine"):
        yield "steps = epochs * -(-len(x_train) // batch_size)"
        cosine = "keras.optimizers.schedules.CosineDecay"
        if hp.schedule == "cosine":
            yield f"rate = {cosine}({rate}, steps)"
        else:
            yield "rise = min(round(0.1 * steps), steps - 1)"
            yield f"rate = {cosine}(0.0, steps - rise, warmup_target={rate}, warmup_steps=rise)"
        rate = "rate"
    given: dict[str, Any] = {
        "global_clipnorm": hp.clip_norm,
        "weight_decay": hp.weight_decay,
        "momentum": hp.momentum or None,
    }
    more = "".join(f", {name}={value!r}" for name, value in given.items() if value is not None)
    yield f"optimizer = keras.optimizers.{_OPTIMIZERS[hp.optimizer]}({rate}{more})"

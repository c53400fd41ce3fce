"""Predict with the model in this folder: python predict.py new.npz

new.npz has an array x of shape (n, length, features), with features in the order and unit that the
model was trained on: numpy.savez("new.npz", x=x). An array lengths (n,) beside it has the number of
real steps of each sequence; what follows them is padding. Or give JSON Lines, such as
{"x": [0.1, 0.4]} or {"x": [[0.1, 3], [0.4, 2]]}. Prints CSV with a row for each sequence: the label
and the probability of each label, or the number in the unit of the data, or the label of each of
the last steps. Needs Keras, NumPy and Python, nothing else.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    given = sys.argv[1:]
    if len(given) != 1 or given[0] in ("-h", "--help"):
        asked = given in (["-h"], ["--help"])
        print(__doc__, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    about = json.loads((FOLDER / "params.json").read_text(encoding="utf-8"))
    x, lengths = read(given[0], about)
    import keras  # here: it takes seconds

    model = keras.models.load_model(FOLDER / "model.keras", compile=False)
    features = model.input_shape[-1]
    if x.ndim != 3 or x.shape[2] != features:
        print(
            f"x has the shape {x.shape}; the model reads (n, length, {features})", file=sys.stderr
        )
        return 2
    of_steps = len(model.output_shape) == 3
    outputs = model.predict(encoded(x, about, of_steps, lengths), verbose=0)
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows(outputs, about, lengths))
    return 0


def read(file: str, about: dict[str, Any]) -> tuple[Any, Any]:
    """Sequences (n, length, features), and how many steps of each are real, or None."""
    if not file.lower().endswith((".jsonl", ".ndjson")):
        with np.load(file, allow_pickle=False) as arrays:
            return arrays["x"], arrays.get("lengths")
    column = about["dataset"].get("x_column", "x")
    text = Path(file).read_text(encoding="utf-8-sig")
    lists = [json.loads(line)[column] for line in text.split("\n") if line.strip()]
    found = [np.array(each, np.float64).reshape(len(each), -1) for each in lists]
    lengths = np.array([len(each) for each in found])
    x = np.zeros((len(found), lengths.max(), found[0].shape[1]))
    for row, each in zip(x, found, strict=True):
        row[: len(each)] = each
    return x, lengths


def encoded(x: Any, about: dict[str, Any], of_steps: bool, lengths: Any = None) -> Any:
    """The last steps of each sequence, scaled, with zeros in front: (n, length, features)."""
    length, padding = about["hyperparameters"]["sequence_length"], about["dataset"].get("padding")
    zero = (x == 0).all(axis=2)
    if lengths is not None or padding == "lengths":
        padding = "lengths"
        zero = unreal(zero, np.full(len(x), x.shape[1]) if lengths is None else lengths)
    if padding == "lengths" or (padding == "end" and not of_steps):
        at_end = zero[:, ::-1].argmin(axis=1)  # steps of padding that are moved to the front
        steps = x.shape[1]
        places = (np.arange(steps)[None, :] - at_end[:, None]) % steps
        x = np.take_along_axis(x, places[..., None], axis=1)
        zero = np.take_along_axis(zero, places, axis=1)
    scaling = about.get("scaling", {})
    if "x_mean" in scaling:
        x = (x.astype(np.float64) - scaling["x_mean"]) / scaling["x_std"]
    if padding:
        x[zero] = 0
    if padding == "lengths":  # zeros are padding, so a real step has another number
        x[~zero & (x == 0).all(axis=2), 0] = 1e-20
    found = np.zeros((len(x), length, x.shape[2]), np.float32)
    kept = x[:, -length:]
    found[:, length - kept.shape[1] :] = kept
    return found


def unreal(zero: Any, lengths: Any) -> Any:
    """Which steps are padding: those behind the real ones, or zeros in front of them."""
    steps = np.arange(zero.shape[1])
    before, after = steps < len(steps) - lengths[:, None], steps >= lengths[:, None]
    return before if zero[before].all() and not zero[after].all() else after


def rows(outputs: Any, about: dict[str, Any], lengths: Any = None) -> Iterator[list[str]]:
    """The heading, then what the model says of each sequence; nothing of steps of padding."""
    labels = about["labels"]
    if not labels:  # it predicts a number
        scaling = {"y_mean": [0.0], "y_std": [1.0], **about.get("scaling", {})}
        yield ["number"]
        for value in outputs[:, 0] * scaling["y_std"][0] + scaling["y_mean"][0]:
            yield [f"{value:.9g}"]
        return
    if outputs.shape[-1] == 1:  # the probability of the second label
        outputs = np.concatenate([1 - outputs, outputs], axis=-1)
    if outputs.ndim == 3:  # a label for each of the last steps
        steps = outputs.shape[1]
        yield [f"step {number}" for number in range(1, steps + 1)]
        for row, each in enumerate(outputs):
            found = [labels[at] for at in each.argmax(axis=-1)]
            padding = 0 if lengths is None else max(0, steps - int(lengths[row]))
            yield [""] * padding + found[padding:]
        return
    yield ["label", *(f"probability of {label}" for label in labels)]
    for each in outputs:
        yield [labels[each.argmax()], *(f"{share:.6f}" for share in each)]


if __name__ == "__main__":
    sys.exit(main())

"""Labels and probabilities from a study's model: `harness predict lstm_depth "What a film!"`."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.analysis.trained_model import model_folder
from harness.core import files
from harness.core.errors import UserError
from harness.results.run_directory import find

BATCH = 256  # lines of stdin predicted at once


def predict(
    name: Annotated[
        str, typer.Argument(metavar="NAME|DIR", help="A study by name, or a run directory.")
    ],
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Texts to label.  [default: the lines of stdin]"),
    ] = None,
    arm: Annotated[
        str | None,
        typer.Option(metavar="ARM", help="For example depth=2.  [default: the recommended arm]"),
    ] = None,
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories are.")
    ] = Path("runs"),
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each text.")
    ] = False,
) -> None:
    """Label texts with an arm's trained model: one line for each, label and probability first."""
    folder = model_folder(find(name, runs_directory), arm)
    params = json.loads((folder / "params.json").read_text(encoding="utf-8"))
    if params.get("input") != "text":
        raise UserError(f"{name}: its dataset has no texts; load {folder}/model.keras yourself")
    model = load(folder)
    lines = (line.rstrip("\n") for line in sys.stdin) if not texts else iter(texts)
    for batch in _batches(lines):
        for text, found in zip(batch, label(model, folder, params, batch), strict=True):
            if json_output:
                print(files.to_json({"text": text, **found}, indent=None), flush=True)
            else:
                print(f"{found['label']} {found['probability']:.3f}  {text}", flush=True)


def load(folder: Path) -> Any:
    """The Keras model of a folder with `model.keras`; importing Keras takes seconds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras.models.load_model(folder / "model.keras", compile=False)


def label(
    model: Any, folder: Path, params: dict[str, Any], texts: list[str]
) -> list[dict[str, Any]]:
    """For each text its `label`, with its `probability`, and all labels' `probabilities`."""
    import numpy as np

    from harness.datasets.base import tokenizers
    from harness.datasets.base.text import encode_texts

    words = (folder / "vocabulary.txt").read_bytes().decode("utf-8", "surrogatepass").split("\n")
    tokenizer = tokenizers.by_name(params.get("tokenizer", "keras"))
    length = params["hyperparameters"]["sequence_length"]
    x = encode_texts(texts, words[:-1], length, tokenizer)
    found = np.asarray(model.predict(x, verbose=0), np.float64)
    if found.shape[1] == 1:  # one sigmoid output: the probability of the second label
        found = np.concatenate([1 - found, found], axis=1)
    labels = params["labels"]
    return [
        {
            "label": labels[int(row.argmax())],
            "probability": float(row.max()),
            "probabilities": dict(zip(labels, map(float, row), strict=True)),
        }
        for row in found
    ]


def _batches(lines: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch

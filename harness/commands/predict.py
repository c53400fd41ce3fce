"""Labels or forecasts from a study's model.

harness predict lstm_depth "What a film!"
harness predict sales --data newer.csv -o forecast.csv
"""

import codecs
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.analysis.trained_model import check_files, damaged, load_model, model_folder
from harness.commands import forecast
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
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A newer table, to forecast what follows.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Forecasts as CSV.")
    ] = None,
) -> None:
    """Label texts with an arm's trained model: one line for each, label and probability first.

    With --data: forecast the steps after a table's last row. One row for each step, with its time;
    the forecast is in the last column.
    """
    folder = model_folder(find(name, runs_directory), arm)
    params = check_files(folder)
    if data is not None or output is not None or params.get("forecast"):
        forecast.write(name, folder, params, data, output)
        return
    if params.get("input") != "text":
        raise UserError(f"{name}: its dataset has no texts; load {folder}/model.keras yourself")
    model = load_model(folder)
    for batch in _batches(_checked(texts, "text") if texts else _checked(_stdin(), "stdin, line")):
        for text, found in zip(batch, label(model, folder, params, batch), strict=True):
            if json_output:
                print(files.to_json({"text": text, **found}, indent=None), flush=True)
            else:
                print(f"{found['label']} {found['probability']:.3f}  {text}", flush=True)


def label(
    model: Any, folder: Path, params: dict[str, Any], texts: list[str]
) -> list[dict[str, Any]]:
    """For each text its `label`, with its `probability`, and all labels' `probabilities`.

    Raises UserError where the model's files do not fit together.
    """
    try:
        return _labelled(model, folder, params, texts)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, UserError) as error:
        reason = f"it does not fit the model: {type(error).__name__}: {error}"
        raise damaged(folder, "params.json", reason) from None


def _labelled(
    model: Any, folder: Path, params: dict[str, Any], texts: list[str]
) -> list[dict[str, Any]]:
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


def _stdin() -> Iterator[str]:
    """The lines of stdin; bytes that are not text are half characters."""
    if sys.stdin is None:
        raise UserError("there is no stdin to read; give texts as arguments")
    if isinstance(sys.stdin, io.TextIOWrapper):
        plain = codecs.lookup(sys.stdin.encoding).name == "ascii"  # a locale without a language
        encoding = "utf-8" if plain else sys.stdin.encoding
        sys.stdin.reconfigure(encoding=encoding, errors="surrogateescape")
    try:
        for number, line in enumerate(sys.stdin):
            yield (line if number else line.removeprefix("\ufeff")).rstrip("\n")
    except OSError as error:
        raise UserError(f"stdin can't be read ({error.strerror}); give a file of texts") from None


def _checked(texts: Iterable[str], place: str) -> Iterator[str]:
    """The texts; raises UserError with the number of one that is not text."""
    for number, text in enumerate(texts, start=1):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            byte = ord(text[error.start]) & 0xFF
            raise UserError(
                f"{place} {number}: byte 0x{byte:02x} is not UTF-8; convert it first, for example "
                "with: iconv -f latin1 -t utf-8 FILE"
            ) from None
        yield text


def _batches(lines: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch

"""Labels or forecasts from a study's model.

harness predict lstm_depth "What a film!"
harness predict reviews --data new.csv -o labels.csv
harness predict sales --data newer.csv -o forecast.csv
"""

import codecs
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.analysis.trained_model import check_files, load_model, model_folder
from harness.commands import arguments, forecast, labels
from harness.core import files
from harness.core.errors import UserError
from harness.results.run_directory import find

BATCH = 256  # lines of stdin predicted at once


def predict(
    name: arguments.Name,
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Texts to label.  [default: the lines of stdin]"),
    ] = None,
    arm: Annotated[
        str | None,
        typer.Option(metavar="ARM", help="For example depth=2.  [default: the recommended arm]"),
    ] = None,
    runs_directory: arguments.Runs = Path("runs"),
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each text.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A table of texts, or sequences, to label; for a forecast a newer table.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where to write the CSV of --data."),
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column of texts.  [default: that of the study]"),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of a table of texts, such as utf-16 or cp1252."),
    ] = None,
) -> None:
    """Label texts with an arm's trained model: one line for each, label and probability first.

    A model of tags prints a line for each token, with its tag, and a blank line after each text.
    One that translates prints translation and probability first.

    With --data, CSV: a row for each text of a table, in the column that the study reads, or for
    each sequence x of an .npz file or JSON Lines. It has the label and all probabilities, or the
    number, or the translation and its probability. Of tags it has a row for each token of a CoNLL
    file, or of a table.

    Of a forecast, --data is a newer table: a row for each step after its last row, with its time;
    the forecast is in the last column.
    """
    folder = model_folder(find(name, runs_directory), arm)
    params = check_files(folder)
    if params.get("forecast"):
        forecast.write(name, folder, params, data, output)
        return
    if data is not None:
        if texts:
            raise UserError("give texts as arguments or a file with --data, not both")
        asked = labels.Asked(
            data=data, output=output, as_json=json_output, text_column=text_column,
            encoding=encoding,
        )  # fmt: skip
        labels.write(folder, params, asked)
        return
    if output is not None or text_column is not None or encoding is not None:
        raise UserError("-o, --text-column and --encoding go with --data FILE")
    if params.get("input") == "numbers":
        raise UserError(f"{name}: its dataset has no texts; give sequences with --data FILE")
    model = load_model(folder)
    for batch in _batches(_checked(texts, "text") if texts else _checked(_stdin(), "stdin, line")):
        for text, found in zip(batch, labels.of_texts(model, folder, params, batch), strict=True):
            if json_output:
                print(files.to_json({"text": text, **found}, indent=None), flush=True)
            elif "tags" in found:
                print(labels.conll(found), flush=True)
            else:
                print(f"{_shown(found)}  {text}", flush=True)


def _shown(found: dict[str, Any]) -> str:
    """What stands before a text: label and probability, or the labels of its steps, or a number."""
    if "translation" in found:
        return f"{found['translation']} {found['probability']:.3f}"
    if "label" in found:
        return f"{found['label']} {found['probability']:.3f}"
    return " ".join(found["labels"]) if "labels" in found else f"{found['number']:.6g}"


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

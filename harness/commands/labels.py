"""What a model says of texts or sequences: labels, one for each step, numbers or translations."""

import contextlib
import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.trained_model import damaged, load_model, outputs_of
from harness.core import files
from harness.core.console import notify
from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base import tokenizers
from harness.datasets.base.characters import characters
from harness.datasets.base.text import encode_texts
from harness.datasets.files import arrays, tagged, texts
from harness.datasets.files.rows import Source
from harness.results.training_folder import PARAMS, VOCABULARY
from harness.search.standalone import predict_numbers, predict_tags, predict_translation


def of_texts(
    model: Any, folder: Path, params: dict[str, Any], lines: Sequence[str]
) -> list[dict[str, Any]]:
    """What the model says of each text; see `_described`, `_tagged` and `_translated`.

    Raises UserError where the model's files do not fit together.
    """
    with _fitting(folder):
        if _is_of_tags(params):
            return _tagged(model, folder, params, [*map(tokenizers.tokens, lines)])
        if _translates(params):
            return _translated(model, folder, params, lines)
        return _described(_of_texts(model, folder, params, lines), params)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What to read, and where to write to: a file, or stdout.

    The names of the column of texts, and of the encoding, are those of the study's data by default.
    """

    data: Path
    output: Path | None = None
    as_json: bool = False
    text_column: str | None = None
    encoding: str | None = None


def write(folder: Path, params: dict[str, Any], asked: Asked) -> None:
    """Write what the model says of each row of a file, as CSV or as lines of JSON.

    Raises UserError where the file or the model can't be used.
    """
    data, lengths = asked.data, None
    if _is_of_tags(params):
        save(_tags_of_file(folder, params, asked), asked.output)
        return
    if _translates(params):
        save(_translations_of_file(folder, params, asked), asked.output)
        return
    if params.get("input") == "numbers" or not (folder / VOCABULARY).stat().st_size:
        if asked.text_column or asked.encoding:
            raise UserError("--text-column and --encoding go with texts; the model reads numbers")
        facts = params.get("dataset") or {}
        x, lengths = arrays.read_inputs(data, facts.get("x_column", "x"))
        model = load_model(folder)
        features = model.input_shape[-1]
        if x.shape[2] != features:
            raise UserError(f"{data}: x has the shape {x.shape}, not (n, length, {features})")
        with _fitting(folder):
            of_steps = len(model.output_shape) == 3
            encoded = predict_numbers.encoded(x, params, of_steps, lengths)
            outputs = outputs_of(model, encoded)
    else:
        lines = _lines(params, asked)
        model = load_model(folder)
        with _fitting(folder):
            outputs = _of_texts(model, folder, params, lines)
    with _fitting(folder):
        if asked.as_json:
            content = _json_lines(_described(outputs, params, lengths))
        else:
            content = _csv(predict_numbers.rows(outputs, params, lengths))
    save(content, asked.output)


def _lines(params: dict[str, Any], asked: Asked) -> Sequence[str]:
    """The texts of a file, with a line on stderr for each thing to know about them."""
    facts = params.get("dataset") or {}
    column = asked.text_column or facts.get("text_column", "text")
    source = Source(str(asked.data), column, None, encoding=asked.encoding)
    lines, notes = texts.read_inputs(source, facts.get("encoding"))
    for note in notes:
        notify(note)
    return lines


def _json_lines(told: Iterable[dict[str, Any]]) -> str:
    return "".join(files.to_json(each, indent=None) + "\n" for each in told)


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def conll(found: dict[str, Any]) -> str:
    """A token and its tag on each line, and a blank line at the end."""
    pairs = zip(found["tokens"], found["tags"], strict=True)
    return "".join(f"{token}\t{tag}\n" for token, tag in pairs)


def _is_of_tags(params: dict[str, Any]) -> bool:
    return (params.get("dataset") or {}).get("name") == "tag-files"


def _tags_of_file(folder: Path, params: dict[str, Any], asked: Asked) -> str:
    """The tags of a file's tokens: CSV with a row for each token, or a line of JSON a sentence."""
    facts = params["dataset"]
    column = asked.text_column or facts.get("tokens_column", tagged.TOKENS)
    found, _ = tagged.read(tagged.TagSource(str(asked.data), column, None, asked.encoding))
    model = load_model(folder)
    with _fitting(folder):
        told = _tagged(model, folder, params, found.tokens)
    if asked.as_json:
        return _json_lines(told)
    rows = [
        [number, token, tag]
        for number, each in enumerate(told, start=1)
        for token, tag in zip(each["tokens"], each["tags"], strict=True)
    ]
    return _csv([["sentence", "token", "tag"], *rows])


def _tagged(
    model: Any, folder: Path, params: dict[str, Any], sentences: Sequence[Sequence[str]]
) -> list[dict[str, Any]]:
    """The `tokens` and `tags` of each sentence."""
    length, steps = model.input_shape[1], model.output_shape[1]
    x = predict_tags.encoded(sentences, _words(folder), length, steps)
    tags = predict_tags.tagged(outputs_of(model, x), sentences, params["labels"])
    return [
        {"tokens": list(tokens), "tags": found}
        for tokens, found in zip(sentences, tags, strict=True)
    ]


def _translates(params: dict[str, Any]) -> bool:
    return bool((params.get("dataset") or {}).get("decodes"))


def _translations_of_file(folder: Path, params: dict[str, Any], asked: Asked) -> str:
    lines = _lines(params, asked)
    model = load_model(folder)
    with _fitting(folder):
        told = _translated(model, folder, params, lines)
    if asked.as_json:
        return _json_lines(told)
    rows = [[each["translation"], f"{each['probability']:.7g}"] for each in told]
    return _csv([["translation", "probability"], *rows])


def _translated(
    model: Any, folder: Path, params: dict[str, Any], lines: Sequence[str]
) -> list[dict[str, Any]]:
    """The `translation` of each text, and its `probability`."""
    length, steps = model.input_shape[1], model.output_shape[1]
    words = _words(folder)
    x = predict_translation.encoded([line.split() for line in lines], words, length, steps)
    found = predict_translation.translated(
        lambda read: outputs_of(model, read), x, words, params["labels"], steps
    )
    return [{"translation": answer, "probability": p} for answer, p in found]


def _words(folder: Path) -> list[str]:
    text = (folder / VOCABULARY).read_bytes().decode("utf-8", "surrogatepass")
    return text.split("\n")[:-1]


def save(content: str, output: Path | None) -> None:
    """Write to a file, or to stdout without one; raises UserError."""
    if output is None:
        sys.stdout.write(content)
        return
    try:
        files.write_atomically(output, content)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError(
            f"{cut(str(output), 200)}: can't be written ({reason}); give -o another file"
        ) from None


@contextlib.contextmanager
def _fitting(folder: Path) -> Iterator[None]:
    """What goes wrong in the block is the fault of the model's files."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, UserError) as error:
        reason = f"it does not fit the model: {type(error).__name__}: {error}"
        raise damaged(folder, PARAMS, reason) from None


def _of_texts(
    model: Any, folder: Path, params: dict[str, Any], lines: Sequence[str]
) -> NDArray[np.float64]:
    """The model's outputs for texts, or for symbols with blanks between them.

    Of a text to continue it is what the model says of the next character alone.
    """
    of_words = tokenizers.by_name(params.get("tokenizer", "keras"))
    tokenizer = of_words if params.get("input") == "text" else str.split
    continues = bool((params.get("dataset") or {}).get("bits"))
    tokenizer = characters if continues else tokenizer
    x = encode_texts(lines, _words(folder), params["hyperparameters"]["sequence_length"], tokenizer)
    outputs = outputs_of(model, x)
    return outputs[:, -1] if continues else outputs


def _described(
    outputs: NDArray[np.float64], params: dict[str, Any], lengths: NDArray[np.int64] | None = None
) -> list[dict[str, Any]]:
    """For each output a `number`, the `labels` of the last steps, or three things.

    These are `label`, its `probability`, and all labels' `probabilities`.
    """
    labels = params["labels"]
    if not labels:
        _, *numbers = predict_numbers.rows(outputs, params)
        return [{"number": float(number)} for (number,) in numbers]
    if outputs.ndim == 3:
        _, *rows = predict_numbers.rows(outputs, params, lengths)
        return [{"labels": [label for label in row if label]} for row in rows]
    if outputs.shape[1] == 1:  # one sigmoid output: the probability of the second label
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    return [
        {
            "label": labels[int(row.argmax())],
            "probability": float(row.max()),
            "probabilities": dict(zip(labels, map(float, row), strict=True)),
        }
        for row in outputs
    ]

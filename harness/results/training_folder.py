"""The files of one training: `result.json`, `metrics.jsonl`, and what else it leaves. No Keras.

`result.json` is written last. It has the hashes of the other files and its own, so that readers
notice what was lost or changed since. Versions before 2026-12 wrote no hashes.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core import files
from harness.core.shapes import NUMBER, mismatch

RESULT, STARTED, METRICS, SCORES = "result.json", "started.json", "metrics.jsonl", "scores.npy"
FORECAST = "forecast.npz"
PREDICTIONS = "predictions.npz"  # of a replicate whose model is kept
KERAS_MODEL, VOCABULARY, PARAMS = "model.keras", "vocabulary.txt", "params.json"
EXAMPLE = "forecast.py"  # beside the model of a forecast
PREDICT, TOKENIZER = "predict.py", "tokenizer.json"  # beside other models; of texts alone
TRAIN, README = "train.py", "README.md"
DATA = "data.npz"  # that train.py of a packaged dataset reads
MODEL = (KERAS_MODEL, VOCABULARY, PARAMS, EXAMPLE, PREDICT, TOKENIZER, TRAIN, DATA, README)
EVIDENCE = (METRICS, SCORES, FORECAST, PREDICTIONS, *MODEL)
STATES = ("running", "complete", "pruned", "failed")

_RECORD: dict[str, Any] = {
    "state?": str, "params?": dict, "files?": {"*": str}, "measures?": {"*": (*NUMBER, type(None))},
    "group?": [int],
    **dict.fromkeys(
        ("arm?", "path?", "worker?", "reason?", "started?", "finished?", "split?"), str
    ),
    **dict.fromkeys(
        ("search?", "trial?", "replicate?", "best_epoch?", "parameters?", "seed?", "scored_n?",
         "test_n?", "fold?"),
        int,
    ),
    **dict.fromkeys(
        ("value?", "val_accuracy?", "step_ms?", "train_s?", "scored_accuracy?", "scored_loss?",
         "test_accuracy?", "test_loss?"),
        NUMBER,
    ),
}  # fmt: skip
_EPOCH: dict[str, Any] = {"epoch": int, "arm?": str, "*": (*NUMBER, str, bool, type(None))}
_NUMBERS = ("loss", "accuracy", "val_loss", "val_accuracy", "train_s", "validation_s", "compile_s",
            "step_ms")  # fmt: skip
_EPOCH |= {f"{name}?": NUMBER for name in _NUMBERS}


class DamagedError(Exception):
    """A file of a training is lost or changed; the text says which and how."""


def write_result(folder: Path, record: Mapping[str, Any]) -> None:
    """Write `result.json` with the hashes of the folder's other files; where it is, it has ended.

    Raises OSError.
    """
    written = [name for name in EVIDENCE if (folder / name).is_file()]
    for name in written:  # the result vouches for them, so they are on the disk before it
        files.sync(folder / name)
    hashes = {name: files.hash_of_file(folder / name) for name in written}
    sealed = files.sealed({**record, "files": hashes})
    files.write_atomically(folder / RESULT, files.to_json(sealed))
    (folder / STARTED).unlink(missing_ok=True)


def write_started(folder: Path, record: Mapping[str, Any]) -> None:
    files.write_atomically(folder / STARTED, files.to_json(files.sealed(record)))


def read_training(folder: Path) -> dict[str, Any] | None:
    """The training's `result.json` or, while it trains, its `started.json`; None before that.

    Raises DamagedError where its files are not those that it wrote. Files of models are large:
    `check_evidence` looks at them.
    """
    # The result is read again: a training may end between the first look and the second.
    for name in (RESULT, STARTED, RESULT):
        if (record := _read(folder / name)) is not None:
            if name == RESULT:
                check_evidence(folder, record, (METRICS, SCORES, FORECAST, PREDICTIONS))
            return record
    if any((folder / name).exists() for name in EVIDENCE):
        raise DamagedError(f"{RESULT} is missing")
    return None


def read_result(folder: Path) -> dict[str, Any] | None:
    """The training's `result.json`; None without one. Raises DamagedError where it is damaged."""
    return _read(folder / RESULT)


def check_evidence(
    folder: Path, record: Mapping[str, Any], names: tuple[str, ...] = EVIDENCE
) -> None:
    """Raise DamagedError where one of the files beside a result is lost or changed."""
    hashes = record.get("files")
    if hashes is None:  # of a version that wrote none
        return
    for name in names:
        try:
            found = files.hash_of_file(folder / name)
        except OSError:
            found = None
        if found != hashes.get(name):
            lost = "is missing" if found is None else "has changed"
            raise DamagedError(f"{name} {lost if name in hashes else 'belongs to no result'}")


def read_epochs(folder: Path) -> list[dict[str, Any]]:
    """The epochs of a training on file, up to a line that a crash cut short or damage changed."""
    epochs = []
    with contextlib.suppress(OSError):
        for line in (folder / METRICS).read_bytes().split(b"\n"):
            epoch = files.parse_object(line)
            if epoch is None or mismatch(epoch, _EPOCH) is not None:
                break
            epochs.append(epoch)
    return epochs


def append_epoch(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Append a line to `metrics.jsonl`."""
    with (folder / METRICS).open("a", encoding="utf-8") as file:
        file.write(files.to_json(metrics, indent=None) + "\n")


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DamagedError(f"{file.name} can't be read ({error.strerror})") from None
    record = files.parse_object(content)
    if record is None or not files.is_intact(record):
        raise DamagedError(f"{file.name} is damaged")
    wrong = mismatch(record, _RECORD)
    if wrong is None and record.get("state", "running") not in STATES:
        wrong = f"state is none of {', '.join(STATES)}"
    if wrong is not None:
        raise DamagedError(f"{file.name} is damaged: {wrong}")
    return record


def group_on_file(folder: Path, number: int) -> list[int]:
    """The group that training `number` was begun in: itself, if alone; empty, if it is not on file.

    What is damaged is not, either.
    """
    with contextlib.suppress(DamagedError):
        if (found := read_training(folder)) is not None:
            return list(found.get("group") or [number])
    return []

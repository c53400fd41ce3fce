"""Checkpoints of one training, complete and checked by hash. No Keras.

The last two generations are kept. Each is a file of arrays (plain .npy blocks, one after another)
and a small JSON file, written last, which names the first file and its hash. A crash at any moment
leaves the generation before intact. If a file is damaged, the generation before is used.
"""

import contextlib
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core import files

GENERATIONS = 2


@dataclass(frozen=True)
class Checkpoint:
    """A training after an epoch or, if it was paused, after some step of the next epoch.

    `arrays` are its variables in the order of the program that trains it (weights, random state,
    optimizer, running means). `history` has the metrics of its epochs so far, epoch 1 first.
    `identity` says which training it is, so that no other training uses it. `step` steps of the
    next epoch are done; they took `seconds`.
    """

    identity: str
    history: list[dict[str, Any]]
    arrays: list[NDArray[Any]]
    step: int = 0
    seconds: float = 0.0

    @property
    def epoch(self) -> int:
        return len(self.history)

    def fits(self, variables: Sequence[Any]) -> bool:
        """Whether the first arrays have the shapes of these variables."""
        pairs = zip(self.arrays, variables, strict=False)
        same = all(array.shape == tuple(variable.shape) for array, variable in pairs)
        return same and len(self.arrays) >= len(variables)

    @property
    def name(self) -> str:
        """The name of its files without suffix; later checkpoints sort later."""
        return f"{self.epoch:04d}-{self.step:08d}"


class TrainingPaused(Exception):  # noqa: N818, as StopIteration: not an error
    """A training stopped within an epoch, because it was asked to; its checkpoint is written."""


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a generation, then delete all but the last two."""
    data = _pack(checkpoint.arrays)
    name = f"{checkpoint.name}.arrays"
    files.write_atomically(folder / name, data)
    record = {
        "identity": checkpoint.identity,
        "history": checkpoint.history,
        "step": checkpoint.step,
        "seconds": checkpoint.seconds,
        "file": name,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    # Python's JSON keeps floats exactly; this hash protects the record itself.
    text = json.dumps(record, sort_keys=True)
    files.write_atomically(
        folder / f"{checkpoint.name}.json",
        json.dumps({"record": record, "sha256": hashlib.sha256(text.encode()).hexdigest()}),
    )
    for old in _generations(folder)[GENERATIONS:]:
        old.unlink(missing_ok=True)
        old.with_suffix(".arrays").unlink(missing_ok=True)


def load(folder: Path, identity: str) -> Checkpoint | None:
    """The latest complete generation of this training; None if there is none."""
    for file in _generations(folder):
        # Whatever is wrong with a generation, the one before or a new start gives the same result.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, EOFError):
            outer = json.loads(file.read_text(encoding="utf-8"))
            record: Mapping[str, Any] = outer["record"]
            text = json.dumps(record, sort_keys=True)
            data = (folder / str(record["file"])).read_bytes()
            if (
                hashlib.sha256(text.encode()).hexdigest() == outer["sha256"]
                and hashlib.sha256(data).hexdigest() == record["sha256"]
                and record["identity"] == identity
            ):
                return Checkpoint(
                    identity,
                    list(record["history"]),
                    _unpack(data),
                    record["step"],
                    record["seconds"],
                )
    return None


@dataclass
class Checkpoints:
    """Where one training keeps its checkpoints.

    `notify` gets a line about each one that could not be written. A training calls
    `asked_to_pause` every few seconds. `restored` is the number of epochs that the training did
    not have to do again, once it has loaded its checkpoint.
    """

    folder: Path
    identity: str
    notify: Callable[[str], None]
    asked_to_pause: Callable[[], bool] = lambda: False
    restored: int = field(default=0, init=False)

    def load(self) -> Checkpoint | None:
        found = load(self.folder, self.identity)
        self.restored = 0 if found is None else found.epoch
        return found

    def save(
        self,
        history: list[dict[str, Any]],
        arrays: list[NDArray[Any]],
        step: int = 0,
        seconds: float = 0.0,
    ) -> None:
        """Write one. If the disk is full, the training continues without it."""
        try:
            save(self.folder, Checkpoint(self.identity, history, arrays, step, seconds))
        except OSError as error:
            self.notify(f"no checkpoint in {self.folder}: {error.strerror}; training continues")


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _generations(folder: Path) -> list[Path]:
    """The JSON files, newest first."""
    return sorted(folder.glob("[0-9]*.json"), reverse=True)


def _pack(arrays: Sequence[NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    for array in arrays:
        np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def _unpack(data: bytes) -> list[NDArray[Any]]:
    buffer = io.BytesIO(data)
    arrays = []
    while buffer.tell() < len(data):
        arrays.append(np.lib.format.read_array(buffer, allow_pickle=False))
    return arrays

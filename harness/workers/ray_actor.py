"""A worker as an actor of a Ray cluster."""

import contextlib
import queue
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ray.exceptions

from harness.core import environment
from harness.core.files import write_atomically
from harness.datasets.base.dataset import Arrays, Split
from harness.datasets.base.signature import Signature
from harness.results.training_folder import KERAS_MODEL
from harness.workers.messages import Down, EpochDone, Finished, Pause, Paused, TrainRequest

POLL_S = 5.0  # seconds after which an actor without messages is asked again


@dataclass(frozen=True)
class Delivered:
    """The encoded splits of a dataset, in the object store, and what scoring needs to know of it.

    It replaces the dataset in an actor, whose node has no cache and perhaps not even its class.
    `texts` is a reference to the words by id; `answers` the ids that a decoder reads, if it does.
    """

    key: str
    refs: Mapping[Split, Any] = field(compare=False)
    mapping: Mapping[str, Any] = field(compare=False)
    signature: Signature = field(compare=False)
    metric: str = field(compare=False)
    labels: tuple[str, ...] = field(compare=False)
    scaled: Mapping[str, list[float]] = field(compare=False)
    texts: Any = field(compare=False)
    answers: Any = field(compare=False)

    @property
    def classes(self) -> int:
        return self.signature.classes

    @property
    def features(self) -> int:
        return self.signature.features

    @property
    def ragged(self) -> bool:
        return self.signature.ragged

    def scaling(self) -> dict[str, list[float]]:
        return dict(self.scaled)

    def words(self, vocabulary: int) -> list[str]:
        found: list[str] = ray.get(self.texts)
        return found

    def fed_back(self, vocabulary: int) -> Any:
        return self.answers

    def to_mapping(self) -> dict[str, Any]:
        return dict(self.mapping)

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        found: Arrays = ray.get(self.refs[split])
        return found


@dataclass(frozen=True)
class Files:
    """Files that a training has written on a node that does not share the run directory."""

    checkpoints: Mapping[str, bytes]
    model: bytes | None


class Actor:
    """A worker in one of Ray's processes; made by `ray.remote`."""

    def __init__(self, settings: dict[str, Any], token: str) -> None:
        from harness.workers import worker

        self._inbox: queue.Queue[Any] = queue.Queue()
        self._outbox: queue.Queue[Any] = queue.Queue()
        self._pause = threading.Event()
        self._shared = Path(token).is_file()
        self._order: TrainRequest | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="training-"))
        arguments = (settings, self._inbox, self._pause, self._notify)
        threading.Thread(target=worker.work, args=arguments, daemon=True).start()

    @ray.method(concurrency_group="up")  # type: ignore[untyped-decorator]
    def hello(self) -> dict[str, Any]:
        """The node of this actor, and its versions."""
        return {
            "node": ray.util.get_node_ip_address(),
            "host": socket.gethostname(),
            "shared": self._shared,
            "versions": known_versions(),
        }

    @ray.method(concurrency_group="down")  # type: ignore[untyped-decorator]
    def send(self, message: Down, files: Mapping[str, bytes] | None = None) -> None:
        if isinstance(message, Pause):
            self._pause.set()
            return
        if isinstance(message, TrainRequest) and not self._shared:
            shutil.rmtree(self._folder, ignore_errors=True)
            for name, content in (files or {}).items():
                write_atomically(self._folder / "checkpoint" / name, content)
            message = replace(
                message,
                checkpoints=str(self._folder / "checkpoint"),
                model=message.model and str(self._folder / KERAS_MODEL),
            )
        if isinstance(message, TrainRequest):
            self._order = message
        self._inbox.put(message)

    @ray.method(concurrency_group="up")  # type: ignore[untyped-decorator]
    def next(self) -> list[Any]:
        """The messages so far; waits up to POLL_S seconds for the first."""
        with contextlib.suppress(queue.Empty):
            said = [self._outbox.get(timeout=POLL_S)]
            while not self._outbox.empty():
                said.append(self._outbox.get())
            return said
        return []

    def _notify(self, message: object) -> None:
        if not self._shared and isinstance(message, EpochDone | Paused | Finished):
            self._outbox.put(self._files(isinstance(message, Finished)))
        self._outbox.put(message)

    def _files(self, finished: bool) -> Files:
        kept = self._folder / "checkpoint"
        files = {file.name: file.read_bytes() for file in sorted(kept.glob("[0-9]*"))}
        model = self._folder / KERAS_MODEL
        return Files(files, model.read_bytes() if finished and model.is_file() else None)


def known_versions() -> dict[str, str]:
    """The versions that must be equal on all nodes, so that the numbers are equal."""
    return {"python": ".".join(map(str, sys.version_info[:3])), **environment.versions()}

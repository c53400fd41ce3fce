"""Worker processes on this machine, each on its own cores, with messages over sockets."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import psutil

from harness.core.closing import Closing
from harness.core.environment import COMPILE_CACHE, available_cpus
from harness.workers.messages import Died, Down, Ready, Unable, Up

# Bytes that a worker was seen to use with TensorFlow and the IMDB reviews, and some reserve.
MEMORY_PER_WORKER = 1_500_000_000
STARTS = 2  # failed ones in a row, after which no worker can start: the machine stays the same
LOG_TAIL = 4096  # bytes of a log, in which its last line is looked for


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How every worker of a pool trains; the study's fingerprint has the same values."""

    backend: str
    device: str
    threads: int
    path: str | None
    study_file: str | None = None  # the user's own file: messages may contain what it defines


def default_count(threads: int, device: str) -> int:
    """One worker for each GPU; without GPUs one for each `threads` cores, as memory allows."""
    gpus = visible_gpus()
    if device != "cpu" and gpus:
        return len(gpus)
    cores = min(psutil.cpu_count(logical=False) or 1, len(available_cpus()))
    by_memory = min(psutil.virtual_memory().available, machine_memory()) // MEMORY_PER_WORKER
    return max(1, min(cores // threads, by_memory))


def machine_memory() -> int:
    """Bytes of memory that this process and its children may use: of the machine or its cgroup."""
    total: int = psutil.virtual_memory().total
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # absent, or the word "max"
            total = min(total, int(Path(file).read_text()))
    return total


class LocalPool(Closing):
    """`count` spawned worker processes; a context manager that ends all of them.

    Messages of one worker arrive in the order in which it sent them. Workers count from 0.
    """

    def __init__(self, count: int, settings: Settings, logs: Path) -> None:
        self.settings = settings
        self.logs = logs
        self._cpus = _share_out(available_cpus(), count, settings.threads)
        self._workers: list[_Worker] = []
        self._failed_starts = 0  # in a row
        logs.mkdir(parents=True, exist_ok=True)
        try:
            for index in range(count):
                self._workers.append(self._spawn(index))
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._workers)

    def name(self, worker: int) -> str:
        """Its number, as in the name of its log."""
        return str(worker)

    def send(self, worker: int, message: Down) -> None:
        """Send a message; a dead worker gets nothing, and `wait` reports its death."""
        with contextlib.suppress(OSError):
            self._workers[worker].connection.send(message)

    def wait(self, timeout_s: float) -> list[tuple[int, Up]]:
        """Messages that arrive within `timeout_s` seconds, at most one for each worker."""
        ready = wait([worker.connection for worker in self._workers if not worker.dead], timeout_s)
        messages: list[tuple[int, Up]] = []
        for index, worker in enumerate(self._workers):
            if worker.connection in ready:
                try:
                    message = worker.connection.recv()
                    if isinstance(message, Ready):
                        worker.ready, self._failed_starts = True, 0
                    messages.append((index, message))
                except (EOFError, OSError):
                    messages.append((index, self._died(index)))
        return messages

    def _died(self, index: int) -> Died | Unable:
        """How a worker died; after STARTS that gave up before they were ready, that none can start.

        One that was killed did not give up.
        """
        worker = self._workers[index]
        how = worker.reap()
        if worker.ready or worker.process.returncode <= 0:
            return Died(how)
        self._failed_starts += 1
        said = self._last_line(index)
        if self._failed_starts < STARTS:
            return Died(f"{how}: {said}")
        return Unable(f"{STARTS} in a row ended with {how}: {said}; {self._log(index)} has more")

    def _last_line(self, worker: int) -> str:
        """The last line of a worker's log."""
        with contextlib.suppress(OSError), self._log(worker).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL))
            lines = log.read().decode(errors="replace").split("\n")
            return next((line.strip() for line in reversed(lines) if line.strip()), "no word")
        return "no word"

    def _log(self, worker: int) -> Path:
        return self.logs / f"worker-{worker}.log"

    @property
    def ready(self) -> list[int]:
        """The workers that are alive and have sent Ready."""
        return [i for i, worker in enumerate(self._workers) if worker.ready and not worker.dead]

    @property
    def memory_limit(self) -> int:
        """Bytes that each worker may use: its share of nine tenths of the machine's memory."""
        return int(0.9 * machine_memory() / len(self._workers))

    def memory(self, worker: int) -> int:
        """Bytes of resident memory of a worker; 0 if it is dead."""
        try:
            return int(psutil.Process(self._workers[worker].process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def replace(self, worker: int) -> None:
        """Kill a worker, whatever it is doing, and start a new one in its place."""
        self._workers[worker].process.kill()
        self._workers[worker].reap()
        self._workers[worker] = self._spawn(worker)

    def close(self) -> None:
        for worker in self._workers:
            worker.process.kill()  # all at once, so that none waits for the end of another
        for worker in self._workers:
            worker.reap()

    def _spawn(self, index: int) -> "_Worker":
        ours, theirs = socket.socketpair()
        settings = {
            "device": self.settings.device,
            "path": self.settings.path,
            "cpus": self._cpus[index],
            "study_file": self.settings.study_file,
        }
        with theirs, self._log(index).open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "harness.workers.worker",
                    str(theirs.fileno()),
                    json.dumps(settings),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**_inherited(), **environment_of(self.settings), **_gpu(self.settings, index)},
                start_new_session=True,  # the coordinator handles the signals of a terminal
            )
        return _Worker(process, Connection(ours.detach()))


@dataclass
class _Worker:
    process: "subprocess.Popen[bytes]"
    connection: "Connection[Any, Any]"
    dead: bool = False
    ready: bool = False

    def reap(self) -> str:
        """Make sure that the process has ended; returns how."""
        if not self.dead:
            self.dead = True
            # A process that closed its socket is ending: its own exit code says more.
            deadline = time.monotonic() + 0.2
            while self.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            self.process.kill()
            self.process.wait()
            self.connection.close()
        code = self.process.returncode
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _share_out(cpus: Sequence[int], count: int, threads: int) -> list[list[int]]:
    """Each worker's own cores; empty lists where there are too few cores."""
    if count * threads > len(cpus):
        return [[] for _ in range(count)]
    return [list(cpus[i * threads : (i + 1) * threads]) for i in range(count)]


def visible_gpus() -> list[str]:
    """The NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name.strip() not in ("", "-1")]
    with contextlib.suppress(OSError):
        return [str(i) for i in range(len(os.listdir(NVIDIA_DRIVER)))]
    return [str(i) for i in range(len(_nvidia_devices()))]


NVIDIA_DRIVER = Path("/proc/driver/nvidia/gpus")
DEVICES = Path("/dev")
# Of other drivers: Windows' subsystem for Linux, AMD, NVIDIA's small boards.
_OTHER_DEVICES = ("dxg", "kfd", "nvhost-gpu", "nvgpu")


def why_no_gpu() -> str | None:
    """Why no training can use a GPU here, by the system's own files; None where one may be there.

    Only a backend can say that a GPU works, and importing one takes seconds.
    """
    if sys.platform != "linux":
        return None
    if os.environ.get("CUDA_VISIBLE_DEVICES") is not None and not visible_gpus():
        return "CUDA_VISIBLE_DEVICES hides every GPU of this machine"
    with contextlib.suppress(OSError):
        if os.listdir(NVIDIA_DRIVER):
            return None
    if _nvidia_devices() or any((DEVICES / name).exists() for name in _OTHER_DEVICES):
        return None
    return f"this machine shows no GPU (nothing in {NVIDIA_DRIVER}, no {DEVICES}/nvidia0)"


def _nvidia_devices() -> list[Path]:
    return sorted(DEVICES.glob("nvidia[0-9]*"))


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment variables that decide how a worker computes."""
    threads = str(settings.threads)
    variables = {
        "KERAS_BACKEND": settings.backend,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
    }
    if settings.device == "cpu":
        variables["CUDA_VISIBLE_DEVICES"] = "-1"
        variables["JAX_PLATFORMS"] = "cpu"  # else JAX looks for a GPU, and complains
    if settings.backend == "jax":  # workers that share a GPU take memory as they need it
        variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    if COMPILE_CACHE in os.environ:  # workers on other machines do not inherit it
        variables[COMPILE_CACHE] = os.environ[COMPILE_CACHE]
    return variables


def _inherited() -> dict[str, str]:
    """The environment without what is of this process alone: where a notebook draws its charts."""
    return {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}


def _gpu(settings: Settings, worker: int) -> dict[str, str]:
    """The environment variable that gives a worker its GPU, if there are GPUs."""
    gpus = visible_gpus()
    if settings.device == "cpu" or not gpus:
        return {}
    return {"CUDA_VISIBLE_DEVICES": gpus[worker % len(gpus)]}

"""Programs of JAX that are compiled once on a machine, by JAX's own persistent cache.

It is pointed at a folder beside the programs of TensorFlow (`harness.training.program_store`), one
for each kind of processor, versions and code. JAX writes each compiled program to a file `*-cache`,
and when it was used last to `*-atime` beside it. Read again, it is the same code, and gives the
same numbers. Tracing is not kept: JAX traces a network in less than a second.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filelock
import jax

from harness.training import program_store

LOCK_S = 2.0  # to wait for another process that reads or writes a program
_SAVED = "/jax/compilation_cache/compile_time_saved_sec"

_saved_s = [0.0]  # in this process, by programs that were found


@functools.cache
def use_store() -> str | None:
    """Open the cache before anything is compiled; returns why it is not used, if for a fault.

    A cache that the user has given to JAX is left as it is.
    """
    config: Any = jax.config
    jax.monitoring.register_event_duration_secs_listener(_count)
    if program_store.switched_off() or config.jax_compilation_cache_dir:
        return None
    folder, fault = program_store.folder("jax", "jaxlib")
    if fault:
        return fault
    program_store.trim(folder.parent, program_store.LIMIT)
    _remove_unfinished(folder)
    for name, value in (
        ("compilation_cache_dir", str(folder)),
        ("compilation_cache_max_size", program_store.LIMIT),
        ("persistent_cache_min_compile_time_secs", 0.0),
        ("persistent_cache_min_entry_size_bytes", 0),
        ("persistent_cache_enable_xla_caches", "none"),
    ):
        config.update(f"jax_{name}", value)
    return None


@contextlib.contextmanager
def fresh_seconds() -> Iterator[Callable[[], float]]:
    """The seconds of a block, were nothing found compiled; to be called after it."""
    started, saved = time.perf_counter(), _saved_s[0]
    ended: list[float] = []
    yield lambda: ended[0] - started + _saved_s[0] - saved
    ended.append(time.perf_counter())


def _count(event: str, duration_secs: float, **_: object) -> None:
    if event == _SAVED:
        _saved_s[0] += duration_secs


def _remove_unfinished(folder: Path) -> None:
    """Remove the files of processes that were killed while they wrote them: they have no time."""
    with (
        contextlib.suppress(OSError, filelock.Timeout),
        filelock.FileLock(folder / ".lockfile", timeout=LOCK_S),
    ):
        for file in folder.glob(f"*{program_store.JAX_SUFFIX}"):
            if not program_store.time_file(file).exists():
                file.unlink()

"""A lock excludes other threads and processes, and goes with its process."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.core.lock import FileLock, LockHeldError

HOLDER = """
import sys, time
from pathlib import Path
from harness.core.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
lock.acquire()
lock.sign()
print("held", flush=True)
time.sleep(60)
"""


def test_a_process_that_is_killed_frees_its_lock(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with FileLock(file) as lock:
        with pytest.raises(LockHeldError) as held:
            lock.acquire()
        assert str(held.value) == f"process {process.pid} on {socket.gethostname()}"
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        lock.acquire()


def test_threads_exclude_one_another(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        done = 0
        while done < 20:
            with FileLock(file) as lock:
                try:
                    lock.acquire()
                except LockHeldError:
                    continue
                inside += 1
                most = max(most, inside)
                inside -= 1
                done += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_released_lock_names_nobody(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with FileLock(file) as lock:
        lock.acquire()
        lock.sign()
        assert str(os.getpid()) in file.read_text()
        lock.release()
        assert file.read_text() == ""
        with FileLock(file) as other:
            other.acquire()

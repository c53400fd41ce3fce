"""One coordinator per study, however the last one ended."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.core.errors import StudyHeldError, UserError
from harness.results import lock
from harness.results.lock import hold

HOLDER = """
import sys, time
from pathlib import Path
from harness.results.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_learns_who_has_it(tmp_path: Path) -> None:
    file = tmp_path / "run" / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(StudyHeldError, match=f"process {process.pid} on "), hold(file):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    # The file is still there and says the dead process's number; the lock went with it.
    assert str(process.pid) in file.read_text()
    with hold(file):
        assert str(os.getpid()) in file.read_text()


def test_it_is_free_again_after_the_block(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    for _ in range(3):
        with hold(file):
            pass


def test_in_one_process_twice_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with hold(file), pytest.raises(StudyHeldError), hold(file):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    words = "this file system has no locks .* put --runs on another file system"
    with pytest.raises(UserError, match=words), hold(tmp_path / "lock"):
        pass


def test_what_is_no_file_is_refused_and_what_it_points_to_is_left(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "lock").symlink_to(other)
    with pytest.raises(UserError, match="is a link; remove it"), hold(tmp_path / "lock"):
        pass
    assert other.read_text() == "mine"
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="is a folder; move it away"), hold(tmp_path / "folder"):
        pass


def test_its_holder_touches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "TOUCH_S", 0.01)
    file = tmp_path / "lock"
    with hold(file):
        os.utime(file, (1.0, 1.0))
        deadline = time.monotonic() + 60
        while file.stat().st_mtime == 1.0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert file.stat().st_mtime > 1.0

"""One coordinator per study, however the last one ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import StudyHeldError
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

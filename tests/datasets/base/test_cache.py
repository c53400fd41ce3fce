"""The cache: one process builds, damage is found, and errors say what to do."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UserError
from harness.datasets.base import cache


def use(log: Path, notify: Callable[[str], None] = lambda line: None, pause_s: float = 0.0) -> str:
    """Use an entry of two files; each build adds a line to `log`."""

    def build() -> str:
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(pause_s)
        return "content"

    def write(content: str, directory: Path) -> None:
        (directory / "sub").mkdir()
        (directory / "sub" / "a.txt").write_text(content)
        (directory / "b.txt").write_text("b" * 1000)

    def read(directory: Path) -> str:
        assert (directory / "b.txt").read_text() == "b" * 1000
        return (directory / "sub" / "a.txt").read_text()

    return cache.cached("thing-1", build=build, write=write, read=read, notify=notify)


def use_slowly(log: Path) -> str:
    return use(log, pause_s=0.3)


def die_while_writing() -> None:
    def write(content: None, directory: Path) -> None:
        (directory / "half.txt").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)

    cache.cached("thing-1", build=lambda: None, write=write, read=print, notify=print)


def use_as_nobody(log: Path, answer: "multiprocessing.Queue[str]") -> None:
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        answer.put(use(log))
    except UserError as error:
        answer.put(str(error))


def built(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_it_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", "~/somewhere")
    assert cache.directory() == Path.home() / "somewhere"
    monkeypatch.setenv("HARNESS_CACHE", "")
    assert cache.directory().name == "rnn-depth-harness"


def test_an_entry_is_built_once(own_cache: Path, tmp_path: Path) -> None:
    assert [use(tmp_path / "log") for _ in range(3)] == ["content"] * 3
    assert built(tmp_path / "log") == 1
    marker = json.loads((own_cache / "thing-1" / "complete.json").read_text())
    assert sorted(marker["files"]) == ["b.txt", "sub/a.txt"]
    assert marker["files"]["b.txt"]["bytes"] == 1000


def test_processes_that_need_it_at_once_build_it_once(own_cache: Path, tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        contents = pool.map(use_slowly, [tmp_path / "log"] * 4, chunksize=1)
        pool.close()
        pool.join()
    assert contents == ["content"] * 4
    assert built(tmp_path / "log") == 1


def test_a_waiting_process_says_so(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_WAIT_S", 0.1)
    other = multiprocessing.get_context("spawn").Process(
        target=use_slowly, args=(tmp_path / "log",)
    )
    other.start()
    while not built(tmp_path / "log"):
        time.sleep(0.005)
    lines: list[str] = []
    assert use(tmp_path / "log", lines.append) == "content"
    other.join()
    other.close()
    assert lines[0] == "another process is preparing thing-1: waiting for it"
    assert built(tmp_path / "log") == 1


def test_a_builder_that_was_killed_leaves_nothing_in_the_way(
    own_cache: Path, tmp_path: Path
) -> None:
    victim = multiprocessing.get_context("spawn").Process(target=die_while_writing)
    victim.start()
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    victim.close()
    assert (own_cache / ".thing-1.partial" / "half.txt").exists()
    assert use(tmp_path / "log") == "content"
    assert sorted(path.name for path in own_cache.iterdir()) == [".thing-1.lock", "thing-1"]
    assert not (own_cache / "thing-1" / "half.txt").exists()


def flip(path: Path) -> None:
    path.write_bytes(b"X" + path.read_bytes()[1:])


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda entry: os.truncate(entry / "b.txt", 10), "b.txt has another size"),
    "a flipped byte": (lambda entry: flip(entry / "sub" / "a.txt"), "sub/a.txt has changed"),
    "a lost file": (lambda entry: (entry / "b.txt").unlink(), "b.txt is missing"),
    "no marker": (lambda entry: (entry / "complete.json").unlink(), "complete.json is missing"),
    "empty marker": (lambda entry: os.truncate(entry / "complete.json", 0), "is not readable"),
    "other marker": (lambda entry: (entry / "complete.json").write_text("[1]"), "is not readable"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed_and_mended(own_cache: Path, tmp_path: Path, damage: str) -> None:
    spoil, complaint = DAMAGES[damage]
    use(tmp_path / "log")
    spoil(own_cache / "thing-1")
    lines: list[str] = []
    assert use(tmp_path / "log", lines.append) == "content"
    assert built(tmp_path / "log") == 2
    assert len(lines) == 1
    assert complaint in lines[0]
    assert use(tmp_path / "log", lines.append) == "content"
    assert built(tmp_path / "log") == 2


def test_a_file_in_the_way_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match="set HARNESS_CACHE to a writable directory"):
        use(tmp_path / "log")
    assert built(tmp_path / "log") == 0  # reported before the work, not after it


def test_no_permission_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    monkeypatch.setenv("HARNESS_CACHE", str(locked / "cache"))
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    other = context.Process(target=use_as_nobody, args=(tmp_path / "log", answer))
    other.start()
    line = answer.get(timeout=200)
    other.join()
    other.close()
    assert "Permission denied; set HARNESS_CACHE" in line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_says_what_to_set_and_keeps_nothing(own_cache: Path) -> None:
    def write(content: str, directory: Path) -> None:
        (directory / "a.txt").write_text("some")
        Path("/dev/full").write_text(content)

    with pytest.raises(UserError, match="No space left on device; set HARNESS_CACHE"):
        cache.cached("thing-1", build=lambda: "content", write=write, read=str, notify=print)
    assert [path.name for path in own_cache.iterdir()] == [".thing-1.lock"]


def test_errors_of_the_builder_are_its_own(own_cache: Path) -> None:
    def build() -> str:
        raise FileNotFoundError("the source")

    with pytest.raises(FileNotFoundError, match="the source"):
        cache.cached("thing-1", build=build, write=lambda c, d: None, read=str, notify=print)

"""Compiled programs on disk: whole or absent, of one user and one kind of machine, bounded."""

import multiprocessing
import os
from pathlib import Path

import pytest

from harness.training import program_store
from harness.training.program_store import ProgramStore

PARTS = {"code/a.pb": bytes(range(256)) * 40, "graph/train": b"definition"}


@pytest.fixture
def store(tmp_path: Path) -> ProgramStore:
    return ProgramStore(tmp_path / "programs", "machine")


def _file(tmp_path: Path, key: str = "k") -> Path:
    return tmp_path / "programs" / "machine" / f"{key}.program"


def test_a_program_comes_back_as_it_was(store: ProgramStore, tmp_path: Path) -> None:
    assert store.load("k") is None
    store.save("k", PARTS)
    assert store.load("k") == PARTS
    assert ProgramStore(tmp_path / "programs", "another machine").load("k") is None


def test_only_its_user_can_read_it(store: ProgramStore, tmp_path: Path) -> None:
    store.save("k", PARTS)
    assert (tmp_path / "programs").stat().st_mode & 0o777 == 0o700
    assert _file(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content + b"x",
        lambda content: bytes([content[0] ^ 1]) + content[1:],
        lambda content: content[:100] + bytes([content[100] ^ 128]) + content[101:],
        lambda content: os.urandom(len(content)),
    ],
    ids=["one byte less", "half", "empty", "one byte more", "its hash", "one bit", "noise"],
)
def test_a_damaged_program_is_ignored_and_removed(damage, store, tmp_path: Path) -> None:
    store.save("k", PARTS)
    file = _file(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    assert store.load("k") is None
    assert not file.exists()
    store.save("k", PARTS)
    assert store.load("k") == PARTS


def test_a_folder_open_to_others_is_not_trusted(store: ProgramStore, tmp_path: Path) -> None:
    """Whoever can write there could have any code run."""
    store.save("k", PARTS)
    (tmp_path / "programs").chmod(0o770)
    opened = ProgramStore(tmp_path / "programs", "machine")
    assert opened.fault is not None
    assert "chmod 700" in opened.fault
    assert opened.load("k") is None
    opened.save("other", PARTS)
    assert not _file(tmp_path, "other").exists()


def test_a_link_or_another_users_folder_is_not_trusted(tmp_path, monkeypatch) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert "is no folder" in str(ProgramStore(tmp_path / "link", "m").fault)
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    assert "another user" in str(ProgramStore(tmp_path / "elsewhere", "m").fault)


def test_the_least_recently_used_programs_go_first(tmp_path: Path) -> None:
    content = {"code": os.urandom(10_000)}
    store = ProgramStore(tmp_path / "programs", "machine", limit=35_000)
    for number, key in enumerate("abc"):
        store.save(key, content)
        os.utime(_file(tmp_path, key), (number, number))
    assert store.load("a") is not None  # used just now
    store.save("d", content)
    assert store.load("b") is None
    assert all(store.load(key) for key in "acd")


def test_a_disk_that_takes_nothing_is_no_error(store, tmp_path, monkeypatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(program_store.files, "write_atomically", full)
    store.save("k", PARTS)
    assert store.load("k") is None


def _write(folder: Path, letter: bytes) -> None:
    store = ProgramStore(folder, "machine")
    for _ in range(50):
        store.save("k", {"code": letter * 100_000})


def test_processes_that_write_at_once_leave_a_whole_program(tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(folder, letter)) for letter in (b"a", b"b")]
    for writer in writers:
        writer.start()
    store = ProgramStore(folder, "machine")
    seen = set()
    while any(writer.is_alive() for writer in writers):
        found = store.load("k")
        if found is not None:
            assert len(set(found["code"])) == 1
            seen.add(found["code"][:1])
    assert all(writer.exitcode == 0 for writer in writers)
    assert store.load("k") is not None
    assert seen <= {b"a", b"b"}


def test_programs_of_jax_are_counted_trimmed_and_cleared_with_the_others(
    store: ProgramStore, tmp_path: Path
) -> None:
    """JAX writes two files for a program; the second tells when it was used last."""
    store.save("k", PARTS)
    folder = tmp_path / "programs" / "jax"
    folder.mkdir()
    for age, name in enumerate("cba"):
        for suffix, content in (("-cache", b"x" * 1000), ("-atime", b"8 bytes!")):
            (folder / f"{name}{suffix}").write_bytes(content)
        os.utime(folder / f"{name}-atime", (1000.0 - age, 1000.0 - age))
    (folder / ".lockfile").touch()
    (folder / "unfinished-cache").write_bytes(b"x")
    top, own = tmp_path / "programs", _file(tmp_path).stat().st_size
    assert sorted(size for _, size, _ in program_store.programs(top)) == sorted([own, *[1000] * 3])
    program_store.trim(top, own + 2500)
    assert {f.name for f in folder.glob("?-*")} == {"c-cache", "c-atime", "b-cache", "b-atime"}
    assert store.load("k") == PARTS
    program_store.clear(top)
    assert not list(top.iterdir())


def test_a_folder_for_others_is_made_for_its_user_or_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HARNESS_COMPILE_CACHE", str(tmp_path / "programs"))
    found, fault = program_store.folder("numpy")
    assert fault is None
    assert found.is_dir()
    assert found.name != program_store.machine()  # TensorFlow's
    assert (tmp_path / "programs").stat().st_mode & 0o777 == 0o700
    (tmp_path / "programs").chmod(0o755)
    assert "chmod 700" in str(program_store.folder("numpy")[1])
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_COMPILE_CACHE", str(tmp_path / "file" / "below"))
    assert "Not a directory" in str(program_store.folder("numpy")[1])


def test_the_variable_names_the_folder_or_switches_it_off(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    monkeypatch.delenv("HARNESS_COMPILE_CACHE", raising=False)
    assert program_store.root() == tmp_path / f"programs-{os.getuid()}"
    monkeypatch.setenv("HARNESS_COMPILE_CACHE", str(tmp_path / "mine"))
    assert program_store.root() == tmp_path / "mine"
    for word in ("off", "OFF", "0", "false"):
        monkeypatch.setenv("HARNESS_COMPILE_CACHE", word)
        assert program_store.store() is None


def test_the_machine_is_its_processor_versions_flags_and_code(monkeypatch) -> None:
    def machine() -> str:
        program_store.machine.cache_clear()
        return program_store.machine()

    try:
        own = machine()
        assert machine() == own
        others = []
        with monkeypatch.context() as patch:
            patch.setattr(program_store, "cpu_features", lambda: "another processor's")
            others.append(machine())
        with monkeypatch.context() as patch:
            patch.setattr(program_store, "version", lambda package: "0")
            others.append(machine())
        with monkeypatch.context() as patch:
            patch.setattr(program_store, "_code", lambda: "other code")
            others.append(machine())
        for name in ("XLA_FLAGS", "TF_NUM_INTRAOP_THREADS"):
            with monkeypatch.context() as patch:
                patch.setenv(name, "7")
                others.append(machine())
        assert len({own, *others}) == 1 + len(others)
    finally:
        program_store.machine.cache_clear()

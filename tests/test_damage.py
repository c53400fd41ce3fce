"""Every file of a run directory is lost or damaged, one at a time, in six ways.

The study's command then gives the same outcome, or one line; never another outcome. A report says
the same as before, or one line. Nothing outside the run directory is read into it or written.
"""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from session_testing import dying_after, options, outcome, use_toy_pool

from harness.core.errors import UserError
from harness.results.run_directory import find
from harness.study import session
from reports import write

pytestmark = pytest.mark.usefixtures("no_sections")

STUDY = """
'''Does it survive?'''
from harness import Budget
from toys import toy_study
study = toy_study(budget=Budget(trials=3, epochs=3), searches=2, replicates=1)
"""
STATES = {"finished": None, "half-done": 9, "fresh": 0}  # trainings before it was killed


def lose(file: Path, outside: Path) -> None:
    file.unlink()


def cut(file: Path, outside: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path, outside: Path) -> None:
    file.write_bytes(b"")


def garble(file: Path, outside: Path) -> None:
    """One digit, or one byte in the middle, is another one: JSON stays JSON."""
    content = bytearray(file.read_bytes())
    places = [i for i, byte in enumerate(content) if chr(byte) in "2345678"] or [len(content) // 2]
    place = places[len(places) // 2]
    if place < len(content):
        content[place] ^= 1
    file.write_bytes(bytes(content))


def folder(file: Path, outside: Path) -> None:
    file.unlink()
    file.mkdir()


def link(file: Path, outside: Path) -> None:
    """To a copy elsewhere, which another study might use."""
    shutil.move(file, outside)
    file.symlink_to(outside)


WAYS = [lose, cut, empty, garble, folder, link]
Way = Callable[[Path, Path], None]


class Kept:
    """A study in one of the states, to be damaged again and again."""

    def __init__(self, folder: Path, state: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.file, self.root = folder / "mine.py", folder / "runs" / "mine"
        self.state = state
        self._copy, self._capsys = folder / "copy", capsys
        self._outside = folder / "outside"
        self.file.write_text(STUDY)
        self.whole = outcome(self.file, capsys)
        trainings = STATES[state]
        if trainings is not None:
            shutil.rmtree(self.root.parent)
            with dying_after(trainings):
                session.run(options(self.file))
        shutil.copytree(self.root, self._copy)
        self.files = [p for p in sorted(self.root.rglob("*")) if p.is_file()]
        self.reported = self._report()

    def check(self, file: Path, way: Way) -> str:
        """Damage a file, then report, then resume; returns what the study's command did."""
        shutil.rmtree(self.root.parent)
        shutil.copytree(self._copy, self.root)
        self._outside.unlink(missing_ok=True)
        before = file.read_bytes()
        way(file, self._outside)
        where = f"{way.__name__} {file.relative_to(self.root)}"
        reported = self._report()
        if reported is not None:
            assert reported == self.reported, where
        with suppress(UserError):
            found = None
            found = outcome(self.file, self._capsys)
        if found is not None:
            assert found == self.whole, where
        if self._outside.exists():
            assert self._outside.read_bytes() == before, where
        return "refused" if found is None else "same"

    def _report(self) -> Any:
        """What a report says, but for the time that is left; None where it refuses."""
        with suppress(UserError):
            write.write(find("mine", self.root.parent))
            found = json.loads((self.root / "summary.json").read_text())
            return {**found, "time_left": None}
        return None


@pytest.fixture
def kept(
    request: pytest.FixtureRequest,
    ram_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Kept:
    use_toy_pool(monkeypatch)
    return Kept(ram_path, request.param, capsys)


# What a user can't get back from anything else, and everything that is not a file of its own.
REFUSED = {"manifest.json", "study.db"}


@pytest.mark.parametrize("kept", ["finished"], indirect=True)
@pytest.mark.parametrize("way", WAYS)
def test_one_file_of_each_kind(kept: Kept, way: Way) -> None:
    kinds = {(file.name, file.relative_to(kept.root).parts[0]): file for file in kept.files}
    done = {file.relative_to(kept.root): kept.check(file, way) for file in kinds.values()}
    refused = {file.name for file, what in done.items() if what == "refused"}
    if way in (folder, link):
        assert refused == {file.name for file in done}
    else:
        assert "manifest.json" in refused
        assert refused <= REFUSED  # a digit of the database may be one that nobody reads


@pytest.mark.slow
@pytest.mark.page
@pytest.mark.parametrize("kept", list(STATES), indirect=True)
@pytest.mark.parametrize("way", WAYS)
def test_every_file(kept: Kept, way: Way) -> None:
    # One in six files for each way, other ones for another way; with THOROUGH=1 all of them.
    step = 1 if os.environ.get("THOROUGH") == "1" else len(WAYS)
    chosen = kept.files[WAYS.index(way) % step :: step]
    done = {file: kept.check(file, way) for file in chosen}
    refused = {file.name for file, what in done.items() if what == "refused"}
    assert len(done) > (60 if kept.state == "finished" else 3) // step
    if way not in (folder, link):
        assert refused <= REFUSED

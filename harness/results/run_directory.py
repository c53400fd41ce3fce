"""The run directory of a study: where its files are."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core import console
from harness.core.errors import UserError, unknown
from harness.core.files import move_aside
from harness.results import integrity, manifest
from harness.results.manifest import Manifest


@dataclass(frozen=True)
class RunDirectory:
    """Paths below `runs/NAME/`."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "study.db"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def manifest(self) -> Path:
        return self.root / "manifest.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def profile(self) -> Path:
        return self.root / "profile.json"

    @property
    def tables(self) -> Path:
        return self.root / "tables"

    def trials(self, arm: str, search: int = 1) -> Path:
        """The folder of the trials of one search; the first search's is the arm's own."""
        return _of_search(self.root / "trials" / arm, search)

    def trial(self, arm: str, number: int, search: int = 1) -> Path:
        return self.trials(arm, search) / f"{number:04d}"

    def replicates(self, arm: str, search: int = 1) -> Path:
        """The folder of the replicates of the best trial of one search."""
        return _of_search(self.root / "replicates" / arm, search)

    def replicate(self, arm: str, number: int, search: int = 1) -> Path:
        return self.replicates(arm, search) / f"seed={number}"

    @property
    def best(self) -> Path:
        return self.root / "best"

    def read_manifest(self) -> Manifest:
        """The manifest; raises UserError if it is missing, damaged or of another schema."""
        return manifest.read(self.manifest)

    def update_manifest(self, **changes: Any) -> None:
        """Write the manifest with these keys changed or added; raises like `read_manifest`."""
        manifest.write(self.manifest, {**self.read_manifest(), **changes})

    def move_aside(self) -> Path | None:
        """Rename the directory to `NAME.old-1` (or the next free number); None if there is none."""
        if not self.root.exists():
            return None
        return move_aside(self.root, (f"{self.root.name}.old-{n}" for n in itertools.count(1)))


def _of_search(arm: Path, search: int) -> Path:
    return arm if search == 1 else arm / f"search={search}"


def find(name: str, runs_directory: Path, *, or_quick: bool = True) -> Path:
    """The run directory meant by a study's name or a path; raises UserError if there is none.

    Where only a quick look at a study was run, it is that one, with a line on stderr, unless
    `or_quick` is False.
    """
    quick = runs_directory / f"{name}-quick"
    for root in (runs_directory / name, Path(name), *([quick] if or_quick else [])):
        if RunDirectory(root).manifest.is_file():
            integrity.check_kinds(root)
            if root == quick:
                console.notify(f"{name} has been run with --quick only: this is {quick}")
            return root
    known = [path.parent.name for path in runs_directory.glob("*/manifest.json")]
    if not known:
        raise UserError(
            f"no study named {name!r}: no run directory in {runs_directory}; start one with: "
            "python -m harness.study NAME, or name another place with --runs"
        )
    raise unknown("study", name, known)

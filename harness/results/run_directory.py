"""The run directory of a study: where its files are."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import UserError, unknown
from harness.core.files import to_json, write_atomically
from harness.results.manifest import Manifest

SCHEMA = 1


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
        try:
            manifest = json.loads(self.manifest.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(
                f"{self.root} holds no study (no manifest.json); "
                "start one with: python -m harness.study NAME"
            ) from None
        except (ValueError, UnicodeDecodeError):
            raise UserError(
                f"{self.manifest} is damaged; put a good copy back, "
                "or start again with --fresh, which moves the old directory aside"
            ) from None
        schema = manifest.get("schema") if isinstance(manifest, dict) else None
        if schema != SCHEMA:
            raise UserError(
                f"{self.manifest} has schema {schema!r} and this version reads {SCHEMA}; "
                "use the version that wrote it, or --fresh"
            )
        return Manifest(manifest)

    def update_manifest(self, **changes: Any) -> None:
        """Write the manifest with these keys changed or added; raises like `read_manifest`."""
        write_atomically(self.manifest, to_json({**self.read_manifest(), **changes}))

    def move_aside(self) -> Path | None:
        """Rename the directory to `NAME.old-1` (or the next free number); None if there is none."""
        if not self.root.exists():
            return None
        number = 1
        while (aside := self.root.with_name(f"{self.root.name}.old-{number}")).exists():
            number += 1
        self.root.rename(aside)
        return aside


def _of_search(arm: Path, search: int) -> Path:
    return arm if search == 1 else arm / f"search={search}"


def append_epoch(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Append a line to `metrics.jsonl`."""
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(to_json(metrics, indent=None) + "\n")


def read_epochs(folder: Path) -> Iterable[dict[str, Any]]:
    """The epochs of one training on file, up to a line that a crash cut short."""
    try:
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").split("\n")
    except OSError:
        return
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return


def find(name: str, runs_directory: Path) -> Path:
    """The run directory meant by a study's name or a path; raises UserError if there is none."""
    for root in (runs_directory / name, Path(name)):
        if RunDirectory(root).manifest.is_file():
            return root
    known = [path.parent.name for path in runs_directory.glob("*/manifest.json")]
    if not known:
        raise UserError(
            f"no study named {name!r}: no run directory in {runs_directory}; start one with: "
            "python -m harness.study NAME, or name another place with --runs"
        )
    raise unknown("study", name, known)

"""What is kept on this machine between studies: `harness cache`, and `--clear` removes it.

Prepared datasets, and compiled programs. Everything here is made again when it is needed.
"""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.core import files
from harness.core.errors import UserError
from harness.core.text import counted
from harness.datasets.base import cache as datasets
from harness.training import program_store

KINDS = ("programs", "datasets")


def cache(
    clear: Annotated[
        str | None, typer.Option(metavar="KIND", help="Remove programs, datasets, or all.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the prepared datasets and compiled programs that are kept, or remove them."""
    if clear not in (None, "all", *KINDS):
        raise UserError(f"--clear {clear}: name one of {', '.join(KINDS)}, or all")
    try:
        if clear in ("all", "programs"):
            program_store.clear(program_store.root())
        if clear in ("all", "datasets"):
            for folder in _entries():
                shutil.rmtree(folder)
        found = _describe()
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}") from error
    if json_output:
        print(files.to_json(found))
        return
    print(f"datasets  {_told(found['datasets'], 'dataset')}")
    for name, size in found["datasets"]["entries"].items():
        print(f"          {name}: {_megabytes(size)}")
    programs = found["programs"]
    most = f", at most {_megabytes(program_store.LIMIT)}"
    off = " (switched off)" if program_store.switched_off() else ""
    print(f"programs  {_told(programs, 'program')}{most}{off}")


def _describe() -> dict[str, Any]:
    """Folder, number and bytes of each kind."""
    entries = {folder.name: _size(folder) for folder in _entries()}
    programs = [size for _, size, _ in program_store.programs(program_store.root())]
    return {
        "datasets": {
            "folder": str(datasets.directory()),
            "n": len(entries),
            "bytes": sum(entries.values()),
            "entries": entries,
        },
        "programs": {
            "folder": str(program_store.root()),
            "n": len(programs),
            "bytes": sum(programs),
        },
    }


def _entries() -> list[Path]:
    """The folders of prepared datasets."""
    return sorted(each for each in datasets.directory().glob("*") if datasets.is_entry(each))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _told(of_kind: dict[str, Any], name: str) -> str:
    return f"{of_kind['folder']}: {counted(of_kind['n'], name)}, {_megabytes(of_kind['bytes'])}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"

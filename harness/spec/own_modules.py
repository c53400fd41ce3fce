"""The user's own modules beside a study file: found as `python mine.py` would find them.

Python puts the folder of a program in front of its module path. Here only the modules that a study
file imports come from its folder, so that no other file there (a `random.py`) gets in the way.
"""

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import sysconfig
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from harness.core.errors import UserError

_HARNESS = Path(__file__).parents[1]
# Installed packages, the standard library, and this program are not the user's own.
_FOREIGN = {
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")),
    _HARNESS.resolve(),
    _HARNESS.with_name("reports").resolve(),
}
_INSTALLED = ("site-packages", "dist-packages")
_OURS = ("harness", "reports", "studies")  # also where a study lies beside a copy of this program


class SourceLoader(importlib.machinery.SourceFileLoader):
    """Reads the source each time: Python's cache misses a change within the same second."""

    def path_stats(self, path: str) -> dict[str, int]:
        raise OSError


class _Beside(importlib.abc.MetaPathFinder):
    """Finds the modules that study files import from their own folders."""

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        file = self.files.get(name)
        if file is None:
            return None
        return importlib.util.spec_from_file_location(
            name,
            file,
            loader=SourceLoader(name, str(file)),
            submodule_search_locations=[str(file.parent)] if file.stem == "__init__" else None,
        )


_beside = _Beside()
_texts: dict[Path, str] = {}  # the source of each module beside a study file, as it was loaded


def prepare(file: Path) -> None:
    """Make the modules beside a study file importable for this process.

    Modules that have changed since an earlier study file imported them are loaded again. Raises
    UserError where another module of the same name is in use.
    """
    if _beside not in sys.meta_path:
        sys.meta_path.insert(0, _beside)
    folder = file.resolve().parent
    found = modules_beside(file)
    for name, beside in found.items():
        _check_free(name, beside)
    texts = {each: read(each) for each in _all_files(found)}
    if any(_texts.get(each, text) != text for each, text in texts.items()):
        for name in [*sys.modules]:
            if name.partition(".")[0] in found:
                del sys.modules[name]
    _texts.update(texts)
    _beside.files.update(found)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # for what is imported by a computed name


def modules_beside(file: Path) -> dict[str, Path]:
    """The files of the modules in the file's folder that it imports, directly or through others."""
    folder = file.resolve().parent
    found: dict[str, Path] = {}
    left = [file]
    while left:
        for name in _imported(left.pop()):
            for beside in (folder / name / "__init__.py", folder / f"{name}.py"):
                if name not in (*found, *_OURS) and beside.is_file() and is_own(beside):
                    found[name] = beside
                    left += _files_of(beside)
    return found


def loaded_beside(file: Path) -> list[ModuleType]:
    """The user's own modules that are loaded from the study file's folder or below it."""
    folder = file.resolve().parent
    return [
        module
        for module in [*sys.modules.values()]
        if (path := file_of(module)) is not None and path.is_relative_to(folder) and is_own(path)
    ]


def is_own(file: Path) -> bool:
    """Whether a module's file is the user's own: not installed, and not of this program."""
    resolved = file.resolve()
    return not any(part in _INSTALLED for part in resolved.parts) and not any(
        resolved.is_relative_to(folder) for folder in _FOREIGN
    )


def is_own_module(name: str) -> bool:
    """Whether a module that is loaded is the user's own."""
    module = sys.modules.get(name)
    file = None if module is None else file_of(module)
    return file is not None and is_own(file)


def file_of(module: ModuleType) -> Path | None:
    """The source file of a module; None for one without."""
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if isinstance(file, str) and file.endswith(".py") else None


def find(name: str) -> Path | None:
    """The source file of a module that is not loaded; nothing is executed."""
    folders: Sequence[str] | None = None
    spec = None
    parts = name.split(".") if name else []
    for number in range(1, len(parts) + 1):
        part = ".".join(parts[:number])
        spec = _beside.find_spec(part) or importlib.machinery.PathFinder.find_spec(part, folders)
        if spec is None:
            return None
        folders = spec.submodule_search_locations
        if folders is None and number < len(parts):
            return None
    file = spec.origin if spec is not None else None
    return Path(file).resolve() if file and file.endswith(".py") else None


def read(file: Path) -> str:
    """The text of a source file, in the encoding that it declares; empty where it is damaged."""
    try:
        with tokenize.open(file) as opened:
            return opened.read()
    except (OSError, SyntaxError, ValueError):  # importing it says what is wrong
        return ""


def _check_free(name: str, beside: Path) -> None:
    used = sys.modules.get(name)
    if used is None or file_of(used) == beside.resolve():
        return
    origin = getattr(used, "__file__", None) or "Python itself"
    raise UserError(
        f"imports {name}, but {origin} is in use under this name already; rename "
        f"{beside.name if beside.stem == name else beside.parent.name}, or use a new process"
    )


def _all_files(found: dict[str, Path]) -> list[Path]:
    return [each for beside in found.values() for each in _files_of(beside)]


def _files_of(beside: Path) -> list[Path]:
    """A module's file; of a package all its files."""
    return sorted(beside.parent.rglob("*.py")) if beside.stem == "__init__" else [beside]


def _imported(file: Path) -> Iterator[str]:
    """The first part of every name that a file imports, in functions too."""
    try:
        tree = ast.parse(read(file))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]

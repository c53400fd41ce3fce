"""Finding and loading study files: `studies/NAME.py` of the package, or any FILE.py."""

import ast
import importlib.util
import os
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from harness.core.errors import UserError, unknown
from harness.core.text import cut
from harness.spec import own_modules

if TYPE_CHECKING:
    from harness.spec.study import Study

# Beside the package itself, in a checkout and when installed: not a folder `studies` in the
# current directory.
STUDIES = Path(__file__).parents[2] / "studies"

# Of a study: also the name of its run directory.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Declaration:
    """A study, with its name, its question and its file; None for one that was made in Python."""

    name: str
    question: str
    study: "Study"
    file: Path | None


def names() -> list[str]:
    return sorted(file.stem for file in STUDIES.glob("*.py") if not file.stem.startswith("_"))


def questions() -> dict[str, str]:
    """Each study's question by name, read without importing anything."""
    return {name: question(STUDIES / f"{name}.py") for name in names()}


def question(file: Path) -> str:
    """The first sentence of a study file's docstring."""
    try:
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    except (OSError, SyntaxError, ValueError):
        return ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    ends = [paragraph.find(mark) for mark in ("? ", ". ")]
    cut = min((end for end in ends if end >= 0), default=len(paragraph))
    return paragraph[: cut + 1]


def load(name_or_file: str | os.PathLike[str]) -> Declaration:
    """The study of that name or file; raises UserError that says what is wrong with it."""
    if isinstance(name_or_file, os.PathLike):
        name_or_file = os.fspath(name_or_file)
    if not isinstance(name_or_file, str):
        raise UserError(f"{name_or_file!r:.60} is neither a study's name nor the path of its file")
    if name_or_file.endswith(".py"):
        file = Path(name_or_file)
        if "\0" in name_or_file or not file.is_file():
            raise UserError(f"no study file {name_or_file!r}; --list shows the studies by name")
    else:
        if name_or_file not in names():
            raise unknown("study", name_or_file, names())
        file = STUDIES / f"{name_or_file}.py"
    if not NAME.fullmatch(file.stem):
        raise UserError(
            f"{file.stem[:120]!r} can't be a study's name; use up to 100 letters, digits, "
            "dots, dashes and underscores, a letter or digit first"
        )
    return Declaration(file.stem, question(file), _import(file), file)


def check_name(name: str, option: str = "--name") -> None:
    """Raises UserError, which begins with `option`, for a name that no run directory can have."""
    if not NAME.fullmatch(name):
        raise UserError(
            f"{option} {cut(name)}: letters, digits, '.', '_' and '-' only, at most 100, the first "
            "a letter or digit"
        )


def execute(file: Path) -> ModuleType:
    """A study file as the module `studies.NAME`; raises what the file raises.

    It may import modules beside it. Raises UserError where one of them can't have its name.
    """
    own_modules.prepare(file)
    # Optuna warns of choices that are lists: not every storage could keep them. Ours can.
    warnings.filterwarnings("ignore", "Choices for a categorical distribution")
    module_name = f"studies.{file.stem}"
    loader = own_modules.SourceLoader(module_name, str(file))
    spec = importlib.util.spec_from_file_location(module_name, file, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # Classes and functions defined in the file are pickled under this name.
    sys.modules[module_name] = module
    loader.exec_module(module)
    return module


def _import(file: Path) -> "Study":
    from harness.spec.study import Study  # imports Optuna, which listing the studies does not need

    try:
        module = execute(file)
    except UserError as error:
        raise UserError(f"{file}: {error}") from None
    except (Exception, SystemExit) as error:
        line = _line_of(error, file)
        raise UserError(
            f"{file} does not import: {type(error).__name__}: {_one_line(str(error))}{line}"
        ) from error
    study = getattr(module, "study", None)
    if not isinstance(study, Study):
        raise UserError(f"{file} declares no study; it needs a line: study = Study(…)")
    return study


def _line_of(error: BaseException, file: Path) -> str:
    """` (line N)`: the innermost line of the study file in the error's traceback."""
    damaged = isinstance(error, SyntaxError) and error.filename == str(file)
    number = error.lineno if isinstance(error, SyntaxError) and damaged else None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(file):
            number = traceback.tb_lineno
        traceback = traceback.tb_next
    return f" (line {number})" if number else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""A study run from Python: `harness.run(study, name="mine", quick=True)`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from harness.analysis.loaded import Results, load
from harness.core.console import stop
from harness.core.environment import COMPILE_CACHE
from harness.core.errors import UserError, unknown
from harness.search.database import user_errors
from harness.spec import own_modules, study_files
from harness.spec.study import Study
from harness.spec.study_files import Declaration, check_name
from harness.study import session
from harness.study.named import named_study
from harness.study.options import Options
from harness.study.overrides import check_limits
from reports import write

# Of the command line alone: what it prints.
_NOT_HERE = {"name", "run_name", "dry_run", "json_output"}


def run(
    study: Study | str | os.PathLike[str],
    *,
    name: str | None = None,
    question: str = "",
    **options: Any,
) -> Results:
    """Run a study, or resume it, exactly as `python -m harness.study` does; returns its results.

    `study` is a Study, a study's name, or the path of a study file. A Study needs a `name`, which
    is that of its run directory; `question` is the title of its report. The options are those of
    the command with underscores: `quick=True`, `trials=20`, `searches=5`, `runs="runs"`,
    `compile_cache=False`, …. The same call resumes the study, also after an interrupt.

    Networks and datasets of your own must be in a study file, which the workers can import: give
    its path then. Raises UserError for bad input, and StudyHeldError where another process runs
    the study.
    """
    if isinstance(study, Study):
        declaration = _declared(study, name, question)
    elif question:
        raise UserError("question: a study file has its own, the first sentence of its docstring")
    else:
        declaration = study_files.load(study)
    of_file = declaration.file is not None
    given = os.fspath(study) if isinstance(study, str | os.PathLike) else declaration.name
    checked = Options(name=given, run_name=name if of_file else None, **_checked(options))
    check_limits(checked)
    named = named_study(checked, declaration)
    with stop.in_block(), _compile_cache(checked.compile_cache):
        with session.completed(checked, named) as directory, user_errors(str(directory.root)):
            write.write(directory.root)
        results = load(directory.root)
    session.tell_of_failures(results.summary)
    return results


def _declared(study: Study, name: str | None, question: str) -> Declaration:
    """A study without a file; raises UserError where workers could not import what it uses."""
    if name is None:
        raise UserError('a Study that was made in Python needs a name: name="short_reviews"')
    check_name(name, "name")
    for what, each in (("dataset", type(study.dataset)), ("model", study.model)):
        if each is None:
            continue
        module = each.__module__
        if module == "__main__" or own_modules.is_own_module(module):
            raise UserError(
                f"{what}: {each.__qualname__} is your own, so workers need a file to import it "
                'from; put the study into a file and give its path: harness.run("mine.py")'
            )
    return Declaration(name, question, study, None)


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """The options, paths as Path; raises UserError for a name or type that is wrong."""
    hints = get_type_hints(Options)
    known = [each.name for each in fields(Options) if each.name not in _NOT_HERE]
    found = {}
    for name, value in options.items():
        if name not in known:
            raise unknown("option", name, known)
        kinds = [get_origin(each) or each for each in get_args(hints[name]) or (hints[name],)]
        if Path in kinds and isinstance(value, str | os.PathLike):
            value = Path(value)
        fits = isinstance(value, tuple(kinds)) or (float in kinds and isinstance(value, int))
        if not fits or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
            raise UserError(f"{name}={value!r:.60}: give a value of type {wanted}")
        found[name] = value
    return found


@contextmanager
def _compile_cache(on: bool) -> Iterator[None]:
    """Without it, the processes that the block starts keep no compiled programs."""
    before = os.environ.get(COMPILE_CACHE)
    if not on:
        os.environ[COMPILE_CACHE] = "off"
    try:
        yield
    finally:
        if not on:
            os.environ.pop(COMPILE_CACHE)
            if before is not None:
                os.environ[COMPILE_CACHE] = before

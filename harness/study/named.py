"""What a command line names: a study, its question, its name and its run directory."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import datasets
from harness.core.errors import UserError
from harness.core.text import cut
from harness.profile.backend_choice import resolved
from harness.results.run_directory import RunDirectory
from harness.search.database import check_url
from harness.spec.study import Study
from harness.spec.study_files import Declaration, check_name, load
from harness.study.options import Options
from harness.study.overrides import apply, fitted

LONGEST = 40  # characters of a file's name in the name of a run


@dataclass(frozen=True)
class Named:
    """The declaration, the study that the options make of it, its name and directory.

    `backend_why` says why the study has its backend, where that was left open.
    """

    declaration: Declaration
    name: str
    study: Study
    directory: RunDirectory
    backend_why: str = ""


def named_study(options: Options, declaration: Declaration | None = None) -> Named:
    """What the options name, or change of a `declaration`; raises UserError for wrong ones.

    A study on a file has the file in its question and, without `--name`, in its name:
    `lstm_depth-reviews`.
    """
    declaration = declaration or load(options.name)
    study = apply(options, declaration.study)
    quick = "-quick" if options.quick else ""
    name = (options.run_name or declaration.name) + quick
    if options.run_name is not None:
        check_name(options.run_name)
    if options.storage is not None:
        check_url(options.storage)
    if options.dataset is not None and datasets.is_path(options.dataset):
        file = Path(options.dataset).absolute().name
        asked = question_on(declaration.question, declaration.study.dataset.subject, file)
        declaration = replace(declaration, question=asked)
        if options.run_name is None and not _is_of(study, options.runs / name):
            name = f"{declaration.name}-{slug(Path(file).stem)}{quick}"
    directory = RunDirectory(options.runs / name)
    began = {} if options.fresh else _on_record(directory)
    study, why = resolved(fitted(study, began.get("search") or {}), began.get("backend"))
    return Named(declaration, name, study, directory, why)


def call(options: Options, named: Named) -> str:
    """The call that resumes a study which was made in Python and has no file."""
    given = {"name": named.declaration.name, **options.to_resume()}
    given = {k: str(v) if isinstance(v, Path) else v for k, v in given.items() if k != "run_name"}
    return f"harness.run(study, {', '.join(f'{name}={value!r}' for name, value in given.items())})"


def question_on(question: str, subject: str, file: str) -> str:
    """A study's question about a file instead of the `subject` that its own dataset is about."""
    named = cut(file)
    if subject and subject in question:
        return question.replace(subject, named)
    return f"{question.removesuffix('?')}, on {named}?" if question else ""


def slug(stem: str) -> str:
    """A file's name, without its suffix, as a part of the name of a run."""
    plain = unicodedata.normalize("NFKD", stem.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9._]+", "-", plain)[:LONGEST].strip("-.") or "data"


def _is_of(study: Study, root: Path) -> bool:
    """Whether a run directory is of this study's data: of a version that named none of them."""
    return _on_record(RunDirectory(root)).get("dataset") == study.dataset.to_mapping()


def _on_record(directory: RunDirectory) -> Mapping[str, Any]:
    """The spec in a run directory; empty where there is none that can be read."""
    if not directory.manifest.is_file():
        return {}
    try:
        return directory.read_manifest().spec
    except UserError:
        return {}

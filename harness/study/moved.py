"""A study that gets another name, or is removed: its directory, its database, the list of studies.

Both are done under the study's lock. Each can be interrupted: the same command completes it.
"""

import os
import re
import shlex
import shutil
from pathlib import Path

from harness.core import console, files
from harness.core.errors import UserError, of_disk
from harness.results import lock, manifest
from harness.results.manifest import Manifest
from harness.results.run_directory import RunDirectory
from harness.search import renaming
from harness.search.database import shown, sqlite_url
from harness.spec.study_files import check_name
from harness.study.stored import is_own, url_on_file
from reports import write
from reports.pages import index

QUICK = "-quick"  # quick studies have names that end so, and are resumed with the rest as --name
BEFORE = "renamed_from"  # in the manifest of a study while it is renamed


def rename(root: Path, new: str) -> Path:
    """Give a study another name; returns its new run directory.

    A quick study's name gets the end that such names have. Raises UserError where the name is
    taken or can't be one, and StudyHeldError while the study runs.
    """
    check_name(new, "NEW")
    old = RunDirectory(root).read_manifest()
    name = f"{new}{QUICK}" if old.quick and not new.endswith(QUICK) else new
    check_name(name, "NEW")
    target = root.absolute().with_name(name)
    _check_plain(root)
    with lock.hold(RunDirectory(root).lock):
        if target.exists():
            raise UserError(f"{target} is there already; choose another name")
        _rename(RunDirectory(root), RunDirectory(target), name)
    _tell_others(target)
    return target


def _rename(directory: RunDirectory, target: RunDirectory, name: str) -> None:
    """First the manifest: with its new name in the old place, no command resumes it meanwhile."""
    old = directory.read_manifest()
    url = url_on_file(old, directory)
    own = is_own(old, directory)
    here = directory.root.absolute().name
    interrupted = BEFORE in old and here != old.study
    before = str(old[BEFORE]) if interrupted else old.study
    if not own and before != here:
        raise UserError(
            f"{directory.root} is a copy of the study {old.study}, and both have their trials in "
            f"{shown(url)}; copy them first with: harness copy"
        )
    if not interrupted or name != old.study:
        renaming.check_free(url, name)
    changed = {
        **old,
        "study": name,
        BEFORE: before,
        "storage": shown(sqlite_url(target.database)) if own else old.storage,
        "database": target.database.name if own else None,
        "command": _command(old.command, name, old.quick),
    }
    try:
        manifest.write(directory.manifest, changed)
        renaming.rename(url, [before, old.study], name)
        files.rename(directory.root.absolute(), target.root)
        manifest.write(target.manifest, {k: v for k, v in changed.items() if k != BEFORE})
    except OSError as error:
        raise of_disk(error, str(directory.root)) from None


def _command(old: str, name: str, quick: bool) -> str:
    """The command that resumes the study, with its new name."""
    name = name.removesuffix(QUICK) if quick else name
    if not old or old.startswith("harness.run("):  # of a study that was made in Python
        return re.sub(r"name='[^']*'", f"name={name!r}", old, count=1)
    words = shlex.split(old)
    if "--name" in words:
        place = words.index("--name")
        del words[place : place + 2]
    return shlex.join([*words, "--name", name])


def described(root: Path) -> str:
    """What would be lost with a study, in a line."""
    found = RunDirectory(root).read_manifest()
    trials = sum(1 for _ in root.glob("trials/**/result.json"))
    size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file())
    elsewhere = "" if is_own(found, RunDirectory(root)) else f", and its trials in {found.storage}"
    return f"{root}: the study {found.study}, {trials} trials, {size / 1e6:,.1f} MB{elsewhere}"


def remove(root: Path) -> None:
    """Delete a study: its run directory, and its trials in a database elsewhere.

    Raises UserError where that is not possible, and StudyHeldError while the study runs.
    """
    _check_plain(root)
    directory = RunDirectory(root)
    with lock.hold(directory.lock):
        found = directory.read_manifest()
        if not is_own(found, directory):
            _check_no_copy(found, root)
            renaming.delete(url_on_file(found, directory), found.study)
        # Under another name it is no study any more, even where the rest is interrupted.
        gone = root.absolute().with_name(f".{root.absolute().name}.removed-{os.getpid()}")
        try:
            files.rename(root.absolute(), gone)
            shutil.rmtree(gone)
        except OSError as error:
            raise of_disk(error, str(root)) from None
    _list_again(root.absolute().parent)


def _check_no_copy(found: Manifest, root: Path) -> None:
    """Raise UserError where the trials elsewhere are those of the study that this is a copy of."""
    if root.absolute().name != found.study:
        raise UserError(
            f"{root} is a copy of the study {found.study}, and the trials in {found.storage} are "
            "that study's; delete this folder yourself"
        )


def _check_plain(root: Path) -> None:
    if root.is_symlink():
        raise UserError(f"{root} is a link; give the folder itself: {root.resolve()}")


def _tell_others(root: Path) -> None:
    """The report, where there is one, and the list of studies have the new name."""
    if RunDirectory(root).report.exists():
        try:
            write.write(root)
        except UserError as error:
            console.notify(f"the report still has the old name: {error}")
    else:
        _list_again(root.parent)


def _list_again(runs: Path) -> None:
    if (runs / "index.html").exists():
        index.write(runs, now=files.now())

"""Where a study's database is, and whether what is on file belongs to it. No Keras."""

from harness.core.errors import UserError
from harness.results.manifest import Manifest
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import RESULT
from harness.search.database import absolute, file_of, is_unused, sqlite_url
from harness.study.options import Options


def url_of(options: Options, old: Manifest | None, directory: RunDirectory) -> str:
    """The URL of the study's database: `--storage`, or that of the manifest, or study.db.

    A study whose database was somewhere else stays there without --storage.
    """
    if options.storage is not None:
        return absolute(options.storage)
    return url_on_file(old, directory)


def url_on_file(old: Manifest | None, directory: RunDirectory) -> str:
    """The URL of the database that a study has, as its manifest says, or study.db."""
    if old is None or not old.storage or is_own(old, directory):
        return sqlite_url(directory.database)
    return old.storage


def is_own(manifest: Manifest, directory: RunDirectory) -> bool:
    """Whether the database is in the run directory, also where that was moved or copied."""
    if manifest.own_database is not None:
        return manifest.own_database
    file = file_of(manifest.storage)  # of a version that did not say
    return (
        file is not None
        and file.name == directory.database.name
        and not (file.exists() and not directory.database.exists())
    )


def check_before_opening(url: str, old: Manifest | None, directory: RunDirectory) -> None:
    """Raise UserError where the manifest is lost, or the database, and trainings are on file.

    A study.db of a start that was killed before its manifest was written is removed.
    """
    file = file_of(url)
    trained = any(directory.root.glob(f"trials/**/{RESULT}"))
    if old is None:
        own = directory.database
        if own.exists() and is_unused(own):
            own.unlink()
            own.with_name(f"{own.name}-journal").unlink(missing_ok=True)
        found = "trials" if trained else "a study.db" if own.exists() else None
        if found is not None:
            raise UserError(
                f"{directory.root} has {found} but no manifest.json; put the manifest back, "
                "or start again with --fresh, which moves the directory aside"
            )
    elif trained and file is not None and (not file.exists() or not file.stat().st_size):
        raise UserError(
            f"{file}, the study's database, is {'empty' if file.exists() else 'missing'}, and "
            f"{directory.root} has trials; put it back, name its place with --storage, or start "
            "again with --fresh, which moves the directory aside"
        )

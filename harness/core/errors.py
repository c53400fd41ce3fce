"""The exception class for mistakes that a user can correct."""

import difflib
import errno
import os
from collections.abc import Iterable


class UserError(Exception):
    """Wrong usage or bad input: one line that says what is wrong and how to correct it.

    The command line catches it in one place, prints the line on stderr and exits with 2.
    """


class StudyHeldError(Exception):
    """Another process uses the study; the command line exits with 75 (EX_TEMPFAIL)."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for an unknown name: it suggests the most similar one, and lists all."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    return UserError(f"no {kind} named {name!r}; {hint}known: {', '.join(known)}")


def of_disk(error: OSError, where: str = "") -> UserError:
    """The error for what the system refused to do with a file; `where` is used if it names none."""
    name = "" if error.filename is None else shortened(os.fsdecode(error.filename))
    before = f"{name or where}: " if name or where else ""
    number, reason = error.errno, error.strerror or str(error) or type(error).__name__
    if number in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"{before}the disk is full; free some space and give the same command again, "
            "what is finished is kept"
        )
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return UserError(
            f"{before}can't be read or written ({reason}); change its permissions, or name "
            "another place"
        )
    if number in (errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST, errno.ELOOP):
        return UserError(f"{before}{reason}; move away what is there and give the command again")
    return UserError(f"{before}{reason}; correct that and give the command again")


def shortened(text: str, most: int = 200) -> str:
    """The text, cut in its middle where it has more than `most` characters."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"

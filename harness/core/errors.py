"""The exception class for mistakes that a user can correct."""

import difflib
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

"""Names that users type: studies, datasets, samplers. A mistyped one gets a suggestion."""

import difflib
from collections.abc import Iterable

from harness.core.errors import UserError


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a name that is not there: the nearest one, then all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    return UserError(f"no {kind} named {name!r}; {hint}known: {', '.join(known)}")

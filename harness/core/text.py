"""Makes text from other sources safe to show."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

# Kept, though not printable for Python: line breaks, narrow and fixed spaces, joined emojis.
_MEANT = "\n\t\u00a0\u202f\u2009\u200d"


def sanitize(text: str) -> str:
    r"""Text with terminal codes, direction marks and the like as escapes: `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _MEANT else repr(char)[1:-1] for char in text
    )


def escape_surrogates(value: Any) -> Any:
    r"""A text with halves of characters (for example from file names) as escapes: `\udc80`.

    No encoding can write them, and Arrow tables can't store them. Other values are not changed.
    """
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def cut(text: str, most: int = 40) -> str:
    """One line of at most `most` characters that can be printed; `…` stands for the rest."""
    line = sanitize(escape_surrogates(" ".join(text[: 4 * most].split())))
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[: most - 1]}…"


def some(names: Sequence[str], most: int = 10) -> str:
    """The first names, each cut, and how many more there are: `a, b and 98 more`."""
    shown = [cut(name) for name in names[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def seconds(text: str) -> float:
    """`90m`, `2h`, `1h30m` or `45s` in seconds; raises ValueError for other texts and for 0."""
    match = re.fullmatch(
        r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", text.strip().lower()
    )
    parts = [float(part or 0.0) for part in match.groups()] if match else []
    total = sum(part * size for part, size in zip(parts, (3600.0, 60.0, 1.0), strict=False))
    if not total > 0:
        raise ValueError(f"not a time: {text!r}")
    return total


def short(params: Mapping[str, Any]) -> str:
    """`units=12 dropout=0.25`: numbers to three digits."""
    return " ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in params.items()
    )


def capital(text: str) -> str:
    """The text with a capital first letter; the rest is as it was."""
    return text[:1].upper() + text[1:]


def counted(number: int, noun: str) -> str:
    """`1 arm`, `3 arms`."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """`arms`, `searches`, `studies`."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun.removesuffix('y')}ies"
    return f"{noun}es" if noun.endswith("search") else f"{noun}s"


def listing(items: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join((", ".join(items[:-1]), items[-1]) if len(items) > 1 else items)

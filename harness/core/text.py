"""Text from elsewhere made harmless to show."""

from typing import Any

# Not printable by Python's rule, and yet meant: line breaks, narrow and fixed spaces, emoji joints.
_MEANT = "\n\t\u00a0\u202f\u2009\u200d"


def inert(text: str) -> str:
    r"""Text with terminal codes, direction marks and other unprintables spelled out: `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _MEANT else repr(char)[1:-1] for char in text
    )


def encodable(value: Any) -> Any:
    r"""A text with halves of characters (from names of files, say) as their escapes: `\udc80`.

    No encoding can write them, and tables backed by Arrow can't hold them. Other values as is.
    """
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode("utf-8")

"""Text from elsewhere made harmless to show."""

# Not printable by Python's rule, and yet meant: line breaks, narrow and fixed spaces, emoji joints.
_MEANT = "\n\t\u00a0\u202f\u2009\u200d"


def inert(text: str) -> str:
    r"""Text with terminal codes, direction marks and other unprintables spelled out: `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _MEANT else repr(char)[1:-1] for char in text
    )

"""What tests take from the README."""

import re
import textwrap
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def example() -> str:
    """The README's study with a dataset and networks of its own."""
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", README.read_text(encoding="utf-8"), re.MULTILINE)
    (found,) = (block for block in blocks if "class Waves" in block)
    return textwrap.dedent(found).strip() + "\n"

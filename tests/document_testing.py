"""What tests take from README, CONTRIBUTING and the pages of `docs/`."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
YOUR_OWN_STUDY = ROOT / "docs" / "your-own-study.md"
PAGES = [README, CONTRIBUTING, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    """The page's fenced blocks of code in `language`, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def example() -> str:
    """The study with its own dataset and networks, as the documentation shows it."""
    (found,) = (block for block in blocks(YOUR_OWN_STUDY, "python") if "class Waves" in block)
    return found


def template(path: str) -> str:
    """CONTRIBUTING's template of the file `path`, without the line that names the file."""
    first = f"# {path}\n"
    (found,) = (block for block in blocks(CONTRIBUTING, "python") if block.startswith(first))
    return found.removeprefix(first)

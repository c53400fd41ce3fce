"""The sample of the claims' page, made from the records beside it.

`python -m tests.claims_sample` writes it again, after a change of the page or of the records.
"""

import re
import tarfile
import tempfile
from pathlib import Path

from harness.commands import claims

PAGE = Path(__file__).parents[1] / "reports" / "sample" / "claims.html"
RECORDS = PAGE.parent / "claims"
SECTION = r"<section .*?</section>"
DRAWN = r"<svg .*?</svg>"


def render(runs: Path) -> str:
    """The page of the committed records, which are unpacked into the folder `runs`."""
    for archive in sorted(RECORDS.glob("*.tar.xz")):
        with tarfile.open(archive) as packed:
            packed.extractall(runs, filter="data")
    claims.claims(limit="0", runs_directory=runs, output=runs / PAGE.name)
    return (runs / PAGE.name).read_text(encoding="utf-8")


def words(page: str) -> list[str]:
    """The text of every section, with its tables and without its charts."""
    sections = re.findall(SECTION, page, flags=re.S)
    return [re.sub(r"<[^>]*>|\s+", " ", re.sub(DRAWN, "", each, flags=re.S)) for each in sections]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(render(Path(folder)), encoding="utf-8")
    print(PAGE)

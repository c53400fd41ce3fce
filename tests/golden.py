"""The report of a small record set on file, compared with the page on file beside it.

`python -m tests.golden` writes the page again, after an intended change; read its diff.
"""

import os
import re
from pathlib import Path

from harness.results import records
from reports import page

FOLDER = Path(__file__).parent / "data" / "golden"
PAGE = FOLDER / "report.html"
NOW = "2026-11-23T12:00:00Z"


def render() -> str:
    """The page, with only the text of each chart: its lines depend on matplotlib's version."""
    before = Path.cwd()
    os.chdir(FOLDER)  # the page names its run directory
    try:
        text = page.render(records.read_records(Path("runs/lstm_depth")), now=NOW)
    finally:
        os.chdir(before)
    charts = re.sub(r"(<svg viewBox=[^>]*class=\"chart\">).*?</svg>", r"\1</svg>", text, flags=re.S)
    styled = re.sub(r"<style>.*?</style>", "<style></style>", charts, flags=re.S)
    scripted = re.sub(r"<script>.*?</script>", "<script></script>", styled, flags=re.S)
    return re.sub(r"sha256-[^']*", "sha256-", scripted)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    print(PAGE)

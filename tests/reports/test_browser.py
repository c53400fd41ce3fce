"""The page in a real browser: it opens, complains of nothing, and fits a phone."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from report_testing import MakeRun

from harness import report

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--allow-file-access-from-files",
)  # fmt: skip


@pytest.fixture
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium found (apt-get install chromium)")


def dump(chromium: str, profile: Path, page: Path) -> tuple[str, str]:
    """The document as the browser sees it once loaded, and what it said on its console."""
    done = subprocess.run(
        [chromium, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout, "\n".join(re.findall(r".*:CONSOLE.*", done.stderr))


def test_opens_without_a_complaint(chromium: str, make_run: MakeRun, tmp_path: Path) -> None:
    page = report.write(make_run(trials=3))
    document, console = dump(chromium, tmp_path / "profile", page)
    assert console == ""
    assert "reached the lowest validation loss" in document
    assert document.count("<svg") == page.read_text(encoding="utf-8").count("<svg")


@pytest.mark.parametrize("name", ["a" * 60, "a cell of a long name, number one"])
def test_a_phone_needs_no_sideways_scrolling(
    chromium: str, make_run: MakeRun, tmp_path: Path, name: str
) -> None:
    page = report.write(make_run(compare={"cell": [name, "gru"]}, trials=3))
    # Chromium's windows are at least 500 px wide, frames are not.
    frame = tmp_path / "phone.html"
    frame.write_text(
        f'<!doctype html><iframe src="{page.as_uri()}" width="360" height="800"></iframe>'
        "<p id=widths></p><script>onload = () => { const root = "
        "document.querySelector('iframe').contentDocument.documentElement; "
        "widths.textContent = `${root.scrollWidth} in ${root.clientWidth}` }</script>"
    )
    document, _ = dump(chromium, tmp_path / "profile", frame)
    widths = re.search(r"(\d+) in (\d+)", document)
    assert widths, document
    assert int(widths[1]) <= int(widths[2])

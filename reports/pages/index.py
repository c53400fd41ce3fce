"""The list of all studies of a directory, each with its verdict: `runs/index.html`.

It is made from the `summary.json` in each run directory, so it is fast for any number of studies.
"""

from pathlib import Path
from urllib.parse import quote

from harness.analysis import labels, outcome_text
from harness.core import files
from harness.core.errors import UserError
from harness.core.text import sanitize
from harness.results.run_directory import RunDirectory
from reports import page

GENERATOR = "rnn-depth-harness index"


def write(parent: Path, *, now: str) -> Path | None:
    """Write `index.html` beside the run directories; None if another program's file is there."""
    file = parent / "index.html"
    if file.exists() and GENERATOR not in file.read_text(encoding="utf-8", errors="replace"):
        return None
    files.write_atomically(file, render(parent, now=now))
    return file


def render(parent: Path, *, now: str) -> str:
    """The page; the newest study comes first."""
    studies = [study for folder in sorted(parent.iterdir()) if (study := _study(folder))]
    studies.sort(key=lambda study: study["created"], reverse=True)
    return page.compose("index.html", studies=studies, generator=GENERATOR, now=now)


def _study(folder: Path) -> dict[str, str] | None:
    """The list's entry for a run directory; None if it has no report."""
    try:
        manifest = RunDirectory(folder).read_manifest()
        outcome = files.parse_object((folder / "summary.json").read_bytes()) or {}
        recommended = outcome["recommended"]
        verdict = "No trial has finished yet."
        if recommended is None and any(arm.get("best") for arm in outcome["arms"]):
            verdict = "A quick study, which recommends nothing."
        elif recommended is not None:
            arm, reason = recommended["arm"], recommended.get("reason")
            verdict = (
                outcome_text.advice(arm, reason)
                if reason
                else f"So far {labels.arm_label(arm)} has the lowest validation loss; "
                "replicates are missing."
            )
        return {
            "study": manifest.study,
            "question": manifest.question,
            "created": str(manifest.created or ""),
            "verdict": sanitize(verdict),
            "href": quote(f"{folder.name}/report.html"),
        }
    except (UserError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None

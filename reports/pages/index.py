"""The list of all studies of a directory, each with its verdict: `runs/index.html`.

It is made from the `summary.json` in each run directory, so it is fast for any number of studies.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.analysis import labels, outcome_text
from harness.core import files
from harness.core.errors import UserError
from harness.core.metrics import metric_of
from harness.core.text import capital, sanitize
from harness.results.manifest import Manifest
from harness.results.run_directory import RunDirectory
from reports import page, wording

GENERATOR = "rnn-depth-harness index"
VERSUS = "-vs-"  # between the names of studies, in the name of the page that compares them


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
    runs = "" if parent.name == "runs" else f" --runs {shlex.quote(str(parent))}"
    return page.compose(
        "index.html",
        studies=studies,
        comparisons=_comparisons(parent, {study["folder"] for study in studies}),
        compare=f"python -m harness.report{runs}",
        generator=GENERATOR,
        now=now,
    )


def _comparisons(parent: Path, folders: set[str]) -> list[dict[str, str]]:
    """The pages that compare studies of this directory."""
    found = []
    for file in sorted(parent.glob(f"*{VERSUS}*.html")):
        names = file.stem.split(VERSUS)
        if set(names) <= folders:
            found.append({"name": sanitize(" and ".join(names)), "href": quote(file.name)})
    return found


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
            "folder": folder.name,
            "argument": shlex.quote(folder.name),
            "size": "quick study" if manifest.quick else "full study",
            "stage": _stage(manifest, outcome["arms"]),
            "score": sanitize(_score(manifest, outcome["arms"], recommended)),
            "question": manifest.question,
            "created": str(manifest.created or ""),
            "verdict": sanitize(verdict),
            "href": quote(f"{folder.name}/report.html"),
        }
    except (UserError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _stage(manifest: Manifest, arms: Sequence[Mapping[str, Any]]) -> str:
    """How far a study is: finished, or what is done of its trials or replicates."""
    done = {
        "trials": sum(sum(arm["trials"].values()) for arm in arms),
        "replicates": sum(arm["replicates"]["n"] + arm["replicates"]["failed"] for arm in arms),
    }
    if not manifest.finished:
        for noun, wanted in manifest.wanted.items():
            if done[noun] < wanted:
                return f"{done[noun]:,} of {wanted:,} {noun}"
    return "finished"


def _score(
    manifest: Manifest, arms: Sequence[Mapping[str, Any]], recommended: Mapping[str, Any] | None
) -> str:
    """The mean score of the recommended arm or, without one, the best; "" before replicates."""
    metric = metric_of(manifest.dataset)
    scored = [arm for arm in arms if arm["replicates"]["mean"] is not None]
    if recommended is not None:
        scored = [arm for arm in scored if arm["arm"] == recommended["arm"]]
    if not scored:
        return ""
    arm = max(scored, key=lambda each: metric.sign * float(each["replicates"]["mean"]))
    found = arm["replicates"]
    text = f"{capital(str(found['split']))} {metric.name} {metric.text(float(found['mean']))}"
    low, high = found.get("ci95_seeds_and_examples") or (None, None)
    if low is not None and high is not None:
        text += f", 95 % interval {metric.number(low)} to {metric.text(high)}"
    label = labels.arm_label(str(arm["arm"]))
    return f"{text} ({label})".replace(" %", wording.NBSP + "%")

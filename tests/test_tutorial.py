"""The tutorial's commands, one after another, on a tiny budget; and the page of Python's names."""

import inspect
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from document_testing import ROOT, blocks, text_of

import harness
from harness.analysis.loaded import Results

TUTORIAL, API = ROOT / "docs" / "tutorial.md", ROOT / "docs" / "api.md"
# What a command takes where it does not give the option itself.
TINY = {"--trials": "1", "--epochs": "1", "--searches": "1", "--replicates": "1", "--workers": "1"}
WORDS = {"good": "fine great lovely", "bad": "dull poor awful"}


def tiny(words: list[str]) -> list[str]:
    """A command of the tutorial, with a budget that takes seconds."""
    if words[:3] != ["python", "-m", "harness.study"]:
        return words
    words = ["2" if word == "5" else word for word in words]  # searches
    added = [part for option in TINY.items() if option[0] not in words for part in option]
    return [*words, *added, "--no-profile", "-q"]


@pytest.mark.slow
def test_the_commands_of_the_tutorial_run_in_order(tmp_path: Path) -> None:
    (study,) = blocks(TUTORIAL, "python")
    (tmp_path / "my_depth.py").write_text(study)
    rows = [f"{WORDS[label]} film number {n},{label}" for n in range(150) for label in WORDS]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    commands = [line for block in blocks(TUTORIAL, "sh") for line in block.splitlines()]
    assert len(commands) == 12
    for command in commands[1:]:  # the first one installs
        words = tiny(shlex.split(command))
        python = [sys.executable, *words[1:]]
        verb = [sys.executable, "-m", *words]
        done = subprocess.run(
            python if words[0] == "python" else verb,
            cwd=tmp_path, capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
    assert (tmp_path / "runs" / "lstm_depth-quick" / "report.html").is_file()
    assert (tmp_path / "runs" / "my_depth-reviews-quick" / "report.html").is_file()
    assert (tmp_path / "model" / "model.keras").is_file()
    found = harness.load("reviews_2026", runs=tmp_path / "runs")
    assert found.report.is_file()
    assert found.trials.groupby(["arm", "search"]).size().to_list() == [1, 1, 1, 1]
    assert len([*tmp_path.glob("logs/reviews_2026/trials/**/events.out.tfevents.*")]) == 4


def test_the_tutorial_has_ten_steps() -> None:
    numbers = re.findall(r"^\*\*(\d+)\. ", text_of(TUTORIAL), re.MULTILINE)
    assert numbers == [str(number) for number in range(1, 11)]


def rows(page: Path) -> list[str]:
    """The code in the first cells of the page's tables."""
    return [
        name
        for line in text_of(page).splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split(" | ")[0])
    ]


def test_the_page_of_python_has_each_public_name() -> None:
    listed = {name.partition("(")[0] for name in rows(API)}
    results = {name for name in vars(Results) if not name.startswith("_")}
    assert listed == {*harness.__all__, *results, "harness.models.StackedRNN"}


def test_the_page_of_python_has_the_parameters_that_there_are() -> None:
    checked = 0
    for row in rows(API):
        name, found, rest = row.partition("(")
        if not found:
            continue
        of = getattr(harness, name, None) or getattr(Results, name)
        known = {each for each in inspect.signature(of).parameters if each != "self"}
        given = {each.strip() for each in rest.rstrip(")").split(",")} - {"*", "…"}
        assert given <= known, row
        assert "…" in rest or given == known, row
        checked += 1
    assert checked >= 6


def test_the_citation_and_the_package_are_of_one_version() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    citation = dict(re.findall(r"^([\w-]+): (.+)$", text_of(ROOT / "CITATION.cff"), re.MULTILINE))
    assert citation["version"] == project["version"]
    assert citation["title"] == project["name"]
    assert citation["license"] == project["license"]

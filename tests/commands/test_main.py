"""The command line as a shell sees it: exit codes, one line on stderr, stdout clean."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.spec import study_files


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=cwd, timeout=120
    )


def test_list_reads_as_a_list_of_questions(tmp_path: Path) -> None:
    answer = run("harness.study", "--list", cwd=tmp_path)
    assert answer.returncode == 0
    for name in study_files.names():
        assert name in answer.stdout
    assert answer.stdout.count("?") == len(study_files.names())
    as_json = json.loads(run("harness.study", "--list", "--json", cwd=tmp_path).stdout)
    assert [study["study"] for study in as_json["studies"]] == study_files.names()


def test_help_has_three_examples(tmp_path: Path) -> None:
    text = run("harness.study", "--help", cwd=tmp_path).stdout
    assert text.count("  python -m harness.study ") >= 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lstm_dept"], "did you mean lstm_depth?"),
        ([], "--list"),
        (["lstm_depth", "--trialz", "3"], "--trialz"),
        (["lstm_depth", "--trials", "three"], "'--trials'"),
        (["lstm_depth", "--trials", "0"], "trials: 0"),
        (["no/such/file.py"], "no study file"),
        (["{x}"], "no study named"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    answer = run("harness.study", *arguments, cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_console_script_offers_the_same_as_verbs(tmp_path: Path) -> None:
    verbs = "from harness.commands.main import main; main()"
    listed = subprocess.run(
        [sys.executable, "-c", verbs, "list"], capture_output=True, text=True, cwd=tmp_path
    )
    assert listed.stdout == run("harness.study", "--list", cwd=tmp_path).stdout
    helped = subprocess.run(
        [sys.executable, "-c", verbs, "--help"], capture_output=True, text=True, cwd=tmp_path
    )
    for verb in ("study", "list", "report", "status"):
        assert verb in helped.stdout


def test_a_report_of_nothing_is_an_error(tmp_path: Path) -> None:
    answer = run("harness.report", "lstm_depth", cwd=tmp_path)
    assert answer.returncode == 2
    assert "no study named 'lstm_depth'" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_the_script_says_its_version_and_its_verbs(tmp_path: Path) -> None:
    version = run("harness", "--version", cwd=tmp_path)
    assert version.stdout == f"harness {harness.__version__}\n"
    alone = run("harness", cwd=tmp_path)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout == run("harness", "--help", cwd=tmp_path).stdout


def test_errors_and_examples_name_what_was_called(tmp_path: Path) -> None:
    for command, called in ((("harness", "study"), "harness study"),
                            (("harness.study",), "python -m harness.study")):  # fmt: skip
        wrong = run(*command, "--trails", "3", cwd=tmp_path)
        assert wrong.stderr.endswith(f"Try: {called} --help\n")
        assert f"  {called} lstm_depth --quick" in run(*command, "--help", cwd=tmp_path).stdout
    for command, called in ((("harness", "report"), "harness study"),
                            (("harness.report",), "python -m harness.study")):  # fmt: skip
        missing = run(*command, "nothing", cwd=tmp_path)
        assert f"start one with: {called} NAME" in missing.stderr

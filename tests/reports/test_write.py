"""Pages and tables are written from a run directory alone."""

import subprocess
import sys

from report_testing import MakeRun

from reports import write


def test_write_makes_page_and_tables(make_run: MakeRun) -> None:
    root = make_run(trials=2)
    page = write.write(root)
    assert page == root / "report.html"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(path.name for path in (root / "tables").iterdir()) == [
        "epochs.csv", "replicates.csv", "trials.csv", "verdicts.csv",
    ]  # fmt: skip
    assert not list(root.glob(".*.tmp"))


def test_half_a_character_is_written_as_its_escape(make_run: MakeRun) -> None:
    root = make_run(trials=1, edit=lambda result: {**result, "path": "a\udc80b"})
    write.write(root)
    assert "a\\udc80b" in (root / "tables" / "trials.csv").read_text(encoding="utf-8")


def test_reading_and_rendering_load_no_training_library(make_run: MakeRun) -> None:
    root = make_run(trials=1)
    code = (
        "import sys; from pathlib import Path; from reports import write; "
        "write.write(Path(sys.argv[1])); "
        "print(sorted({'optuna', 'keras', 'tensorflow', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True
    )
    assert "optuna" not in done.stdout
    assert "keras" not in done.stdout
    assert "tensorflow" not in done.stdout

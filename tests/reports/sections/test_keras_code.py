"""The section with the recommended configuration as a script."""

from pathlib import Path

from page_testing import HOSTILE, check
from report_testing import NOW, MakeRun

from harness.results.records import read_records
from reports import page
from reports.sections import keras_code

CODE = f'"""Trains."""\nprint({HOSTILE.encode("utf-8", "replace")!r}, "<b>")\n'


def test_the_script_is_shown_as_it_is(make_run: MakeRun) -> None:
    root = make_run(replicates=1)
    for folder in root.glob("replicates/depth=*/seed=1"):
        (folder / "train.py").write_text(CODE)
    found = keras_code.build(read_records(root))
    assert found is not None
    (script,) = found.commands
    assert script.command == CODE.strip()
    assert Path(script.purpose.removeprefix("train.py, in ")).is_dir()
    parsed = check(page.render(read_records(root), now=NOW))
    assert CODE.strip() in parsed.text


def test_without_a_script_it_stays_away(make_run: MakeRun) -> None:
    assert keras_code.build(read_records(make_run(replicates=1))) is None

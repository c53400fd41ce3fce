"""Tables as CSV that a spreadsheet can open without harm."""

import re
from pathlib import Path

import pandas as pd
from page_testing import failed
from report_testing import write_run

from harness.results.records import read_records
from harness.results.tables import to_csv, write_tables


def test_csv_cells_start_no_formula() -> None:
    table = pd.DataFrame({"reason": ["=cmd()", "+1", "plain", None], "value": [-1.0, 2.0, 3.0, 4]})
    assert to_csv(table).splitlines() == [
        "reason,value", "'=cmd(),-1.0", "'+1,2.0", "plain,3.0", ",4.0",
    ]  # fmt: skip


def test_a_formula_in_a_table_on_file_is_text(tmp_path: Path) -> None:
    root = tmp_path / "s"
    write_run(root, trials=2, edit=lambda result: failed(result, "=cmd()|' /C calc'!A0"))
    write_tables(read_records(root))
    lines = (root / "tables" / "trials.csv").read_text(encoding="utf-8")
    assert "'=cmd()" in lines
    assert not re.search(r"(^|,)\"?=", lines)

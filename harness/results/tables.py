"""The tables of a run directory as CSV."""

from typing import TYPE_CHECKING

from harness.core.files import write_atomically
from harness.results.records import Records

if TYPE_CHECKING:
    import pandas as pd


def write_tables(records: Records) -> None:
    """Write trials.csv, epochs.csv and replicates.csv to `tables/`; no cell is a formula."""
    tables = {
        "trials": records.trials,
        "epochs": records.epochs,
        "replicates": records.replicates,
    }
    for name, table in tables.items():
        write_atomically(records.root / "tables" / f"{name}.csv", to_csv(table))


def to_csv(table: "pd.DataFrame") -> str:
    """CSV in which no cell starts a formula: text that begins with = + - @ gets an apostrophe."""
    safe = table.copy()
    for column in safe.columns:
        if safe[column].dtype.kind in "OUT" or str(safe[column].dtype) in ("str", "string"):
            safe[column] = safe[column].map(
                lambda cell: (
                    "'" + cell
                    if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell
                    else cell
                )
            )
    return str(safe.to_csv(index=False, lineterminator="\n"))

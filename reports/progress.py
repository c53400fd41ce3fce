"""What an unfinished study is doing, and how long the rest takes: the first lines of its page."""

from datetime import datetime

from harness.analysis.clock import time_left
from harness.core.text import duration
from harness.results.records import Records
from reports import wording

MOST = 8  # running trainings that are named


def sentences(records: Records, *, now: str, live: bool) -> tuple[str, ...]:
    """Nothing for a finished study that no longer runs; `now` is ISO 8601."""
    left = time_left(records, datetime.fromisoformat(now))
    rest = None if left is None else duration(left.seconds).replace(" ", "\u00a0")
    if not live:
        return () if rest is None else (f"The rest of this study takes about {rest}.",)
    running = _running(records)
    more = f", and {len(running) - MOST} more" if len(running) > MOST else ""
    doing = ", ".join(running[:MOST]) + more
    told = f"about {rest} left" if rest else "how long it takes is not known yet"
    return (f"This study is running: {told}.", *((f"Now training: {doing}.",) if doing else ()))


def _running(records: Records) -> list[str]:
    found = []
    for noun, table, epochs in (
        ("trial", records.trials, records.epochs),
        ("replicate", records.replicates, records.replicate_epochs),
    ):
        keys = ["arm", "search", noun]
        for _, row in table[table["state"] == "running"].iterrows():
            done = int((epochs[keys] == row[keys]).all(axis=1).sum())
            search = f", search {row['search']}" if records.manifest.searches > 1 else ""
            label = wording.arm_label(records, row["arm"])
            found.append(f"{label}{search}, {noun} {row[noun]} (epoch {done + 1})")
    return found

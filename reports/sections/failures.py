"""Trainings that failed, and why."""

from harness.results.records import BASELINES, Records
from reports import wording
from reports.content import Cell, Column, Link, Row, Section, Table

ORDER = 70


def build(records: Records) -> Section | None:
    rows = []
    for noun, table, anchor in (
        ("trial", records.trials, wording.trial_anchor),
        ("replicate", records.replicates, wording.replicate_anchor),
    ):
        failed = table[table["state"] == "failed"]
        for arm in (*records.arms, *BASELINES):
            ours = failed[failed["arm"] == arm]
            for search, number, reason, finished in zip(
                ours["search"], ours[noun], ours["reason"], ours["finished"], strict=True
            ):
                cells: tuple[Cell, ...] = (
                    wording.arm_label(records, arm),
                    Link(
                        wording.training_label(records, noun, number, search),
                        anchor(arm, number, search),
                    ),
                    "not recorded" if wording.missing(reason) or not reason else str(reason),
                    wording.moment(finished),
                )
                rows.append(Row(cells, kind="failed"))
    if not rows:
        return None
    return Section(
        id="failures",
        title="Failures",
        text=(
            f"{wording.counted(len(rows), 'training')} failed. A failed trial counts towards the "
            "budget of its search, but this page uses none of its scores.",
        ),
        tables=(
            Table(
                "failed",
                "Failed trainings, with their reasons",
                (Column("Arm"), Column("Training"), Column("Reason"), Column("Ended")),
                tuple(rows),
            ),
        ),
    )

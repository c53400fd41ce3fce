"""The HTML page of a profile alone."""

from collections.abc import Mapping
from typing import Any

from reports import page, profile_section, wording
from reports.content import Column, Row, Section, Table


def render(profile: Mapping[str, Any], *, now: str) -> str:
    """The whole page; `now` (ISO 8601) is the time when it is made."""
    rows = tuple(
        Row((wording.label(name), wording.value_text(value)))
        for name, value in profile["environment"].items()
        if value not in (None, [], "")
    )
    environment = Section(
        id="environment",
        title="What it was measured on",
        text=("Numbers from different machines are not comparable.",),
        tables=(
            Table("environment-table", "Environment", (Column("Item"), Column("Value")), rows),
        ),
    )
    # The template's skip link leads to the first section of a study's report, its answer.
    first = profile_section.build(profile, identity="answer", title="What a training step costs")
    return page.compose(
        "page.html",
        study="profile",
        source="the study's run directory",
        question="What does a training step cost?",
        finished=True,
        sections=[first, environment],
        now=now,
    )

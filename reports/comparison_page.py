"""Records of several studies → one HTML file that compares them."""

from collections.abc import Sequence

from harness.results.records import Records
from reports import page
from reports.pages import comparison


def render(studies: Sequence[Records], *, now: str) -> str:
    """The whole page; `now` (ISO 8601) is when it was made."""
    listed = comparison.entries(studies)
    return page.compose(
        "page.html",
        study="comparison",
        source="the run directories of these studies",
        question=" against ".join(each.label for each in listed),
        finished=all(records.finished for records in studies),
        sections=comparison.build(listed),
        now=now,
    )

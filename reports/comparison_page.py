"""Records of several studies → one HTML file that compares them."""

from collections.abc import Sequence

from harness.runs import Records
from reports import comparison, page


def render(studies: Sequence[Records], *, now: str) -> str:
    """The whole page; `now` (ISO 8601) is when it was made."""
    return page.compose(
        "page.html",
        study="comparison",
        question=" against ".join(each.label for each in comparison.entries(studies)),
        finished=all(records.finished for records in studies),
        sections=comparison.build(studies),
        now=now,
    )

"""What the study's configurations cost, measured by the profiler in fresh processes."""

from harness.runs import Records
from reports import profile_content
from reports.content import Section

ORDER = 57


def build(records: Records) -> Section | None:
    if records.profile is None:
        return None
    return profile_content.build(records.profile, title="What a training step costs")

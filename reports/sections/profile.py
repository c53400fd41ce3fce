"""What the study's configurations cost, measured by the profiler."""

from harness.results.records import Records
from reports import profile_section
from reports.content import Section

ORDER = 57


def build(records: Records) -> Section | None:
    if records.profile is None:
        return None
    return profile_section.build(records.profile, title="What a training step costs")

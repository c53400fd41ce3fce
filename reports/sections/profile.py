"""What the study's configurations cost, measured by the profiler."""

from dataclasses import replace

from harness.results.records import Records
from reports import profile_section
from reports.content import Section

ORDER = 57
OTHERS = (
    "Step times elsewhere on this page are medians of whole trainings, of replicates where there "
    "are some: other trainings ran beside them, so they may be longer."
)


def build(records: Records) -> Section | None:
    if records.profile is None:
        return None
    section = profile_section.build(records.profile, title="What a training step costs")
    return replace(section, text=(*section.text, OTHERS))

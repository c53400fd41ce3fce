"""The studies to compare: what the records of each say."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis.conclusions import ArmResult
from harness.analysis.summary import recommended_arm
from harness.analysis.verdicts import conclude, scored_on
from harness.core.metrics import Metric
from harness.core.text import sanitize
from harness.results.records import Records
from reports import wording


@dataclass(frozen=True)
class Entry:
    """A study in the comparison; `label` is unique, `chosen` is the arm that it recommends."""

    label: str
    records: Records
    chosen: str | None

    @property
    def result(self) -> ArmResult | None:
        return None if self.chosen is None else conclude(self.records).arms[self.chosen]

    @property
    def arm_label(self) -> str:
        return "" if self.chosen is None else wording.arm_label(self.records, self.chosen)


def entries(studies: Sequence[Records]) -> list[Entry]:
    """One entry per study. Studies of the same name get their folder or a number as well."""
    found: list[Entry] = []
    for records in studies:
        alike = [other for other in studies if other.study == records.study]
        label = records.study if len(alike) == 1 else f"{records.study} in {records.root.parent}"
        labels = {each.label for each in found}
        numbers = (f"{label} ({number})" for number in itertools.count(2))
        while label in labels:
            label = next(numbers)
        found.append(Entry(sanitize(label), records, recommended_arm(records)))
    return found


def comparable(listed: Sequence[Entry]) -> list[list[Entry]]:
    """Groups of two or more studies with replicates that were scored on the same examples."""
    groups: dict[Any, list[Entry]] = {}
    for each in listed:
        examples = scored_on(each.records)
        if each.result is not None and each.result.n and examples is not None:
            groups.setdefault(examples, []).append(each)
    return [group for group in groups.values() if len(group) > 1]


def metric_of(listed: Sequence[Entry]) -> Metric | None:
    """What the studies are scored by; None where they have different metrics or units."""
    kinds = {(each.records.metric.title, each.records.metric.higher_is_better) for each in listed}
    # The arms' mean scores say how many digits are shown: those of the first study.
    return listed[0].records.metric if len(kinds) == 1 else None


def scores_of(listed: Sequence[Entry]) -> str:
    """The name of the metric, or of all of them: `accuracy`, `R² or MAE, units`."""
    return " or ".join(dict.fromkeys(each.records.metric.title for each in listed))

"""Tasks of growing difficulty: the hardest that each network solved."""

from typing import Any

from harness.analysis.conclusions import ArmResult
from harness.analysis.verdicts import conclude
from harness.results.records import Records
from reports import wording
from reports.content import Cell, Column, Row, Section, Table, Value

ORDER = 22


def build(records: Records) -> Section | None:
    dataset = records.manifest.declared_dataset
    field, threshold = dataset.get("difficulty"), dataset.get("solved")
    arms = records.manifest.arm_values
    if not field or not threshold or any(field not in values for values in arms.values()):
        return None
    if any(isinstance(values[field], bool) for values in arms.values()):
        return None  # a task with two levels has no largest
    found = conclude(records).arms
    if not any(result.n for result in found.values()):
        return None
    levels = sorted({values[field] for values in arms.values()})
    groups: dict[str, dict[Any, ArmResult]] = {}
    for arm, values in arms.items():
        rest = {name: value for name, value in values.items() if name != field}
        label = ", ".join(
            f"{wording.label(name)} {wording.value_text(value)}" for name, value in rest.items()
        )
        groups.setdefault(label or "all", {})[values[field]] = found[arm]
    name, metric = wording.label(field), records.metric
    least = f"{metric.factor * threshold:g}\u00a0{metric.unit}"
    solved_text = wording.reached(metric, records.scored_split, least)
    rows = []
    for label, by_level in groups.items():
        means = {level: by_level[level].mean for level in levels if level in by_level}
        solved = [level for level, mean in means.items() if mean is not None and mean >= threshold]
        cells: list[Cell] = [label]
        for level in levels:
            mean = means.get(level)
            cells.append(
                wording.MISSING
                if mean is None
                else Value(metric.number(mean), metric.factor * mean)
            )
        cells.append(Value(str(max(solved)), max(solved)) if solved else "none")
        rows.append(Row(tuple(cells)))
    return Section(
        id="solved",
        title=f"The largest {name} that was solved",
        text=(f"Solved means {solved_text}, as the mean of the replicates.",),
        tables=(
            Table(
                "solved-table",
                f"Mean {records.scored_split} {wording.scored(records)} by {name}",
                (
                    Column("Network"),
                    *(Column(f"{name} {level}", True, metric.unit) for level in levels),
                    Column(f"Largest {name} solved", True),
                ),
                tuple(rows),
            ),
        ),
    )

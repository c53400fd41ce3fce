"""Where arms are in charts of accuracy: numbers on a horizontal axis, names on a vertical one.

And their marks in legends.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from harness.results.records import Records
from reports import wording
from reports.charts import chart, scales
from reports.content import Key


@dataclass(frozen=True)
class Layout:
    """The place of each arm on its axis.

    `name` is what the study compares, empty for a study of one arm. `step` is the smallest distance
    between two arms.
    """

    name: str
    positions: dict[str, float]
    numeric: bool

    @property
    def step(self) -> float:
        ordered = sorted(self.positions.values())
        return min((b - a for a, b in itertools.pairwise(ordered)), default=1.0)

    @property
    def upright(self) -> bool:
        """Whether accuracy is the vertical axis."""
        return self.numeric or not self.name

    @property
    def height(self) -> float:
        return chart.HEIGHT if self.upright else max(chart.HEIGHT, 70 + 28 * self.size)

    @property
    def size(self) -> int:
        return len(self.positions)


def of(records: Records) -> Layout:
    arms = records.manifest.arm_values
    names = {key: None for values in arms.values() for key in values}
    if len(arms) == 1:
        return Layout("", dict.fromkeys(arms, 0.0), numeric=False)
    title = " and ".join(map(wording.label, names)) or "arm"
    values: list[Any] = [next(iter(each.values()), None) for each in arms.values()]
    if len(names) == 1 and all(isinstance(v, int | float) and v is not True for v in values):
        positions = {arm: float(v) for arm, v in zip(arms, values, strict=True)}
        return Layout(title, positions, numeric=True)
    return Layout(title, {arm: float(i) for i, arm in enumerate(arms)}, numeric=False)


def axes_of(records: Records, axes: Axes, layout: Layout, measure: str) -> None:
    """Label the axes: arms on one, `measure` on the other."""
    if layout.name and not layout.numeric:
        labels = [
            # The section's title says what is compared.
            wording.shorten(wording.arm_label(records, arm).removeprefix(f"{layout.name} "))
            for arm in records.arms
        ]
        scales.categories(axes, "y", labels)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(measure)
        scales.linear(axes, "x")
        return
    if layout.numeric:
        places = sorted(layout.positions.values())
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.set_xlim(places[0] - 0.6 * layout.step, places[-1] + 0.6 * layout.step)
        axes.set_xlabel(wording.shorten(layout.name.capitalize(), 40))
    axes.grid(visible=False, axis="x")
    axes.set_title(measure)
    scales.linear(axes, "y")


def keys(records: Records, arms: Iterable[str]) -> tuple[Key, ...]:
    """The legend's entries of these arms, as `chart.mark` draws finished ones."""
    return tuple(
        chart.marker_key(
            wording.shorten(wording.arm_label(records, arm)),
            chart.arm_style(records.arms, arm),
            "complete",
        )
        for arm in arms
    )

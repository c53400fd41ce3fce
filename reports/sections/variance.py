"""Where the variance comes from: the search, the seed of the training, the test examples."""

import math
from dataclasses import dataclass

from matplotlib.axes import Axes

from harness.analysis.conclusions import Conclusions
from harness.analysis.verdicts import conclude
from harness.core.metrics import Metric
from harness.results.records import Records
from reports import cells, wording
from reports.charts import chart, scales
from reports.content import Column, Data, Figure, Panel, Row, Section, Table, Value

ORDER = 35


@dataclass(frozen=True)
class _Source:
    """A source's variance of a single draw, and how many draws an arm's mean has of it.

    Deviations are in the unit of the scores.
    """

    name: str
    variance: float
    draws: int
    remedy: str

    @property
    def deviation(self) -> float:
        """Its standard deviation."""
        return math.sqrt(self.variance)

    @property
    def of_mean(self) -> float:
        """Its part in the standard error of an arm's mean."""
        return self.deviation / math.sqrt(self.draws)


def build(records: Records) -> Section | None:
    found = conclude(records)
    sources, metric = _sources(found), found.metric
    if not sources:
        return None
    unit = "_points" if metric.unit == "%" else ""
    return Section(
        id="variance",
        title="Where the variance comes from",
        text=(_text(metric, sources),),
        figures=(
            Figure(
                id="variance-figure",
                panels=(_panel(records, sources),),
                caption="Standard deviations of a single search, a single training and one test "
                "split of this size, pooled over the arms.",
                data=Data(
                    ("source", f"deviation{unit}", f"part_of_mean{unit}"),
                    tuple(
                        (
                            each.name,
                            *(
                                float(f"{metric.factor * value:.6g}")
                                for value in (each.deviation, each.of_mean)
                            ),
                        )
                        for each in sources
                    ),
                ),
            ),
        ),
        tables=(_table(metric, sources), _by_search(records, found)),
    )


def _sources(found: Conclusions) -> list[_Source]:
    """Empty with fewer than two searches: there is no luck of the search to be seen."""
    variance = found.variance
    arms = [arm for arm in found.arms.values() if arm.n]
    if variance.search is None:
        return []
    searches = min((arm.searches for arm in arms if arm.searches > 1), default=1)
    trainings = min((arm.n for arm in arms if arm.searches > 1), default=1)
    name = "search and seed" if variance.seed is None else "search"
    sources = [_Source(name, variance.search, searches, "more searches")]
    if variance.seed is not None:
        sources.append(_Source("seed", variance.seed, trainings, "more searches or replicates"))
    if variance.examples is not None:
        sources.append(_Source("examples", variance.examples, 1, "a larger test split"))
    return sources


def _text(metric: Metric, sources: list[_Source]) -> str:
    largest = max(sources, key=lambda each: each.of_mean)
    together = (
        " With one replicate of each search, the luck of the search and that of the seed can't be "
        "told apart."
        if sources[0].name != "search"
        else ""
    )
    none = (
        " The searches differ no more than their seeds explain."
        if sources[0].name == "search" and sources[0].variance == 0.0
        else ""
    )
    return (
        "If the study ran again with other seeds and other examples, an arm's score would change. "
        f"The largest part of the error of its mean here is from the {largest.name}, "
        f"{wording.difference_text(metric, largest.of_mean)}; {largest.remedy} would reduce it. "
        "What arms share, such as the test examples, counts less in their differences."
        f"{none}{together}"
    )


def _panel(records: Records, sources: list[_Source]) -> Panel:
    metric = records.metric
    scores = records.replicates["scored_accuracy"].dropna()
    largest = max(each.deviation for each in sources)
    least = 0.1 * metric.factor * chart.room(metric, scores)

    def draw(axes: Axes) -> None:
        for row, each in enumerate(sources):
            axes.barh(
                row, metric.factor * each.deviation, height=0.6, color=chart.SERIES[0], zorder=2
            )
        scales.categories(axes, "y", [wording.capital(each.name) for each in sources])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, max(1.05 * metric.factor * largest, least))
        scales.linear(axes, "x")
        axes.set_xlabel(f"Standard deviation{metric.in_unit}")

    listed = ", ".join(
        f"{each.name} {wording.difference_text(metric, each.deviation)}" for each in sources
    )
    scored = f"{records.scored_split} {wording.scored(records)}"
    return chart.panel(
        "variance-sources",
        f"Bar chart of the standard deviation of {scored} by its source: {listed}.",
        draw,
        height=70 + 34 * len(sources),
    )


def _table(metric: Metric, sources: list[_Source]) -> Table:
    unit = metric.difference_unit
    return Table(
        id="variance-sources-table",
        caption="Sources of variance: of a single draw, and of an arm's mean",
        columns=(
            Column("Source"),
            Column("Standard deviation", True, unit),
            Column("Part of the mean's standard error", True, unit),
            Column("Reduced by"),
        ),
        rows=tuple(
            Row(
                (
                    wording.capital(each.name),
                    _deviation(metric, each.deviation),
                    _deviation(metric, each.of_mean),
                    each.remedy,
                )
            )
            for each in sources
        ),
    )


def _deviation(metric: Metric, value: float) -> Value:
    return Value(wording.difference_text(metric, value), metric.factor * value)


def _by_search(records: Records, found: Conclusions) -> Table:
    """The mean of each search's replicates: the blocks that arms are compared in."""
    searches, metric = range(1, records.manifest.searches + 1), records.metric
    rows = []
    for name, arm in found.arms.items():
        means = []
        for search in searches:
            values = [value for (of, _), value in arm.values.items() if of == search]
            means.append(cells.score(metric, sum(values) / len(values) if values else None))
        rows.append(Row((wording.arm_label(records, name), *means)))
    return Table(
        id="by-search",
        caption=f"{wording.scored_metric(records)} by search: the mean of its replicates",
        columns=(Column("Arm"), *(Column(f"Search {s}", True, metric.unit) for s in searches)),
        rows=tuple(rows),
    )

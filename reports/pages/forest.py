"""The forest plot of the claims' page: what one more layer changes, over all studies."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from harness.analysis.claims import Answer, Context
from harness.analysis.conclusions import Pair
from harness.analysis.factors import contrast
from harness.analysis.labels import interval_text
from harness.analysis.pooled import LEAST, Pooled, pool
from harness.analysis.statistics import Interval
from harness.core.metrics import Metric
from harness.results.records import Records
from reports import wording
from reports.charts import chart, scales
from reports.content import Command, Data, Figure, Section

DEPTHS = (2, 3, 4)
CUT = 5  # intervals are cut beyond this multiple of the largest effect
SHARES = "points"  # the unit of differences of accuracies and exact matches


@dataclass(frozen=True)
class Effects:
    """All comparisons of one depth with depth 1 in one unit (`unit_of`), by context."""

    depth: int
    unit: str
    metric: Metric
    each: tuple[tuple[Context, Pair], ...]

    @property
    def id(self) -> str:
        kind = "" if self.unit == SHARES else f"-{self.metric.name.split()[0].lower()}"
        return f"forest-{self.depth}{kind}"

    @property
    def studies(self) -> dict[str, list[Pair]]:
        found: dict[str, list[Pair]] = {}
        for context, pair in self.each:
            found.setdefault(context.study, []).append(pair)
        return found


def unit_of(metric: Metric) -> str:
    """What differences are in: points, bits per character, the metric and its unit."""
    return SHARES if metric.difference_unit == SHARES else metric.title


def build(
    answers: Sequence[Answer], studies: Mapping[str, Records], command: Command
) -> list[Section]:
    """The section, if any study has compared a depth with depth 1."""
    found = effects_of(answers)
    if not found:
        return []
    pooled = [pool_studies(each, studies) for each in found]
    return [
        Section(
            id="forest",
            title="What can be expected of another layer",
            text=tuple(_summary(each, mean) for each, mean in zip(found, pooled, strict=True)),
            figures=tuple(_figure(each, mean) for each, mean in zip(found, pooled, strict=True)),
            commands=(command,),
        )
    ]


def effects_of(answers: Sequence[Answer]) -> list[Effects]:
    """Every depth's comparisons with depth 1, those in points first; each study once."""
    found: dict[tuple[str, int], dict[tuple[str, str], tuple[Context, Pair]]] = {}
    for answer in answers:
        if answer.claim.subject != "depth":
            continue
        for context in answer.contexts:
            for pair in context.pairs:
                depth = context.values[pair.a]
                if depth in DEPTHS:
                    of_depth = found.setdefault((unit_of(context.metric), depth), {})
                    of_depth[context.study, context.label] = context, pair
    listed = [
        Effects(depth, unit, next(iter(each.values()))[0].metric, tuple(each.values()))
        for (unit, depth), each in found.items()
    ]
    return sorted(listed, key=lambda each: (each.unit != SHARES, each.unit, each.depth))


def pool_studies(effects: Effects, studies: Mapping[str, Records]) -> Pooled | None:
    """The random-effects summary, in which each study counts once; None where it says nothing.

    Contexts of one study are alike, so their mean is one effect. Effects in a unit of their own are
    not pooled, nor are those whose error is not known.
    """
    if effects.unit != SHARES:
        return None
    means = [_of_study(studies[name], pairs) for name, pairs in effects.studies.items()]
    known = [each for each in means if each is not None]
    return pool([mean for mean, _ in known], [error for _, error in known])


def _of_study(records: Records, pairs: Sequence[Pair]) -> tuple[float, float] | None:
    weights: dict[str, float] = {}
    for pair in pairs:
        weights[pair.a] = weights.get(pair.a, 0.0) + 1 / len(pairs)
        weights[pair.b] = weights.get(pair.b, 0.0) - 1 / len(pairs)
    found = contrast(records, weights)
    if found is None or not found.known or found.error <= 0.0:
        return None
    return found.mean, found.error


def _summary(effects: Effects, found: Pooled | None) -> str:
    label = f"Depth {effects.depth} less depth 1"
    contexts, studies = len(effects.each), len(effects.studies)
    place = f"{wording.counted(contexts, 'context')} of {wording.counted(studies, 'study')}"
    if effects.unit != SHARES:
        return f"{label}, {effects.unit}: {place}. Other units are not averaged."
    if found is None:
        return (
            f"{label}: {place}, too few to say how tasks differ (that needs {LEAST} studies, each "
            "with an interval)."
        )
    metric = effects.metric
    return (
        f"{label}: {place}, on average over studies "
        f"{metric.with_unit(metric.signed(found.mean))} {interval_text(found.interval, metric)}. "
        f"On one more such task the true effect is expected in "
        f"{interval_text(found.prediction, metric)}. Differences between studies make "
        f"{100 * found.i2:.0f}\u00a0% of the variance (I²)."
    )


def _extent(effects: Effects, intervals: Sequence[Interval]) -> float:
    """Where the axis ends: it holds all intervals, unless that made the effects themselves tiny."""
    factor = effects.metric.factor
    largest = max(factor * abs(pair.comparison.difference) for _, pair in effects.each)
    widest = max(factor * abs(end) for each in intervals for end in each)
    most = factor if effects.unit == SHARES else math.inf  # shares differ by 100 points at most
    extent = 1.05 * min(widest, CUT * largest or widest, most)
    return extent if 0.0 < extent < math.inf else 1.0


def _figure(effects: Effects, found: Pooled | None) -> Figure:
    metric, depth = effects.metric, effects.depth
    names = [wording.shorten(f"{each.study} {each.label}".strip(), 30) for each, _ in effects.each]
    intervals = [pair.comparison.estimate.interval() for _, pair in effects.each]
    means = [metric.factor * pair.comparison.difference for _, pair in effects.each]
    pooled = [(found.mean, found.interval), (found.mean, found.prediction)] if found else []

    def draw(axes: Axes) -> None:
        axes.axvline(0.0, color=chart.INK, linewidth=1.0)
        for row, (mean, interval) in enumerate(zip(means, intervals, strict=True)):
            style = chart.Style(chart.SERIES[0], "s")
            chart.mean_mark(axes, row, mean, chart.ends(metric, interval), style, upright=False)
        for row, (mean, interval) in enumerate(pooled, len(means)):
            style = chart.Style(chart.SERIES[1], "D")
            chart.mean_mark(
                axes, row, metric.factor * mean, chart.ends(metric, interval), style, upright=False
            )
        labels = [*names, *(("mean over studies", "one more study") if found else ())]
        scales.categories(axes, "y", labels)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"Depth {depth} less depth 1, {effects.unit}")
        scales.linear(axes, "x")
        extent = _extent(effects, [*intervals, *(each for _, each in pooled)])
        axes.set_xlim(-extent, extent)

    listing = "; ".join(
        f"{name} {metric.signed(pair.comparison.difference)} {interval_text(interval, metric)}"
        for name, (_, pair), interval in zip(names, effects.each, intervals, strict=True)
    )
    better = "" if metric.higher_is_better else " Below 0 the deeper network is better."
    diamonds = (
        " Diamonds: the mean over studies, each of which counts once, with its interval, and where "
        "the effect on one more task is expected."
        if found
        else ""
    )
    return Figure(
        id=effects.id,
        panels=(
            chart.panel(
                f"{effects.id}-plot",
                f"Forest plot of depth {depth} less depth 1 by task, {effects.unit}: {listing}.",
                draw,
                height=80 + 22 * (len(means) + len(pooled)),
            ),
        ),
        caption=(
            f"Differences ({effects.unit}) with 95\u00a0% intervals, each of its pair alone; the "
            f"chart may cut wide ones.{better}{diamonds}"
        ),
        data=Data(
            ("study", "context", "arm", "base", "difference", "low", "high"),
            tuple(
                (
                    each.study, each.label, pair.a, pair.b, pair.comparison.difference,
                    *(None if math.isinf(end) else end for end in interval),
                )
                for (each, pair), interval in zip(effects.each, intervals, strict=True)
            ),
        ),
    )  # fmt: skip

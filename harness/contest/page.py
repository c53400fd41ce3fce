"""The report of a contest: which search method finds a good network soonest, as one HTML file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from harness.analysis import statistics
from harness.contest import replay
from harness.contest.replay import Contest, Outcome
from harness.core.metrics import Metric
from reports import cells, page, wording
from reports.charts import chart, scales
from reports.content import Cell, Column, Data, Figure, Panel, Row, Section, Table, Value

INTERVALS_OF = 3  # intervals are drawn for at most so many curves; more would cover each other


def render(found: Contest, *, now: str) -> str:
    """The whole page as HTML; `now` is the time of writing, ISO 8601."""
    return page.compose(
        "page.html",
        study=f"{found.table.name}: search methods",
        source="the study's table of trainings",
        question="Which search method finds a good network soonest?",
        finished=True,
        sections=build(found),
        now=now,
    )


def build(found: Contest) -> list[Section]:
    sections = [_answer(found), _curves(found), _methods(found)]
    of_pruners = replay.pruners_compared(found)
    return [*sections, _pruners(found, of_pruners)] if of_pruners else sections


def _answer(found: Contest) -> Section:
    base = replay.reference(found)
    comparisons = replay.compared(found)
    best = min(found.outcomes, key=lambda each: each.rank.mean())
    better = [name for name, each in comparisons.items() if each.verdict == "better"]
    worse = [name for name, each in comparisons.items() if each.verdict == "worse"]
    lead = (
        f"{best.method.label} has the best mean rank, {best.rank.mean():.1f} of "
        f"{len(found.outcomes)}. Compared with {base.method.label} (the study's own method, or the "
        f"first one named): better {wording.listing(better) or 'none'}; worse "
        f"{wording.listing(worse) or 'none'}; the others are equivalent or inconclusive."
    )
    return Section(
        id="answer",
        title="Answer",
        text=(
            lead,
            f"Each method was replayed on {wording.counted(found.seeds, 'seed')}, over a table of "
            f"{len(found.table.trainings):,} configurations, trained once on several seeds. "
            "Samplers and pruners decide as in a real search; losses and times are the measured "
            "ones. Every method has the time of "
            f"{found.trials} whole trainings, {wording.seconds(float(found.grid[-1]))}.",
            f"Quality is the validation {found.table.metric.name} of the "
            "configuration that a search would recommend. It is the mean over the table's seeds, "
            "so a lucky training does not help. “During the search” is its mean over the time.",
        ),
    )


def _curves(found: Contest) -> Section:
    pruners = list(dict.fromkeys(each.method.pruner for each in found.outcomes))
    samplers = list(dict.fromkeys(each.method.sampler for each in found.outcomes))
    groups = {p: [o for o in found.outcomes if o.method.pruner == p] for p in pruners}
    metric = found.table.metric
    heights = metric.factor * np.concatenate([each.curve.mean(axis=0) for each in found.outcomes])
    # Without the worst: a search may begin with a bad configuration.
    ends = (
        float(np.quantile(heights, 0.02 if metric.higher_is_better else 0.98)),
        metric.factor * found.table.best,
    )
    room = 0.05 * abs(ends[1] - ends[0])
    room += 0.05 * metric.factor * chart.room(metric, [found.table.best])
    limits = (min(ends) - room, max(ends) + room)
    rows = tuple(
        (each.method.sampler, each.method.pruner, round(float(cost), 4), *_ends(each.curve[:, i]))
        for each in found.outcomes
        for i, cost in enumerate(found.grid)
    )
    trial_rows = tuple(
        (each.method.sampler, each.method.pruner, i + 1, *_ends(each.trial_curve[:, i]))
        for each in found.outcomes
        for i in range(found.trials)
    )
    band = " Bands are 95\u00a0% intervals over seeds."
    shown = band if len(samplers) <= INTERVALS_OF else " The data have 95\u00a0% intervals."
    legend = tuple(
        chart.line_key(name, chart.arm_style(samplers, name).colour) for name in samplers
    )
    by_cost = _Axes(
        name="cost",
        x=found.grid,
        label="Seconds of training",
        title=metric.axis(f"Quality, {metric.name}"),
        metric=metric,
        samplers=tuple(samplers),
        limits=limits,
        best=ends[1],
    )
    by_trials = replace(by_cost, name="trials", x=np.arange(1.0, found.trials + 1), label="Trials")
    return Section(
        id="curves",
        title="Quality during the search",
        text=("One panel for each pruner, one curve for each sampler. The dotted line is the best "
              "quality in the table.",),
        figures=(
            Figure(
                id="by-cost",
                panels=tuple(_panel(p, each, by_cost) for p, each in groups.items()),
                caption=f"By measured training time, with validation, without compiling.{shown}",
                data=Data(("sampler", "pruner", "cost_s", "mean", "low", "high"), rows),
                legend=legend,
            ),
            Figure(
                id="by-trials",
                panels=tuple(_panel(p, each, by_trials) for p, each in groups.items()),
                caption=f"By the number of trials, whatever time they take.{shown}",
                data=Data(("sampler", "pruner", "trials", "mean", "low", "high"), trial_rows),
                legend=legend,
            ),
        ),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Axes:
    """What the panels of one figure share; qualities in the unit of the `metric`.

    `name` is cost or trials, `x` (points,) has the places of the curves' points, `samplers` are
    all of the contest in the order of their colours, `best` is the table's best quality.
    """

    name: str
    x: NDArray[np.float64]
    label: str
    title: str
    samplers: tuple[str, ...]
    metric: Metric
    limits: tuple[float, float]
    best: float

    def curve(self, outcome: Outcome) -> NDArray[np.float64]:
        """Quality as it is shown, shape (seeds, points)."""
        curve = outcome.curve if self.name == "cost" else outcome.trial_curve
        return self.metric.factor * curve


def _panel(pruner: str, outcomes: Sequence[Outcome], shared: _Axes) -> Panel:
    def draw(axes: Axes) -> None:
        axes.axhline(shared.best, color=chart.INK, linewidth=1.0, linestyle=(0, (1, 2)))
        for each in outcomes:
            curve = shared.curve(each)
            colour = chart.arm_style(shared.samplers, each.method.sampler).colour
            axes.step(shared.x, curve.mean(axis=0), where="post", color=colour, linewidth=1.6)
            if len(curve) > 1 and len(shared.samplers) <= INTERVALS_OF:
                low, high = np.array([_ends(column)[1:] for column in curve.T], float).T
                axes.fill_between(
                    shared.x, low, high, step="post", color=colour, alpha=0.15, linewidth=0
                )
        axes.set_ylim(*shared.limits)
        scales.linear(axes, "y")
        scales.linear(axes, "x")
        axes.set_xlabel(shared.label)
        axes.set_title(f"{shared.title}: pruner {pruner}")

    metric = shared.metric
    ends = "; ".join(
        f"{each.method.sampler} from "
        f"{metric.number(shared.curve(each)[:, 0].mean() / metric.factor)} to "
        f"{metric.text(shared.curve(each)[:, -1].mean() / metric.factor)}"
        for each in outcomes
    )
    return chart.panel(
        f"{shared.name}-{pruner}",
        f"Curves of quality by {shared.label.lower()}, pruner {pruner}: {ends}.",
        draw,
    )


def _ends(values: "np.ndarray[tuple[int], np.dtype[np.floating]]") -> tuple[float | None, ...]:
    """The mean over seeds and the ends of its interval; None where there is only one seed."""
    found = statistics.over_seeds(values)
    if found.seeds < 2:
        return found.mean, None, None
    return found.mean, *found.interval()


def _methods(found: Contest) -> Section:
    comparisons, metric = replay.compared(found), found.table.metric
    base = replay.reference(found).method.label
    rows = []
    for each in sorted(found.outcomes, key=lambda each: each.rank.mean()):
        comparison = comparisons.get(each.method.label)
        against: tuple[Cell, ...] = (wording.MISSING, wording.MISSING, wording.MISSING)
        if comparison is not None:
            against = (
                cells.difference(metric, comparison),
                cells.difference_interval(metric, comparison),
                comparison.verdict,
            )
        rows.append(
            Row(
                (
                    each.method.label,
                    Value(f"{each.rank.mean():.1f}", float(each.rank.mean())),
                    *(
                        cells.score(metric, float(values.mean()))
                        for values in (each.anytime, each.final, each.by_trials)
                    ),
                    Value(wording.seconds(each.cost.mean()), float(each.cost.mean())),
                    Value(f"{each.pruned.mean():.1f}", float(each.pruned.mean())),
                    *against,
                ),
                kind="best" if each.method.label == base else "",
            )
        )
    return Section(
        id="methods",
        title="All methods",
        text=(
            "Ranks compare the quality during the search within each seed, and are then averaged. "
            f"The difference is this quality minus that of {base}, paired by seed. Its interval is "
            "corrected for all comparisons together by Holm's method.",
        ),
        tables=(
            Table(
                "methods-table",
                "Methods by mean rank",
                (
                    Column("Method"),
                    Column("Mean rank", True),
                    Column("During the search", True, metric.unit),
                    Column("At the end", True, metric.unit),
                    Column(f"After {found.trials} trials", True, metric.unit),
                    Column("Cost of these", True, "s"),
                    Column("Pruned", True),
                    Column("Difference", True, metric.difference_unit),
                    Column(f"95\u00a0% interval{metric.in_unit}", True),
                    Column("Verdict"),
                ),
                tuple(rows),
            ),
        ),
    )


def _pruners(found: Contest, of_pruners: dict[str, dict[str, statistics.MeanEstimate]]) -> Section:
    metric, share = found.table.metric, Metric("share", difference_unit="%", difference_decimals=2)
    rows = tuple(
        Row(
            (
                pruner,
                *(
                    cell
                    for name, of in (("saved", share), ("lost", metric), ("gained", metric))
                    for cell in _with_interval(of, each[name])
                ),
            )
        )
        for pruner, each in of_pruners.items()
    )
    columns = [
        column
        for title, of in (
            ("Time saved", share), ("Quality lost", metric), ("Gained at equal cost", metric)
        )
        for column in (
            Column(title, True, of.difference_unit),
            Column(f"95\u00a0% interval{of.in_unit}", True),
        )
    ]  # fmt: skip
    return Section(
        id="pruners",
        title="What a pruner saves, and what it costs",
        text=(
            "Compared with no pruner, with the same sampler and seed: the time saved and the "
            f"quality lost over {found.trials} trials, and the quality gained where the time saved "
            "is used for more trials. Means are over samplers, intervals over seeds.",
        ),
        tables=(
            Table(
                "pruners-table",
                "Pruners compared with none",
                (Column("Pruner"), *columns),
                rows,
            ),
        ),
    )


def _with_interval(metric: Metric, estimate: statistics.MeanEstimate) -> tuple[Cell, Cell]:
    low, high = estimate.interval()
    ends = wording.MISSING
    if estimate.known:
        ends = f"{metric.difference(low)} to {metric.difference(high)}"
    return Value(metric.difference(estimate.mean), metric.factor * estimate.mean), ends

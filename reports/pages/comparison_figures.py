"""The charts of the page that compares studies."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from harness.analysis.conclusions import ArmResult
from harness.analysis.pareto import pareto_front
from harness.analysis.verdicts import conclude, scored_on
from reports import wording
from reports.charts import chart, scales
from reports.content import Data, Figure, Key, Section
from reports.pages.compared_studies import Entry, metric_of


def _measured(listed: Sequence[Entry]) -> list[tuple[Entry, ArmResult]]:
    return [
        (each, arm)
        for each in listed
        for arm in conclude(each.records).arms.values()
        if arm.mean is not None
    ]


def _keys(listed: Sequence[Entry]) -> list[Key]:
    labels = [each.label for each in listed]
    return [chart.marker_key(label, chart.arm_style(labels, label), "best") for label in labels]


def accuracy_chart(listed: Sequence[Entry]) -> Section | None:
    """Every arm of every study, with its interval; None if their metrics differ."""
    found, metric = _measured(listed), metric_of(listed)
    if not found or metric is None:
        return None
    labels = [each.label for each in listed]
    means = [metric.factor * (arm.mean or 0.0) for _, arm in found]
    least = chart.room(metric, [arm.mean or 0.0 for _, arm in found])

    def draw(axes: Axes) -> None:
        for row, (each, arm) in enumerate(found):
            style = chart.arm_style(labels, each.label)
            ends = chart.ends(metric, arm.bar)
            chart.mean_mark(axes, row, means[row], ends, style, upright=False)
        scales.categories(axes, "y", [_name(each, arm, 22) for each, arm in found])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(metric.axis())
        scales.linear(axes, "x")
        room = max(max(means) - min(means), metric.factor * least)
        low, high = (
            metric.factor * end for end in (metric.least - 2 * least, metric.most + 2 * least)
        )
        axes.set_xlim(max(min(means) - room, low), min(max(means) + room, high))

    listing = "; ".join(
        f"{_name(each, arm)} {wording.mean_score(metric, arm.mean, arm.both)}"
        for each, arm in found
    )
    return Section(
        id="accuracy",
        title=f"{wording.capital(metric.name)} of all arms",
        text=(
            "Means of the replicates with 95\u00a0% intervals over searches (or seeds, where there "
            "is one search) and examples.",
        ),
        figures=(
            Figure(
                id="accuracy-figure",
                panels=(
                    chart.panel(
                        "accuracy-studies",
                        f"Interval chart of the arms' mean {metric.name}, study by study: "
                        f"{listing}.",
                        draw,
                        height=70 + 24 * len(found),
                    ),
                ),
                caption="One mark per arm; the chart may cut wide intervals.",
                legend=tuple(_keys(listed)),
                data=Data(
                    ("study", "arm", "replicates", "score", "low", "high"),
                    tuple(
                        (
                            each.label, arm.name, arm.n, arm.mean,
                            *((None, None) if arm.bar is None else arm.bar),
                        )
                        for each, arm in found
                    ),
                ),
            ),
        ),
    )  # fmt: skip


def _name(each: Entry, arm: ArmResult, length: int = 80) -> str:
    if len(each.records.arms) == 1:
        return wording.shorten(each.label, length)
    label = f"{each.label}: {wording.arm_label(each.records, arm.name)}"
    if len(label) <= length:
        return label
    half = length // 2
    arm_text = wording.arm_label(each.records, arm.name)
    return f"{wording.shorten(each.label, half)}: {wording.shorten(arm_text, half)}"


def cost_chart(listed: Sequence[Entry]) -> Section | None:
    """All arms by score and step time, with the Pareto front if they can be ranked."""
    found = [(each, arm) for each, arm in _measured(listed) if (arm.step_ms or 0) > 0]
    metric = metric_of(listed)
    if len(found) < 2 or metric is None:
        return None
    labels = [each.label for each in listed]
    costs = [float(arm.step_ms or 0.0) for _, arm in found]
    means = [metric.factor * (arm.mean or 0.0) for _, arm in found]
    ranked = len({scored_on(each.records) for each, _ in found}) == 1
    qualities = [metric.sign * mean for mean in means]
    front = pareto_front(costs, qualities) if ranked else []

    def draw(axes: Axes) -> None:
        if front:
            axes.step(
                [*(costs[i] for i in front), max(costs)],
                [*(means[i] for i in front), means[front[-1]]],
                where="post", color=chart.INK, linewidth=1.2, zorder=2.2,
            )  # fmt: skip
        for (each, _), at, mean in zip(found, costs, means, strict=True):
            style = chart.arm_style(labels, each.label)
            chart.mean_mark(axes, at, mean, None, style, upright=True)
        scales.logarithmic(axes, "x", costs, "{:g} ms".format)
        scales.linear(axes, "y")
        axes.set_xlabel("Step time")
        axes.set_title(metric.axis())

    listing = "; ".join(
        f"{_name(each, arm)} {wording.mean_score(metric, arm.mean, arm.both)} for "
        f"{wording.milliseconds(arm.step_ms)}{', on the Pareto front' if i in front else ''}"
        for i, (each, arm) in enumerate(found)
    )
    keys = _keys(listed)
    if front:
        keys.append(chart.line_key("Pareto front", chart.INK))
    return Section(
        id="cost",
        title=f"{wording.capital(metric.name)} against cost",
        text=(
            f"A result is on the Pareto front if all cheaper ones have a {metric.worse} "
            f"{metric.name}."
            if front
            else "They were scored on different examples, so there is no common Pareto front.",
        ),
        figures=(
            Figure(
                id="cost-figure",
                panels=(
                    chart.panel(
                        "cost-studies",
                        f"Scatter chart of mean {metric.name} against step time: {listing}.",
                        draw,
                    ),
                ),
                caption="Costs are medians over replicates, on a logarithmic scale.",
                legend=tuple(keys),
                data=Data(
                    ("study", "arm", "score", "step_ms", "train_s", "parameters"),
                    tuple(
                        (each.label, arm.name, arm.mean, arm.step_ms, arm.train_s, arm.parameters)
                        for each, arm in found
                    ),
                ),
            ),
        ),
    )

"""Is the search done? How the best of n trials improves with n, and values at an edge."""

from matplotlib.axes import Axes

from harness.analysis.conclusions import Conclusions
from harness.analysis.outcome_text import at_edges, edge_text, improving
from harness.analysis.search_progress import MORE, SearchProgress
from harness.analysis.verdicts import conclude
from harness.results.records import Records
from reports import cells, wording
from reports.charts import arm_axis, chart, scales
from reports.content import Column, Data, Figure, Key, Panel, Row, Section, Table, Value

ORDER = 52
_DASHES = (0, (6, 3))
_ROUND = tuple(digit * 10**power for power in range(5) for digit in (1, 2, 5))


def build(records: Records) -> Section | None:
    found = conclude(records)
    curves = {arm: each for arm, each in found.progress.items() if each.expected_best}
    longest = max((len(each.expected_best) for each in curves.values()), default=0)
    if longest < 2 and not any(each.edges for each in found.progress.values()):
        return None
    return Section(
        id="search-progress",
        title="Is the search done?",
        notices=tuple(at_edges(found)),
        text=_text(found, curves=bool(curves)),
        figures=(_figure(records, curves),) if curves else (),
        tables=(_table(records, found),),
    )


def _text(found: Conclusions, *, curves: bool) -> tuple[str, ...]:
    """The answer, then what it rests on."""
    text, metric = [_answer(found)], found.validation_metric
    if curves:
        text.append(
            "A search keeps the trial with the lowest validation loss; the curve shows the "
            f"validation {metric.name} that is expected of it after n trials. Where it still "
            f"{'rises' if metric.higher_is_better else 'falls'} at the end of a search, more "
            "trials would probably find better configurations."
        )
    if any(each.edges for each in found.progress.values()):
        text.append(
            "A hyperparameter is on an edge where the best trials of more than half of an arm's "
            "searches have the lowest or highest value of its space, or nearly so. A wider space "
            "may be better."
        )
    return tuple(text)


def _answer(found: Conclusions) -> str:
    gains = [each.gain for each in found.progress.values() if each.gain is not None]
    said = improving(found)
    if gains and not said:
        said = [
            "Ten more trials are expected to gain "
            f"{wording.difference_text(found.validation_metric, max(gains))} or less, no more "
            f"than the margin of {found.metric.bound(found.margin)}."
        ]
    return " ".join(said) or "What more trials would add can't be said here."


def _figure(records: Records, curves: dict[str, SearchProgress]) -> Figure:
    keys = arm_axis.keys(records, curves) if len(records.arms) > 1 else ()
    pooled = " All searches of an arm are counted together." if _several(curves) else ""
    return Figure(
        id="search-progress-figure",
        panels=(_panel(records, curves),),
        caption=f"Expected validation {wording.metric(records)} of the best of n trials (by "
        "validation loss), drawn "
        f"without replacement from the trials on file.{pooled} A sampler such as TPE does not draw "
        "its trials independently, so the curve is a description, and not exact.",
        legend=(*keys, *_budget_key(records, curves)),
        data=Data(
            ("arm", "trials", "expected_val_accuracy"),
            tuple(
                (arm, n, float(f"{accuracy:.6g}"))
                for arm, each in curves.items()
                for n, accuracy in enumerate(each.expected_best, start=1)
            ),
        ),
    )


def _several(curves: dict[str, SearchProgress]) -> bool:
    return any(each.searches > 1 for each in curves.values())


def _budget_key(records: Records, curves: dict[str, SearchProgress]) -> tuple[Key, ...]:
    if all(each.at_budget is None for each in curves.values()):
        return ()
    trials = wording.counted(records.manifest.trials, "trial")
    return (chart.line_key(f"one search: {trials}", chart.MUTED, ".4 .3"),)


def _panel(records: Records, curves: dict[str, SearchProgress]) -> Panel:
    longest = max(len(each.expected_best) for each in curves.values())
    metric = records.validation_metric

    def draw(axes: Axes) -> None:
        for arm, each in curves.items():
            style = chart.arm_style(records.arms, arm)
            marked = each.trials if each.at_budget is not None else len(each.expected_best)
            axes.plot(
                range(1, len(each.expected_best) + 1),
                [metric.factor * score for score in each.expected_best],
                color=style.colour,
                linewidth=1.6,
                marker=style.marker,
                markersize=6,
                markevery=[marked - 1],
            )
        if _budget_key(records, curves):
            axes.axvline(records.manifest.trials, color=chart.MUTED, linewidth=1, ls=_DASHES)
        scales.logarithmic(axes, "x", [1, longest], round_values=_ROUND)
        scales.linear(axes, "y")
        axes.set_xlabel("Trials, n")
        axes.set_title(metric.axis(f"Expected validation {metric.name} of the best of n"))

    ends = "; ".join(
        f"{wording.arm_label(records, arm)} from {wording.score(metric, each.expected_best[0])} "
        f"with one trial to {wording.score(metric, each.expected_best[-1])} with "
        f"{len(each.expected_best)}"
        for arm, each in curves.items()
    )
    alt = (
        f"Line chart of the expected validation {metric.name} of the best of n trials, by n: "
        f"{ends}."
    )
    return chart.panel("search-progress-curves", alt, draw)


def _table(records: Records, found: Conclusions) -> Table:
    size, metric = wording.validation_size(records), records.validation_metric
    rows = []
    for arm, each in found.progress.items():
        gain = each.gain
        rows.append(
            Row(
                (
                    wording.arm_label(records, arm),
                    cells.count(each.trials),
                    cells.score(metric, each.at_budget, size),
                    wording.MISSING
                    if gain is None
                    else Value(metric.difference(gain), metric.factor * gain),
                    "; ".join(map(edge_text, each.edges)) or "none",
                )
            )
        )
    return Table(
        id="search-progress-table",
        caption="What one search is expected to find, and what ten more trials would add",
        columns=(
            Column("Arm"),
            Column("Trials", True),
            Column("Expected best", True, metric.unit),
            Column(f"{MORE} more gain", True, metric.difference_unit),
            Column("Edges"),
        ),
        rows=tuple(rows),
    )

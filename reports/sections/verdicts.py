"""Which arms differ: every pair compared, and every arm against the baselines."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from harness.analysis.conclusions import Conclusions, Pair
from harness.analysis.labels import interval_text
from harness.analysis.verdicts import conclude, margin_of
from harness.results.records import Records
from reports import basis, cells, wording
from reports.charts import chart, scales
from reports.content import Column, Data, Figure, Key, Panel, Row, Section, Table, Value

ORDER = 30
MAX_DRAWN = 15  # pairs; for more, the table is clearer


def build(records: Records) -> Section | None:
    found = conclude(records)
    if not found.pairs and not found.baseline_pairs:
        return None
    drawable = [pair for pair in found.pairs if pair.comparison.estimate.known]
    return Section(
        id="verdicts",
        title="Verdicts",
        notices=basis.caution(records),
        text=(_text(records, found),),
        figures=(_figure(records, found, drawable),)
        if drawable and len(drawable) <= MAX_DRAWN
        else (),
        tables=tuple(
            _table(records, identity, caption, pairs)
            for identity, caption, pairs in (
                ("arms-compared", "Arms compared with one another", found.pairs),
                ("baselines-compared", "Arms compared with baselines", found.baseline_pairs),
            )
            if pairs
        ),
    )


def _text(records: Records, found: Conclusions) -> str:
    if basis.one_search(records):
        return (
            "Another search of the same arm might find a better configuration or a worse one, so "
            "one search is no evidence of a difference: every verdict is inconclusive. "
            f"More searches (--searches {basis.ADVISED_SEARCHES}) give intervals and "
            "verdicts." + _within_levels(found)
        )
    on, example = basis.rests_on(records, found), wording.examples(records).removesuffix("s")
    if not basis.searched(records):
        start = (
            f"Nothing is searched, so verdicts rest on {on}. Scores are compared replicate by "
            f"replicate, each pair on the same seed, and test {example} by test {example}."
        )
    else:
        shared = (
            "; search number s tries the same configurations in every arm, as far as it can"
            if records.manifest.shared_searches
            else ""
        )
        start = (
            f"Verdicts rest on {on}. Scores are compared search by search and test {example} by "
            f"test {example}{shared}."
        )
    return (
        f"{start} The variance is pooled over all arms. Intervals and p values are corrected by "
        "Holm's method, for all pairs of a table together. P(better) is the probability that the "
        "first arm is truly better than the second; it is of that pair alone, without a "
        "correction. Equivalent means that the whole "
        f"95\u00a0% interval lies within {wording.margin(found.metric, found.margin, '±')}, the "
        f"margin {_declared(records)} too small to matter.{_times(records)}" + _within_levels(found)
    )


def _declared(records: Records) -> str:
    """What makes the margin; of errors it is relative to the best arm."""
    if records.metric.higher_is_better:
        return "that the study declares"
    return (
        f"of {100 * margin_of(records):g}\u00a0% of the best arm's error, which the study declares"
    )


def _times(records: Records) -> str:
    """How the test examples count where they are times."""
    if records.horizon is None:
        return ""
    return (
        " Errors at neighbouring times are alike, so their part of the variance is estimated over "
        "blocks of time, each at least as long as two horizons and three correlation times."
    )


def _within_levels(found: Conclusions) -> str:
    if len(set(found.levels.values())) < 2:
        return ""
    return (
        " Only arms whose tasks are equally hard are compared with one another. Only arms with the "
        "declared task are compared with baselines, which were trained on it."
    )


def _figure(records: Records, found: Conclusions, pairs: list[Pair]) -> Figure:
    style, metric = chart.arm_style([""], ""), found.metric
    unit = "_points" if metric.unit == "%" else ""
    return Figure(
        id="verdicts-figure",
        panels=(_panel(records, found, pairs),),
        caption=f"Differences with their 95\u00a0% intervals. Shaded: the margin of "
        f"{wording.margin(metric, found.margin, '±')}.{_cut(found, pairs)}",
        data=Data(
            ("a", "b", *(f"{name}{unit}" for name in ("difference", "low", "high")), "verdict",
             "reason"),
            tuple(
                (
                    pair.a,
                    pair.b,
                    *(
                        float(f"{metric.factor * value:.6g}")
                        for value in (pair.comparison.difference, *pair.comparison.interval)
                    ),
                    pair.comparison.verdict,
                    pair.comparison.reason,
                )
                for pair in pairs
            ),
        ),
        legend=(
            Key(label="difference", path=chart.marker_key("", style, "best").path,
                fill="var(--series-0)", stroke="var(--ink)"),
        ),
    )  # fmt: skip


def _extent(found: Conclusions, pairs: list[Pair]) -> float:
    """The chart's limit on either side: a wide interval must not squeeze the others."""
    differences = [abs(pair.comparison.difference) for pair in pairs]
    ends = sorted(max(map(abs, pair.comparison.interval)) for pair in pairs)
    room = chart.room(found.metric, [arm.mean or 0.0 for arm in found.arms.values()])
    widest = min(ends[-1], max(3 * max(differences), 2 * ends[0], room))
    return max(1.08 * float(widest), 0.1 * room)  # arms with the same scores do not differ


def _cut(found: Conclusions, pairs: list[Pair]) -> str:
    extent = _extent(found, pairs)
    wide = any(max(map(abs, pair.comparison.interval)) > extent for pair in pairs)
    return " Some bars are cut at the edge of the chart; the table has their ends." if wide else ""


def _panel(records: Records, found: Conclusions, pairs: list[Pair]) -> Panel:
    style = chart.arm_style([""], "")
    metric, extent = found.metric, found.metric.factor * _extent(found, pairs)

    def label(arm: str) -> str:
        return wording.shorten(wording.arm_label(records, arm), 14)

    scored = f"{records.scored_split} {wording.scored(records)}"

    def draw(axes: Axes) -> None:
        margin = metric.factor * found.margin
        axes.axvspan(-margin, margin, color=chart.MUTED, alpha=0.15, linewidth=0, zorder=1)
        axes.axvline(0, color=chart.MUTED, linewidth=1, zorder=1.5)
        for row, pair in enumerate(pairs):
            ends = chart.ends(metric, pair.comparison.interval)
            mean = metric.factor * pair.comparison.difference
            chart.mean_mark(axes, row, mean, ends, style, upright=False)
        scales.categories(axes, "y", [f"{label(pair.a)} − {label(pair.b)}" for pair in pairs])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        scales.linear(axes, "x", lambda value: f"{value:+g}".replace("-", "−").replace("+0", "0"))
        axes.set_xlim(-extent, extent)
        axes.set_xlabel(f"Difference in {scored}{metric.in_unit}")

    listed = "; ".join(
        f"{wording.arm_label(records, pair.a)} minus {wording.arm_label(records, pair.b)} "
        f"{metric.signed(pair.comparison.difference)} "
        f"{interval_text(pair.comparison.interval, metric)}, "
        f"{pair.comparison.verdict}"
        for pair in pairs
    )
    return chart.panel(
        "verdicts-differences",
        f"Interval chart of differences in {scored}"
        f"{f', in {metric.difference_unit}' if metric.difference_unit else ''}: {listed}.",
        draw,
        height=70 + 26 * len(pairs),
    )


def _table(records: Records, identity: str, caption: str, pairs: tuple[Pair, ...]) -> Table:
    unit, untrained = records.metric.difference_unit, conclude(records).untrained
    return Table(
        id=identity,
        caption=caption,
        columns=(
            Column("Arm"),
            Column("Against"),
            Column("Difference", True, unit),
            Column(f"95\u00a0% interval{records.metric.in_unit}", True),
            Column("Verdict"),
            Column("Reason"),
            Column("p (Holm)", True),
            Column("P(better)", True, "%"),
            Column("Effect (d)", True),
            Column("Detectable", True, unit),
            Column("Searches" if basis.searched(records) else "Replicates", True),
            Column("Needed to settle", True),
        ),
        rows=tuple(_row(records, pair, untrained) for pair in pairs),
    )


def _row(records: Records, pair: Pair, untrained: Sequence[str]) -> Row:
    each, metric = pair.comparison, records.metric
    needed = each.replicates_needed
    several = each.estimate.known
    settled = each.verdict != "inconclusive"
    return Row(
        (
            wording.arm_label(records, pair.a),
            wording.arm_label(records, pair.b)
            + (" (did not train)" if pair.b in untrained else ""),
            cells.difference(metric, each),
            cells.difference_interval(metric, each),
            each.verdict,
            each.reason,
            cells.p_value(each),
            cells.probability(each.probability),
            wording.MISSING
            if each.effect is None
            else Value(f"{each.effect:+.1f}".replace("-", "−"), each.effect),
            cells.detectable(metric, each),
            f"{each.replicates:,}",
            "settled"
            if settled
            else wording.MISSING
            if not several
            else "over 1,000"
            if needed is None
            else Value(f"{needed:,}", needed),
        ),
        kind=each.verdict if settled else "",
    )

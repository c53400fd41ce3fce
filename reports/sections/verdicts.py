"""Which arms differ: every pair compared, and every arm against the baselines."""

from matplotlib.axes import Axes

from harness.analysis.conclusions import Conclusions, Pair
from harness.analysis.labels import interval_text, signed
from harness.analysis.verdicts import conclude
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
    drawable = [pair for pair in found.pairs if pair.comparison.replicates > 1]
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
    on = basis.rests_on(records, found)
    if not basis.searched(records):
        start = (
            f"Nothing is searched, so verdicts rest on {on}. Scores are compared replicate by "
            "replicate, each pair on the same seed, and test example by test example."
        )
    else:
        shared = (
            "; search number s tries the same configurations in every arm, as far as it can"
            if records.manifest.shared_searches
            else ""
        )
        start = (
            f"Verdicts rest on {on}. Scores are compared search by search and test example by test "
            f"example{shared}."
        )
    return (
        f"{start} The variance is pooled over all arms. Intervals and p values are corrected by "
        "Holm's method, for all pairs of a table together. P(better) is the probability that the "
        "first arm is truly better than the second; it is of that pair alone, without a "
        "correction. Equivalent means that the whole "
        f"95\u00a0% interval lies within ±{100 * found.margin:g} points, the margin that the study "
        "declares too small to matter." + _within_levels(found)
    )


def _within_levels(found: Conclusions) -> str:
    if len(set(found.levels.values())) < 2:
        return ""
    return (
        " Only arms whose tasks are equally hard are compared with one another. Only arms with the "
        "declared task are compared with baselines, which were trained on it."
    )


def _figure(records: Records, found: Conclusions, pairs: list[Pair]) -> Figure:
    style = chart.arm_style([""], "")
    return Figure(
        id="verdicts-figure",
        panels=(_panel(records, found, pairs),),
        caption=f"Differences with their 95\u00a0% intervals. Shaded: the margin of "
        f"±{100 * found.margin:g} points.{_cut(pairs)}",
        data=Data(
            ("a", "b", "difference_points", "low_points", "high_points", "verdict", "reason"),
            tuple(
                (
                    pair.a,
                    pair.b,
                    *(
                        float(f"{100 * value:.6g}")
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


def _extent(pairs: list[Pair]) -> float:
    """The chart's limit on either side, in points: a wide interval must not squeeze the others."""
    differences = [100 * abs(pair.comparison.difference) for pair in pairs]
    ends = sorted(100 * max(map(abs, pair.comparison.interval)) for pair in pairs)
    widest = min(ends[-1], max(3 * max(differences), 2 * ends[0], 1.0))
    return max(1.08 * float(widest), 0.1)  # arms that are right on the same examples do not differ


def _cut(pairs: list[Pair]) -> str:
    extent = _extent(pairs)
    wide = any(100 * max(map(abs, pair.comparison.interval)) > extent for pair in pairs)
    return " Some bars are cut at the edge of the chart; the table has their ends." if wide else ""


def _panel(records: Records, found: Conclusions, pairs: list[Pair]) -> Panel:
    style = chart.arm_style([""], "")
    extent = _extent(pairs)

    def label(arm: str) -> str:
        return wording.shorten(wording.arm_label(records, arm), 14)

    metric = f"{records.scored_split} {wording.metric(records)}"

    def draw(axes: Axes) -> None:
        margin = 100 * found.margin
        axes.axvspan(-margin, margin, color=chart.MUTED, alpha=0.15, linewidth=0, zorder=1)
        axes.axvline(0, color=chart.MUTED, linewidth=1, zorder=1.5)
        for row, pair in enumerate(pairs):
            ends = (100 * pair.comparison.interval.low, 100 * pair.comparison.interval.high)
            chart.mean_mark(axes, row, 100 * pair.comparison.difference, ends, style, upright=False)
        scales.categories(axes, "y", [f"{label(pair.a)} − {label(pair.b)}" for pair in pairs])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        scales.linear(axes, "x", lambda value: f"{value:+g}".replace("-", "−").replace("+0", "0"))
        axes.set_xlim(-extent, extent)
        axes.set_xlabel(f"Difference in {metric}, points")

    listed = "; ".join(
        f"{wording.arm_label(records, pair.a)} minus {wording.arm_label(records, pair.b)} "
        f"{signed(pair.comparison.difference)} {interval_text(pair.comparison.interval)}, "
        f"{pair.comparison.verdict}"
        for pair in pairs
    )
    return chart.panel(
        "verdicts-differences",
        f"Interval chart of differences in {metric}, in points: {listed}.",
        draw,
        height=70 + 26 * len(pairs),
    )


def _table(records: Records, identity: str, caption: str, pairs: tuple[Pair, ...]) -> Table:
    return Table(
        id=identity,
        caption=caption,
        columns=(
            Column("Arm"),
            Column("Against"),
            Column("Difference", True, "points"),
            Column("95\u00a0% interval, points", True),
            Column("Verdict"),
            Column("Reason"),
            Column("p (Holm)", True),
            Column("P(better)", True, "%"),
            Column("Effect (d)", True),
            Column("Detectable", True, "points"),
            Column("Searches" if basis.searched(records) else "Replicates", True),
            Column("Needed to settle", True),
        ),
        rows=tuple(_row(records, pair) for pair in pairs),
    )


def _row(records: Records, pair: Pair) -> Row:
    each = pair.comparison
    needed = each.replicates_needed
    several = each.replicates > 1
    settled = each.verdict != "inconclusive"
    return Row(
        (
            wording.arm_label(records, pair.a),
            wording.arm_label(records, pair.b),
            cells.difference(each),
            cells.difference_interval(each),
            each.verdict,
            each.reason,
            cells.p_value(each),
            cells.probability(each.probability),
            wording.MISSING
            if each.effect is None
            else Value(f"{each.effect:+.1f}".replace("-", "−"), each.effect),
            Value(wording.detectable(each.detectable), 100 * each.detectable)
            if 0 <= each.detectable < 1
            else wording.MISSING,
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

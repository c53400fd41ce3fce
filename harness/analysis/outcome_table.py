"""A study's arms and baselines as a table for a terminal of 80 columns."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.conclusions import ArmResult, Conclusions
from harness.core.metrics import Metric
from harness.core.text import capital, counted, cut

_NAME = 28  # characters of an arm's name


def table_lines(outcome: Mapping[str, Any], found: Conclusions) -> list[str]:
    """A line for each arm and baseline under a heading; `outcome` is that of `summarise`.

    Scores are those of the replicates, or of the search where there are none.
    """
    tested = any(result.mean is not None for result in found.arms.values())
    metric = found.metric if tested else found.validation_metric
    split = outcome["arms"][0]["replicates"]["split"] if tested else "validation"
    scored = f"{split} {metric.name}" + ("" if tested else ", loss")
    rows: list[tuple[str, ...]] = [("arm", scored, "ms/step", "parameters")]
    for arm in outcome["arms"]:
        if (best := arm["best"]) is None:
            rows.append((cut(arm["arm"], _NAME), "no trial completed", "", ""))
            continue
        result = found.arms[arm["arm"]]
        step, parameters = arm["cost"]["step_ms"], arm["cost"]["parameters"]
        rows.append(
            (
                cut(arm["arm"], _NAME),
                _score(result, found.metric) if tested else _of_search(best, found),
                "" if step is None else f"{step:.1f}",
                f"{parameters:,}" if parameters else "",
            )
        )
    for name, result in found.baselines.items():
        if result.mean is not None:
            rows.append((cut(found.called[name], _NAME), _score(result, found.metric), "", ""))
    if not any(row[2] or row[3] for row in rows[1:]):  # nothing is known of costs
        rows = [row[:2] for row in rows]
    over = [f"{capital(scored)} over {_draws(found)}, with 95 % intervals:"] if tested else []
    return over + _aligned(rows)


def ends(interval: Sequence[float], metric: Metric) -> str:
    """The interval of a score: [84.1, 86.3]."""
    return f"[{', '.join(map(metric.number, interval))}]"


def _draws(found: Conclusions) -> str:
    """`3 searches, 6 trainings`, of most arms, as failed ones may be missing; `5 seeds`."""
    largest = max(found.arms.values(), key=lambda result: result.n)
    if largest.searches > 1:
        return f"{largest.searches} searches, {counted(largest.n, 'training')}"
    return counted(largest.n, "seed")


def _score(result: ArmResult, metric: Metric) -> str:
    if result.mean is None or result.both is None:
        return "no replicate completed"
    known = result.n > 1 and math.isfinite(result.both.high)
    return metric.text(result.mean) + (f" {ends(result.both, metric)}" if known else "")


def _of_search(best: Mapping[str, Any], found: Conclusions) -> str:
    score = best["val_accuracy"]  # imported trials may have a loss only
    start = "" if score is None else f"{found.validation_metric.text(score)}, "
    return f"{start}{best['value']:.4f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns two blanks apart; the first two are texts, the others numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

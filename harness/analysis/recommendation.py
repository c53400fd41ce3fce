"""Which arm to take, and why: the cheapest one that loses little against the best one."""

import math
from collections.abc import Iterable

import numpy as np

from harness.analysis.conclusions import ArmResult, Conclusions, Recommendation
from harness.analysis.labels import arm_label


def recommend(found: Conclusions) -> Recommendation | None:
    """The cheapest arm (by step time) that is expected to lose no more than the margin.

    The loss is that of its mean against the highest mean. An arm that was shown to be worse than
    another one is not taken.
    """
    measured = {name: arm for name, arm in found.arms.items() if arm.mean is not None}
    if not measured:
        return None
    # A look may have found an arm worse than another one whose mean is lower by now.
    standing = [arm for arm in measured.values() if not _beaten(found, arm, measured)]
    best = max(standing or measured.values(), key=_level)
    fit = [arm for arm in standing if _level(best) - _level(arm) <= found.margin]
    chosen = min(fit or [best], key=_step)
    against = found.between(best.name, chosen.name)
    known = against is not None and math.isfinite(against.interval.high)
    return Recommendation(
        arm=chosen.name,
        reason=_reason(found, chosen, best),
        loss=_loss(found, best, chosen),
        loss_interval=against.interval if against is not None and known else None,
    )


def _beaten(found: Conclusions, arm: ArmResult, among: Iterable[str]) -> bool:
    """Whether an arm was shown to be worse than another one."""
    against = (found.between(arm.name, other) for other in among if other != arm.name)
    return any(each is not None and each.verdict == "worse" for each in against)


def _level(arm: ArmResult) -> float:
    return arm.comparable or 0.0


def _loss(found: Conclusions, best: ArmResult, chosen: ArmResult) -> float:
    """The difference that the interval is about; that of the means where there is none."""
    against = found.between(best.name, chosen.name)
    return _level(best) - _level(chosen) if against is None else against.difference


def _reason(found: Conclusions, chosen: ArmResult, best: ArmResult) -> str:
    """What the choice costs, or why it costs nothing; the arm is the first that it names."""
    name = arm_label(chosen.name)
    measured = [arm for arm in found.arms.values() if arm.mean is not None]
    if len(measured) == 1:
        return f"{name} is the only arm with replicates."
    if chosen is not best:
        against = found.between(best.name, chosen.name)
        most = faster = ""
        if against is not None and math.isfinite(against.interval.high):
            most = f", at most {_points(min(1.0, max(0.0, against.interval.high)), found.margin)}"
        if chosen.step_ms and best.step_ms:
            faster = f"; its step is {best.step_ms / chosen.step_ms:.1f} times as fast"
        other = arm_label(best.name)
        equal = against is not None and against.verdict == "equivalent"
        return (
            f"taking {name} instead of {other}, which has the highest mean, costs "
            f"{_gap(found, best, chosen)} points{most}{faster}. It is the cheapest arm within the "
            f"margin of {100 * found.margin:g} points, and was "
            f"{f'shown to be equivalent to {other}' if equal else 'not shown to be worse'}."
        )
    cheaper = [arm for arm in measured if _step(arm) < _step(chosen)]
    if not cheaper:
        return f"{name} has the highest mean, and the cheapest step."
    closest = max(cheaper, key=_level)
    against = found.between(closest.name, chosen.name)
    worse = against is not None and against.verdict == "worse"
    return (
        f"{name} has the highest mean; the best of the cheaper arms, {arm_label(closest.name)}, is "
        f"{_gap(found, chosen, closest)} points lower, "
        f"{'shown to be worse' if worse else f'more than the margin of {100 * found.margin:g}'}."
    )


def _gap(found: Conclusions, higher: ArmResult, lower: ArmResult) -> str:
    return _points(_loss(found, higher, lower), found.margin)


def _points(loss: float, margin: float) -> str:
    """A loss in points; with a second decimal if one decimal would show the margin itself."""
    text = f"{100 * loss:.1f}"
    return f"{100 * loss:.2f}" if text == f"{100 * margin:.1f}" else text


def _step(arm: ArmResult) -> float:
    return np.inf if arm.step_ms is None else arm.step_ms

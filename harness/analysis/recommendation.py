"""Which arm to take, and why: the cheapest one that loses little against the best one."""

import math
from collections.abc import Iterable

import numpy as np

from harness.analysis.conclusions import ArmResult, Conclusions, Recommendation
from harness.analysis.labels import arm_label


def recommend(found: Conclusions) -> Recommendation | None:
    """The cheapest arm (by step time) that is expected to lose no more than the margin.

    The loss is that of its mean against the best mean. An arm that was shown to be worse than
    another one is not taken.
    """
    measured = {name: arm for name, arm in found.arms.items() if arm.mean is not None}
    if not measured:
        return None
    # A look may have found an arm worse than another one whose mean is lower by now.
    standing = [arm for arm in measured.values() if not _beaten(found, arm, measured)]
    best = max(standing or measured.values(), key=found.level)
    fit = [arm for arm in standing if found.level(best) - found.level(arm) <= found.margin]
    chosen = min(fit or [best], key=_step)
    against = found.loss(chosen.name, best.name)
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


def _loss(found: Conclusions, best: ArmResult, chosen: ArmResult) -> float:
    """The difference that the interval is about; that of the means where there is none."""
    against = found.loss(chosen.name, best.name)
    return found.level(best) - found.level(chosen) if against is None else against.difference


def _reason(found: Conclusions, chosen: ArmResult, best: ArmResult) -> str:
    """What the choice costs, or why it costs nothing; the arm is the first that it names."""
    name, metric = arm_label(chosen.name), found.metric
    measured = [arm for arm in found.arms.values() if arm.mean is not None]
    if len(measured) == 1:
        return f"{name} is the only arm with replicates."
    if chosen is not best:
        against = found.loss(chosen.name, best.name)
        most = faster = ""
        if against is not None and math.isfinite(against.interval.high):
            end = min(metric.most - metric.least, max(0.0, against.interval.high))
            most = f", at most {_difference(found, end)}"
        if chosen.step_ms and best.step_ms:
            faster = f"; its step is {best.step_ms / chosen.step_ms:.1f} times as fast"
        other = arm_label(best.name)
        equal = against is not None and against.verdict == "equivalent"
        return (
            f"taking {name} instead of {other}, which has the {metric.best} mean, costs "
            f"{metric.with_unit(_gap(found, best, chosen))}{most}{faster}. It is the cheapest arm "
            f"within the margin of {metric.with_unit(metric.bound(found.margin))}, and was "
            f"{f'shown to be equivalent to {other}' if equal else 'not shown to be worse'}."
        )
    cheaper = [arm for arm in measured if _step(arm) < _step(chosen)]
    if not cheaper:
        return f"{name} has the {metric.best} mean, and the cheapest step."
    closest = max(cheaper, key=found.level)
    against = found.between(closest.name, chosen.name)
    worse = against is not None and against.verdict == "worse"
    more = f"more than the margin of {metric.bound(found.margin)}"
    return (
        f"{name} has the {metric.best} mean; the best of the cheaper arms, "
        f"{arm_label(closest.name)}, is {metric.with_unit(_gap(found, chosen, closest))} "
        f"{metric.worse}, {'shown to be worse' if worse else more}."
    )


def _gap(found: Conclusions, better: ArmResult, worse: ArmResult) -> str:
    return _difference(found, _loss(found, better, worse))


def _difference(found: Conclusions, loss: float) -> str:
    """A loss without its unit; with one more decimal where it would show the margin itself."""
    text = found.metric.difference(loss)
    same = text == found.metric.difference(found.margin)
    return found.metric.difference(loss, more=1) if same else text


def _step(arm: ArmResult) -> float:
    return np.inf if arm.step_ms is None else arm.step_ms

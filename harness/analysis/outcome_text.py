"""A study's outcome in words: for the terminal, the JSON and the report."""

from collections.abc import Mapping
from typing import Any

from harness.analysis.conclusions import ArmResult, Conclusions
from harness.analysis.labels import arm_label, interval_text, probability_text, signed
from harness.core.text import counted, short


def terminal_lines(outcome: Mapping[str, Any], found: Conclusions) -> list[str]:
    """The outcome of `summarise` as lines for a terminal."""
    lines = []
    first = outcome["arms"][0]["replicates"]
    metric = f"{first['split']} {first['metric']}"  # test balanced accuracy, say
    plain = first["metric"].removeprefix("balanced ")
    for arm in outcome["arms"]:
        best, cost = arm["best"], arm["cost"]
        if best is None:
            lines.append(f"{arm['arm']}: no trial completed")
            continue
        # Imported trials may have a loss only.
        parts = [f"val_loss {best['value']:.4f} ({_searched(arm)})"]
        if best["val_accuracy"] is not None:
            parts[0] = f"validation {plain} {best['val_accuracy']:.1%}, {parts[0]}"
        if cost["step_ms"] is not None:
            parts.append(
                f"{cost['step_ms']:.1f} ms per step, {cost['parameters'] or 0:,} parameters"
            )
        lines.append(f"{arm['arm']}: {_tested(found.arms[arm['arm']], metric)}{'; '.join(parts)}")
    for name, result in found.baselines.items():
        if tested := _tested(result, metric):
            lines.append(f"{found.called[name]}: {tested.rstrip('; ')}")
    recommended = outcome["recommended"]
    if recommended is None:
        return lines
    chosen = recommended["arm"]
    if recommended["reason"] is None:
        if len(outcome["arms"]) > 1:
            lines.append(
                f"Lowest validation loss: {chosen}. Each number is from one training, the best of "
                "its arm's search, so small differences may be chance."
            )
        return lines
    lines += [sentence(found, arm, other) for arm, other in found.references.items()]
    if found.probability_best:
        lines.append(probabilities(found.probability_best))
    lines += [
        f"epoch {each['epoch']}: validation accuracy {each['mean']:.1%} "
        f"[{each['ci95'][0]:.1%}, {each['ci95'][1]:.1%}], published {each['published']:.1%}"
        for each in outcome["published"]
        if each["measure"] == "val_accuracy" and each["ci95"]
    ]
    if len(outcome["arms"]) > 1:
        lines.append(advice(chosen, recommended["reason"]))
    return lines


def _searched(arm: Mapping[str, Any]) -> str:
    params = arm["best"]["params"]
    if not params:
        return "one training, nothing searched"
    trials = sum(arm["trials"].values())
    return f"best of {trials} {'trial' if trials == 1 else 'trials'}: {short(params)}"


def _tested(result: ArmResult, metric: str) -> str:
    if result.mean is None or result.both is None:
        return ""
    interval = ""
    if result.n > 1:
        low, high = result.both
        interval = f" [{100 * low:.1f}, {100 * high:.1f}]"
    over = counted(result.n, "seed")
    if result.searches > 1:
        over = f"{result.searches} searches, {counted(result.n, 'training')}"
    return f"{metric} {100 * result.mean:.1f} %{interval} over {over}; "


def advice(arm: str, reason: str) -> str:
    """The recommendation in words: `Take depth 1. It has the highest mean, …`"""
    return f"Take {arm_label(arm)}. {of_it(arm, reason)}"


def of_it(arm: str, reason: str) -> str:
    """The reason after a sentence that names the arm: `It has …`, `Taking it instead of …`"""
    text = reason.replace(arm_label(arm), "it", 1)
    return text[:1].upper() + text[1:]


def probabilities(best: Mapping[str, float]) -> str:
    """`Probability of being best: depth 1 62 %, depth 2 30 %, depth 3 8 %.`"""
    labels = [arm_label(arm) for arm in best]
    comma = "; " if any("," in label for label in labels) else ", "
    listed = comma.join(
        f"{label} {probability_text(each)}"
        for label, each in zip(labels, best.values(), strict=True)
    )
    return f"Probability of being best: {listed}."


def sentence(found: Conclusions, a: str, b: str) -> str:
    """`depth 2 against depth 1: +0.1 points [−0.6, +0.8], inconclusive; 1.8× the step time.`"""
    comparison = found.between(a, b)
    if comparison is None:
        return f"{arm_label(a)} against {arm_label(b)}: no replicates to compare."
    text = (
        f"{arm_label(a)} against {arm_label(b)}: {signed(comparison.difference)} points "
        f"{interval_text(comparison.interval)}, {comparison.verdict}"
    )
    first, second = ({**found.arms, **found.baselines}[name].step_ms for name in (a, b))
    if first and second:
        ratio = first / second
        text += f"; {ratio:{'.1f' if ratio >= 0.95 else '.1g'}}× the step time"
    return text[:1].upper() + text[1:] + "."

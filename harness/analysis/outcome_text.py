"""A study's outcome in words: for the terminal, the JSON and the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.conclusions import Conclusions
from harness.analysis.labels import arm_label, interval_text, probability_text
from harness.analysis.outcome_table import ends, table_lines
from harness.analysis.search_progress import Edge
from harness.core.metrics import Metric
from harness.core.text import capital, counted, duration, listing, short
from harness.results.records import MAJORITY

MAX_SENTENCES = 3  # on edges of the space

# Nouns with their verbs, of one and of several.
_SEARCH = ("search", "was"), ("searches", "were")
_BEST = ("best configuration", "lies"), ("best configurations", "lie")


def terminal_lines(outcome: Mapping[str, Any], found: Conclusions) -> list[str]:
    """The outcome of `summarise` for a terminal: the table of arms, then what it means."""
    return [*table_lines(outcome, found), *conclusion_lines(outcome, found)]


def conclusion_lines(outcome: Mapping[str, Any], found: Conclusions) -> list[str]:
    """What the outcome of `summarise` means: verdicts, probabilities and the recommendation."""
    lines = [
        f"{capital(found.called[name])} {note}."
        for name in found.baselines
        if (note := did_not_train(found, name))
    ]
    recommended, validated = outcome["recommended"], found.validation_metric
    if recommended is None:
        if outcome["full_study"]:
            lines.append(f"A quick look recommends nothing. {full_study(outcome['full_study'])}")
        return lines
    chosen = recommended["arm"]
    if recommended["reason"] is None:
        if len(outcome["arms"]) > 1:
            lines.append(
                f"Lowest validation loss: {chosen}. Each number is from one training, the best of "
                "its arm's search, so small differences may be chance."
            )
        return [*lines, *_configuration(outcome, chosen), *progress_sentences(found)]
    lines += [sentence(found, arm, other) for arm, other in found.references.items()]
    if found.probability_best:
        lines.append(probabilities(found.probability_best))
    lines += [
        f"epoch {each['epoch']}: validation {validated.name} {validated.text(each['mean'])} "
        f"{ends(each['ci95'], validated)}, published {validated.text(each['published'])}"
        for each in outcome["published"]
        if each["measure"] == "val_accuracy" and each["ci95"]
    ]
    if outcome["answer"]:
        lines.append(outcome["answer"])
    if len(outcome["arms"]) > 1:
        lines.append(advice(chosen, recommended["reason"]))
    if said := against_baselines(found, chosen, capital(arm_label(chosen))):
        lines.append(said)
    return [*lines, *_configuration(outcome, chosen), *progress_sentences(found)]


def _configuration(outcome: Mapping[str, Any], name: str) -> list[str]:
    """`Configuration: dropout=0.158 units=4, the best of 3 trials.` Nothing if none was searched.

    The configuration is that of the arm `name` with the lowest validation loss.
    """
    (arm,) = [arm for arm in outcome["arms"] if arm["arm"] == name]
    if not arm["best"] or not arm["best"]["params"]:
        return []
    trials = counted(sum(arm["trials"].values()), "trial")
    return [f"Configuration: {short(arm['best']['params'])}, the best of {trials}."]


def against_baselines(found: Conclusions, arm: str, subject: str) -> str:
    """Which baselines that trained the arm does not beat; empty where it beats all of them.

    `Depth 1 is worse than the bag of embeddings, which costs far less.` The `subject` is the arm.
    """
    worse, undecided = [], []
    for name in found.baselines:
        against = found.between(arm, name)
        if name in found.untrained or against is None or against.replicates < 2:
            continue
        if against.verdict == "worse":
            worse.append(f"the {found.called[name]}")
        elif against.verdict != "better":
            undecided.append(f"the {found.called[name]}")
    return " ".join(
        f"{subject} {verb} {link.join(names)}, which {'cost' if names[1:] else 'costs'} far less."
        for verb, names, link in (
            ("is worse than", worse, " and "),
            ("was not shown to beat", undecided, " or "),
        )
        if names
    )


def did_not_train(found: Conclusions, baseline: str) -> str:
    """That a baseline did not train, and how that shows; empty for the others."""
    if baseline not in found.untrained:
        return ""
    return f"did not train: no better than the {found.called[MAJORITY]}"


def full_study(full: Mapping[str, Any]) -> str:
    """What the full study of a quick look takes, as its manifest says; empty where it does not."""
    if not full:
        return ""
    searches, replicates = full["searches"], counted(full["replicates"], "replicate")
    of = f"{searches} searches of {full['trials']} trials" if searches > 1 else (
        counted(full["trials"], "trial")
    )  # fmt: skip
    taken = ""
    if full["seconds"] is not None:
        taken = f" It takes {full.get('time') or 'about ' + duration(full['seconds'])} on "
        taken += f"{counted(full['workers'], 'worker')} of this machine."
    return (
        f"The full study has {of} of each arm, up to {counted(full['epochs'], 'epoch')} each, "
        f"{replicates} of each {'search' if searches > 1 else 'arm'}'s best, and "
        f"{full['train']:,} training examples.{taken}"
    )


def advice(arm: str, reason: str) -> str:
    """The recommendation in words: `Take depth 1. It has the highest mean, …`"""
    return f"Take {arm_label(arm)}. {of_it(arm, reason)}"


def of_it(arm: str, reason: str) -> str:
    """The reason after a sentence that names the arm: `It has …`, `Taking it instead of …`"""
    text = reason.replace(arm_label(arm), "it", 1)
    return capital(text)


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
        f"{arm_label(a)} against {arm_label(b)}: "
        f"{found.metric.with_unit(found.metric.signed(comparison.difference))} "
        f"{interval_text(comparison.interval, found.metric)}, {comparison.verdict}"
    )
    if comparison.few_times:
        text += f" ({comparison.reason})"
    first, second = ({**found.arms, **found.baselines}[name].step_ms for name in (a, b))
    if first and second:
        ratio = first / second
        text += f"; {ratio:{'.1f' if ratio >= 0.95 else '.1g'}}× the step time"
    return capital(text) + "."


def progress_sentences(found: Conclusions) -> list[str]:
    """Whether the searches are done: what more trials would add, and values at an edge."""
    return [*improving(found), *at_edges(found)]


def improving(found: Conclusions) -> list[str]:
    """Which arms are expected to gain more than the margin from ten more trials.

    `Depth 3's search was still improving: about 0.8 points of validation accuracy expected from
    ten more trials.` More than two arms share a sentence.
    """
    gains = {
        arm: each.gain
        for arm, each in found.progress.items()
        if each.gain is not None and each.gain > found.margin
    }
    together = [list(gains)] if len(gains) > 2 else [[arm] for arm in gains]
    return [
        f"{_subject(found, arms, *_SEARCH)} still improving: about "
        f"{_extent(found.validation_metric, [gains[arm] for arm in arms])} expected from ten more "
        "trials."
        for arms in together
    ]


def at_edges(found: Conclusions) -> list[str]:
    """Which arms' best configurations lie on an edge of the space.

    `Depth 3's best configurations lie on an edge of the space: sequence length 200, the highest.`
    More than two arms on the same edge share a sentence; many arms share one that names no values.
    """
    arms_of: dict[Edge, list[str]] = {}
    for arm, each in found.progress.items():
        for edge in each.edges:
            arms_of.setdefault(edge, []).append(arm)
    shared = {edge: arms for edge, arms in arms_of.items() if len(arms) > 2}
    said = [(arms, [edge]) for edge, arms in shared.items()]
    for arm, each in found.progress.items():
        if own := [edge for edge in each.edges if edge not in shared]:
            said.append(([arm], own))
    if len(said) > MAX_SENTENCES:
        arms = [arm for arm, each in found.progress.items() if each.edges]
        names = listing(list(dict.fromkeys(edge.name.replace("_", " ") for edge in arms_of)))
        return [f"{_subject(found, arms, *_BEST)} on an edge of the space: in {names}."]
    return [
        f"{_subject(found, arms, *_BEST)} on an edge of the space: {'; '.join(map(edge_text, on))}."
        for arms, on in said
    ]


def edge_text(edge: Edge) -> str:
    """`sequence length 200, the highest`"""
    value = f"{edge.value:.3g}" if isinstance(edge.value, float) else f"{edge.value}"
    return f"{edge.name.replace('_', ' ')} {value}, the {edge.edge}"


def _subject(
    found: Conclusions, arms: Sequence[str], one: tuple[str, str], more: tuple[str, str]
) -> str:
    """`Depth 3's search was`; of more arms, `The searches of depth 1, depth 2 and depth 4 were`."""
    several = len(arms) > 1 or found.progress[arms[0]].searches > 1
    noun, verb = more if several else one
    labels = [arm_label(arm) for arm in arms]
    if len(found.arms) == 1:
        return f"The {noun} {verb}"
    if len(arms) == len(found.arms):
        return f"The {noun} of all arms {verb}"
    if len(arms) == 1:
        return f"{capital(labels[0])}'s {noun} {verb}"
    return f"The {noun} of {listing(labels)} {verb}"


def _extent(metric: Metric, gains: Sequence[float]) -> str:
    """`0.6 to 1.2 points of validation accuracy`; `1.2 units less validation MAE`."""
    ends = dict.fromkeys(metric.difference(each) for each in (min(gains), max(gains)))
    link = "of" if metric.higher_is_better else "less"
    return f"{metric.with_unit(' to '.join(ends))} {link} validation {metric.name}"

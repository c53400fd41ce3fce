"""The answer first: what to take, what it costs, how to get it, and how sure this is."""

import math
import shlex
from typing import TYPE_CHECKING, Any

from harness.analysis.statistics import Comparison
from harness.analysis.summary import (
    all_parameters,
    best_trials,
    confirmed_recommendation,
    recommended_arm,
)
from harness.analysis.verdicts import (
    ArmResult,
    Conclusions,
    Recommendation,
    arm_label,
    conclude,
    interval_text,
    signed,
)
from harness.core.metrics import R2
from harness.results.records import BAG_OF_EMBEDDINGS, BASELINES, MAJORITY, Records
from reports import cells, preliminary, selection, wording
from reports.content import Column, Command, Fact, Row, Section, Table

if TYPE_CHECKING:
    import pandas as pd

ORDER = 10
MAX_ADVISED = 100  # replicates; more is not practical advice


def build(records: Records) -> Section:
    best = best_trials(records)
    chosen = recommended_arm(records)
    if chosen is None or chosen not in set(best["arm"]):
        return Section(
            id="answer",
            title="Answer",
            text=(_nothing_finished(records),),
            notices=_notices(records),
            commands=(_rerun(records),),
        )
    trial = best[best["arm"] == chosen].iloc[0]
    confirmed = confirmed_recommendation(records)
    if confirmed is None:
        text = preliminary.paragraphs(records, trial, best[best["arm"] != chosen])
        facts = preliminary.facts(records, trial)
    else:
        found = conclude(records)
        text = (_verdict(records, found, confirmed), *_sureness(records, found, chosen))
        facts = _facts(records, found, found.arms[chosen])
    return Section(
        id="answer",
        title="Answer" if confirmed else "Preliminary answer",
        text=text,
        facts=facts,
        tables=(_configuration(records, trial),),
        notices=_notices(records),
        commands=(*_model_commands(records, chosen), _rerun(records), *_settling(records, chosen)),
    )


def _verdict(records: Records, found: Conclusions, recommended: Recommendation) -> str:
    """One sentence to act on, then the accuracy behind it."""
    arm = found.arms[recommended.arm]
    reached = (
        f"{wording.mean_percent(arm.mean, arm.both)} {wording.right(records)}, "
        "the mean of "
        f"{wording.plural(arm.n, 'replicate')}{_interval_clause(arm)}"
    )
    if len(records.arms) == 1:
        return f"The best configuration found gets {reached}.{_against_baselines(found, arm)}"
    label = wording.arm_label(records, arm.name)
    reason = recommended.reason.removeprefix(f"{arm_label(arm.name)} ")
    return f"Take {label}: it {reason} It gets {reached}.{_against_baselines(found, arm)}"


def _interval_clause(arm: ArmResult) -> str:
    if arm.n < 2:
        return ", which has no interval"
    return f" (95\u00a0% interval {wording.interval(arm.both)})"


def _against_baselines(found: Conclusions, arm: ArmResult) -> str:
    """A warning if the network was not shown to beat a baseline."""
    unbeaten = [
        found.called[name]
        for name in found.baselines
        if (against := found.between(arm.name, name)) and against.verdict != "better"
    ]
    if not unbeaten:
        return ""
    beaten = " or ".join(unbeaten)
    return f" It was not shown to beat the {beaten}, which costs far less."


def _sureness(records: Records, found: Conclusions, chosen: str) -> tuple[str, ...]:
    """What was shown about the other arms, what was not, and what would settle it."""
    others = {
        name: against
        for name in records.arms
        if name != chosen and (against := found.between(chosen, name)) is not None
    }
    if not others:
        return ()
    one = any(against.replicates < 2 for against in others.values())
    if one:
        return (
            "How sure this is: not at all, because one replicate says nothing about chance. Two or "
            "more give intervals; five are usual.",
        )
    groups: dict[str, list[str]] = {}
    for name, against in others.items():
        label = wording.arm_label(records, name)
        if against.verdict == "inconclusive":
            label += f" ({signed(against.difference)} {interval_text(against.interval)} points)"
        groups.setdefault(against.verdict, []).append(label)
    numbers = records.metric == R2
    more, less = ("better", "worse") if numbers else ("more accurate", "less accurate")
    said = [
        f"{lead} {wording.listing(groups[verdict])}"
        for verdict, lead in (
            ("better", f"shown to be {more} than"),
            ("equivalent", f"shown to be within {100 * found.margin:g} points of"),
            ("worse", f"shown to be {less} than"),
            ("inconclusive", "undecided against"),
        )
        if verdict in groups
    ]
    first = (
        f"How sure this is: {wording.arm_label(records, chosen)} is {'; '.join(said)}. "
        "Confidence is 95\u00a0% for all comparisons together."
    )
    return (first, " ".join([_power(others), *_settle(records, others)]))


def _power(others: dict[str, Comparison]) -> str:
    """The smallest true differences that would probably have been found."""
    found = sorted(against.detectable for against in others.values())
    n = min(against.replicates for against in others.values())
    start = f"With {wording.plural(n, 'replicate')} each"
    if found[0] >= 1:
        return f"{start}, no difference, however large, would have been found reliably."
    largest = found[-1]
    if largest >= 1:
        extent = f"at least {wording.points(found[0])}"
    elif wording.points(found[0]) == wording.points(largest):
        extent = wording.points(largest)
    else:
        extent = f"{100 * found[0]:.1f} to {wording.points(largest)}, depending on the arm"
    return (
        f"{start}, the smallest true difference that four of five such studies would find is "
        f"{extent}."
    )


def _settle(records: Records, others: dict[str, Comparison]) -> list[str]:
    undecided = {n: a for n, a in others.items() if a.verdict == "inconclusive"}
    known = {n: a.replicates_needed for n, a in undecided.items() if a.replicates_needed}
    if not undecided:
        return []
    if not known:
        return ["More replicates would not settle what is undecided; a larger test split might."]
    several = len(records.arms) > 2
    each = wording.listing(
        [
            f"{count:,}{f' ({wording.arm_label(records, name)})' if several else ''}"
            for name, count in known.items()
        ]
    )
    rest = len(undecided) - len(known)
    more = "; the rest needs a larger test split" if rest else ""
    return [
        f"If these differences are the true ones, about {each} replicates would settle what is "
        f"undecided{more}. This is a rough guide, based on "
        f"{wording.plural(min(a.replicates for a in undecided.values()), 'replicate')}."
    ]


def _facts(records: Records, found: Conclusions, arm: ArmResult) -> tuple[Fact, ...]:
    seeds = wording.plural(arm.n, "replicate")
    facts = [
        Fact(
            wording.scored_accuracy(records),
            wording.mean_percent(arm.mean, arm.both),
            f"{seeds}; 95\u00a0% interval {wording.interval(arm.both)}"
            if arm.n > 1
            else f"{seeds}, so no interval",
        )
    ]
    for name in (BAG_OF_EMBEDDINGS, MAJORITY):
        against = found.between(arm.name, name)
        if against is not None:
            wide = "" if against.replicates < 2 else f", {interval_text(against.interval)}"
            facts.append(
                Fact(
                    f"Against the {found.called[name]}",
                    wording.signed_points(against.difference),
                    f"{against.verdict}{wide}",
                )
            )
            break
    facts += [
        Fact("Step time", wording.milliseconds(arm.step_ms), _step_note(records, found, arm)),
        Fact(
            "Training time", wording.seconds(arm.train_s), "median, with validation and compiling"
        ),
        Fact("Parameters", wording.count(arm.parameters), "trainable weights"),
    ]
    return tuple(facts)


def _step_note(records: Records, found: Conclusions, arm: ArmResult) -> str:
    """Beside the fastest of the other arms."""
    steps = {r.name: r.step_ms for r in found.arms.values() if r.name != arm.name and r.step_ms}
    if not steps or not arm.step_ms:
        return "median over replicates"
    fastest = min(steps, key=lambda name: steps[name])
    ratio = arm.step_ms / steps[fastest]
    if ratio < 1:
        return "the fastest of the arms"
    return f"{wording.significant(ratio, 2)}× that of {wording.arm_label(records, fastest)}"


def _rerun(records: Records) -> Command:
    purpose = (
        "Trains everything again from the same seeds, and moves the old results aside"
        if records.finished
        else "Resumes the study"
    )
    command = wording.study_command(records)
    return Command(purpose, f"{command} --fresh" if records.finished else command)


def _model_commands(records: Records, arm: str) -> tuple[Command, ...]:
    """How to get the trained model, where there is one."""
    card = records.model_card(arm)
    if card is None:
        return ()
    study, chosen = wording.study_argument(records), shlex.quote(arm)
    folder = shlex.quote(f"{records.root.name}-model")
    commands = [
        Command(
            "Copies the trained model, its vocabulary and hyperparameters",
            f"harness export {study} --arm {chosen} -o {folder}",
        )
    ]
    if card.get("input") == "text":
        commands.append(
            Command(
                "Predicts the label of your own text",
                f'harness predict {study} --arm {chosen} "What a film!"',
            )
        )
    return tuple(commands)


def _settling(records: Records, chosen: str) -> tuple[Command, ...]:
    """The command for as many replicates as would settle what is undecided, if feasible."""
    if confirmed_recommendation(records) is None:
        return ()
    found = conclude(records)
    needed = [
        against.replicates_needed or math.inf
        for name in records.arms
        if name != chosen
        and (against := found.between(chosen, name)) is not None
        and against.verdict == "inconclusive"
    ]
    feasible = [int(count) for count in needed if count <= MAX_ADVISED]
    if not feasible:
        return ()
    part = "" if len(feasible) == len(needed) else "part of "
    return (
        Command(
            f"Adds replicates to settle {part}what is undecided",
            f"{wording.study_command(records)} --replicates {max(feasible)}",
        ),
    )


def _configuration(records: Records, trial: "pd.Series[Any]") -> Table:
    manifest = records.manifest
    parameters = all_parameters(records, trial)

    def kind(name: str) -> str:
        if manifest.hold and name == "units":
            return f"chosen for equal {', '.join(map(wording.label, manifest.hold))}"
        if name in manifest.compare:
            return "compared"
        return "fixed" if name in manifest.fixed else "searched"

    order = {"compared": 0, "searched": 1, "fixed": 2}
    declared = selection.searched(records)
    names = [*declared, *(name for name in parameters if name not in declared)]
    return Table(
        id="configuration",
        caption="The recommended configuration",
        columns=(Column("Hyperparameter"), Column("Value", numeric=True), Column("How it was set")),
        rows=tuple(
            Row((wording.label(name), cells.parameter(parameters[name]), kind(name)))
            for name in sorted(names, key=lambda name: order.get(kind(name), 1))
            if name in parameters
        ),
    )


def _notices(records: Records) -> tuple[str, ...]:
    notices = []
    states = records.trials["state"]
    if records.metric == R2:
        notices.append(
            f"The target is a number, so scores are {R2}, the share of its variance that is "
            "explained: 100\u00a0% is perfect, and always predicting the mean gets 0\u00a0%. The "
            "loss is the mean squared error."
        )
    elif records.metric != "accuracy":
        notices.append(
            "The largest class is more than five times as large as the smallest one, so replicates "
            "are scored by balanced accuracy: the mean over classes of the share of each that is "
            "right. Validation accuracy is plain accuracy."
        )
    if records.searched and records.replicates_missing:
        ended = int((_of_arms(records)["state"] != "running").sum())
        notices.append(
            f"Unfinished: {ended:,} of {ended + records.replicates_missing:,} replicates have "
            "ended. What follows may change; the command below resumes the study."
        )
    elif not records.finished:
        wanted = records.manifest.trials * len(records.arms)
        notices.append(
            f"Unfinished: {int((states != 'running').sum()):,} of "
            f"{wording.plural(wanted, 'trial')} have ended. What follows may change; the command "
            "below resumes the study."
        )
    if records.manifest.quick:
        notices.append(
            "A quick study, on little data and a small budget: it shows that everything works, "
            "but its results decide nothing."
        )
    for noun, table in (("trial", records.trials), ("replicate", records.replicates)):
        failed = table[table["state"] == "failed"]
        if not failed.empty:
            arms = [a for a in (*records.arms, *BASELINES) if a in set(failed["arm"])]
            labels = [wording.arm_label(records, arm) for arm in arms]
            where = "" if len(records.arms) == 1 else f" (in {wording.listing(labels)})"
            notices.append(
                f"{wording.plural(len(failed), noun)} failed{where}; "
                "the section on failures says why."
            )
    return tuple(notices)


def _of_arms(records: Records) -> "pd.DataFrame":
    return records.replicates[records.replicates["arm"].isin(records.arms)]


def _nothing_finished(records: Records) -> str:
    counts = records.trials["state"].value_counts()
    if not records.trials["state"].isin(["pruned", "failed"]).any():
        return "No trial has finished yet, so there is nothing to recommend."
    ended = " and ".join(
        f"{counts[state]:,} {state}" for state in ("pruned", "failed") if state in counts
    )
    return f"No trial has finished ({ended}), so there is nothing to recommend."

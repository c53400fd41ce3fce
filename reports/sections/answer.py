"""The answer first: what to take, what it costs, how to get it, and how sure this is."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.analysis import outcome_text, trained_model
from harness.analysis.conclusions import ArmResult, Conclusions, Recommendation
from harness.analysis.headline import headline, unbeaten
from harness.analysis.labels import interval_text
from harness.analysis.outcome_text import full_study, progress_sentences
from harness.analysis.parameters import all_parameters
from harness.analysis.summary import best_trials, confirmed_recommendation, recommended_arm
from harness.analysis.verdicts import conclude
from harness.core.metrics import ACCURACY, BITS, EXACT, MAE, R2
from harness.results.records import BASELINES, MAJORITY, Records
from reports import basis, cells, preliminary, selection, sureness, wording
from reports.content import Column, Command, Fact, Figure, Row, Section, Table
from reports.sections.accuracy import scores_figure

if TYPE_CHECKING:
    import pandas as pd

ORDER = 10


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
    if records.manifest.quick:
        return _quick(records, chosen)
    trial = best[best["arm"] == chosen].iloc[0]
    confirmed = confirmed_recommendation(records)
    figures: tuple[Figure, ...] = ()
    if confirmed is None:
        text = preliminary.paragraphs(records, trial, best[best["arm"] != chosen])
        facts = preliminary.facts(records, trial)
    else:
        found = conclude(records)
        values = records.manifest.arm_values
        if said := headline(found, values):
            said = f"{said} {unbeaten(found, values)}".strip()
        text = (
            *([said] if said else []),
            _verdict(records, found, confirmed, alone=not said),
            *sureness.paragraphs(records, found, chosen),
        )
        figures = (scores_figure(records, found),) if len(records.arms) > 1 else ()
        facts = _facts(records, found, found.arms[chosen])
    if records.searched and (progress := progress_sentences(conclude(records))):
        text = (*text, " ".join(progress))
    return Section(
        id="answer",
        title="Answer" if confirmed else "Preliminary answer",
        text=text,
        facts=facts,
        figures=figures,
        tables=(_configuration(records, trial),),
        notices=(*_notices(records), *(basis.caution(records) if confirmed else ())),
        commands=(
            *_model_commands(records, chosen),
            _rerun(records),
            *sureness.commands(records, chosen),
        ),
    )


def _quick(records: Records, chosen: str) -> Section:
    """A quick study recommends nothing; it says how to get a study that does."""
    manifest = records.manifest
    of = "search" if basis.searched(records) else "arm"
    full = wording.study_command(records).replace(" --quick", "")
    size = manifest.dataset.get("train")
    examples = f" on {size:,} training examples" if isinstance(size, int) else ""
    return Section(
        id="answer",
        title="A quick look",
        text=(
            "A quick study recommends nothing. It shows that everything works, with "
            f"{wording.counted(manifest.trials, 'trial')} of each {of}, up to "
            f"{wording.counted(manifest.trial_epochs or 0, 'epoch')} of each trial and "
            f"{wording.counted(manifest.replicates, 'replicate')}{examples}.",
            full_study(manifest.full)
            or "A full study has the data, the trials and the epochs that its file declares"
            f"{', in several searches of each arm' if basis.searched(records) else ''}. The plan "
            "says how many these are, and about how long they take.",
        ),
        notices=_notices(records),
        commands=(
            *(() if records.finished else (_rerun(records),)),
            Command("Says what a full study takes, and starts nothing", f"{full} --dry-run"),
            Command("Runs the full study", full),
            *_model_commands(records, chosen),
            *((_rerun(records),) if records.finished else ()),
        ),
    )


def _verdict(
    records: Records, found: Conclusions, recommended: Recommendation, *, alone: bool
) -> str:
    """One sentence to act on, then the accuracy behind it; `alone` if no headline stands before."""
    arm = found.arms[recommended.arm]
    reached = (
        wording.reached(
            records.metric,
            records.scored_split,
            wording.mean_score(records.metric, arm.mean, arm.both),
        )
        + f", the mean of {wording.basis(arm)}{_interval_clause(found, arm)}"
    )
    if len(records.arms) == 1:
        several = wording.several_searches(records)
        what = "The best configuration of a search" if several else "The best configuration found"
        return f"{what} gets {reached}.{_beaten_by(found, arm)}"
    label = wording.arm_label(records, arm.name)
    reason = outcome_text.of_it(arm.name, recommended.reason)
    take = (
        f"Of the configurations found, take that of {label}"
        if basis.one_search(records)
        else f"Take {label}"
    )
    return f"{take}. {reason} It gets {reached}.{_beaten_by(found, arm) if alone else ''}"


def _interval_clause(found: Conclusions, arm: ArmResult) -> str:
    if arm.bar is None:
        return ", which has no interval"
    return f" (95\u00a0% interval {wording.interval(found.metric, arm.both)})"


def _beaten_by(found: Conclusions, arm: ArmResult) -> str:
    said = outcome_text.against_baselines(found, arm.name, "It")
    return f" {said}" if said else ""


def _rivals(found: Conclusions) -> list[str]:
    """The baselines that trained, the hardest to beat first, and the majority class last."""
    trained = [base for name, base in found.baselines.items() if name not in found.untrained]
    ordered = sorted(trained, key=lambda base: (base.name == MAJORITY, -found.level(base)))
    return [base.name for base in ordered]


def _facts(records: Records, found: Conclusions, arm: ArmResult) -> tuple[Fact, ...]:
    seeds = wording.basis(arm)
    facts = [
        Fact(
            wording.scored_metric(records),
            wording.mean_score(found.metric, arm.mean, arm.both),
            f"{seeds}; 95\u00a0% interval {wording.interval(found.metric, arm.both)}"
            if arm.bar is not None
            else f"{seeds}, so no interval",
        )
    ]
    for name in _rivals(found):
        against = found.between(arm.name, name)
        if against is not None:
            wide = (
                f": {against.reason}"
                if not against.estimate.known
                else f", {interval_text(against.interval, found.metric)}"
            )
            facts.append(
                Fact(
                    f"Against the {found.called[name]}",
                    wording.signed(found.metric, against.difference),
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
    card = trained_model.model_card(records, arm)
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
    what, text = _predicted(card)
    if what:
        told = f"Predicts the {what} of your own text"
        commands.append(Command(told, f'harness predict {study} --arm {chosen} "{text}"'))
    return tuple(commands)


def _predicted(card: Mapping[str, Any]) -> tuple[str, str]:
    """What a model says of a text, and an example; empty for models of other data."""
    dataset = card.get("dataset") or {}
    if dataset.get("bits"):
        return "next character", "The film w"
    if card.get("input") != "text":
        return "", ""
    if dataset.get("name") == "tag-files":
        return "tags", "Anna sings."
    return "label", "What a film!"


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
        caption="The recommended configuration"
        + (
            f": {wording.training_label(records, 'trial', trial['trial'], trial['search'])}"
            if wording.several_searches(records)
            else ""
        ),
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
    metric = records.metric
    if metric.name == R2:
        notices.append(
            f"The target is a number, so scores are {R2}, the share of its variance that is "
            "explained: 1 is perfect, and always predicting the mean gets 0. The loss is the mean "
            "squared error."
        )
    elif metric.name == MAE:
        of = f", in {metric.unit}" if metric.unit else ""
        notices.append(
            f"These are forecasts, so scores are errors: {MAE}, the mean absolute error over the "
            f"test times and the steps of the horizon{of}. Lower is better."
        )
    elif metric.name == EXACT:
        notices.append(
            "Answers are sequences, written word by word: each word is the most probable one after "
            f"those that the network has written itself. Scores are {EXACT}, the share of answers "
            "that are right from the first word to the last. Validation accuracy is the share of "
            "steps that are right after the right words; what follows the end of an answer counts, "
            "too."
        )
    elif metric.name == BITS:
        notices.append(
            f"The next character of a text is predicted, so scores are {BITS}: the mean of -log2 "
            "of the probability that a model gave to the character that follows. Lower is better. "
            "The loss is the same in nats, 0.693 of it."
        )
    elif metric.name != ACCURACY:
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
        wanted = records.manifest.trials * len(records.arm_searches)
        notices.append(
            f"Unfinished: {int((states != 'running').sum()):,} of "
            f"{wording.counted(wanted, 'trial')} have ended. What follows may change; the command "
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
                f"{wording.counted(len(failed), noun)} failed{where}; "
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

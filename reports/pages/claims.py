"""The page of a tutorial's claims: each one's verdict, the studies behind it, and all effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.claims import Answer, how_far
from harness.results.records import Records
from reports import cells, page, wording
from reports.content import Column, Command, Row, Section, Table
from reports.pages import forest

RULE = (
    "The arms of a study that differ in depth alone are one context. In it a claim holds if a "
    "deeper network is better than one layer, and fails if none is better by more than the "
    "study's margin; both by intervals that are corrected for all comparisons of the study. "
    "That a cell can stand in for another holds if it is better, or worse by less than the margin. "
    "A context whose task one layer has solved (95\u00a0% right) leaves little room: it counts, as "
    "a failure, only where a claim has no other context. If a claim has several studies, better "
    "must also hold after correction for their number. Claims about hierarchies and large data "
    "sets are judged on the contexts that they are about. This rule was written before the studies "
    "ran; which contexts a claim is about, before the studies of these claims had verdicts."
)
PAGE = Command("This page", "harness claims --time 0")
VERDICTS = {
    "supported": "it holds in every context",
    "refuted": "it fails in every context",
    "depends": "it holds in some contexts and fails in others",
    "undecided": "anything else, at the budget of these studies",
}


@dataclass(frozen=True)
class State:
    """How far a study is: `records` are None where it has not begun, and `note` says why."""

    records: Records | None
    note: str


def render(answers: Sequence[Answer], states: Mapping[str, State], *, now: str) -> str:
    """The whole page; `now` (ISO 8601) is the time when it is made."""
    studies = {name: state.records for name, state in states.items() if state.records is not None}
    return page.compose(
        "page.html",
        study="claims",
        source="the run directories of these studies",
        question="A tutorial's claims about deep RNNs, each put to the test",
        finished=all(each.records and each.records.finished for each in states.values()),
        sections=[
            _answer(answers, states),
            *forest.build(answers, studies, PAGE),
            *(_claim(number, each, states) for number, each in enumerate(answers, 1)),
            _states(states),
            _rule(),
        ],
        now=now,
    )


def _answer(answers: Sequence[Answer], states: Mapping[str, State]) -> Section:
    counts = [
        f"{number} {verdict}"
        for verdict in VERDICTS
        if (number := sum(each.verdict == verdict for each in answers))
    ]
    rows = tuple(
        Row((each.claim.words, each.verdict, wording.capital(each.reason) + "."))
        for each in answers
    )
    unfinished = [
        name for name, state in states.items() if not (state.records and state.records.finished)
    ]
    return Section(
        id="answer",
        title="Answer",
        notices=(
            (
                "A claim is open until its study is finished. Not finished: "
                f"{wording.listing(unfinished)}.",
            )
            if unfinished
            else ()
        ),
        text=(
            f"Of {wording.counted(len(answers), 'claim')}, {wording.listing(counts)}, where the "
            "last means at this budget.",
        ),
        tables=(
            Table(
                "claims",
                "The claims in the tutorial's words",
                (Column("Claim"), Column("Verdict"), Column("What it rests on")),
                rows,
            ),
        ),
        commands=(PAGE,),
    )


def _claim(number: int, answer: Answer, states: Mapping[str, State]) -> Section:
    rows = tuple(
        Row(
            (
                context.study,
                (context.label or wording.MISSING) + ("" if context.counted else " (not counted)"),
                f"{answer.claim.subject} {context.values[pair.a]} less {context.values[pair.b]}",
                cells.difference(context.metric, pair.comparison),
                cells.difference_interval(context.metric, pair.comparison),
                pair.comparison.verdict,
                cells.detectable(context.metric, pair.comparison),
                cells.value(context.cost.get(pair.a), lambda ratio: f"{ratio:.1f}×"),
            )
        )
        for context in answer.contexts
        for pair in context.pairs
    )
    return Section(
        id=f"claim-{number}",
        title=answer.claim.words,
        text=(
            f"{wording.capital(answer.verdict)}"
            f"{' at this budget' if answer.verdict == 'undecided' else ''}. "
            f"{wording.capital(answer.reason)}.",
            *filter(None, (answer.claim.note,)),
            *(f"Published elsewhere: {text}" for text in answer.claim.published),
        ),
        tables=(
            Table(
                f"claim-{number}-pairs",
                "Each comparison, with an interval that is corrected for all of its study, and the "
                "smallest true difference that four of five such studies would find",
                (
                    Column("Study"),
                    Column("Among"),
                    Column("Comparison"),
                    Column("Difference", True),
                    Column("95\u00a0% interval", True),
                    Column("Verdict"),
                    Column("Detectable", True),
                    Column("Step time", True),
                ),
                rows,
            ),
        )
        if rows
        else (),
        commands=tuple(
            Command("The study", _command(name, states[name])) for name in answer.claim.shown
        ),
    )


def _command(name: str, state: State) -> str:
    """The command that made the study's figures, or will make them."""
    made = state.records and state.records.manifest.command
    return made or f"python -m harness.study {name}"


def _states(states: Mapping[str, State]) -> Section:
    rows = []
    for name, state in states.items():
        records = state.records
        if records is None:
            rows.append(Row((name, "not run", "", "", state.note)))
            continue
        spent = float(records.trials["train_s"].sum() + records.replicates["train_s"].sum())
        rows.append(
            Row(
                (
                    name,
                    "finished" if records.finished else "unfinished",
                    cells.count(len(records.trials)),
                    how_far(records),
                    state.note or f"{spent / 3600:.1f} h of training",
                )
            )
        )
    return Section(
        id="studies",
        title="The studies",
        text=("Each is resumed by its command, or all of them by harness claims.",),
        tables=(
            Table(
                "studies-table",
                "How far each study is",
                (
                    Column("Study"),
                    Column("State"),
                    Column("Trials", True),
                    Column("Done"),
                    Column("Note"),
                ),
                tuple(rows),
            ),
        ),
        commands=(Command("Run or resume them all", "harness claims"),),
    )


def _rule() -> Section:
    return Section(
        id="rule",
        title="From verdicts to words",
        text=(RULE,),
        tables=(
            Table(
                "words",
                "What is said of a claim",
                (Column("Verdict"), Column("Meaning")),
                tuple(map(Row, VERDICTS.items())),
            ),
        ),
    )

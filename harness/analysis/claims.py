"""A tutorial's claims about deep RNNs, and the rule that turns a study's verdicts into answers.

The rule was written before the studies ran. It is `answer`, in words in docs/method.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.analysis.conclusions import Conclusions, Pair
from harness.analysis.labels import arm_label
from harness.analysis.needed import REPLICATES, examples_needed
from harness.analysis.statistics import CONFIDENCE, Comparison
from harness.analysis.verdicts import conclude
from harness.core.metrics import Metric
from harness.results.records import Records

Verdict = Literal["supported", "refuted", "depends", "undecided"]
Outcome = Literal["yes", "no", "open", "no room"]


@dataclass(frozen=True)
class Claim:
    """What a tutorial says, and which studies put it to the test.

    `subject` is the hyperparameter that it is about, and `base` the value that the others are held
    against. With `as_good` it says that they are as good as that, and not better. Where the claim
    is about some values of other hyperparameters, `about` has them: contexts with other values are
    shown and do not count, like the studies `beside`, which can have no verdict; `note` says why.
    `published` has figures that others published on the same question, in words, with their source.
    """

    words: str
    studies: tuple[str, ...]
    subject: str = "depth"
    base: Any = 1
    others: tuple[Any, ...] = ()  # all values but the base, where empty
    as_good: bool = False
    about: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    note: str = ""
    published: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """All studies that the claim's part of the page has."""
        return (*self.studies, *self.beside)


CLAIMS = (
    Claim("Stacked LSTM layers for sentiment analysis", ("lstm_depth",)),
    Claim("You can also use GRU", ("cell_types",), "cell", "lstm", others=("gru",), as_good=True),
    Claim("More representation power: learns deeper patterns in sequences", ("representation",)),
    Claim(
        "Better temporal modeling: captures long-term dependencies better",
        ("long_memory",),
        beside=("forecast_depth",),
        note=(
            "The forecasts stand beside and do not count: their test split has too few independent "
            "blocks of time for a verdict."
        ),
        published=(
            "A weather forecast of a well-known book: a second GRU layer brought the mean absolute "
            "error from 0.264 to 0.263 for twice the step time (Chollet 2017, Deep Learning with "
            "Python, section 6.3; its data cannot be had offline).",
        ),
    ),
    Claim(
        "Handles complex language tasks: translation",
        ("translation",),
        published=(
            "Depth of the encoder 2, 4, 8: 21.8, 21.9, 21.3 BLEU; of the decoder 1, 2, 4: 21.8, "
            "21.8, 22.4 (Britz et al. 2017, as quoted by others).",
        ),
    ),
    Claim(
        "Handles complex language tasks: speech recognition",
        ("speech",),
        published=(
            "Phoneme errors on TIMIT: 18.6 % with three layers, 18.4 % with five (Graves et al. "
            "2013, as quoted by others).",
        ),
    ),
    Claim("Handles complex language tasks: language modelling", ("language_model",)),
    Claim(
        "Captures the hierarchy",
        ("hierarchy",),
        about={"nesting": (2, 4)},
        note="One level of nesting is no hierarchy: it is shown and does not count.",
    ),
    Claim(
        "When to use deep RNNs: large datasets",
        ("data_size",),
        about={"train": (16_000,)},
        note="The claim is about the largest training split. The smaller ones do not count.",
    ),
)


@dataclass(frozen=True)
class Context:
    """The arms of a study that differ in the claim's subject alone: `label` says what they share.

    `pairs` have the base as `b`. `outcome` is whether the claim holds among these arms, and
    `values` has the subject's value by arm. One that is not `counted` is only shown.
    """

    study: str
    label: str
    pairs: tuple[Pair, ...]
    outcome: Outcome
    metric: Metric
    cost: Mapping[str, float]  # by arm, the time of its step over that of the base, where known
    values: Mapping[str, Any]
    counted: bool = True

    @property
    def place(self) -> str:
        return f"{self.study} at {self.label}" if self.label else self.study


@dataclass(frozen=True)
class Answer:
    """A verdict on a claim, and the sentence that says what it rests on."""

    claim: Claim
    verdict: Verdict
    reason: str
    contexts: tuple[Context, ...]


def answer(claim: Claim, studies: Mapping[str, Records]) -> Answer:
    """What the claim's studies say about it, as far as they are in `studies`.

    Among the arms of one context the outcome is

    - `yes` if any other arm is better than the base; of a claim with `as_good`, if all are better
      or not worse by more than the margin;
    - `no` if none is better by more than the margin; with `as_good`, if any is worse;
    - `no room` if the base has solved its task (95 % right), so that little is left to gain;
    - `open` otherwise, and where there are no replicates yet.

    Where a claim has several studies, `better` and `worse` must also hold after Bonferroni's
    correction for their number. The verdict is `supported` if the outcome is `yes` everywhere,
    `refuted` if `no` everywhere, `depends` if both were found, and `undecided` otherwise. Contexts
    with no room count only where nothing else is left: then they are a `no`.
    """
    found = [
        context
        for name in claim.shown
        if name in studies
        for context in contexts_of(claim, studies[name])
    ]
    missing = [name for name in claim.studies if name not in studies]
    meant = [each for each in found if each.counted]
    counted = [each for each in meant if each.outcome != "no room"] or meant
    outcomes = {"no" if each.outcome == "no room" else each.outcome for each in counted}
    verdict: Verdict = "undecided"
    if {"yes", "no"} <= outcomes:
        verdict = "depends"
    elif outcomes == {"yes"} and not missing:
        verdict = "supported"
    elif outcomes == {"no"} and not missing:
        verdict = "refuted"
    parts = _reasons(claim, counted)
    if solved := [each.place for each in meant if each not in counted]:
        parts.append(f"{_SOLVED}, so not counted: {', '.join(solved)}")
    begun = [studies[name] for name in claim.studies if name in studies]
    parts += [
        f"not finished: {each.study} ({how_far(each)})" for each in begun if not each.finished
    ]
    if missing:
        parts.append(f"not run yet: {', '.join(missing)}")
    if verdict == "undecided":
        parts += _needed(counted)
    return Answer(claim, verdict, "; ".join(parts) or "no study has a result", tuple(found))


def how_far(records: Records) -> str:
    """What of the arms is done, such as `2 of 54 replicates`; trials, until all have ended."""
    wanted = records.manifest.wanted
    if not records.searched:
        ended = int((records.trials["state"] != "running").sum())
        return f"{ended:,} of {wanted['trials']:,} trials"
    done = sum(records.trained.get(arm, 0) for arm in records.arms)
    return f"{done:,} of {wanted['replicates']:,} replicates"


def contexts_of(claim: Claim, records: Records) -> list[Context]:
    """The study's contexts that have the claim's base and another value of its subject."""
    concluded = conclude(records)
    groups: dict[tuple[tuple[str, Any], ...], dict[Any, str]] = {}
    for arm, values in records.manifest.arm_values.items():
        shared = tuple((name, value) for name, value in values.items() if name != claim.subject)
        groups.setdefault(shared, {})[values.get(claim.subject)] = arm
    found = []
    for shared, arms in groups.items():
        others = [v for v in arms if v != claim.base and (not claim.others or v in claim.others)]
        if claim.base not in arms or not others:
            continue
        base = arms[claim.base]
        pairs = [_pair(concluded, arms[value], base) for value in others]
        there = tuple(pair for pair in pairs if pair is not None)
        outcome: Outcome = "open"
        if len(there) == len(pairs):
            outcome = _outcome(claim, there, _solved(records, concluded, base))
        label = arm_label(",".join(f"{name}={value}" for name, value in shared))
        of_base = concluded.arms[base].step_ms
        cost = {
            arms[value]: float(step) / of_base
            for value in others
            if of_base and (step := concluded.arms[arms[value]].step_ms)
        }
        values = {arm: value for value, arm in arms.items()}
        counted = records.study not in claim.beside and all(
            value in claim.about.get(name, (value,)) for name, value in shared
        )
        found.append(
            Context(records.study, label, there, outcome, concluded.metric, cost, values, counted)
        )
    return found


def _pair(concluded: Conclusions, arm: str, base: str) -> Pair | None:
    """The comparison of the arm with the base, as arm minus base; None before replicates."""
    for pair in concluded.pairs:
        if pair.comparison.estimate.known and {pair.a, pair.b} == {arm, base}:
            return pair if pair.b == base else Pair(arm, base, pair.comparison.turned())
    return None


def _solved(records: Records, concluded: Conclusions, base: str) -> bool:
    threshold, mean = records.manifest.declared_dataset.get("solved"), concluded.arms[base].mean
    return threshold is not None and mean is not None and mean >= float(threshold)


def _outcome(claim: Claim, pairs: Sequence[Pair], solved: bool) -> Outcome:
    compared = [pair.comparison for pair in pairs]
    if claim.as_good:
        if any(_shown(pair, claim, "worse") for pair in pairs):
            return "no"
        return "yes" if all(c.gain.low >= -c.margin for c in compared) else "open"
    if any(_shown(pair, claim, "better") for pair in pairs):
        return "yes"
    if solved:
        return "no room"
    return "no" if all(c.gain.high <= c.margin for c in compared) else "open"


def _shown(pair: Pair, claim: Claim, verdict: str) -> bool:
    """Whether the pair has this verdict, corrected for the number of the claim's studies."""
    found = pair.comparison
    return found.verdict == verdict and found.p * len(claim.studies) <= 1 - CONFIDENCE


def _reasons(claim: Claim, contexts: Sequence[Context]) -> list[str]:
    return [
        f"{text}: {', '.join(_places(contexts, outcome))}"
        for outcome, text in _WORDS[claim.as_good].items()
        if any(each.outcome == outcome for each in contexts)
    ]


def _places(contexts: Sequence[Context], outcome: str) -> list[str]:
    """Where an outcome was found: each place, or of a study with many how many they are."""
    found = []
    for study in dict.fromkeys(each.study for each in contexts):
        of_study = [each for each in contexts if each.study == study]
        places = [each.place for each in of_study if each.outcome == outcome]
        if len(places) > MOST_PLACES:
            some = "all" if len(places) == len(of_study) else f"{len(places)} of"
            places = [f"{some} {len(of_study)} places of {study}"]
        found += places
    return found


MOST_PLACES = 3  # of one study that are named; the page has each in a table


_SOLVED = "one layer solves it"
_WORDS: dict[bool, dict[str, str]] = {
    False: {
        "yes": "pays",
        "no": "no gain above the margin",
        "no room": _SOLVED,
        "open": "open",
    },
    True: {"yes": "as good", "no": "worse", "open": "open"},
}


def _needed(contexts: Sequence[Context]) -> list[str]:
    """What would decide the comparisons that are open, if they stay as they are."""
    open_pairs = [
        pair.comparison
        for each in contexts
        if each.outcome == "open"
        for pair in each.pairs
        if pair.comparison.verdict == "inconclusive"
    ]
    if not open_pairs:
        return []
    needed = [each.replicates_needed for each in open_pairs]
    noun = "searches" if open_pairs[0].searched else "seeds"
    if None in needed:
        return [_with_more_examples(open_pairs, noun)]
    most = max(number for number in needed if number is not None)
    have = max(each.replicates for each in open_pairs)
    return [f"about {most} {noun} of each arm would decide it, in place of {have}"]


def _with_more_examples(open_pairs: Sequence[Comparison], noun: str) -> str:
    """What would decide comparisons that no number of searches decides on these test examples."""
    times = [examples_needed(each) for each in open_pairs if each.replicates_needed is None]
    least = f"not even 1,000 {noun} of each arm would settle all that is open"
    known = [each for each in times if each is not None]
    if len(known) < len(times):
        return f"{least}: some differences are too close to the margin"
    return f"{least}; {REPLICATES} with {math.ceil(max(known))} times the test examples would"

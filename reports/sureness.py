"""How sure the answer is: what was shown about the other arms, and what would settle the rest."""

import math
from collections.abc import Mapping

from harness.analysis import outcome_text
from harness.analysis.blocks import BlockComparison
from harness.analysis.conclusions import Conclusions
from harness.analysis.labels import interval_text
from harness.analysis.looks import all_spent, looks_of
from harness.analysis.summary import confirmed_recommendation
from harness.analysis.verdicts import conclude
from harness.core.metrics import ACCURACY
from harness.core.text import plural
from harness.results.records import Records
from reports import basis, wording
from reports.content import Command


def paragraphs(records: Records, found: Conclusions, chosen: str) -> tuple[str, ...]:
    """What was shown about the other arms, what was not, and what would settle it."""
    others = {
        name: against
        for name in records.arms
        if name != chosen and (against := found.between(chosen, name)) is not None
    }
    if not others:
        return ()
    if any(against.replicates < 2 for against in others.values()):
        if basis.searched(records):
            return (
                "How sure this is: not at all about the arms, because one search says nothing "
                "about the luck of searching. Two or more searches of each arm give intervals and "
                f"verdicts; {basis.ADVISED_SEARCHES} are usual.",
            )
        return (
            "How sure this is: not at all, because one replicate says nothing about chance. Two or "
            "more give intervals; five are usual.",
        )
    metric = found.metric
    groups: dict[str, list[str]] = {}
    for name, against in others.items():
        label = wording.arm_label(records, name)
        if against.verdict == "inconclusive":
            ends = interval_text(against.interval, metric)
            label += f" ({metric.with_unit(f'{metric.signed(against.difference)} {ends}')})"
        groups.setdefault(against.verdict, []).append(label)
    accuracies = metric.name.endswith(ACCURACY)
    more, less = ("more accurate", "less accurate") if accuracies else ("better", "worse")
    said = [
        f"{lead} {wording.listing(groups[verdict])}"
        for verdict, lead in (
            ("better", f"shown to be {more} than"),
            ("equivalent", f"shown to be within {wording.margin(metric, found.margin)} of"),
            ("worse", f"shown to be {less} than"),
            ("inconclusive", "undecided against"),
        )
        if verdict in groups
    ]
    first = (
        f"How sure this is: {wording.arm_label(records, chosen)} is {'; '.join(said)}. "
        f"This rests on {basis.rests_on(records, found)}; confidence is 95\u00a0% for all "
        f"comparisons together{basis.looks(records)}."
    )
    likely = (
        (outcome_text.probabilities(found.probability_best).replace(" %", "\u00a0%"),)
        if found.probability_best
        else ()
    )
    return (first, *likely, " ".join([*_power(records, others), *_settle(records, others)]))


def _power(records: Records, others: Mapping[str, BlockComparison]) -> list[str]:
    """The smallest true differences that would probably have been found."""
    metric = records.metric
    if any(against.few_times for against in others.values()):
        return ["The test split has too few independent blocks of time to tell such arms apart."]
    found = sorted(against.detectable for against in others.values())
    n = min(against.replicates for against in others.values())
    start = f"With {wording.counted(n, basis.unit(records))} each"
    least, most = (wording.difference_text(metric, each) for each in (found[0], found[-1]))
    if not wording.possible(metric, found[0]):
        return [f"{start}, no difference, however large, would have been found reliably."]
    if not wording.possible(metric, found[-1]):
        extent = f"at least {least}"
    elif least == most:
        extent = most
    else:
        extent = f"{metric.difference(found[0])} to {most}, depending on the arm"
    return [
        f"{start}, the smallest true difference that four of five such studies would find is "
        f"{extent}."
    ]


def _settle(records: Records, others: Mapping[str, BlockComparison]) -> list[str]:
    undecided = {n: a for n, a in others.items() if a.verdict == "inconclusive"}
    known = {n: a.replicates_needed for n, a in undecided.items() if a.replicates_needed}
    if not undecided:
        return []
    if not known:
        more_of = plural(basis.unit(records))
        return [f"More {more_of} would not settle what is undecided; a larger test split might."]
    several = len(records.arms) > 2
    each = wording.listing(
        [
            f"{count:,}{f' ({wording.arm_label(records, name)})' if several else ''}"
            for name, count in known.items()
        ]
    )
    rest = len(undecided) - len(known)
    more = "; the rest needs a larger test split" if rest else ""
    unit = basis.unit(records)
    needed = plural(unit)
    of_each = " of each arm" if basis.searched(records) else ""
    return [
        f"If these differences are the true ones, about {each} {needed}{of_each} would settle what "
        f"is undecided{more}. This is a rough guide, based on "
        f"{wording.counted(min(a.replicates for a in undecided.values()), unit)}."
    ]


def commands(records: Records, chosen: str) -> tuple[Command, ...]:
    """The command that settles the rest, if as many searches or replicates are feasible."""
    if confirmed_recommendation(records) is None:
        return ()
    found = conclude(records)
    if basis.one_search(records):
        others = len(records.arms) > 1
        purpose = (
            "Adds searches of each arm, so that arms can be told apart"
            if others
            else "Adds searches, which show how much luck a search has"
        )
        return (basis.more(records, basis.ADVISED_SEARCHES, purpose),)
    needed = [
        against.replicates_needed or math.inf
        for name in records.arms
        if name != chosen
        and (against := found.between(chosen, name)) is not None
        and against.verdict == "inconclusive"
    ]
    feasible = [int(count) for count in needed if basis.feasible(records, count)]
    if not feasible:
        return ()
    part = "" if len(feasible) == len(needed) else "part of "
    if all_spent(looks_of(records.manifest)):
        return ()
    unit = plural(basis.unit(records))
    purpose = f"Adds {unit} one by one, to settle {part}what is undecided"
    return (basis.settle(records, max(feasible), purpose),)

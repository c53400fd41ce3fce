"""The answer in the study's own terms: yes, no or undecided; and which baselines stay unbeaten."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.conclusions import Conclusions
from harness.analysis.labels import arm_label
from harness.core.text import capital, listing

MAX_NAMED = 3  # differences that are named, before they are counted


def headline(found: Conclusions, values: Mapping[str, Mapping[str, Any]]) -> str:
    """A sentence; empty where nothing can be said about arms yet.

    `values` has each arm's compared values. Where they are numbers of one hyperparameter, the
    question is whether more of it pays: `Undecided: depth 1, 2, 3 and 4 can't be told apart.`
    """
    known = [pair for pair in found.pairs if pair.comparison.estimate.known]
    if not known or len(known) < len(found.pairs):
        return ""
    name = _compared(values)
    if name is not None and _numbers([each[name] for each in values.values()]):
        return _pays(found, name, {arm: each[name] for arm, each in values.items()})
    return _differences(found)


def _compared(values: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The one hyperparameter that the study compares; None if there are several."""
    names = {name for each in values.values() for name in each}
    return next(iter(names)) if len(names) == 1 else None


def _numbers(values: Sequence[Any]) -> bool:
    """Whether these are numbers that grow: then the first one is what the others are held to."""
    plain = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return plain and list(values) == sorted(values)


def _pays(found: Conclusions, name: str, values: Mapping[str, Any]) -> str:
    (base, first), *others = values.items()
    label = name.replace("_", " ")
    against = {arm: found.between(arm, base) for arm in values if arm != base}
    better = [v for arm, v in others if (c := against[arm]) and c.verdict == "better"]
    if better:
        verb = "is" if len(better) == 1 else "are"
        return f"Yes: {label} {listing(list(map(str, better)))} {verb} better than {label} {first}."
    if all(c and c.gain.high <= c.margin for c in against.values()):
        margin = found.metric.with_unit(found.metric.bound(found.margin))
        return f"No: no other {label} is better than {label} {first} by more than {margin}."
    if all(pair.comparison.verdict == "inconclusive" for pair in found.pairs):
        every = listing([str(value) for value in values.values()])
        return f"Undecided: {label} {every} can't be told apart."
    return f"Undecided: nothing shows that another {label} is better than {label} {first}."


def _differences(found: Conclusions) -> str:
    shown = [pair for pair in found.pairs if pair.comparison.verdict in ("better", "worse")]
    if not shown:
        return "Undecided: no two arms can be told apart."
    if len(shown) > MAX_NAMED:
        return f"{len(shown)} of {len(found.pairs)} comparisons of two arms show a difference."
    said = [
        f"{arm_label(pair.a)} is {pair.comparison.verdict} than {arm_label(pair.b)}"
        for pair in shown
    ]
    rest = "" if len(shown) == len(found.pairs) else "; the others can't be told apart"
    return f"{capital(listing(said))}{rest}."


def unbeaten(found: Conclusions, values: Mapping[str, Mapping[str, Any]]) -> str:
    """Which baselines that trained no arm was shown to beat; empty where there is none.

    `Every depth is worse than the bag of embeddings, which costs far less.`
    """
    arms = [arm.name for arm in found.arms.values() if arm.n]
    better: list[str] = []
    open_: list[str] = []
    for base in found.baselines:
        verdicts = {c.verdict for arm in arms if (c := found.between(arm, base)) is not None}
        if base in found.untrained or not verdicts or "better" in verdicts:
            continue
        (better if verdicts == {"worse"} else open_).append(f"the {found.called[base]}")
    noun = (_compared(values) or "arm").replace("_", " ")
    return " ".join(
        f"{start} {link.join(names)}, which {'cost' if names[1:] else 'costs'} far less."
        for start, link, names in (
            (f"Every {noun} is worse than", " and ", better),
            (f"No {noun} was shown to beat", " or ", open_),
        )
        if names
    )

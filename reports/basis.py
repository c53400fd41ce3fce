"""What verdicts rest on, in words: on searches, or on seeds where nothing is searched."""

import math

from harness.analysis.conclusions import Conclusions
from harness.results.records import Records
from reports import wording
from reports.content import Command

ADVISED_SEARCHES = 3  # where there is one
# More is not practical advice: a search takes many trainings, a replicate takes one.
MAX_SEARCHES, MAX_REPLICATES = 30, 100
MAX_SETTLED = 8  # of the 12 searches that `--settle` adds at most by itself


def searched(records: Records) -> bool:
    """Whether arms are searched, so that the luck of the search counts."""
    return bool(records.manifest.search)


def one_search(records: Records) -> bool:
    """Whether each arm has a single search, which decides nothing about arms."""
    return searched(records) and not wording.several_searches(records)


def unit(records: Records) -> str:
    """What verdicts get surer by more of: a search or a replicate."""
    return "search" if searched(records) else "replicate"


def caution(records: Records) -> tuple[str, ...]:
    """A notice above results that rest on one search."""
    if not one_search(records):
        return ()
    if len(records.arms) == 1:
        return (
            "One search: what follows is about the configuration found. Another search would find "
            "another one, better or worse.",
        )
    return (
        "One search of each arm: what follows is about the configurations found, not about the "
        "arms.",
    )


def rests_on(records: Records, found: Conclusions) -> str:
    """What the arms' verdicts rest on: 3 searches of 2 replicates of each arm."""
    arms = [arm for arm in found.arms.values() if arm.n]
    several = wording.several_searches(records)
    parts = dict.fromkeys(wording.basis(arm) for arm in arms)
    if len(parts) == 1:
        (part,) = parts
        text = part.removesuffix(" each")
        return f"{text if several else text.replace('replicate', 'seed')} of each arm"
    counts = sorted({arm.searches if several else arm.n for arm in arms})
    extent = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    return f"{extent} {'searches' if several else 'seeds'} of each arm"


def more(records: Records, count: int, purpose: str) -> Command:
    """The command for `count` searches of each arm or, where nothing is searched, replicates."""
    option = "--searches" if searched(records) else "--replicates"
    return Command(purpose, f"{wording.study_command(records)} {option} {count}")


def looks(records: Records) -> str:
    """That the study had verdicts more than once, which the confidence allows for; or nothing."""
    found = records.manifest.looks
    return f", and for all {len(found)} times that verdicts were looked at" if found[1:] else ""


def settle(records: Records, count: int, purpose: str) -> Command:
    """The command that adds searches or replicates until all is decided, about `count` in all."""
    command = wording.study_command(records)
    if "--settle" not in command:
        command += " --settle"
    # Where about this many are expected, there should be room for a few more.
    if count > MAX_SETTLED and "--max-searches" not in command:
        command += f" --max-searches {math.ceil(1.5 * count)}"
    return Command(purpose, command)


def feasible(records: Records, count: float) -> bool:
    return count <= (MAX_SEARCHES if searched(records) else MAX_REPLICATES)

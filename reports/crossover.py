"""Where a GPU overtakes the CPU, by a profile that has both. No Keras."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Crossover:
    """One cell, depth, length and backend, measured on both devices at several sizes.

    `sizes` is units times batch: the lowest and the highest measured. The CPU wins below `below`
    and the GPU from there on; None where the GPU never catches up, 0 where it always wins.
    `mixed`: the lead changes hands more than once, and `below` is the last change.
    """

    cell: str
    depth: int
    sequence_length: int
    backend: str
    sizes: tuple[int, int]
    below: float | None
    mixed: bool


def crossovers(entries: Sequence[Mapping[str, Any]]) -> list[Crossover]:
    """One for each shape that both devices have measured at two sizes or more.

    Between the two measured sizes around the change, `below` lies where the logarithm of the ratio
    of step times, taken as linear in the logarithm of the size, is zero. Equal sizes of different
    units and batches count with their geometric mean.
    """
    times: dict[tuple[Any, ...], dict[int, dict[tuple[Any, ...], dict[str, float]]]] = {}
    for entry in entries:
        if isinstance(entry["units"], int) and not entry.get("bidirectional"):
            shape = (entry["cell"], entry["depth"], entry["sequence_length"], entry["backend"])
            size = entry["units"] * entry["batch_size"]
            both = times.setdefault(shape, {}).setdefault(size, {})
            both.setdefault((entry["units"], entry["batch_size"]), {})[entry["device"]] = entry[
                "step_ms"
            ]["median"]
    found = []
    for shape, sizes in times.items():
        logs = {
            size: [
                math.log(ms["gpu"] / ms["cpu"]) for ms in each.values() if {"cpu", "gpu"} <= {*ms}
            ]
            for size, each in sorted(sizes.items())
        }
        ratios = [(size, sum(each) / len(each)) for size, each in logs.items() if each]
        if len(ratios) > 1:
            found.append(_of_ratios(shape, ratios))
    return found


def _of_ratios(shape: tuple[Any, ...], ratios: Sequence[tuple[int, float]]) -> Crossover:
    """From (size, log of GPU over CPU time), sizes ascending."""
    wins = [ratio <= 0 for _, ratio in ratios]
    changes = sum(a != b for a, b in itertools.pairwise(wins))
    below: float | None
    if not wins[-1]:
        below = None
    elif all(wins):
        below = 0.0
    else:
        last = max(i for i, won in enumerate(wins) if not won)
        (size, ratio), (next_size, next_ratio) = ratios[last], ratios[last + 1]
        share = ratio / (ratio - next_ratio)
        below = size * (next_size / size) ** share
    cell, depth, length, backend = shape
    return Crossover(
        cell, depth, length, backend, (ratios[0][0], ratios[-1][0]), below, changes > 1
    )

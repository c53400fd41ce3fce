"""The size from which a GPU is faster than the CPU, from a profile of both. No Keras."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.spec.hyperparameters import OPTIONS


@dataclass(frozen=True)
class Crossover:
    """One cell, depth, length and backend, measured on both devices at several sizes.

    A size is units times batch size; `sizes` has the lowest and the highest one measured. The CPU
    is faster below the size `below`, and the GPU from there on. `below` is None if the GPU is never
    faster, and 0 if it always is. `mixed`: the faster device changes more than once, and `below` is
    the last change.
    """

    cell: str
    depth: int
    sequence_length: int
    backend: str
    sizes: tuple[int, int]
    below: float | None
    mixed: bool


def crossovers(entries: Sequence[Mapping[str, Any]]) -> list[Crossover]:
    """One for each shape that was measured on both devices at two or more sizes.

    `below` is interpolated between the two measured sizes around the change: the logarithm of the
    ratio of step times is taken as linear in the logarithm of the size, and is 0 at `below`. If
    several units and batch sizes have one size, the geometric mean of their ratios counts.
    """
    times: dict[tuple[Any, ...], dict[int, dict[tuple[Any, ...], dict[str, float]]]] = {}
    for entry in entries:
        plain = not any(entry.get(name) for name in ("bidirectional", *OPTIONS))
        if isinstance(entry["units"], int) and plain:
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

"""Which arms cost less than every better one."""

import numpy as np
from numpy.typing import ArrayLike


def pareto_front(costs: ArrayLike, values: ArrayLike) -> list[int]:
    """Indices of the Pareto front of low costs and high values, cheapest first.

    A point is left out if another has at least its value at its cost or less, or if it has a NaN;
    of equal points the first one counts.
    """
    cost, value = np.asarray(costs, np.float64), np.asarray(values, np.float64)
    usable = [int(i) for i in np.flatnonzero(np.isfinite(cost) & np.isfinite(value))]
    front: list[int] = []
    for index in sorted(usable, key=lambda i: (cost[i], -value[i], i)):
        if not front or value[index] > value[front[-1]]:
            front.append(index)
    return front

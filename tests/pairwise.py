"""Pairwise designs: few rows in which each two values of two factors occur together."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any


def pairwise(factors: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows of one value a factor; together they have each pair of values at least once.

    Each row is built greedily: one pair that is still missing, then for each other factor the value
    that adds most missing pairs.
    """
    missing = {
        ((a, i), (b, j))
        for a, b in itertools.combinations(factors, 2)
        for i in range(len(factors[a]))
        for j in range(len(factors[b]))
    }
    rows = []
    while missing:
        row = dict(min(missing))
        for name in factors:
            if name not in row:
                gains = [
                    len(missing & _pairs(row | {name: i}, factors))
                    for i in range(len(factors[name]))
                ]
                row[name] = gains.index(max(gains))
        missing -= _pairs(row, factors)
        rows.append({name: factors[name][row[name]] for name in factors})
    return rows


def _pairs(row: Mapping[str, int], factors: Mapping[str, Any]) -> set[Any]:
    places = [(name, row[name]) for name in factors if name in row]
    return set(itertools.combinations(places, 2))

"""Units declared layer by layer: `units_1`, `units_2`, … instead of `units`."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from harness.core.errors import UserError

_OF_LAYER = re.compile(r"units_[1-9]\d*")


def numbered(layer: int) -> str:
    """The name of the units of a layer, the first layer being 1."""
    return f"units_{layer}"


def is_of_layer(name: str) -> bool:
    return _OF_LAYER.fullmatch(name) is not None


def joined(values: Mapping[str, Any], depth: int, own: Collection[str] = ()) -> dict[str, Any]:
    """`values` with one tuple `units` for `units_1` to `units_depth`, if it has those.

    Names in `own` are a study's own model's. Raises UserError where one is missing or too many.
    """
    of_layers = [name for name in values if is_of_layer(name) and name not in own]
    if not of_layers:
        return dict(values)
    if "units" in values:
        raise UserError(f"units: stands beside {of_layers[0]}; leave one of the two out")
    wanted = [numbered(layer) for layer in range(1, depth + 1)]
    for name in (*wanted, *of_layers):
        if name not in of_layers or name not in wanted:
            wrong = "is missing" if name in wanted else "is too many"
            raise UserError(f"{name}: {wrong} for depth {depth}; give one number for each layer")
    rest = {name: value for name, value in values.items() if name not in of_layers}
    return {**rest, "units": tuple(values[name] for name in wanted)}

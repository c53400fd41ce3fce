"""How step time grows with depth, units, length and batch size. No Keras."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.spec.hyperparameters import OPTIONS

AXES = ("depth", "units", "sequence_length", "batch_size")


@dataclass(frozen=True)
class Exponent:
    """Step time grows as axis**value; `low` and `high` are its 95 % interval, or None."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Fit:
    """A power law of one cell on one backend and device, from `n` configurations.

    `error` is the relative residual standard deviation; None without degrees of freedom.
    """

    cell: str
    backend: str
    device: str
    n: int
    exponents: Mapping[str, Exponent]
    error: float | None

    def to_mapping(self) -> dict[str, Any]:
        return {
            "cell": self.cell,
            "backend": self.backend,
            "device": self.device,
            "n": self.n,
            "exponents": {
                axis: {"exponent": e.value, "ci95": [e.low, e.high]}
                for axis, e in self.exponents.items()
            },
            "error": self.error,
        }


def fits(entries: Sequence[Mapping[str, Any]]) -> list[Fit]:
    """One fit for each cell, backend and device whose configurations differ in an axis.

    Ordinary least squares of log(step time) on the logarithms of the axes that vary, with
    Student's t intervals (statsmodels). Exponents are for the measured range: below it constant
    costs make them smaller. Configurations with unequal layers or two directions are left out, and
    those whose options differ from the first one's.
    """
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for entry in entries:
        equal = isinstance(entry["units"], int) and "units_shape" not in entry
        if equal and not entry.get("bidirectional"):
            key = (entry["cell"], entry["backend"], entry["device"])
            group = groups.setdefault(key, [])
            if not group or _options(group[0]) == _options(entry):
                group.append(entry)
    found = [_fit(*key, group) for key, group in groups.items()]
    return [fit for fit in found if fit is not None]


def _options(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in OPTIONS if name in entry}


def _fit(cell: str, backend: str, device: str, entries: Sequence[Mapping[str, Any]]) -> Fit | None:
    import statsmodels.api as sm

    varied = [axis for axis in AXES if len({entry[axis] for entry in entries}) > 1]
    columns = [[math.log(entry[axis]) for entry in entries] for axis in varied]
    design = np.column_stack([np.ones(len(entries)), *columns])
    # The effects of axes that always change together can't be separated.
    if not varied or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    fitted = sm.OLS([math.log(entry["step_ms"]["median"]) for entry in entries], design).fit()
    free = len(entries) - design.shape[1]
    intervals = fitted.conf_int(0.05) if free > 0 else [(None, None)] * design.shape[1]
    exponents = {
        axis: Exponent(
            float(fitted.params[i]),
            *(None if bound is None else float(bound) for bound in intervals[i]),
        )
        for i, axis in enumerate(varied, start=1)
    }
    error = float(math.sqrt(fitted.mse_resid)) if free > 0 else None
    return Fit(cell, backend, device, len(entries), exponents, error)

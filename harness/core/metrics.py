"""Metrics: one number for each example from predictions, and how a value of each is shown."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.text import capital, cut

ACCURACY = "accuracy"
R2 = "R²"  # the metric where numbers are predicted
EXACT = "exact match"  # the metric where all steps of an example have to be right
BITS = "bits per character"  # the metric where the next character is predicted
MAE = "MAE"  # the mean absolute error of forecasts, in the target's unit

DIGITS = 4  # of an error: enough to see a difference of the margin, 1 %


@dataclass(frozen=True)
class Metric:
    """What a score is, which direction is better, and how values and differences are shown.

    - `name`: `accuracy`, `balanced accuracy`, `R²`, `MAE` or `bits per character`.
    - `unit`: what follows a value: `%`; nothing for R²; the target's column for an error.
    - `difference_unit`: what follows a difference: `points`, nothing, the target's column.
    - `factor`: a value times this is the number to show; 100 for accuracies, which are 0 to 1.
    - `decimals`, `difference_decimals`: None for three significant digits.
    - `least`, `most`: the ends of what a value may be.
    """

    name: str = ACCURACY
    unit: str = "%"
    difference_unit: str = "points"
    higher_is_better: bool = True
    factor: float = 100.0
    decimals: int | None = 1
    difference_decimals: int | None = 1
    least: float = 0.0
    most: float = 1.0

    @property
    def title(self) -> str:
        """The name, with the unit of an error: `MAE, units`. For JSON and tables."""
        return self.name if self.higher_is_better or not self.unit else f"{self.name}, {self.unit}"

    def axis(self, name: str | None = None) -> str:
        """The label of an axis with values: `Test accuracy, %`, of the `name` given or its own."""
        label = self.name if name is None else name
        label = capital(label)
        return f"{label}, {self.unit}" if self.unit else label

    @property
    def in_unit(self) -> str:
        """The unit of differences after a comma; nothing where there is none: `, points`."""
        return f", {self.difference_unit}" if self.difference_unit else ""

    @property
    def best(self) -> str:
        """The best of several values: `highest` or `lowest`."""
        return "highest" if self.higher_is_better else "lowest"

    @property
    def worse(self) -> str:
        """How a worse value lies to a better one: `lower` or `higher`."""
        return "lower" if self.higher_is_better else "higher"

    @property
    def sign(self) -> int:
        """1 if higher is better, else -1: a value times this is higher where it is better."""
        return 1 if self.higher_is_better else -1

    def gain(self, difference: float) -> float:
        """A difference `a` minus `b` as how much better `a` is."""
        return self.sign * difference

    def number(self, value: float, *, wide: bool = False) -> str:
        """The value without its unit: `85.2`, `0.63`, `12.34`; `wide` has one decimal less."""
        decimals = self.decimals
        if wide and decimals:
            decimals -= 1
        return _number(self.factor * value, decimals)

    def text(self, value: float, *, space: str = " ", wide: bool = False) -> str:
        """The value with its unit: `85.2 %`, `0.63`, `12.34 units`."""
        number = self.number(value, wide=wide)
        return f"{number}{space}{self.unit}" if self.unit else number

    def cell(self, value: float) -> str:
        """The value under `title`, which names an error's unit: `85.2%`, `0.63`, `12.34`."""
        number = self.number(value)
        return f"{number}{self.unit}" if self.higher_is_better else number

    def difference(self, value: float, *, more: int = 0) -> str:
        """A difference without sign and unit: `0.1`, `0.012`, `1.23`; `more` adds decimals."""
        decimals = self.difference_decimals
        return _number(self.factor * value, None if decimals is None else decimals + more)

    def difference_text(self, value: float, *, space: str = " ", more: int = 0) -> str:
        """The same with its unit: `0.1 points`, `0.012`, `1.23 units`."""
        return self.with_unit(self.difference(value, more=more), space)

    def bound(self, value: float) -> str:
        """A difference that is declared, such as the margin, without its unit: `0.5`, `0.005`.

        A bound in the unit of an error follows from the errors, so it is rounded like them.
        """
        return f"{self.factor * value:g}" if self.higher_is_better else self.difference(value)

    def signed(self, value: float) -> str:
        """A difference with its sign: `+0.1`, `−0.6`, `0.0`."""
        text = self.difference(abs(value))
        if not any(digit in "123456789" for digit in text.partition("e")[0]):
            return text
        return f"{'−' if value < 0 else '+'}{text}"

    def with_unit(self, difference: str, space: str = " ") -> str:
        """The text of a difference, or of its ends, with the unit of differences."""
        return f"{difference}{space}{self.difference_unit}" if self.difference_unit else difference


def metric_of(facts: Mapping[str, Any]) -> Metric:
    """The metric of replicates from the facts of a dataset, as a manifest has them.

    `metric` is its name (accuracy, if there is none), `unit` the target's column, `mase_scale` the
    mean absolute error of the seasonal naive forecast, which decides how many digits make sense.
    """
    name = str(facts.get("metric") or ACCURACY)
    if name == R2:
        return Metric(R2, "", "", factor=1.0, decimals=2, difference_decimals=3, least=-math.inf)
    if name == BITS:
        return Metric(
            BITS, "", "", higher_is_better=False, factor=1.0, decimals=3, difference_decimals=3,
            most=math.inf,
        )  # fmt: skip
    if name != MAE:
        return Metric(name)
    unit = cut(str(facts.get("unit") or ""))
    decimals = _decimals(facts.get("mase_scale"))
    return Metric(
        MAE, unit, unit, higher_is_better=False, factor=1.0, decimals=decimals,
        difference_decimals=decimals, most=math.inf,
    )  # fmt: skip


def validation_metric_of(facts: Mapping[str, Any]) -> Metric:
    """The metric of epochs and trials: that of replicates, but accuracy is never balanced."""
    metric = metric_of(facts)
    return metric if metric.name in (R2, MAE, BITS) else Metric()


def _decimals(scale: Any) -> int | None:
    """Those that give a number like `scale` four digits; None for very large and small ones."""
    if isinstance(scale, int | float) and 1e-4 <= scale < 1e7:
        return max(0, DIGITS - 1 - math.floor(math.log10(scale)))
    return None


def _number(value: float, decimals: int | None) -> str:
    text = f"{value:.3g}" if decimals is None else f"{value:,.{decimals}f}"
    minus = text.startswith("-")
    if minus and not any(digit in "123456789" for digit in text.partition("e")[0]):
        return text[1:]  # no minus before a rounded 0
    return f"−{text[1:]}" if minus else text


def bits(probabilities: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Bits per step of each example, (n,), of probabilities (n, steps, classes) and classes `y`."""
    chosen = np.take_along_axis(probabilities, y[..., None], axis=-1)[..., 0]
    least = np.finfo(np.float32).tiny
    found: NDArray[np.float64] = -np.log2(np.maximum(chosen, least), dtype=np.float64).mean(axis=1)
    return found


def of_answers(predicted: NDArray[Any], y: NDArray[Any]) -> dict[str, float]:
    """`token accuracy`: the share of steps that are right, up to the first 0 of an answer, its end.

    Both are class numbers (n, steps).
    """
    before = np.cumsum(y == 0, axis=1) - (y == 0) == 0
    right = (predicted == y) & before
    return {"token accuracy": float(right.sum() / max(1, before.sum()))}


def scored(predicted: NDArray[Any], y: NDArray[Any], metric: str) -> NDArray[Any]:
    """One number for each example, from predictions and targets `y`; their mean is the metric.

    - Accuracy: 1 or 0 (uint8). Where each step has a class, the share of steps that are right
      (float64). Steps of class -1 are padding. Where some are, a right step counts n / all steps
      that are not, so that the mean is over steps.
    - Balanced accuracy, the mean over classes of the share that is right: a right example counts
      n / (classes x examples of its class), else 0 (float64).
    - Exact match: 1 where all steps are right, else 0 (uint8).
    - R², the explained share of the variance of the numbers `y` (n,): 1 minus the squared error
      divided by the variance (float64).
    - MAE: the absolute error, a mean over all axes but the first (float64).
    """
    found: NDArray[Any]
    if metric == MAE:
        errors = np.abs(np.asarray(predicted, np.float64) - y)
        found = errors.reshape(len(errors), -1).mean(axis=1)
        return found
    if metric == R2:
        variance = float(np.var(y, dtype=np.float64)) or math.nan
        found = 1.0 - (np.asarray(predicted, np.float64) - y) ** 2 / variance
        return found
    right: NDArray[np.bool_] = predicted == y
    if metric == EXACT:
        found = np.all(right, axis=1).astype(np.uint8)
        return found
    if right.ndim == 2:
        real = y >= 0
        found = right.mean(axis=1)
        if not real.all():
            found = (right & real).sum(axis=1) * (len(y) / real.sum())
    elif metric == "accuracy":
        found = right.astype(np.uint8)
    else:
        counts = np.bincount(y)
        found = right * (len(y) / (np.count_nonzero(counts) * counts[y]))
    return found

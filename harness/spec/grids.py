"""Search spaces of few values, so that trainings share compiled programs."""

from typing import TYPE_CHECKING

from harness.core.errors import UserError

if TYPE_CHECKING:
    from optuna.distributions import CategoricalDistribution

PER_OCTAVE = 4


def four_per_octave(low: int, high: int) -> "CategoricalDistribution":
    """Whole numbers from `low` to at most `high`, four for each doubling: 8, 10, 12, 14, 16, 20, …

    For units, and other numbers that decide the shape of a network: each new shape is compiled,
    and neighbours on a finer scale differ by less than the luck of a training. Raises UserError
    unless 1 <= low <= high.
    """
    from optuna.distributions import CategoricalDistribution

    if not 1 <= low <= high:
        raise UserError(f"four_per_octave({low}, {high}): needs 1 <= low <= high")
    values = []
    octave = low
    while octave <= high:
        values += [octave + octave * part // PER_OCTAVE for part in range(PER_OCTAVE)]
        octave *= 2
    return CategoricalDistribution([each for each in dict.fromkeys(values) if each <= high])

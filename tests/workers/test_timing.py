"""How long a configuration is measured."""

from collections.abc import Sequence

import pytest

from harness.datasets.base.signature import BINARY
from harness.spec.hyperparameters import Hyperparameters


@pytest.mark.parametrize(
    ("units", "length", "device", "steps"),
    [(5, 100, "cpu", 128), (61, 200, "cpu", 42), (61, 200, "gpu", 128), (512, 400, "cpu", 8)],
)
def test_large_networks_are_measured_over_fewer_steps_on_a_cpu(
    units: int, length: int, device: str, steps: int
) -> None:
    from harness.workers.timing import steps_of_an_epoch

    hp = Hyperparameters(cell="gru", depth=3, units=units, sequence_length=length, batch_size=32)
    assert steps_of_an_epoch(hp, BINARY, device) == steps


def test_what_spreads_is_measured_longer() -> None:
    from harness.workers.timing import timed

    def clock() -> float:
        return float(len(taken))

    taken: list[float] = []

    def sample(values: Sequence[float]) -> float:
        taken.append(values[len(taken) % len(values)])
        return taken[-1]

    steady, longer = timed(lambda: sample((5.0,)), 10.0, clock=clock)
    assert (len(steady), longer) == (7, False)  # they agree, so half of the time is enough
    taken.clear()
    noisy, longer = timed(lambda: sample((5.0, 9.0)), 10.0, clock=clock)
    assert (len(noisy), longer) == (30, True)
    taken.clear()
    few, longer = timed(lambda: sample((5.0,)), 0.0, clock=clock)
    assert len(few) == 7


def test_the_split_of_a_forecast_is_as_large_as_that_of_a_training() -> None:
    """So a worker measures the program that it holds."""
    import numpy as np
    from forecast_testing import Counting

    from harness.workers.timing import first_of, random_split

    dataset = Counting()
    hp = Hyperparameters(cell="gru", sequence_length=7)
    split = random_split(hp, dataset.signature, dataset.train)
    assert split.shape == dataset.load("train", sequence_length=7, vocabulary=4).shape
    few = first_of(split, 5)
    np.testing.assert_array_equal(few.examples(slice(None))[0], split.examples(slice(5))[0])
    numbers = random_split(hp, BINARY, 6)
    assert len(first_of(numbers, 4)) == 4

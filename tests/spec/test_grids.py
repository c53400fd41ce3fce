import pytest

from harness import four_per_octave
from harness.core.errors import UserError


def test_four_values_for_each_doubling() -> None:
    assert four_per_octave(8, 32).choices == (8, 10, 12, 14, 16, 20, 24, 28, 32)
    assert four_per_octave(4, 13).choices == (4, 5, 6, 7, 8, 10, 12)
    assert four_per_octave(1, 6).choices == (1, 2, 3, 4, 5, 6)
    assert four_per_octave(3, 3).choices == (3,)


@pytest.mark.parametrize(("low", "high"), [(0, 4), (-1, 4), (5, 4)])
def test_a_grid_needs_positive_numbers_in_order(low: int, high: int) -> None:
    with pytest.raises(UserError, match="needs 1 <= low <= high"):
        four_per_octave(low, high)

"""Distributions of plain values: what a study may search, and what a database gives back."""

import warnings
from typing import Any

import numpy as np
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
    json_to_distribution,
)

from harness.core.errors import UserError
from harness.spec.distributions import categorical, chosen, plain_search


class Unknown(BaseDistribution):
    """A distribution that the harness does not know."""

    def to_internal_repr(self, param_value_in_external_repr: Any) -> float:
        return 0.0

    def single(self) -> bool:
        return True

    def _contains(self, param_value_in_internal_repr: float) -> bool:
        return True


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"units": 5}, "^search: units needs an Optuna distribution, got 5"),
        ({"units": Unknown()}, "^search: units: Unknown is not a distribution that a study"),
        ([1], "^search: .* is no dict"),
        ({3: IntDistribution(1, 2)}, "^search: 3 is not a name"),
        ({"units": CategoricalDistribution([4, 8, 4])}, "^search: units lists 4 twice"),
        (
            {"x": CategoricalDistribution([1, True])},
            "^search: x lists True twice, or a value equal",
        ),
        ({"x": CategoricalDistribution([1, 1.0])}, "^search: x lists 1.0 twice"),
        ({"x": categorical([b"a"])}, "^search: x: b'a' is of type bytes"),
        ({"x": CategoricalDistribution([float("nan")])}, "^search: x: nan is not a finite number"),
        (
            {"dropout": FloatDistribution(0.0, float("inf"))},
            "^search: dropout: inf is not a finite",
        ),
    ],
)
def test_only_known_distributions_of_plain_values_are_searched(search: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        plain_search(search)


def test_numbers_of_numpy_become_those_of_python() -> None:
    search = plain_search(
        {
            "units": IntDistribution(np.int64(4), np.int64(64), log=np.True_),  # type: ignore[arg-type]
            "dropout": FloatDistribution(np.float32(0), np.float64(0.5), step=np.float64(0.25)),  # type: ignore[arg-type]
            "length": categorical([*np.arange(3)]),
            "rate": categorical([np.float32(0.5), np.str_("x"), np.bool_(True)]),
        }
    )
    assert search == {
        "units": IntDistribution(4, 64, log=True),
        "dropout": FloatDistribution(0.0, 0.5, step=0.25),
        "length": CategoricalDistribution([0, 1, 2]),
        "rate": CategoricalDistribution([0.5, "x", True]),
    }
    for distribution in search.values():
        assert json_to_distribution(distribution_to_json(distribution)) == distribution
    assert [type(each) for each in search["rate"].choices] == [float, str, bool]  # type: ignore[attr-defined]


def test_choices_that_are_lists_are_those_that_a_database_gives_back() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        declared = CategoricalDistribution([(8, 4), [4, 8], (6, (np.int64(6),))])  # type: ignore[list-item]
        search = plain_search({"units": declared})
        kept = json_to_distribution(distribution_to_json(search["units"]))
    assert kept == search["units"]
    assert search["units"].choices == ([8, 4], [4, 8], [6, [6]])  # type: ignore[attr-defined]
    assert plain_search(search) == search


def test_a_choice_is_found_by_its_value() -> None:
    choices = categorical([[8, 4], [4, 8], True, 2])
    assert chosen(choices, (4, 8)) == [4, 8]
    assert chosen(choices, 2.0) == 2
    for missing in ((4, 9), 1, "2", None, [8]):
        with pytest.raises(ValueError, match="is not one of"):
            chosen(choices, missing)

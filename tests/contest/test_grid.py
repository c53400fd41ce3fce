"""The grid of a table: what its columns can keep."""

import pytest
from toys import toy_study

from harness.contest.grid import Grid
from harness.core.errors import UserError
from harness.spec.distributions import categorical


def test_a_table_has_no_column_of_lists() -> None:
    study = toy_study(compare={}, search={"units": categorical([8, (8, 4)])}, fixed={"depth": 2})
    with pytest.raises(UserError, match=r"^units: a table keeps numbers and texts"):
        Grid.of(study, [], 3)
    assert len(Grid.of(study, ["units=8"], 3)) == 1
    compared = toy_study(compare={"units": [(8, 4), (4, 8)]}, search={}, fixed={"depth": 2})
    with pytest.raises(UserError, match=r"^units: a table keeps"):
        Grid.of(compared, [], 3)

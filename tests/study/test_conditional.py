"""A session of a study whose hyperparameters do not apply to every trial."""

import csv
from pathlib import Path

import pytest
from session_testing import options, outcome, study_file, trials_of, use_toy_pool

from harness.core.errors import UserError
from harness.study import plan, session

DECLARED = """compare={}, fixed={'vocabulary': 100}, sampler='random', pruner='none', replicates=1,
    search={'optimizer': CategoricalDistribution(['adam', 'sgd', 'rmsprop']),
            'depth': IntDistribution(1, 2),
            'momentum': When('optimizer', 'sgd', FloatDistribution(0.1, 0.9)),
            'units': UnitsByLayer(4, 8)}, budget=Budget(trials=8, epochs=2)"""


@pytest.fixture
def file(ram_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_toy_pool(monkeypatch)
    found = study_file(ram_path, "mine", DECLARED)
    found.write_text("from harness import UnitsByLayer, When\n" + found.read_text())
    return found


def test_what_does_not_apply_is_empty_and_the_page_says_where_it_applies(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (arm,) = outcome(file, capsys)["arms"]
    trials = trials_of(file.parent, "mine")
    sgd = trials["params_optimizer"] == "sgd"
    assert 0 < sgd.sum() < 8
    assert trials["params_momentum"].notna().tolist() == sgd.tolist()
    assert trials["params_units_2"].notna().tolist() == (trials["params_depth"] == 2).tolist()
    assert str(trials["params_units_2"].dtype) == "Int64"  # 8, not 8.0
    assert ("momentum" in arm["best"]["params"]) == (arm["best"]["params"]["optimizer"] == "sgd")
    root = file.parent / "runs" / "mine"
    with (root / "tables" / "trials.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [row["params_momentum"] == "" for row in rows] == (~sgd).tolist()
    page = (root / "report.html").read_text()
    assert "0.1 to 0.9; only where optimizer is sgd" in page
    assert "one of 4, 5, 6, 7, 8; only where depth is 2" in page


def test_the_plan_says_where_it_applies(file: Path) -> None:
    lines = "\n".join([plan.plan(options(file))])
    assert "momentum: 0.1 to 0.9; only where optimizer is sgd" in lines


def test_another_condition_is_another_study(file: Path) -> None:
    assert session.run(options(file)) == 0
    file.write_text(
        file.read_text().replace("'optimizer', 'sgd'", "'optimizer', ('sgd', 'rmsprop')")
    )
    with pytest.raises(UserError, match=r"search\.momentum\.when\.optimizer: "):
        session.run(options(file))

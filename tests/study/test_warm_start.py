"""Configurations of other studies: tried first, where they fit."""

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from session_testing import options, study_file, trials_of, use_toy_pool

from harness.core.errors import UserError
from harness.study import session, warm_start

pytestmark = pytest.mark.usefixtures("no_sections")


@pytest.fixture(autouse=True)
def toy_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toy_pool(monkeypatch)
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def test_the_best_of_another_study_come_first_and_once(ram_path: Path) -> None:
    first, second = study_file(ram_path, "first"), study_file(ram_path, "second", "seed=5")
    session.run(options(first))
    session.run(options(second, warm_start="first", trials=2))
    best = trials_of(ram_path, "first")
    for arm in ("depth=1", "depth=2"):
        ours = best[(best["arm"] == arm) & (best["state"] == "complete")].sort_values("value")
        theirs = trials_of(ram_path, "second")
        theirs = theirs[theirs["arm"] == arm].sort_values("trial")
        for name in ("units", "learning_rate", "sequence_length", "dropout"):
            assert list(theirs[f"params_{name}"]) == list(ours[f"params_{name}"].iloc[:2])
    session.run(options(second, warm_start="first", trials=5))
    theirs = trials_of(ram_path, "second")
    theirs = theirs[theirs["arm"] == "depth=1"].sort_values("trial")
    assert len(theirs) == 5  # the third configuration was beyond the budget then, and is not now
    rates = list(theirs["params_learning_rate"])
    assert len(set(rates)) == 5
    with pytest.raises(UserError, match='warm_start: "first" → absent'):
        session.run(options(second))
    manifest = json.loads((ram_path / "runs" / "second" / "manifest.json").read_text())
    assert "--warm-start first" in manifest["command"]


def test_what_lies_outside_is_left_to_the_sampler(ram_path: Path) -> None:
    first = study_file(ram_path, "first")
    narrow = study_file(ram_path, "narrow", "search={**SPACE, 'units': IntDistribution(100, 200)}")
    session.run(options(first))
    session.run(options(narrow, warm_start="first"))
    found = trials_of(ram_path, "narrow")
    assert (found["params_units"] >= 100).all()
    ours = trials_of(ram_path, "first")
    assert set(found["params_learning_rate"]) & set(ours["params_learning_rate"])
    other = study_file(
        ram_path, "other", "search={'batch_size': IntDistribution(8, 16)}, compare={'depth': [3]}"
    )
    with pytest.raises(UserError, match="none of its finished trials has values that this study"):
        session.run(options(other, warm_start="first"))
    with pytest.raises(UserError, match="did you mean first"):
        session.run(options(narrow, warm_start="firts", runs=ram_path / "runs", fresh=True))
    assert (ram_path / "runs" / "narrow" / "manifest.json").exists() or list(
        (ram_path / "runs").glob("narrow*")
    )


def test_a_process_killed_while_enqueueing_enqueues_the_rest(
    ram_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.run(options(study_file(ram_path, "first")))
    second = study_file(ram_path, "second")
    whole = study_file(ram_path, "whole")

    class Killed(BaseException):
        pass

    from harness.search.arm_search import ArmSearch

    enqueue = ArmSearch.enqueue

    def dies(self: ArmSearch, configurations: Any) -> None:
        enqueue(self, configurations[:1])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ArmSearch, "enqueue", dies)
        with pytest.raises(Killed):
            session.run(options(second, warm_start="first"))
    session.run(options(second, warm_start="first"))
    session.run(options(whole, warm_start="first"))
    for column in ("arm", "trial", "params_learning_rate", "params_units"):
        one, other = (trials_of(ram_path, name).sort_values(["arm", "trial"])
                      for name in ("second", "whole"))  # fmt: skip
        assert list(one[column]) == list(other[column])


def test_units_of_each_layer_are_tried_first_too(ram_path: Path) -> None:
    declared = (
        "search={{**SPACE, 'units': CategoricalDistribution([(8, 4), (4, 8)])}}, seed={}, "
        "compare={{'bidirectional': [True, False]}}, fixed={{'depth': 2}}"
    )
    session.run(options(study_file(ram_path, "first", declared.format(1))))
    second = study_file(ram_path, "second", declared.format(2))
    session.run(options(second, warm_start="first", trials=1))
    best = trials_of(ram_path, "first").sort_values("value").drop_duplicates("arm")
    columns = ["arm", "params_units", "params_learning_rate"]
    tried = trials_of(ram_path, "second")
    assert sorted(map(tuple, tried[columns].to_numpy())) == sorted(
        map(tuple, best[best["state"] == "complete"][columns].to_numpy())
    )


def test_fitting_is_by_value(ram_path: Path) -> None:
    from toys import SPACE

    values = {"units": 8, "sequence_length": 60, "learning_rate": 1e-3}
    assert warm_start.within(SPACE, values) == {"units": 8, "learning_rate": 1e-3}

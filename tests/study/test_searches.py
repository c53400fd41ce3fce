"""Several searches of each arm: independent of one another, resumed like one, and extended."""

from pathlib import Path

import optuna
import pytest
from session_testing import dying_after, options, outcome, use_toy_pool

from harness.core.errors import UserError
from harness.results.records import read_records
from harness.study import session

pytestmark = pytest.mark.usefixtures("no_sections")

STUDY = """
'''Does it run?'''
from harness import Budget
from toys import toy_study
study = toy_study(
    sampler="qmc", budget=Budget(trials=3, epochs=3), searches={searches}, replicates=2
)
"""


@pytest.fixture(autouse=True)
def toy_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toy_pool(monkeypatch)
    optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def file(ram_path: Path) -> Path:
    file = ram_path / "mine.py"
    file.write_text(STUDY.format(searches=3))
    return file


def test_trials_may_take_fewer_epochs_than_replicates(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome(file, capsys, trial_epochs=1)
    records = read_records(file.parent / "runs" / "mine")
    assert records.epochs.groupby(["arm", "search", "trial"]).size().max() == 1
    of_arms = records.replicate_epochs[records.replicate_epochs["arm"].isin(records.arms)]
    assert of_arms["epoch"].max() == 3
    assert "--trial-epochs 1" in records.manifest.command


def test_fewer_epochs_of_all_trainings_are_fewer_of_trials(file: Path) -> None:
    file.write_text(file.read_text().replace("epochs=3", "epochs=3, trial_epochs=2"))
    assert session.run(options(file, epochs=1)) == 0
    records = read_records(file.parent / "runs" / "mine")
    assert records.manifest.trial_epochs == records.manifest.epochs == 1


def test_each_search_has_its_trials_and_its_replicates(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = outcome(file, capsys)
    records = read_records(file.parent / "runs" / "mine")
    assert records.finished
    keys = ["arm", "search"]
    assert set(records.trials.groupby(keys).size()) == {3}
    assert set(records.replicates.groupby(keys).size()) == {2}
    assert len(records.trials) == 2 * 3 * 3
    storage = f"sqlite:///{file.parent}/runs/mine/study.db"
    assert set(optuna.get_all_study_names(storage)) == {
        f"mine/depth={depth}{search}"
        for depth in (1, 2)
        for search in ("", "/search=2", "/search=3")
    }
    seeds = records.replicates[records.replicates["arm"] == "depth=1"]["seed"]
    assert len(set(seeds)) == 6
    for arm in found["arms"]:
        assert [each["search"] for each in arm["searches"]] == [1, 2, 3]
        for search in arm["searches"]:
            assert sum(search["trials"].values()) == 3
            assert search["replicates"]["n"] == 2
        best = min(arm["searches"], key=lambda search: search["best"]["value"])
        assert arm["best"] == best["best"]
        assert arm["replicates"]["n"] == 6
        mean = sum(search["replicates"]["mean"] for search in arm["searches"]) / 3
        assert arm["replicates"]["mean"] == pytest.approx(mean)
    (verdict,) = found["verdicts"]
    assert verdict["searches"] == 3
    assert verdict["reason"] != "one search"
    assert set(found["variance"]) == {"search", "seed", "examples"}
    assert all(value >= 0 for value in found["variance"].values())


def test_arms_try_the_same_configurations_and_searches_others(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome(file, capsys)
    trials = read_records(file.parent / "runs" / "mine").trials
    params = [column for column in trials if column.startswith("params_")]
    of = {
        key: table[params].to_numpy().tolist() for key, table in trials.groupby(["arm", "search"])
    }
    for search in (1, 2, 3):
        assert of["depth=1", search] == of["depth=2", search]
    assert of["depth=1", 1] != of["depth=1", 2] != of["depth=1", 3]


def test_cut_anywhere_it_ends_the_same(ram_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("whole", "cut"):
        (ram_path / name).mkdir()
        (ram_path / name / "mine.py").write_text(STUDY.format(searches=2))
    whole = outcome(ram_path / "whole" / "mine.py", capsys, workers=1)
    for trainings in (1, 4, 3, 5):  # until the next cut
        with dying_after(trainings):
            session.run(options(ram_path / "cut" / "mine.py", workers=1))
    cut = outcome(ram_path / "cut" / "mine.py", capsys, workers=1)
    for key in ("arms", "verdicts", "recommended", "variance"):
        assert cut[key] == whole[key]


def test_searches_may_be_added_and_not_taken_away(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = outcome(file, capsys, searches=1)
    (verdict,) = one["verdicts"]
    assert (verdict["verdict"], verdict["reason"]) == ("inconclusive", "one search")
    two = outcome(file, capsys, searches=2)
    assert [arm["searches"][0] for arm in one["arms"]] == [a["searches"][0] for a in two["arms"]]
    three = outcome(file, capsys)  # as the study declares
    assert [len(arm["searches"]) for arm in three["arms"]] == [3, 3]
    assert [arm["searches"][:2] for arm in three["arms"]] == [a["searches"] for a in two["arms"]]
    with pytest.raises(UserError, match="--searches 2 is lower than the 3 that"):
        session.run(options(file, searches=2))
    with pytest.raises(UserError, match=r"^searches: 0 is not a whole number"):
        session.run(options(file, searches=0, fresh=True))


@pytest.mark.page
def test_a_quick_look_has_one_search_and_recommends_nothing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = outcome(file, capsys, quick=True)
    assert [len(arm["searches"]) for arm in found["arms"]] == [1, 1]
    assert found["recommended"] is None
    full = {"searches": 3, "trials": 3, "epochs": 3, "replicates": 2, "train": 64, "seconds": None}
    assert {key: found["full_study"][key] for key in full} == full
    session.run(options(file, quick=True))
    assert (
        "A quick look recommends nothing. The full study has 3 searches of 3 trials of each arm, "
        "up to 3 epochs each, 2 replicates of each search's best, and 64 training examples.\n"
    ) in capsys.readouterr().out
    page = (file.parent / "runs" / "mine-quick" / "report.html").read_text()
    assert "The full study has 3 searches of 3 trials of each arm" in page


def test_where_nothing_is_searched_seeds_are_the_blocks(
    ram_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ram_path / "fixed.py"
    file.write_text(
        "from harness import Budget\nfrom toys import toy_study\n"
        "study = toy_study(search={}, budget=Budget(trials=1, epochs=3), searches=3,\n"
        "    fixed={'cell': 'lstm', 'units': 8, 'sequence_length': 50}, replicates=4)\n"
    )
    found = outcome(file, capsys)
    assert [len(arm["searches"]) for arm in found["arms"]] == [1, 1]
    (verdict,) = found["verdicts"]
    assert (verdict["searches"], verdict["replicates"]) == (0, 4)
    assert verdict["reason"] not in ("one search", "one seed")
    assert found["variance"]["search"] is None


def test_a_quick_look_needs_no_full_study_that_its_options_fit(
    ram_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ram_path / "small.py"
    file.write_text(
        "from harness import Budget, CategoricalDistribution\nfrom toys import toy_study\n"
        "study = toy_study(search={'units': CategoricalDistribution([4, 8, 12, 16])},\n"
        "    budget=Budget(trials=8, epochs=2))\n"
    )
    found = outcome(file, capsys, quick=True, sampler="grid")
    assert found["full_study"] is None

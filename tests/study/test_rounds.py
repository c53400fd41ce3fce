"""Searches are added until the question is settled, the time is over, or there are enough."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pytest
from session_testing import Pool, dying_after, options, outcome, use_toy_pool
from toys import losses

from harness.core.errors import UserError
from harness.results.records import read_records
from harness.search import trial_limit
from harness.study import rounds, session
from harness.workers import messages
from harness.workers.messages import TrainRequest

pytestmark = pytest.mark.usefixtures("no_sections")

STUDY = """
'''Does it settle?'''
from harness import Budget
from toys import Noise, toy_study
study = toy_study(
    dataset=Noise(train=64, validation=32, test=400), compare={{"depth": {depths}}},
    sampler="qmc", budget=Budget(trials=3, epochs=2), searches={searches}, replicates=1,
)
"""


class Scored(Pool):
    """Depth 3 is far below the others, which are alike but for the luck of a training."""

    def _test(self, worker: int) -> messages.TestScores | None:
        request = self._training[worker]
        if not request.score:
            return None
        if request.model is not None:
            Path(request.model).write_bytes(b"a model")
        depth = request.hyperparameters.depth
        luck = np.random.default_rng([request.seed, depth])
        ease = np.random.default_rng(7).random(400)
        right = ease < 0.8 + luck.normal(0, 0.02) - (0.4 if depth == 3 else 0.0)
        return messages.TestScores(0.3, right.astype(np.uint8))


@pytest.fixture(autouse=True)
def toy_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toy_pool(monkeypatch, Scored)
    optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def file(ram_path: Path) -> Path:
    return written(ram_path)


def written(folder: Path, depths: str = "[1, 2, 3]", searches: int = 2) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "mine.py"
    file.write_text(STUDY.format(depths=depths, searches=searches))
    return file


def searches(found: dict[str, Any]) -> list[int]:
    return [len(arm["searches"]) for arm in found["arms"]]


@pytest.mark.page
def test_arms_that_are_alike_are_searched_up_to_the_most_allowed(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = outcome(file, capsys, settle=True, max_searches=5)
    records = read_records(file.parent / "runs" / "mine")
    assert records.finished
    looks = records.manifest.looks
    assert [blocks for blocks, _ in looks] == [2, 3, 4, 5]
    assert sum(alpha for _, alpha in looks) == pytest.approx(0.05)
    by_pair = {(each["a"], each["b"]): each for each in found["verdicts"]}
    assert by_pair["depth=2", "depth=1"]["verdict"] == "inconclusive"
    assert by_pair["depth=3", "depth=1"]["verdict"] == "worse"
    # Depth 3 was decided earlier, and left out of the later searches.
    assert searches(found)[:2] == [5, 5]
    assert searches(found)[2] < 5
    assert f"after {searches(found)[2]} searches" in by_pair["depth=3", "depth=1"]["reason"]
    assert "--settle --max-searches 5" in records.manifest.command
    page = (records.root / "report.html").read_text()
    assert "and for all 4 times that verdicts were looked at" in page
    assert "2, 3, 4, 5" in page


def test_nothing_is_added_to_what_is_settled(
    ram_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(ram_path, depths="[1, 3]", searches=4)
    found = outcome(file, capsys, settle=True)
    assert searches(found) == [4, 4]
    assert found["verdicts"][0]["verdict"] == "worse"
    assert len(read_records(file.parent / "runs" / "mine").manifest.looks) == 1
    again = outcome(file, capsys, settle=True)
    assert again["verdicts"] == found["verdicts"]
    assert len(read_records(file.parent / "runs" / "mine").manifest.looks) == 1


def test_a_single_search_becomes_two(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = outcome(file, capsys, settle=True, searches=1, max_searches=2)
    assert searches(found) == [2, 2, 2]


def test_without_settle_there_are_no_looks_and_settle_may_come_later(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = outcome(file, capsys)
    records = read_records(file.parent / "runs" / "mine")
    assert records.manifest.looks == []
    settled = outcome(file, capsys, settle=True, max_searches=3)
    assert searches(settled)[:2] == [3, 3]
    first = [arm["searches"][:2] for arm in settled["arms"]]
    assert first == [arm["searches"] for arm in plain["arms"]]
    # The plain command shows what was settled. The looks have spent all of their 5 %, so more
    # searches leave the verdicts as they are.
    assert outcome(file, capsys)["verdicts"] == settled["verdicts"]
    more = outcome(file, capsys, searches=4)
    assert searches(more) == [4, 4, 4]
    words = [[each["verdict"] for each in found["verdicts"]] for found in (more, settled)]
    assert words[0] == words[1]
    assert [blocks for blocks, _ in read_records(records.root).manifest.looks] == [2, 3]


def test_cut_anywhere_it_settles_the_same(
    ram_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = outcome(written(ram_path / "whole"), capsys, settle=True, max_searches=4)
    cut_file = written(ram_path / "cut")
    for trainings in (7, 19, 6, 5):  # until the next cut
        with dying_after(trainings, Scored):
            session.run(options(cut_file, settle=True, max_searches=4))
    cut = outcome(cut_file, capsys, settle=True, max_searches=4)
    for key in ("arms", "verdicts", "recommended", "variance"):
        assert cut[key] == whole[key]
    manifests = [read_records(ram_path / n / "runs" / "mine").manifest for n in ("whole", "cut")]
    assert manifests[0].looks == manifests[1].looks
    assert manifests[0].left_out == manifests[1].left_out


def test_where_nothing_is_searched_seeds_are_added(
    ram_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ram_path / "fixed.py"
    file.write_text(
        "from harness import Budget\nfrom toys import Noise, toy_study\n"
        "study = toy_study(search={}, budget=Budget(trials=1, epochs=2), replicates=2,\n"
        "    dataset=Noise(train=64, validation=32, test=400), compare={'depth': [1, 2, 3]},\n"
        "    fixed={'cell': 'lstm', 'units': 8, 'sequence_length': 50})\n"
    )
    found = outcome(file, capsys, settle=True, max_searches=5)
    replicates = [arm["replicates"]["n"] for arm in found["arms"]]
    assert replicates[:2] == [5, 5]
    assert replicates[2] < 5
    assert read_records(file.parent / "runs" / "fixed").finished


class Clock:
    """A clock that each training takes on by a second."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now

    def losses(self, request: TrainRequest) -> list[float]:
        self.now += 1.0
        return losses(request)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (rounds, trial_limit):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    monkeypatch.setattr(Scored, "curve_of_all", staticmethod(clock.losses))
    return clock


def test_only_as_many_searches_as_fit(
    clock: Clock, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A search of three arms has 9 trials and 3 replicates, of 1.6 or 2.2 s by the toy's own word.
    found = outcome(file, capsys, searches=6, time="50s", workers=1, quiet=False)
    assert searches(found) == [2, 2, 2]
    assert read_records(file.parent / "runs" / "mine").finished
    more = outcome(file, capsys, searches=3)
    assert searches(more) == [3, 3, 3]
    assert [arm["searches"][:2] for arm in more["arms"]] == [a["searches"] for a in found["arms"]]


def test_of_a_search_that_does_not_fit_arms_have_equal_trials(
    clock: Clock, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert session.run(options(file, time="6s", workers=1, quiet=False)) == 0
    assert "2 of 3 trials of one search fit into 6s" in capsys.readouterr().err
    records = read_records(file.parent / "runs" / "mine")
    assert records.finished
    assert records.trials.groupby(["arm", "search"]).size().tolist() == [2, 2, 2]
    whole = outcome(file, capsys)
    assert searches(whole) == [2, 2, 2]
    assert {sum(arm["trials"].values()) for arm in whole["arms"]} == {6}


def test_settling_ends_with_the_time(
    clock: Clock, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = outcome(file, capsys, settle=True, time="80s", workers=1)
    assert 2 <= max(searches(found)) < 12
    assert read_records(file.parent / "runs" / "mine").manifest.looks


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": "soon"}, "--time soon: write for example 90m, 2h or 1h30m"),
        ({"time": "0m"}, "--time 0m: write for example"),
        ({"settle": True, "max_searches": 1}, "--max-searches 1: verdicts need two or more"),
        ({"settle": True, "searches": 13}, "--max-searches 12 is lower than the 13 searches"),
        ({"settle": True, "replicates": 0}, "--settle: verdicts need replicates"),
    ],
)
def test_what_cannot_be_is_one_line(file: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        session.run(options(file, **changes))
    assert not (file.parent / "runs" / "mine" / "study.db").exists()


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, ["shows      differences of ", "chance is as in repeated searches of one LSTM"]),
        (
            {"settle": True},
            ["rounds     more searches are added until every arm is settled, or has 12"],
        ),
        ({"time": "2h"}, ["rounds     ends in order when about 2h are over"]),
        ({"searches": 1}, ["shows      nothing about the arms: one search says nothing"]),
    ],
)
def test_the_plan_says_what_the_budget_can_show(
    file: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], lines: list[str]
) -> None:
    assert session.run(options(file, dry_run=True, **changes)) == 0
    out = capsys.readouterr().out
    assert all(line in out for line in lines), out


def test_the_plan_knows_the_chance_of_a_study_on_record(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome(file, capsys)
    session.run(options(file, dry_run=True, searches=6))
    assert "if chance is as in this study so far" in capsys.readouterr().out


def test_a_settled_study_resumes_by_the_command_that_began_it(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command names fewer searches than there are by now."""
    arguments = {"settle": True, "searches": 2, "replicates": 1, "max_searches": 4}
    with dying_after(36, Scored):
        session.run(options(file, **arguments))
    before = read_records(file.parent / "runs" / "mine").manifest
    assert before.searches == 3
    assert before.left_out
    found = outcome(file, capsys, **arguments)
    assert searches(found)[:2] == [4, 4]
    assert read_records(file.parent / "runs" / "mine").manifest.left_out == before.left_out


def test_stopped_before_its_first_look_it_looks_first(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rounds.Rounds, "look", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            session.run(options(file, settle=True, max_searches=3))
    outcome(file, capsys, settle=True, max_searches=3)
    assert read_records(file.parent / "runs" / "mine").manifest.looks[0][0] == 2


def test_what_a_look_saw_does_not_change(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settled = outcome(file, capsys, settle=True, max_searches=3)
    more = outcome(file, capsys, replicates=3)
    assert more["arms"][0]["replicates"]["n"] == 9
    assert more["verdicts"] == settled["verdicts"]


def test_complete_searches_are_kept_whatever_the_time(
    clock: Clock, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome(file, capsys, searches=2, workers=1)
    short = outcome(file, capsys, searches=3, time="4s", workers=1)
    assert searches(short) == [2, 2, 2]
    trials = [len(list((file.parent / "runs/mine/trials").glob("*/search=3/*/result.json")))]
    for _ in range(12):
        if searches(outcome(file, capsys, searches=3, time="4s", workers=1)) == [3, 3, 3]:
            break
        now = len(list((file.parent / "runs/mine/trials").glob("*/search=3/*/result.json")))
        assert now > trials[-1]  # each session comes on
        trials.append(now)
    else:
        pytest.fail("it never ends")


def test_time_without_replicates_or_searches_trains_its_trial(
    ram_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ram_path / "fixed.py"
    file.write_text(
        "from harness import Budget\nfrom toys import toy_study\n"
        "study = toy_study(search={}, budget=Budget(trials=1, epochs=2), replicates=0,\n"
        "    fixed={'cell': 'lstm', 'units': 8, 'sequence_length': 50})\n"
    )
    found = outcome(file, capsys, time="1h")
    assert [arm["trials"]["complete"] for arm in found["arms"]] == [1, 1]


def test_fresh_moves_nothing_aside_for_what_cannot_be(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome(file, capsys)
    with pytest.raises(UserError, match="--settle: verdicts need replicates"):
        session.run(options(file, settle=True, replicates=0, fresh=True))
    assert read_records(file.parent / "runs" / "mine").finished

"""Replicates through sessions with a toy pool: fresh paired seeds, resume, baselines, models."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from session_testing import Pool, options, use_toy_pool
from toys import Noise, losses, toy_study

from harness.commands import export
from harness.core.errors import UserError
from harness.results.manifest import write as write_manifest
from harness.results.records import BAG_OF_EMBEDDINGS, LINEAR, MAJORITY, read_records
from harness.results.run_directory import RunDirectory
from harness.search import baselines, linear_model
from harness.search.replicates import Replicates, replicates_of
from harness.spec.study import Arm
from harness.study import resume, session, trainings
from harness.workers.messages import TrainRequest

pytestmark = pytest.mark.usefixtures("no_sections")

STUDY = """
'''Does it run?'''
from toys import toy_study
study = toy_study(replicates=3)
"""


@pytest.fixture(autouse=True)
def toy_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toy_pool(monkeypatch)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[TrainRequest]:
    """The requests for replicates and candidates, in the order that workers got them."""
    seen: list[TrainRequest] = []

    def watching(request: TrainRequest) -> list[float]:
        if "replicates" in request.checkpoints:
            seen.append(request)
        return losses(request)

    monkeypatch.setattr(Pool, "curve_of_all", staticmethod(watching))
    return seen


@pytest.fixture
def file(ram_path: Path) -> Path:
    file = ram_path / "mine.py"
    file.write_text(STUDY)
    return file


def directory(file: Path) -> RunDirectory:
    return RunDirectory(file.parent / "runs" / "mine")


def test_the_longest_trainings_begin_first_on_all_workers(
    file: Path, trained: list[TrainRequest]
) -> None:
    session.run(options(file, workers=2))
    started = [str(request.hyperparameters.depth) + request.hyperparameters.cell
               for request in trained if request.score]  # fmt: skip
    assert started == sorted(started, key=started.index)  # all of an arm, then the next arm
    assert len(set(started[:2])) == 1


def test_every_arm_is_trained_on_the_same_fresh_seeds(
    file: Path, trained: list[TrainRequest]
) -> None:
    session.run(options(file))
    records = read_records(directory(file).root)
    assert records.finished
    table = records.replicates.set_index(["arm", "replicate"])
    for arm in ("depth=1", "depth=2", BAG_OF_EMBEDDINGS):
        assert list(table.loc[arm].index) == [1, 2, 3]
        assert list(table.loc[arm, "seed"]) == list(table.loc["depth=1", "seed"])
    assert len(set(table.loc["depth=1", "seed"])) == 3
    assert not set(table.loc["depth=1", "seed"]) & set(records.trials["seed"])
    best = records.trials[records.trials["state"] == "complete"].sort_values("value")
    for arm, trials in best.groupby("arm"):
        assert set(table.loc[arm, "trial"]) == {trials["trial"].iloc[0]}
        assert set(table.loc[arm, "params_units"]) == {trials["params_units"].iloc[0]}
    scores = records.scores("depth=2")
    assert table.loc[("depth=2", 1), "scored_accuracy"] == scores[1, 1].mean()
    assert len(scores[1, 1]) == Noise().test
    # Only replicates see the test split; candidates of the baseline are judged by validation.
    assert [o.score for o in trained] == [None] * 3 + ["test"] * 9


def test_the_majority_class_is_that_of_the_training_split(file: Path) -> None:
    session.run(options(file))
    data = Noise()
    learnt = int(data.load("train", sequence_length=1, vocabulary=10).y.mean() > 0.5)
    right = data.load("test", sequence_length=1, vocabulary=10).y == learnt
    records = read_records(directory(file).root)
    for scores in records.scores(MAJORITY).values():
        assert (scores == right).all()
    assert len(records.scores(MAJORITY)) == 3


def test_the_linear_model_is_the_same_in_every_replicate(file: Path) -> None:
    session.run(options(file))
    size = {"sequence_length": 200, "vocabulary": 100}  # the largest of the study
    expected = linear_model.fit(Noise(), "test", **size)
    records = read_records(directory(file).root)
    assert len(records.scores(LINEAR)) == 3
    for scores in records.scores(LINEAR).values():
        assert (scores == expected.scores).all()
    ours = records.replicates[records.replicates["arm"] == LINEAR]
    assert set(ours["parameters"]) == {expected.weights}
    assert set(ours["val_accuracy"]) == {expected.validated}
    assert records.baselines[LINEAR] == "TF-IDF + logistic regression"


def test_a_study_that_began_without_a_linear_model_stays_without(
    file: Path, trained: list[TrainRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = directory(file)
    with monkeypatch.context() as patched:
        patched.setattr(resume, "BASELINES_VERSION", 1)
        session.run(options(file))
    manifest = root.read_manifest()
    del manifest["baselines"]
    write_manifest(root.manifest, manifest)
    trained.clear()
    assert session.run(options(file)) == 0
    assert not trained
    assert session.run(options(file, replicates=4)) == 0
    assert len(trained) == 3
    assert not root.replicates(LINEAR).exists()
    assert read_records(root.root).finished


def test_data_that_have_no_linear_model_are_a_failure_with_its_reason(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("Input X contains NaN.\nSee the manual")

    monkeypatch.setattr(linear_model, "fit", refuse)
    assert session.run(options(file, json_output=True)) == 0
    outcome = json.loads(capsys.readouterr().out)
    (ours,) = [each for each in outcome["baselines"] if each["baseline"] == LINEAR]
    assert ours["replicates"]["failed"] == 3
    records = read_records(directory(file).root)
    failed = records.replicates[records.replicates["state"] == "failed"]
    assert set(failed["arm"]) == {LINEAR}
    assert set(failed["reason"]) == {"ValueError: Input X contains NaN."}
    assert records.finished


def test_the_bag_is_the_candidate_of_lowest_validation_loss(
    file: Path, trained: list[TrainRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    session.run(options(file))
    bags = [request for request in trained if request.hyperparameters.cell == "bag"]
    assert [o.hyperparameters.learning_rate for o in bags] == [
        *baselines.BASELINE_LEARNING_RATES, *[3e-3] * 3,  # the toy's losses are lowest there
    ]  # fmt: skip
    # The longest sequences and the vocabulary of the study.
    assert {(o.hyperparameters.sequence_length, o.hyperparameters.vocabulary) for o in bags} == {
        (200, 100)
    }


def test_cut_anywhere_the_replicates_end_the_same(
    file: Path, monkeypatch: pytest.MonkeyPatch, ram_path: Path
) -> None:
    session.run(options(file, workers=2))
    whole = _numbers(directory(file))
    shutil.rmtree(directory(file).root)
    left = [0]

    class Crash(BaseException):
        pass

    def crashing(request: TrainRequest) -> list[float]:
        left[0] -= 1
        if left[0] < 0 and "replicates" in request.checkpoints:
            raise Crash
        return losses(request)

    monkeypatch.setattr(Pool, "curve_of_all", staticmethod(crashing))
    for cuts in range(60):
        left[0] = 1 + (12 if cuts == 0 else 0)
        try:
            # One worker: of two, the one that crashes would take the other's training along.
            session.run(options(file, workers=1))
        except Crash:
            continue
        break
    assert cuts > 8
    assert _numbers(directory(file)) == whole


def _numbers(root: RunDirectory) -> list[tuple[Any, ...]]:
    table = read_records(root.root).replicates
    columns = [
        "arm",
        "replicate",
        "trial",
        "state",
        "seed",
        "value",
        "scored_accuracy",
        "best_epoch",
    ]
    return [tuple(row) for row in table[columns].astype(str).to_numpy()]


def test_more_replicates_extend_and_fewer_are_refused(
    file: Path, trained: list[TrainRequest]
) -> None:
    session.run(options(file))
    trained.clear()
    session.run(options(file, replicates=5))
    assert sorted(request.task for request in trained) == sorted(
        f"{arm}/{number}" for arm in ("depth=1", "depth=2", BAG_OF_EMBEDDINGS) for number in (4, 5)
    )
    trained.clear()
    session.run(options(file))  # the plain command keeps what was extended
    assert trained == []
    assert directory(file).read_manifest()["spec"]["replicates"] == 5
    with pytest.raises(UserError, match="--replicates 4 is lower than the 5 that are done"):
        session.run(options(file, replicates=4))


def test_a_better_configuration_found_later_gets_new_replicates(
    file: Path, trained: list[TrainRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    session.run(options(file))
    before = read_records(directory(file).root).replicates
    session.run(options(file, trials=30))
    after = read_records(directory(file).root)
    best = {
        str(t["arm"]): int(t["trial"]) for _, t in session.summary.best_trials(after).iterrows()
    }
    for arm, trial in best.items():
        ours = after.replicates[after.replicates["arm"] == arm]
        assert set(ours["trial"]) == {trial}
        old = int(before.loc[before["arm"] == arm, "trial"].iloc[0])
        aside = directory(file).replicates(arm) / f"seed=1,trial={old}" / "result.json"
        assert aside.exists() == (old != trial)
    assert any(
        int(before.loc[before["arm"] == arm, "trial"].iloc[0]) != trial
        for arm, trial in best.items()
    )


def test_no_replicates_when_none_are_asked_for(file: Path, trained: list[TrainRequest]) -> None:
    session.run(options(file, replicates=0))
    assert trained == []
    assert read_records(directory(file).root).finished
    assert not directory(file).best.exists()


def test_a_replicate_that_fails_is_told_and_left_out(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: TrainRequest) -> list[float]:
        if request.score and request.task == "depth=2/2":
            raise RuntimeError("never works")
        return losses(request)

    monkeypatch.setattr(Pool, "curve_of_all", staticmethod(broken))
    assert session.run(options(file)) == 0
    records = read_records(directory(file).root)
    assert records.finished
    assert list(records.scores("depth=2")) == [(1, 1), (1, 3)]
    failed = records.replicates[records.replicates["state"] == "failed"]
    assert list(failed["reason"]) == ["exception: never works"]


def report_epochs(planned: Replicates, curve: list[float]) -> int:
    """How many epochs of a curve a replicate trains for."""
    assignment = planned.next()
    for epoch, loss in enumerate(curve, start=1):
        metrics = {"epoch": epoch, "val_loss": loss}
        assignment.add_epoch(metrics)
        if not planned.report(assignment, metrics):
            return epoch
    return len(curve)


@pytest.mark.parametrize(
    ("curve", "epochs"),
    [([5, 4, 3, 2, 1], 5), ([5, 4, 4, 4, 1], 4), ([1, 2, 3, 4], 3), ([2, 3, 1, 2, 3, 0], 5)],
)
def test_a_replicate_stops_after_two_epochs_without_improvement(
    ram_path: Path, curve: list[float], epochs: int
) -> None:
    params = {"units": 4, "sequence_length": 50, "learning_rate": 0.01, "dropout": 0.1}
    planned = replicates_of(
        toy_study(), Arm("depth=1", {"depth": 1}), 0, params, RunDirectory(ram_path)
    )
    assert report_epochs(planned, curve) == epochs


@pytest.fixture
def grouped(ram_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Replicates]:
    """Makes four replicates that are faster side by side; again, as another session does."""
    rule = {"cpu": {"words": {"lstm": ((8, 3),)}}}
    monkeypatch.setattr("harness.training.grouping.SIDE_BY_SIDE", rule)

    def make(device: str | None = "cpu", units: int = 4, replicates: int = 4) -> Replicates:
        study = toy_study(backend="jax", replicates=replicates)
        params = {"units": units, "sequence_length": 50, "learning_rate": 0.01, "dropout": 0.1}
        arm = Arm("depth=1", {"depth": 1})
        planned = replicates_of(study, arm, 0, params, RunDirectory(ram_path))
        if device is not None:
            planned.train_side_by_side(device)
        return planned

    return make


def group_of(request: TrainRequest) -> tuple[int, int, list[tuple[int, str]]]:
    """The members of a request's group, its own number, those of the others and their tasks."""
    assert request.group is not None
    others = [(number, other.task) for number, other in request.group.others]
    return request.group.members, request.group.own, others


def test_replicates_of_a_group_are_trained_along_by_one_worker(
    grouped: Callable[[], Replicates],
) -> None:
    planned = grouped()
    first = planned.next()
    request = planned.training_request(first)
    others = [(place, f"depth=1/{place + 1}") for place in (1, 2, 3)]
    assert group_of(request) == (4, 0, others)
    assert request.group is not None
    assert request.group.patience == 2
    for number, (_, other) in enumerate(request.group.others, start=2):
        assert f"seed={number}" in other.checkpoints
        assert (other.seed, other.group) != (request.seed, request.group)
    assert not planned.has_more  # no other worker trains them as well
    planned.end(first, "complete")
    second = planned.next()
    assert group_of(planned.training_request(second)) == (4, 1, others[1:])
    # Another session goes on with the same group and the same places.
    later = grouped()
    assert later.done == {"complete": 1}
    again = later.next()
    assert (again.number, group_of(later.training_request(again))) == (2, (4, 1, others[1:]))
    again.attempts = 3  # what fails in a group may train alone
    assert later.training_request(again).group is None
    later.end(again, "failed", "exception: never works")
    for number in (3, 4):
        alone = later.next()
        assert (alone.number, later.has_more) == (number, number == 3)
        assert later.training_request(alone).group is None


def groups_of(planned: Replicates) -> list[tuple[int, int | None]]:
    """Trains all that is left; each with the size of its group."""
    found = []
    while planned.has_more:
        each = planned.next()
        group = planned.training_request(each).group
        found.append((each.number, group and group.members))
        planned.end(each, "complete")
    return found


def test_the_rest_that_is_too_small_for_a_group_is_trained_alone_in_any_session(
    grouped: Callable[..., Replicates], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.search.replicates.MOST_MEMBERS", 3)
    planned = grouped(replicates=5)
    for _ in range(3):
        each = planned.next()
        assert planned.training_request(each).group is not None
        planned.end(each, "complete")
    fourth = planned.next()
    assert planned.training_request(fourth).group is None
    assert planned.has_more  # the fifth does not wait for it
    assert groups_of(grouped(replicates=5)) == [(4, None), (5, None)]


@pytest.mark.parametrize("ends", ["before the others are on file", "after all have ended"])
def test_one_that_is_not_on_file_is_trained_in_the_group_of_the_others(
    grouped: Callable[[], Replicates], ram_path: Path, ends: str
) -> None:
    planned = grouped()
    planned.training_request(planned.next())
    if ends == "after all have ended":
        groups_of(grouped())
    lost = RunDirectory(ram_path).replicate("depth=1", 3)
    shutil.rmtree(lost)
    found = groups_of(grouped())
    assert (3, 4) in found
    assert {members for _, members in found} == {4}


def test_one_that_was_begun_alone_goes_on_alone(grouped: Callable[..., Replicates]) -> None:
    alone = grouped(None)
    assert alone.training_request(alone.next()).group is None
    assert groups_of(grouped()) == [(1, None), (2, 3), (3, 3), (4, 3)]


def test_what_failed_in_a_group_is_trained_alone_in_later_sessions_as_well(
    grouped: Callable[[], Replicates],
) -> None:
    planned = grouped()
    first = planned.next()
    assert planned.training_request(first).group is not None
    first.attempts = 3
    assert planned.training_request(first).group is None
    assert planned.has_more  # the others no longer wait
    assert groups_of(grouped()) == [(1, None), (2, None), (3, None), (4, None)]


def test_a_share_of_a_groups_step_is_no_step_time(grouped: Callable[[], Replicates]) -> None:
    planned = grouped()
    each = planned.next()
    epoch = dict.fromkeys(("loss", "val_loss", "val_accuracy", "train_s", "step_ms"), 0.5)
    each.add_epoch({"epoch": 1, **epoch, "validation_s": 0.1, "compile_s": 0.0})
    record = planned.end(each, "complete")
    assert (record["group"], record["step_ms"], record["train_s"]) == ([1, 2, 3, 4], None, 0.6)


def test_a_number_of_cores_does_not_decide_who_is_grouped(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not where a study has grown, so that more workers than before would be of use."""
    monkeypatch.setattr(trainings, "default_count", lambda threads, device: 64)
    study = toy_study(backend="jax", device="cpu")
    one: Any = None
    found = trainings.StudyTrainings(options(file), "mine", study, [], directory(file), one)
    found.grow(replace(study, searches=4), [one] * 8)
    assert found._device_of_groups == "cpu"


@pytest.mark.parametrize(
    ("changes", "members"),
    [({}, 3), ({"trial_timeout": 60.0}, None), ({"workers": 9}, None), ({"threads": 2}, None)],
)
def test_a_session_groups_replicates_where_one_worker_has_a_search(
    file: Path,
    trained: list[TrainRequest],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    members: int | None,
) -> None:
    pytest.importorskip("jax")
    rule = {"cpu": {"words": {"lstm": ((64, 2),)}}}
    monkeypatch.setattr("harness.training.grouping.SIDE_BY_SIDE", rule)
    assert session.run(options(file, backend="jax", device="cpu", **changes)) == 0
    groups = [request.group for request in trained if "depth" in request.checkpoints]
    assert [group and group.members for group in groups] == [members] * 6
    bags = [request.group for request in trained if BAG_OF_EMBEDDINGS in request.checkpoints]
    assert set(bags) == {None}
    assert read_records(directory(file).root).finished


@pytest.mark.parametrize(("device", "units"), [("gpu", 4), ("cpu", 9)])
def test_elsewhere_replicates_are_trained_alone(
    grouped: Callable[..., Replicates], device: str, units: int
) -> None:
    planned = grouped(device, units)
    first = planned.next()
    assert planned.training_request(first).group is None
    assert planned.has_more


def test_the_recommended_arms_first_model_is_the_best_one(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run(options(file, json_output=True))
    chosen = json.loads(capsys.readouterr().out)["recommended"]["arm"]
    best = directory(file).best
    first = directory(file).replicate(chosen, 1)
    assert (best / "model.keras").read_bytes() == (first / "model.keras").read_bytes()
    assert (best / "vocabulary.txt").read_text().split("\n")[:3] == ["0", "1", "2"]
    params = json.loads((best / "params.json").read_text())
    assert params["arm"] == chosen
    assert params["labels"] == ["0", "1"]
    assert params["hyperparameters"]["depth"] == int(chosen[-1])


def exporting(file: Path, **changes: Any) -> Callable[[], None]:
    given = {"name": "mine", "runs_directory": file.parent / "runs", "arm": None, **changes}
    return lambda: export.export(**given)


def test_export_copies_any_arms_model_and_overwrites_nothing(file: Path) -> None:
    session.run(options(file))
    out = file.parent / "out"
    exporting(file, arm="depth=2", output=out)()
    assert json.loads((out / "params.json").read_text())["arm"] == "depth=2"
    with pytest.raises(UserError, match="already; choose another directory"):
        exporting(file, output=out)()
    with pytest.raises(UserError, match=r"did you mean depth=1"):
        exporting(file, arm="depth=1 ", output=out / "b")()


def test_export_without_replicates_says_how_to_get_a_model(file: Path) -> None:
    session.run(options(file, replicates=0))
    with pytest.raises(UserError, match="with --replicates 1 or more"):
        exporting(file, output=file.parent / "out")()


def test_each_size_of_training_split_trains_on_its_own(
    file: Path, trained: list[TrainRequest]
) -> None:
    file.write_text(
        STUDY.replace("replicates=3", "replicates=2, compare={'train': [8, 16]}, fixed={}")
    )
    session.run(options(file))
    sizes = [(request.task.partition("/")[0], request.dataset.train) for request in trained]
    assert set(sizes) == {("train=8", 8), ("train=16", 16), (BAG_OF_EMBEDDINGS, Noise().train)}


@pytest.mark.page
def test_without_a_test_split_validation_is_scored_and_without_patience_the_last_epoch(
    file: Path, trained: list[TrainRequest], capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(
        STUDY.replace(
            "replicates=3",
            "replicates=3, patience=None, dataset=Noise(test=0), "
            "published={'source': 'A book', 'val_accuracy': [0.5, 0.6]}",
        ).replace("import toy_study", "import Noise, toy_study")
    )
    session.run(options(file, json_output=True))
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["arms"][0]["replicates"]["split"] == "validation"
    assert outcome["arms"][0]["replicates"]["n"] == 3
    replicates = [(r.score, r.keep_best, r.hyperparameters.cell) for r in trained if r.score]
    # The bag of embeddings always stops early: it has more epochs than it needs.
    assert set(replicates) == {("validation", False, "lstm"), ("validation", True, "bag")}
    records = read_records(directory(file).root)
    assert set(records.replicates["split"]) == {"validation"}
    epochs = records.replicate_epochs[records.replicate_epochs["arm"] == "depth=1"]
    assert set(epochs.groupby("replicate").size()) == {4}  # all of the budget
    points = outcome["published"]
    assert [(each["epoch"], each["published"]) for each in points] == [(1, 0.5), (2, 0.6)]
    first = epochs.loc[epochs["epoch"] == 1, "val_accuracy"]
    assert points[0]["mean"] == pytest.approx(first.mean())
    assert points[0]["n"] == 3
    page = (directory(file).root / "report.html").read_text()
    assert "Validation accuracy against depth" in page
    assert "test split" not in page
    assert "Beside the published figures" in page

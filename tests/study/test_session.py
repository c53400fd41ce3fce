"""A session from options to report, in process with a toy pool; bad input one line each."""

import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from profile_testing import figures, profile
from session_testing import Pool, options
from toys import losses

from harness.core.errors import StudyHeldError, UserError
from harness.profile.entries import entry
from harness.profile.estimate import TimeEstimate
from harness.profile.of_study import configurations_of
from harness.results.lock import hold
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import write_result
from harness.study import plan, session
from harness.study.options import Options
from harness.study.overrides import command

pytestmark = pytest.mark.usefixtures("no_sections", "toy_pool")


def test_it_writes_everything_and_prints_the_page_last(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert session.run(options(file)) == 0
    root = file.parent / "runs" / "mine"
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == str(root / "report.html")
    assert err == ""
    for name in ("study.db", "manifest.json", "report.html", "tables/trials.csv",
                 "tables/epochs.csv"):  # fmt: skip
        assert (root / name).stat().st_size > 0
    manifest = json.loads((root / "manifest.json").read_text())
    assert manifest["study"] == "mine"
    assert manifest["question"] == "Does it run?"
    assert manifest["dataset"]["sha256"] == "0" * 64


def test_json_is_one_object_with_the_contracts_keys(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert session.run(options(file, json_output=True)) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert set(outcome) >= {
        "study", "report", "storage", "answer", "arms", "verdicts", "recommended", "environment",
    }  # fmt: skip
    for arm in outcome["arms"]:
        keys = {"arm", "trials", "best", "searches", "replicates", "cost"}
        assert set(arm) == keys | {"search_progress", "probability_best"}
        assert set(arm["trials"]) == {"complete", "pruned", "failed"}
        assert sum(arm["trials"].values()) == 6
        assert set(arm["best"]) == {"trial", "value", "val_accuracy", "params"}
        assert set(arm["replicates"]) >= {"n", "split", "metric", "mean", "ci95"}
        assert arm["replicates"]["n"] == 5
        assert set(arm["cost"]) == {"step_ms", "parameters"}
    assert [(v["a"], v["b"]) for v in outcome["verdicts"]] == [("depth=2", "depth=1")]
    assert outcome["verdicts"][0]["verdict"] in {"better", "worse", "equivalent", "inconclusive"}
    assert outcome["recommended"]["arm"] == "depth=1"
    assert set(outcome["recommended"]["params"]) == {
        "cell", "depth", "vocabulary", "units", "sequence_length", "learning_rate", "dropout",
    }  # fmt: skip


@pytest.mark.page
def test_an_estimate_is_compared_with_the_time_it_took(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = TimeEstimate(60.0, 30.0, workers=2, most_s=90.0), "runs/a/profile.json"
    monkeypatch.setattr(plan, "predict_study", lambda *_: found)
    assert session.run(options(file, json_output=True, quiet=False)) == 0
    err = capsys.readouterr().err
    assert "estimated to take " in err
    root = file.parent / "runs" / "mine"
    for result in root.glob("*/*/*/result.json"):  # toys take no time
        moments = {"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:01:00Z"}
        write_result(result.parent, {**json.loads(result.read_text()), **moments})
    assert session.run(options(file, json_output=True)) == 0
    estimate = json.loads(capsys.readouterr().out)["estimate"]
    assert estimate == {
        "estimated_s": 90.0, "elapsed_s": 60.0, "error": 0.5, "profile": "runs/a/profile.json",
    }  # fmt: skip
    assert "50\u00a0% more than it took" in (root / "report.html").read_text()
    # More trials than were estimated: nothing to compare any more.
    assert session.run(options(file, json_output=True, trials=8)) == 0
    assert json.loads(capsys.readouterr().out)["estimate"] is None


def test_a_profile_is_renewed_when_an_arms_best_has_changed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        session, "profile_run_directory", lambda root, quick, notify, pool: asked.append(root)
    )
    session.run(options(file))
    root = file.parent / "runs" / "mine"
    entries = [
        entry(each, [figures()]) for each in configurations_of(read_records(root), devices=["cpu"])
    ]
    (root / "profile.json").write_text(json.dumps({**profile(), "entries": entries}))
    session.run(options(file))
    assert len(asked) == 1
    entries[0]["units"] = 1 if entries[0]["units"] != 1 else 2  # as if another had been the best
    (root / "profile.json").write_text(json.dumps({**profile(), "entries": entries}))
    session.run(options(file))
    assert len(asked) == 2


def test_the_same_command_resumes_and_more_trials_extend(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run(options(file, json_output=True))
    first = json.loads(capsys.readouterr().out)
    session.run(options(file, json_output=True))
    assert json.loads(capsys.readouterr().out) == first
    session.run(options(file, json_output=True, trials=8))
    assert sum(json.loads(capsys.readouterr().out)["arms"][0]["trials"].values()) == 8
    # The plain command keeps what an earlier one extended.
    session.run(options(file, json_output=True))
    assert sum(json.loads(capsys.readouterr().out)["arms"][0]["trials"].values()) == 8
    with pytest.raises(UserError, match=r"--trials 7 is lower than the 8 that depth=1 has done"):
        session.run(options(file, trials=7))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 9}, r"budget\.epochs: 4 → 9"),
        ({"seed": 5}, "seed: 0 → 5"),
        ({"sampler": "random"}, 'sampler: "tpe" → "random"'),
        ({"pruner": "none"}, 'pruner: "median" → "none"'),
        ({"threads": 2}, "threads: 1 → 2"),
    ],
)
def test_a_changed_spec_is_refused_by_field_and_nothing_is_lost(
    file: Path, changes: dict[str, Any], message: str
) -> None:
    session.run(options(file))
    before = _contents(file.parent / "runs")
    with pytest.raises(UserError, match=message):
        session.run(options(file, **changes))
    assert _contents(file.parent / "runs") == before


def test_fresh_moves_the_old_directory_aside(file: Path) -> None:
    session.run(options(file))
    old = _contents(file.parent / "runs" / "mine")
    session.run(options(file, fresh=True, seed=5))
    assert _contents(file.parent / "runs" / "mine.old-1") == old
    manifest = RunDirectory(file.parent / "runs" / "mine").read_manifest()
    assert manifest["spec"]["seed"] == 5


def test_quick_has_a_directory_of_its_own(file: Path) -> None:
    session.run(options(file, quick=True))
    assert (file.parent / "runs" / "mine-quick" / "report.html").exists()
    assert not (file.parent / "runs" / "mine").exists()


def test_dry_run_does_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session.run(options(file, dry_run=True))
    printed = capsys.readouterr().out
    assert "depth=1, depth=2" in printed
    assert "time       unknown: no profile here" in printed
    assert "searched   units: whole numbers 4 to 64, on a log scale\n" in printed
    assert not (file.parent / "runs").exists()


def test_the_plan_of_a_cluster_counts_its_workers_not_this_machines(file: Path) -> None:
    printed = plan.plan(options(file, ray="10.0.0.1:6379"))
    assert "workers    2 on the cluster 10.0.0.1:6379 with" in printed  # one an arm
    assert "time       unknown: profiles are of this machine, not of a cluster" in printed


def test_a_held_study_is_left_alone(file: Path) -> None:
    session.run(options(file))
    with hold(file.parent / "runs" / "mine" / "lock"), pytest.raises(StudyHeldError):
        session.run(options(file))


def test_another_studys_directory_is_refused(file: Path) -> None:
    session.run(options(file))
    (file.parent / "runs" / "mine").rename(file.parent / "runs" / "other")
    other = file.with_name("other.py")
    shutil.copy(file, other)
    with pytest.raises(UserError, match="holds the study 'mine', not 'other'"):
        session.run(options(other))


def test_a_database_without_its_manifest_is_refused(file: Path) -> None:
    session.run(options(file))
    (file.parent / "runs" / "mine" / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"has trials but no manifest\.json; put the manifest back"):
        session.run(options(file))
    shutil.rmtree(file.parent / "runs" / "mine" / "trials")
    with pytest.raises(UserError, match=r"has a study\.db but no manifest\.json"):
        session.run(options(file))


def test_a_damaged_database_is_refused(file: Path) -> None:
    session.run(options(file))
    database = file.parent / "runs" / "mine" / "study.db"
    database.write_bytes(database.read_bytes()[:5000])
    with pytest.raises(UserError, match="damaged"):
        session.run(options(file))
    assert database.stat().st_size == 5000


def test_trials_of_another_spec_in_a_shared_database_are_refused(file: Path) -> None:
    url = f"sqlite:///{file.parent}/shared.db"
    session.run(options(file, storage=url))
    shutil.rmtree(file.parent / "runs")
    with pytest.raises(UserError, match="already holds a study of this name"):
        session.run(options(file, storage=url, seed=1))


def test_the_database_filling_up_is_one_line_and_resumes(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run(options(file, trials=1))
    opened = session.open_storage

    def nearly_full(url: str) -> Any:
        storage = opened(url)
        import sqlalchemy

        @sqlalchemy.event.listens_for(storage.engine, "connect")
        def limit(connection: sqlite3.Connection, record: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        storage.engine.dispose()
        return storage

    monkeypatch.setattr(session, "open_storage", nearly_full)
    with pytest.raises(UserError, match="the disk is full; free some space"):
        session.run(options(file, trials=200))
    monkeypatch.setattr(session, "open_storage", opened)
    capsys.readouterr()
    session.run(options(file, trials=9, json_output=True)) if _done(file) <= 9 else None
    assert _done(file) >= 9


def _done(file: Path) -> int:
    return len(list((file.parent / "runs/mine/trials/depth=1").glob("*/result.json")))


def test_an_arm_whose_trials_all_failed_is_exit_code_1(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(request: Any) -> list[float]:
        if request.task.startswith("depth=2"):
            raise RuntimeError("never works")
        return losses(request)

    monkeypatch.setattr(Pool, "curve_of_all", staticmethod(broken))
    assert session.run(options(file)) == 1
    out, err = capsys.readouterr()
    assert re.search(r"^depth=2 +no trial completed$", out, re.MULTILINE)
    assert "every trial of depth=2 failed" in err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "lstm_dept"}, "did you mean lstm_depth"),
        ({"trials": 0}, "^trials: 0"),
        ({"trials": -4}, "^trials: -4"),
        ({"epochs": 0}, "^epochs: 0"),
        ({"workers": 0}, "^--workers 0"),
        ({"threads": 0}, "^threads: 0"),
        ({"seed": -1}, "^seed: -1"),
        ({"trial_timeout": 0.0}, "^--trial-timeout 0"),
        ({"dataset": "imbd"}, "did you mean imdb"),
        ({"sampler": "tpee"}, "did you mean tpe"),
        ({"pruner": "medain"}, "did you mean median"),
        ({"backend": "caffe"}, "^backend: 'caffe'"),
        ({"device": "tpu"}, "^device: 'tpu'"),
        ({"path": "warp"}, "^path: 'warp'"),
        ({"data_dir": Path("/nowhere")}, "^--data-dir: dataset noise takes none"),
        ({"storage": "nonsense"}, "^storage: not a database URL"),
    ],
)
def test_bad_options_are_one_line(file: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        session.run(options(file, **changes))
    assert "\n" not in str(caught.value)
    assert not (file.parent / "runs" / "mine" / "manifest.json").exists()


def test_the_command_to_resume_with_keeps_what_makes_the_study() -> None:
    given = Options(
        name="a b.py", quick=True, epochs=3, sampler="random", runs=Path("/x y"), trials=9,
        workers=2, fresh=True, json_output=True, quiet=True,
    )  # fmt: skip
    assert command(given) == (
        "python -m harness.study 'a b.py' --quick --epochs 3 --sampler random --runs '/x y'"
    )
    plain = Options(name="lstm_depth")
    assert command(plain) == "python -m harness.study lstm_depth"


def test_a_runs_directory_that_is_a_file(file: Path) -> None:
    (file.parent / "runs").write_text("")
    with pytest.raises(UserError, match="choose another --runs"):
        session.run(options(file))


def _contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "lock"
    }

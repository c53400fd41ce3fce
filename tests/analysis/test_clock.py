"""The time that a study still takes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from report_testing import NOW, write_run

from harness.analysis.clock import TimeLeft, side_by_side, time_left
from harness.analysis.summary import summarise
from harness.results.records import BAG_OF_EMBEDDINGS, Records, read_records

BEGAN = datetime.fromisoformat(NOW)
# A trial's sequence length, by its parity; the even ones have the lower loss. An epoch takes a
# tenth of that in seconds, times the depth: 10 and 20 s, at depth 2 20 and 40.
LENGTHS = 100, 200


def epoch_s(arm: str, trial: int) -> float:
    return LENGTHS[trial % 2] / 10 * int(arm.removeprefix("depth="))


def study(root: Path, *, trials: int, wanted: int, replicates: int = 0, **manifest: Any) -> Records:
    """Two arms of trials of two epochs, which compile for 2 s and wait for 1 s."""

    def edit(result: dict[str, Any]) -> dict[str, Any]:
        number = result["trial"]
        took = 3 + 2 * epoch_s(result["arm"], number)
        ended = (BEGAN + timedelta(seconds=took)).isoformat()
        params = {"units": 16, "sequence_length": LENGTHS[number % 2]}
        return {**result, "state": "complete", "reason": None, "value": 0.5 + number % 2,
                "best_epoch": 1, "params": params, "started": NOW, "finished": ended}  # fmt: skip

    write_run(root, compare={"depth": [1, 2]}, trials=trials, wanted=wanted, epochs=2, edit=edit)
    file = root / "manifest.json"
    content = json.loads(file.read_text()) | {"workers": 1, **manifest}
    content["spec"] |= {"replicates": replicates, "sampler": "random"}
    content["spec"]["patience"] = None
    file.write_text(json.dumps(content))
    for metrics in root.glob("trials/*/*/metrics.jsonl"):
        seconds = epoch_s(metrics.parent.parent.name, int(metrics.parent.name))
        epochs = [
            {"epoch": n, "loss": 0.5, "val_loss": 0.5, "val_accuracy": 0.8, "train_s": seconds - 1,
             "validation_s": 1.0, "compile_s": 2.0 * (n == 1), "step_ms": 1.0}
            for n in (1, 2)
        ]  # fmt: skip
        metrics.write_text("".join(json.dumps(epoch) + "\n" for epoch in epochs))
    (root / "profile.json").unlink(missing_ok=True)
    return read_records(root)


def left(records: Records, after_s: float = 0.0) -> TimeLeft:
    found = time_left(records, BEGAN + timedelta(seconds=after_s))
    assert found is not None
    return found


def test_the_trials_left_take_what_those_of_their_arm_took(tmp_path: Path) -> None:
    records = study(tmp_path / "s", trials=2, wanted=5)
    each = (3 + 2 * 15.0) + (3 + 2 * 30.0)  # means over both lengths
    assert left(records).search_s == pytest.approx(3 * each)
    assert left(records).replicates_s == 0.0
    two = study(tmp_path / "two", trials=2, wanted=5, workers=2)
    assert left(two).search_s == pytest.approx(3 * (3 + 2 * 30.0))  # the longer of two searches


def test_replicates_take_all_epochs_of_the_best_trial(tmp_path: Path) -> None:
    records = study(tmp_path / "s", trials=2, wanted=2, replicates=3)
    # A trial's program is on file, so a replicate compiles for less.
    bag = (3 + 3) * 10.0 * 2  # its candidates and replicates, as fast as the fastest epoch
    each = 2 * (0.3 * 2 + 1) + 2 * (10.0 + 20.0)
    assert left(records).replicates_s == pytest.approx(3 * each + bag, rel=0.02)
    assert left(records).search_s == 0.0


def running(records: Records, epochs: int) -> Records:
    """The last trial, of depth 2, is running and has had so many epochs."""
    trials, last = records.trials.copy(), records.trials.index[-1]
    trials.loc[last, ["state", "finished"]] = ["running", None]
    keys = ["arm", "search", "trial"]
    of_last = (records.epochs[keys] == trials.loc[last, keys]).all(axis=1)
    kept = records.epochs[~of_last | (records.epochs["epoch"] <= epochs)]
    return Records(**{**vars(records), "trials": trials, "epochs": kept})


def test_the_time_of_a_running_training_counts(tmp_path: Path) -> None:
    records = running(study(tmp_path / "s", trials=2, wanted=2), epochs=0)
    early, late = left(records, 13.0).search_s, left(records, 33.0).search_s
    assert early - late == pytest.approx(20.0)
    assert early == pytest.approx(3 + 2 * 40.0 - 13.0, rel=0.02)


def test_the_time_since_a_study_stopped_is_not_that_of_its_trainings(tmp_path: Path) -> None:
    records = study(tmp_path / "s", trials=2, wanted=2)
    day_s = 86_400.0
    assert left(running(records, epochs=0), day_s).search_s == pytest.approx(40.0, rel=0.02)
    assert left(running(records, epochs=2), day_s).search_s == 0.0
    # Resumed a moment ago, after an epoch; or a clock that was set back.
    for since_s in (0.0, -day_s):
        found = left(running(records, epochs=1), since_s).search_s
        assert found == pytest.approx(3 + 40.0, rel=0.02)


def test_trials_that_all_failed_have_no_replicates_left(tmp_path: Path) -> None:
    records = study(tmp_path / "s", trials=2, wanted=2, replicates=3, with_profile=True)
    trials = records.trials.assign(state="failed", value=float("nan"))
    bag = {"arm": BAG_OF_EMBEDDINGS, "replicate": 0}
    of_bag = records.epochs[:1].drop(columns="trial").assign(**bag)
    replicates = pd.DataFrame([{**trials.iloc[0].to_dict(), **bag, "state": "running"}])
    failed = {"trials": trials, "epochs": records.epochs[:0]}
    begun = {"replicates": replicates, "replicate_epochs": of_bag}
    found = left(Records(**{**vars(records), **failed, **begun}))
    assert found.search_s == 0.0
    assert found.replicates_s == pytest.approx(3 * 2 * 10.0)  # the bag's alone, of two epochs


def test_an_arm_without_a_training_is_scaled_by_its_shape(tmp_path: Path) -> None:
    records = study(tmp_path / "s", trials=2, wanted=2)
    deeper = records.trials["arm"] == "depth=2"
    kept = records.epochs["arm"] != "depth=2"
    one = Records(
        **{**vars(records), "trials": records.trials[~deeper], "epochs": records.epochs[kept]}
    )
    seen = 2 * (3 + 2 * 15.0)
    assert 1.2 * seen < left(one).search_s < 2.2 * seen


def test_the_profile_counts_until_it_is_there(tmp_path: Path) -> None:
    records = study(tmp_path / "s", trials=2, wanted=5, with_profile=True)
    assert left(records).profile_s > 0.0
    assert left(records).seconds == left(records).search_s + left(records).profile_s
    without = study(tmp_path / "without", trials=2, wanted=5, with_profile=False)
    assert left(without).profile_s == 0.0


def test_before_the_first_epoch_it_is_the_estimate_of_a_profile(tmp_path: Path) -> None:
    estimate = {"seconds": 90.0, "search_s": 60.0, "replicates_s": 30.0, "profile": "p.json"}
    records = study(tmp_path / "s", trials=0, wanted=2, estimate=estimate)
    assert left(records, 20.0) == TimeLeft(40.0, 30.0, 0.0)
    # An epoch should have ended long ago: the study has stopped, or the estimate was wrong.
    assert time_left(records, BEGAN + timedelta(days=1)) is None
    assert time_left(study(tmp_path / "none", trials=0, wanted=2), BEGAN) is None


def test_the_summary_says_it_until_the_study_is_finished(tmp_path: Path) -> None:
    open_study = study(tmp_path / "s", trials=2, wanted=5)
    found = summarise(open_study, "report.html")["time_left"]
    assert found["seconds"] == pytest.approx(left(open_study).seconds)
    assert set(found) == {"seconds", "search_s", "replicates_s", "profile_s"}
    ended = study(tmp_path / "ended", trials=2, wanted=2)
    assert time_left(ended, datetime.now(UTC)) is None
    assert summarise(ended, "report.html")["time_left"] is None


def test_the_next_free_worker_takes_the_longest_piece() -> None:
    assert side_by_side([1.0, 2.0, 3.0, 4.0], 2) == 5.0
    assert side_by_side([], 2) == 0.0
    assert side_by_side([4.0, 1.0], 1) == 5.0

"""How long a study will take, estimated from profiles."""

import copy
import json
from pathlib import Path

from profile_testing import profile
from report_testing import write_run
from toys import toy_study

from harness.profile import estimate


def test_predictions_use_all_profiles_of_one_machine_and_no_others(tmp_path: Path) -> None:
    study = toy_study(backend="tensorflow")
    runs_directory = tmp_path / "runs"
    own = profile()
    for name, cpu, factor in (("a", "A processor", 1.0), ("b", "A processor", 3.0),
                              ("c", "Another", 100.0)):  # fmt: skip
        each = copy.deepcopy(own)
        each["environment"]["cpu"] = cpu
        for entry in each["entries"]:
            entry["step_ms"]["median"] *= factor
        (runs_directory / name).mkdir(parents=True)
        (runs_directory / name / "profile.json").write_text(json.dumps(each))
    found = estimate.predict_study(study, "mine", 2, runs_directory)
    assert found is not None
    both, told = found
    assert told == f"{runs_directory / 'a' / 'profile.json'} and 1 more of this machine"
    for name in ("b", "c"):
        (runs_directory / name / "profile.json").unlink()
    found = estimate.predict_study(study, "mine", 2, runs_directory)
    assert found is not None
    alone, told = found
    assert told == str(runs_directory / "a" / "profile.json")
    assert alone.seconds < both.seconds < 10 * alone.seconds
    assert estimate.predict_study(study, "mine", 2, tmp_path / "empty") is None


def test_the_trainings_beside_a_profile_say_what_its_one_shape_does_not(tmp_path: Path) -> None:
    study = toy_study(backend="tensorflow")
    root = write_run(
        tmp_path / "runs" / "quick", trials=8, edit=lambda result: {**result, "step_ms": 2000.0}
    )
    one = profile(arms=["depth=1"])
    one["entries"] = one["entries"][:1]
    (root / "profile.json").write_text(json.dumps(one))
    found = estimate.predict_study(study, "mine", 1, tmp_path / "runs")
    (root / "manifest.json").unlink()
    alone = estimate.predict_study(study, "mine", 1, tmp_path / "runs")
    assert found is not None
    assert alone is not None
    assert found[0].seconds > alone[0].seconds + 10


def test_a_search_that_goes_to_slow_configurations_takes_longer_than_the_mean() -> None:
    from optuna.distributions import IntDistribution

    own = profile()
    large = copy.deepcopy(own["entries"][0]) | {"units": 512}
    large["step_ms"]["median"] *= 50
    own["entries"].append(large)
    fixed = estimate.estimate(toy_study(backend="tensorflow", search={}), own, workers=1)
    searched = estimate.estimate(
        toy_study(backend="tensorflow", search={"units": IntDistribution(2, 512)}), own, workers=1
    )
    highest = estimate.estimate(
        toy_study(backend="tensorflow", search={"units": IntDistribution(512, 512)}), own, workers=1
    )
    assert fixed is not None
    assert searched is not None
    assert highest is not None
    assert fixed.told.startswith("at most ")  # nothing to choose: all configurations cost the same
    assert searched.seconds < searched.most_s
    assert searched.most_s == highest.most_s
    assert searched.told.startswith("about ")
    assert "at most" in searched.told

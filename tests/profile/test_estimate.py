"""How long a study will take, estimated from profiles."""

import copy
import json
from pathlib import Path

from profile_testing import profile
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

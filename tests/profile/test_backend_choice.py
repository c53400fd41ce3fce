"""`--backend auto`: the fastest backend by measurements, else the default, and always why."""

import json
from pathlib import Path
from typing import Any

import pytest
from session_testing import options, outcome, study_file, use_toy_pool
from toys import Noise, toy_study

from harness.core.errors import UserError
from harness.profile import backend_choice
from harness.profile.backend_choice import choose, resolved
from harness.results.records import read_records
from harness.spec.hyperparameters import Hyperparameters
from harness.study import session
from harness.study.plan import plan, plan_mapping
from harness.training.recurrent import choose_path

BOTH = ("tensorflow", "jax")
# Milliseconds of a step of 5 and of 64 units, seconds to import and to compile.
SLOW_START, FAST_START = (1.0, 10.0, 9.0, 6.0), (2.0, 20.0, 1.0, 1.0)


def records(backend: str, times: tuple[float, ...], device: str = "cpu") -> list[dict[str, Any]]:
    """Made-up measurements of a backend, also of a path that it would not take."""
    found = []
    for units, step_ms in zip((5, 64), times, strict=False):
        hp = Hyperparameters(units=units)
        right = choose_path(hp, device=device, backend=backend)
        other = "keras" if right != "keras" else "xla-scan"
        for path, ms in ((right, step_ms), (other, step_ms / 1000.0), (None, 0.0)):
            found.append({
                "backend": backend, "device": device, "path": path, "cell": "lstm", "depth": 2,
                "units": units, "batch_size": 32, "sequence_length": 100, "vocabulary": 10_000,
                "embedding_dim": 32, "import_s": times[2], "compile_s": times[3], "step_ms": ms,
                "evaluation_ms": ms / 3,
            })  # fmt: skip
    return found


def measure(folder: Path, **by_backend: tuple[float, ...]) -> None:
    found = [record for name, times in by_backend.items() for record in records(name, times)]
    folder.mkdir(exist_ok=True)
    (folder / "cpu.json").write_text(json.dumps({"records": found}))


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "measured"
    monkeypatch.setattr(backend_choice, "MEASURED", folder)
    measure(folder, tensorflow=SLOW_START, jax=FAST_START, torch=(500.0, 500.0, 3.0, 0.0))
    return folder


def on(train: int, **changes: Any) -> Any:
    return toy_study(dataset=Noise(train=train), backend="auto", device="cpu", **changes)


@pytest.mark.usefixtures("measured")
def test_starts_and_compiling_decide_small_studies_and_steps_decide_large_ones() -> None:
    small = choose(on(64), installed=BOTH)
    assert small.backend == "jax"
    assert small.why.startswith("the fastest by measurements on a cpu: on one worker jax ")
    assert ", tensorflow " in small.why
    large = choose(on(64_000), installed=BOTH)
    assert large.backend == "tensorflow"
    assert "on one worker tensorflow " in large.why
    assert "torch" not in large.why
    assert "torch " in choose(on(64), installed=(*BOTH, "torch")).why


def test_where_no_backend_is_faster_the_default_is_taken(measured: Path) -> None:
    measure(measured, jax=SLOW_START, tensorflow=SLOW_START)
    assert choose(on(64), installed=("jax", "tensorflow")).backend == "tensorflow"


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("changes", "where", "why"),
    [
        ({}, {"device": "gpu"}, "on a gpu the installed backends were not measured"),
        ({}, {"installed": ("tensorflow",)}, "no other backend is installed"),
        ({"fixed": {"cell": "gru"}}, {}, "gru layers of 4 units were not measured on a cpu"),
        (
            {"search": {}, "fixed": {"units": 200}}, {},
            "lstm layers of 200 units were not measured on a cpu",
        ),
        ({"fixed": {"batch_size": 8}}, {}, "batches of 8 were not measured on a cpu"),
        ({"path": "keras"}, {}, "measures no path but the fastest, and the study names one"),
    ],
)  # fmt: skip
def test_what_was_not_measured_gets_the_default_and_it_is_said(
    changes: dict[str, Any], where: dict[str, Any], why: str
) -> None:
    choice = choose(on(64, **changes), **{"installed": BOTH, **where})
    assert choice.backend == "tensorflow"
    assert choice.why.endswith(why)


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_study_of_bags_of_embeddings_gets_the_default(device: str) -> None:
    bag = {"cell": "bag", "vocabulary": 100, "depth": 1}
    study = on(64, compare={"embedding_dim": [8, 16]}, search={}, fixed=bag)
    choice = choose(study, installed=BOTH, device=device)
    assert choice.backend == "tensorflow"
    assert choice.why == "the default, because only recurrent networks were measured"


def test_it_says_what_to_give_where_the_default_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = {"torch", "jax", "filelock"}
    monkeypatch.setattr(backend_choice, "find_spec", lambda name: name in there or None)
    told = "tensorflow is not installed; pip install tensorflow, or give --backend jax or torch$"
    with pytest.raises(UserError, match=told):
        backend_choice.check_installed("tensorflow")


def test_without_measurements_the_default_is_taken(measured: Path) -> None:
    (measured / "cpu.json").unlink()
    assert choose(on(64), installed=BOTH).backend == "tensorflow"


def test_a_backend_is_taken_only_where_its_packages_are(
    measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAX's cache of programs needs filelock."""
    there = {"tensorflow", "jax"}
    monkeypatch.setattr(backend_choice, "find_spec", lambda name: name in there or None)
    assert resolved(on(64))[1] == "no other backend is installed"
    with pytest.raises(UserError, match="jax is not installed; pip install filelock, or leave"):
        resolved(toy_study(backend="jax"))
    there.add("filelock")
    study, why = resolved(on(64))
    assert (study.backend, why[:11]) == ("jax", "the fastest")
    assert resolved(toy_study(backend="jax")) == (toy_study(backend="jax"), "")


def test_a_study_says_its_backend_and_keeps_it_when_it_resumes(
    measured: Path,
    ram_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    no_charts: None,
) -> None:
    monkeypatch.setattr(backend_choice, "find_spec", lambda name: True)
    use_toy_pool(monkeypatch)
    file = study_file(ram_path, "fast")
    asked: dict[str, Any] = {"backend": "auto", "device": "cpu"}
    assert "\nbackend    auto: jax, the fastest by" in plan(options(file, **asked))
    assert plan_mapping(options(file, **asked))["spec"]["backend"] == "jax"
    assert session.run(options(file, **{**asked, "quiet": False}, trials=2)) == 0
    assert "backend auto: jax, the fastest by measurements on a cpu" in capsys.readouterr().err
    root = ram_path / "runs" / "fast"
    manifest = read_records(root).manifest
    assert manifest.spec["backend"] == "jax"
    assert manifest.backend_why.startswith("the fastest by measurements")
    assert manifest.backend_why in (root / "report.html").read_text()

    measure(measured, tensorflow=FAST_START, jax=SLOW_START)  # of another version
    assert session.run(options(file, **{**asked, "quiet": False}, trials=3)) == 0
    assert "backend auto: jax, the study began with it" in capsys.readouterr().err
    again = read_records(root).manifest
    assert (again.spec["backend"], again.backend_why) == ("jax", manifest.backend_why)
    with pytest.raises(UserError, match='backend: "jax" → "tensorflow"'):
        session.run(options(file, backend="tensorflow", device="cpu"))
    outcome(file, capsys, **asked, fresh=True)
    assert read_records(root).manifest.spec["backend"] == "tensorflow"

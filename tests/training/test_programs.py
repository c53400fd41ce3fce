"""Programs found in the store are the code that was compiled first, and give the same numbers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import json, sys
from training_testing import numbers, toy_data, train
from harness.spec.hyperparameters import Hyperparameters
from harness.training import programs
from harness.training.trainer import Trainer

told = []
trainer = Trainer(device="cpu", notify=told.append)
real, traced = programs._fresh, []
programs._fresh = lambda key, *rest: traced.append(key) or real(key, *rest)
found = []
for more in json.loads(sys.argv[1]):
    hp = Hyperparameters(**more)
    done = train(trainer, hp, toy_data(), seed=4)
    found.append([
        [(e.loss, e.accuracy, e.val_loss, e.val_accuracy) for e in done.epochs],
        [float(w.sum()) for w in trainer.weights()],
        done.path,
    ])
print(json.dumps({"found": found, "traced": len(traced), "told": told}))
"""
SMALL = {"depth": 2, "units": 4, "sequence_length": 8, "batch_size": 16, "embedding_dim": 5,
         "vocabulary": 40}  # fmt: skip


def _train(store: Path | str, *shapes: dict[str, Any], **variables: str) -> dict[str, Any]:
    """Train these in a process of its own; what it found, traced and said."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([{**SMALL, **each} for each in shapes])],
        capture_output=True, text=True, check=False, timeout=300,
        env={
            **os.environ, "HARNESS_COMPILE_CACHE": str(store), "TF_CPP_MIN_LOG_LEVEL": "3",
            "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1",
            "PYTHONPATH": os.pathsep.join(sys.path), **variables,
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.slow
def test_another_process_traces_nothing_and_finds_the_same_numbers(tmp_path: Path) -> None:
    """In another order, with other rates, and with dropout: names and seeds must not matter."""
    shapes = [
        {"cell": "lstm", "dropout": 0.3},
        {"cell": "gru", "learning_rate": 0.01},
        {"cell": "rnn", "bidirectional": True},
    ]
    fresh = _train(tmp_path / "p", *shapes)
    assert fresh["traced"] == 3
    again = _train(tmp_path / "p", *reversed(shapes))
    assert again["traced"] == 0
    assert again["found"] == fresh["found"][::-1]
    assert fresh["told"] == again["told"] == []
    without = _train("off", *shapes)
    assert without["traced"] == 3
    assert without["found"] == fresh["found"]


def test_a_process_started_by_a_training_one_has_a_store_of_its_own(monkeypatch) -> None:
    """The flags of the process that started it name that one's folder."""
    from harness.training import programs

    mine = "--tf_xla_auto_jit=0"
    theirs = f"{programs.FLAG}/tmp/{programs.SCRATCH}7-x {programs.STRICT}"
    monkeypatch.setenv("TF_XLA_FLAGS", f"{mine} {theirs}")
    programs._forget_inherited()
    assert os.environ["TF_XLA_FLAGS"] == mine
    users = f"{programs.FLAG}/home/me/cache {programs.STRICT}"
    monkeypatch.setenv("TF_XLA_FLAGS", users)
    programs._forget_inherited()
    assert os.environ["TF_XLA_FLAGS"] == users


@pytest.mark.slow
def test_what_can_not_be_used_is_compiled_anew(tmp_path: Path) -> None:
    """A file with the right hash that XLA can't read; then one for other flags of the compiler."""
    from harness.training.program_store import ProgramStore

    shape = {"cell": "gru"}
    fresh = _train(tmp_path / "p", shape)
    (file,) = (tmp_path / "p").rglob("*.program")
    store = ProgramStore(tmp_path / "p", file.parent.name)
    parts = store.load(file.stem)
    assert parts is not None
    for name, content in parts.items():
        if name.startswith("code/"):
            parts[name] = content[: len(content) // 2]
    store.save(file.stem, parts)
    again = _train(tmp_path / "p", shape)
    assert again["traced"] == 1
    assert again["found"] == fresh["found"]
    assert again["told"] == []
    _train(tmp_path / "p", shape, XLA_FLAGS="--xla_cpu_prefer_vector_width=256")
    assert len({each.parent for each in (tmp_path / "p").rglob("*.program")}) == 2


@pytest.mark.slow
def test_a_folder_open_to_others_is_said_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p").chmod(0o777)
    found = _train(tmp_path / "p", {"cell": "rnn"})
    assert "compiled programs are not kept" in found["told"][0]
    assert not list((tmp_path / "p").rglob("*"))

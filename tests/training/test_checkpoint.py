"""Checkpoints are exact, complete or absent, and never those of another training."""

import json
from pathlib import Path

import numpy as np
import pytest

from harness.training import checkpoint
from harness.training.checkpoint import Checkpoint


def example(epoch: int, identity: str = "a") -> Checkpoint:
    rng = np.random.default_rng(epoch)
    return Checkpoint(
        identity,
        [{"epoch": i + 1, "loss": rng.random() / 3} for i in range(epoch)],
        [
            rng.normal(size=(50, 3)).astype(np.float32),
            np.array(epoch),
            rng.integers(0, 2**32, 2, dtype=np.uint32),
            np.zeros((0, 4)),
        ],
    )


def assert_same(one: Checkpoint | None, two: Checkpoint) -> None:
    assert one is not None
    assert one.history == two.history
    assert len(one.arrays) == len(two.arrays)
    for a, b in zip(one.arrays, two.arrays, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()


def test_what_is_saved_is_loaded_to_the_last_bit(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, example(3))
    assert_same(checkpoint.load(tmp_path, "a"), example(3))


def test_the_last_of_two_generations_is_loaded(tmp_path: Path) -> None:
    for epoch in (1, 2, 3, 4):
        checkpoint.save(tmp_path, example(epoch))
    assert_same(checkpoint.load(tmp_path, "a"), example(4))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{epoch}-00000000.{kind}" for epoch in ("0003", "0004") for kind in ("arrays", "json")
    ]


@pytest.mark.parametrize("name", ["0002-00000000.arrays", "0002-00000000.json"])
@pytest.mark.parametrize("tenth", range(10))
def test_truncated_anywhere_the_generation_before_is_used(
    tmp_path: Path, name: str, tenth: int
) -> None:
    for epoch in (1, 2):
        checkpoint.save(tmp_path, example(epoch))
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) * tenth // 10])
    assert_same(checkpoint.load(tmp_path, "a"), example(1))


def test_a_changed_figure_is_noticed(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, example(1))
    file = tmp_path / "0001-00000000.json"
    outer = json.loads(file.read_text())
    outer["record"]["history"][0]["loss"] += 0.1
    file.write_text(json.dumps(outer))
    assert checkpoint.load(tmp_path, "a") is None


def test_a_pause_within_an_epoch_counts_as_later_than_the_epoch_before(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, example(2))
    within = example(2)
    checkpoint.save(
        tmp_path, Checkpoint("a", within.history, within.arrays, step=120, seconds=1 / 3)
    )
    found = checkpoint.load(tmp_path, "a")
    assert found is not None
    assert (found.epoch, found.step, found.seconds) == (2, 120, 1 / 3)
    checkpoint.save(tmp_path, example(3))
    assert_same(checkpoint.load(tmp_path, "a"), example(3))


def test_arrays_without_their_json_do_not_count(tmp_path: Path) -> None:
    for epoch in (1, 2):
        checkpoint.save(tmp_path, example(epoch))
    (tmp_path / "0002-00000000.json").unlink()  # killed between the two files
    assert_same(checkpoint.load(tmp_path, "a"), example(1))


def test_another_trainings_checkpoint_is_not_taken(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, example(1, identity="other"))
    assert checkpoint.load(tmp_path, "a") is None


def test_none_is_there(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "nowhere", "a") is None
    checkpoint.remove(tmp_path / "nowhere")

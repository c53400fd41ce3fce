"""A training resumed from a checkpoint ends bit for bit as one that was never interrupted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.datasets.base.dataset import Arrays
from harness.spec.hyperparameters import Hyperparameters
from harness.training import compiled_epochs
from harness.training.checkpoint import Checkpoints, TrainingPaused
from harness.training.trainer import Callbacks, Data, Epoch, Trainer, TrainOptions

pytestmark = pytest.mark.slow


def arrays(n: int, seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    return Arrays(
        rng.integers(0, 50, (n, 6), dtype=np.int32), rng.integers(0, 2, n, dtype=np.int32)
    )


DATA = Data(train=arrays(70, 0), validation=arrays(33, 1))


class Interrupted(BaseException):
    pass


def train(
    trainer: Trainer,
    hp: Hyperparameters,
    folder: Path | None,
    *,
    interrupt_after: int = 99,
    pause: Callable[[], bool] = lambda: False,
    keep_best: bool = False,
) -> list[Epoch]:
    heard: list[Epoch] = []

    def on_epoch(epoch: Epoch) -> bool:
        heard.append(epoch)
        if len(heard) == interrupt_after:
            raise Interrupted
        return True

    trainer.train(
        hp,
        DATA,
        TrainOptions(seed=3, epochs=4, keep_best=keep_best),
        Callbacks(on_epoch=on_epoch),
        folder and Checkpoints(folder, "x", pytest.fail, pause),
    )
    return heard


def numbers(epochs: list[Epoch]) -> list[tuple[float, ...]]:
    return [(e.epoch, e.loss, e.accuracy, e.val_loss, e.val_accuracy) for e in epochs]


@pytest.mark.parametrize("path", ["xla-scan", "keras"])
def test_resumed_in_a_fresh_trainer_it_ends_bit_identical(tmp_path: Path, path: str) -> None:
    hp = Hyperparameters(
        cell="lstm", depth=2, units=3, vocabulary=50, embedding_dim=4, sequence_length=6,
        dropout=0.3, learning_rate=0.02, batch_size=16,
    )  # fmt: skip
    whole = Trainer(path=path)
    expected = train(whole, hp, None)
    for interrupt_after in (1, 3):
        folder = tmp_path / str(interrupt_after)
        with pytest.raises(Interrupted):
            train(Trainer(path=path), hp, folder, interrupt_after=interrupt_after)
        resumed = Trainer(path=path)
        # Something else first: what a worker trained before must not matter.
        train(resumed, Hyperparameters(depth=1, units=2, vocabulary=50, sequence_length=6), None)
        heard = train(resumed, hp, folder)
        assert numbers(heard) == numbers(expected)
        for one, two in zip(whole.weights(), resumed.weights(), strict=True):
            assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("path", ["xla-scan", "keras"])
def test_the_best_epochs_weights_survive_an_interruption(tmp_path: Path, path: str) -> None:
    hp = Hyperparameters(
        cell="gru", depth=1, units=3, vocabulary=50, embedding_dim=4, sequence_length=6,
        learning_rate=0.2, batch_size=16,
    )  # fmt: skip
    whole = Trainer(path=path)
    expected = train(whole, hp, None, keep_best=True)
    best = min(expected, key=lambda epoch: epoch.val_loss)
    assert best.epoch < 4  # the last epoch is not the best one: else this would test nothing
    assert whole.evaluate(DATA.validation)[0] == pytest.approx(best.val_loss, rel=1e-6)
    with pytest.raises(Interrupted):
        train(Trainer(path=path), hp, tmp_path, interrupt_after=3, keep_best=True)
    resumed = Trainer(path=path)
    train(resumed, hp, tmp_path, keep_best=True)
    for one, two in zip(whole.weights(), resumed.weights(), strict=True):
        assert one.tobytes() == two.tobytes()


def test_paused_within_an_epoch_it_ends_bit_identical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hp = Hyperparameters(
        cell="gru", depth=2, units=3, vocabulary=50, embedding_dim=4, sequence_length=6,
        dropout=0.3, learning_rate=0.02, batch_size=2,
    )  # fmt: skip
    expected = train(whole := Trainer(), hp, None)
    # Blocks of a few steps, so that these short epochs can be interrupted.
    monkeypatch.setattr(compiled_epochs, "PROGRESS_S", 1e-9)
    pauses = iter([False] * 5 + [True] + [False] * 40 + [True])
    trainer = Trainer()
    for _ in range(2):
        with pytest.raises(TrainingPaused):
            train(trainer, hp, tmp_path, pause=lambda: next(pauses))
        steps = [int(file.stem.split("-")[1]) for file in tmp_path.glob("*.json")]
        assert max(steps) > 0
    resumed = Trainer()
    assert numbers(train(resumed, hp, tmp_path)) == numbers(expected)
    for one, two in zip(whole.weights(), resumed.weights(), strict=True):
        assert one.tobytes() == two.tobytes()


def test_a_checkpoint_of_another_path_is_left_and_the_training_starts_again(
    tmp_path: Path,
) -> None:
    hp = Hyperparameters(depth=1, units=2, vocabulary=50, embedding_dim=4, sequence_length=6)
    with pytest.raises(Interrupted):
        train(Trainer(path="keras"), hp, tmp_path, interrupt_after=2)
    trainer = Trainer(path="xla-scan")
    checkpoints = Checkpoints(tmp_path, "x", pytest.fail)
    options = TrainOptions(seed=3, epochs=2)
    done = trainer.train(hp, DATA, options, Callbacks(), checkpoints)
    assert checkpoints.restored == 0
    assert numbers(list(done.epochs)) == numbers(
        list(trainer.train(hp, DATA, options, Callbacks()).epochs)
    )


def test_a_checkpoint_that_cannot_be_written_is_reported_and_training_continues(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    heard: list[str] = []
    hp = Hyperparameters(depth=1, units=2, vocabulary=50, sequence_length=6)
    training = Trainer().train(
        hp,
        DATA,
        TrainOptions(seed=3, epochs=2),
        Callbacks(),
        Checkpoints(tmp_path / "file" / "below", "x", heard.append),
    )
    assert len(training.epochs) == 2
    assert len(heard) == 2
    assert "training continues" in heard[0]


@pytest.mark.parametrize("path", ["xla-scan", "keras"])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "sgd", "momentum": 0.9, "schedule": "warmup_cosine", "clip_norm": 0.1},
        {"optimizer": "rmsprop", "momentum": 0.5, "schedule": "plateau", "weight_decay": 0.01},
        {"optimizer": "adamw", "schedule": "cosine", "recurrent_dropout": 0.3, "mask": True,
         "embedding_dropout": 0.2, "class_weight": "balanced", "label_smoothing": 0.1},
    ],
    ids=lambda options: options["optimizer"],
)  # fmt: skip
def test_every_optimizer_and_schedule_resumes_bit_identical(
    tmp_path: Path, path: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each epoch on both paths, and within an epoch where a path can pause there."""
    hp = Hyperparameters(
        cell="gru", depth=2, units=3, vocabulary=50, embedding_dim=4, sequence_length=6,
        dropout=0.3, learning_rate=0.3, batch_size=4, **options,
    )  # fmt: skip
    expected = train(whole := Trainer(path=path), hp, None)
    with pytest.raises(Interrupted):
        train(Trainer(path=path), hp, tmp_path, interrupt_after=2)
    if path != "keras":
        monkeypatch.setattr(compiled_epochs, "PROGRESS_S", 1e-9)  # blocks of a few steps
        pauses = iter([False] * 3 + [True])
        with pytest.raises(TrainingPaused):
            train(Trainer(path=path), hp, tmp_path, pause=lambda: next(pauses))
    resumed = Trainer(path=path)
    assert numbers(train(resumed, hp, tmp_path)) == numbers(expected)
    for one, two in zip(whole.weights(), resumed.weights(), strict=True):
        assert one.tobytes() == two.tobytes()

"""Layers that carry their state from batch to batch, over a text that goes on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_testing import numbers

from harness import Budget, CharacterFiles, FloatDistribution, Hyperparameters, Study
from harness.core.errors import UserError
from harness.datasets.base.dataset import Split
from harness.spec.checks import check_options
from harness.training import compiled_epochs, networks
from harness.training.checkpoint import Checkpoints, TrainingPaused
from harness.training.trainer import Callbacks, Data, Trainer, TrainOptions, load

STEPS, BATCH = 6, 4
HP = Hyperparameters(
    cell="lstm", depth=2, units=7, embedding_dim=5, vocabulary=20, sequence_length=STEPS,
    batch_size=BATCH, learning_rate=0.02, stateful=True,
)  # fmt: skip


@pytest.fixture
def dataset(tmp_path: Path) -> CharacterFiles:
    file = tmp_path / "book.txt"
    file.write_text("".join(np.random.RandomState(0).choice(list("abcde ."), 1_000)))
    return CharacterFiles.of(file, predicted=STEPS, train=80, validation=8, test=24)


@pytest.mark.parametrize("cell", [pytest.param("rnn", marks=pytest.mark.slow), "gru", "lstm"])
def test_a_whole_epoch_is_that_of_stock_keras(cell: str, dataset: CharacterFiles) -> None:
    hp = replace(HP, cell=cell)
    results, outputs = [], []
    for path in ("xla-scan", "keras"):
        trainer = Trainer(path=path, notify=pytest.fail)
        data = Data.of(dataset, hp)
        training = trainer.train(hp, data, TrainOptions(seed=1, epochs=2), Callbacks())
        results.append(np.array(numbers(training)))
        # The test split is three times as large, and is scored in pieces.
        splits = [load(dataset, split, hp) for split in ("validation", "test")]
        outputs.append(np.concatenate([trainer.predict(split) for split in splits]))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4)
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("of", ["validation", "test"])
def test_outputs_are_those_of_the_whole_text_at_once(of: Split, dataset: CharacterFiles) -> None:
    """Also of a split that is larger than the validation split, and so scored in pieces."""
    trainer = Trainer(path="xla-scan")
    trainer.train(HP, Data.of(dataset, HP), TrainOptions(seed=1, epochs=1), Callbacks())
    split = load(dataset, of, HP)
    found = trainer.predict(split)
    rows = np.asarray(split.x).reshape(BATCH, -1)  # a row of each batch, from the first to the last
    whole = networks.build(
        replace(HP, stateful=False, sequence_length=rows.shape[1]),
        replace(dataset.signature, steps=rows.shape[1]),
        path="keras",
        seed=0,
    )
    whole.set_weights(trainer.stock_model().get_weights())
    expected = whole.predict(rows, verbose=0).reshape(found.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_paused_within_an_epoch_it_ends_bit_identical(
    dataset: CharacterFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hp = replace(HP, cell="gru", dropout=0.2)
    options = TrainOptions(seed=2, epochs=2, keep_best=True)
    whole = Trainer(path="xla-scan")
    expected = numbers(whole.train(hp, Data.of(dataset, hp), options, Callbacks()))
    monkeypatch.setattr(compiled_epochs, "PROGRESS_S", 1e-9)  # blocks of a few steps
    pauses = iter([False] * 2 + [True])
    checkpoints = Checkpoints(tmp_path / "c", "x", pytest.fail, lambda: next(pauses))
    with pytest.raises(TrainingPaused):
        Trainer(path="xla-scan").train(hp, Data.of(dataset, hp), options, Callbacks(), checkpoints)
    resumed = Trainer(path="xla-scan")
    again = Checkpoints(tmp_path / "c", "x", pytest.fail)
    assert numbers(resumed.train(hp, Data.of(dataset, hp), options, Callbacks(), again)) == expected
    for one, two in zip(whole.weights(), resumed.weights(), strict=True):
        assert one.tobytes() == two.tobytes()


def test_the_stock_model_keeps_no_state_and_takes_any_batch(dataset: CharacterFiles) -> None:
    trainer = Trainer(path="xla-scan")
    trainer.train(HP, Data.of(dataset, HP), TrainOptions(seed=1, epochs=1), Callbacks())
    stock = trainer.stock_model()
    assert not networks.states(stock)
    x = load(dataset, "validation", HP).x[:3]
    one, two = stock.predict(x, verbose=0), stock.predict(x, verbose=0)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 3}, "train has 80 examples, which is no multiple of the batch_size 3"),
        ({"batch_size": 160}, "train has 80 examples, fewer than the batch_size 160"),
        ({"sequence_length": 9}, "with a sequence_length of 6"),
        ({"stateful": 1}, "neither True nor False"),
    ],
)
def test_what_can_not_be_carried_is_refused(
    changes: dict[str, int], message: str, dataset: CharacterFiles
) -> None:
    with pytest.raises(UserError, match=message):
        check_options(dataset, replace(HP, **changes))


def test_a_study_may_have_no_test_split(dataset: CharacterFiles) -> None:
    check_options(replace(dataset, test=0), HP)


def test_each_compared_number_of_examples_is_checked(dataset: CharacterFiles) -> None:
    fixed = HP.to_mapping() | {"stateful": True}
    declared: dict[str, Any] = {
        "dataset": dataset,
        "fixed": {name: value for name, value in fixed.items() if name != "learning_rate"},
        "search": {"learning_rate": FloatDistribution(1e-3, 1e-2)},
        "budget": Budget(trials=1, epochs=1),
    }
    Study(compare={"train": [40, 80]}, **declared)
    with pytest.raises(UserError, match="train has 50 examples, which is no multiple"):
        Study(compare={"train": [50, 80]}, **declared)


def test_examples_that_do_not_follow_each_other_are_refused() -> None:
    from harness import Parity

    with pytest.raises(UserError, match="the examples of dataset parity do not follow each other"):
        check_options(Parity(), replace(HP, sequence_length=11))

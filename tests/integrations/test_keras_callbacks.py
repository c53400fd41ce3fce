"""Callbacks of Keras beside a training: what they set acts; what could not act is refused."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import keras_tuner as kt
import numpy as np
import optuna
import pytest

from harness.core.errors import UserError
from harness.integrations.optuna import optuna_objective
from harness.models import StackedRNN

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

STUDY = """
from harness import Budget, FloatDistribution, Parity, Study

study = Study(
    dataset=Parity(train=64, validation=32, test=32, length=6),
    search={"learning_rate": FloatDistribution(1e-2, 1e-1, log=True)},
    fixed={"cell": "gru", "depth": 1, "units": 3, "vocabulary": 10, "embedding_dim": 2,
           "batch_size": 16, "sequence_length": 7},
    budget=Budget(trials=2, epochs=3))
"""


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("study") / "tiny.py"
    file.write_text(STUDY)
    return file


@pytest.fixture(scope="module")
def model(declared: Path) -> Iterator[StackedRNN]:
    yield StackedRNN.from_study(declared)
    keras.backend.clear_session()


def losses(model: StackedRNN, *callbacks: Any, epochs: int = 3, **options: Any) -> list[float]:
    """The validation losses of a training from the study's seed."""
    hp = kt.HyperParameters()
    history = model.fit(hp, model.build(hp), epochs=epochs, callbacks=callbacks, **options)
    found: list[float] = history.history["val_loss"]
    return found


def at(epoch_of: int, do: Any) -> keras.callbacks.Callback:
    """Does something with the model when that epoch begins."""

    class At(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == epoch_of:
                do(self.model)

    return At()


def set_rate(rate: Any, model: Any) -> None:
    model.optimizer.learning_rate = rate


class Frozen(keras.callbacks.Callback):
    def on_train_begin(self, logs: Any = None) -> None:
        set_rate(0.0, self.model)


def test_a_rate_that_a_callback_sets_acts(model: StackedRNN) -> None:
    plain = losses(model)
    assert len(set(plain)) == 3
    assert losses(model, keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)) == plain
    for frozen in (keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.0), Frozen()):
        found = losses(model, frozen)
        assert found[0] != plain[0]
        assert len(set(found)) == 1
    later = losses(model, at(1, functools.partial(set_rate, 0.0)))
    assert later == [plain[0]] * 3
    assert losses(model) == plain  # the next training has its own rate again


def test_a_rate_set_when_an_epoch_ends_acts_on_the_next(model: StackedRNN) -> None:
    plain = losses(model)
    reduce = keras.callbacks.ReduceLROnPlateau(
        monitor="val_loss", factor=1e-30, patience=0, min_delta=100.0, mode="min"
    )
    found = losses(model, reduce, epochs=4)
    assert found[:2] == plain[:2]
    assert found[2] == pytest.approx(found[1])
    assert found[3] == pytest.approx(found[1])


def test_weights_that_a_callback_sets_act(model: StackedRNN) -> None:
    def zero(trained: Any) -> None:
        set_rate(0.0, trained)
        trained.set_weights([np.zeros_like(weights) for weights in trained.get_weights()])

    plain = losses(model)
    for epoch in (0, 1):
        found = losses(model, at(epoch, zero))
        assert found[:epoch] == plain[:epoch]
        assert found[epoch:] == pytest.approx([np.log(2)] * (3 - epoch))


def test_the_schedule_acts_in_a_search_as_well(model: StackedRNN, tmp_path: Path) -> None:
    scores = []
    for name, rate in (("plain", 1.0), ("frozen", 0.0)):
        schedule = keras.callbacks.LearningRateScheduler(lambda epoch, old, rate=rate: rate * old)
        tuner = kt.RandomSearch(
            model, objective="val_loss", max_trials=1, seed=1, directory=tmp_path,
            project_name=name,
        )  # fmt: skip
        tuner.search(epochs=2, callbacks=[schedule], verbose=0)
        scores.append(tuner.oracle.get_best_trials()[0].score)
    assert scores[0] != scores[1]


class OfSteps(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        raise AssertionError("never called")


class OfTests(keras.callbacks.Callback):
    def on_test_end(self, logs: Any = None) -> None:
        raise AssertionError("never called")


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (OfSteps(), "OfSteps has on_train_batch_end, which is never called"),
        (OfTests(), "OfTests has on_test_end"),
        (
            keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: None),
            "LambdaCallback has on_train_batch_begin",
        ),
        ([[OfSteps()]], "OfSteps has"),
        (keras.callbacks.ModelCheckpoint("a.keras", save_freq=5), "ModelCheckpoint counts steps"),
        (
            at(0, functools.partial(set_rate, keras.optimizers.schedules.CosineDecay(0.1, 10))),
            "to a schedule of steps",
        ),
    ],
)
def test_what_would_have_no_effect_is_refused(
    model: StackedRNN, callback: Any, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        losses(model, callback)


def test_keras_callbacks_of_epochs_are_welcome(model: StackedRNN, tmp_path: Path) -> None:
    plain = losses(model)
    found = losses(
        model,
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.TensorBoard(tmp_path / "board"),
    )
    assert found == plain
    assert (tmp_path / "best.keras").is_file()
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": keras.optimizers.SGD(0.1)}, "an optimizer of its own"),
        ({"optimizer": keras.optimizers.Adam(0.1, clipnorm=1.0)}, "an optimizer of its own"),
        ({"loss": "mse"}, "a loss of its own"),
    ],
)
def test_a_tuners_own_optimizer_and_loss_are_refused(
    model: StackedRNN, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    tuner = kt.RandomSearch(
        model, objective="val_loss", max_trials=2, directory=tmp_path, project_name="a", **options
    )
    with pytest.raises(UserError, match=message):
        tuner.search(epochs=1, verbose=0)


def test_executions_of_a_trial_have_their_own_seeds(
    declared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[float, ...]] = []
    fit = StackedRNN.fit

    def noted(self: StackedRNN, *arguments: Any, **options: Any) -> Any:
        history = fit(self, *arguments, **options)
        found.append(tuple(history.history["val_loss"]))
        return history

    monkeypatch.setattr(StackedRNN, "fit", noted)
    for name, executions in (("once", 1), ("thrice", 3), ("again", 3)):
        tuner = kt.RandomSearch(
            StackedRNN.from_study(declared), objective="val_loss", max_trials=2, seed=1,
            executions_per_trial=executions, directory=tmp_path, project_name=name,
        )  # fmt: skip
        tuner.search(epochs=2, verbose=0)
    once, thrice, again = found[:2], found[2:8], found[8:]
    assert len(set(thrice)) == 6
    assert [thrice[0], thrice[3]] == once
    assert thrice == again


def test_a_trial_that_failed_begins_again_with_its_first_execution(
    model: StackedRNN, tmp_path: Path
) -> None:
    failures = [True]

    class FailsOnce(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if failures and failures.pop():
                raise RuntimeError("out of luck")

        def __deepcopy__(self, memo: Any) -> "FailsOnce":
            return self

    scores = []
    for name, callbacks in (("whole", []), ("failed", [FailsOnce()])):
        tuner = kt.RandomSearch(
            model, objective="val_loss", max_trials=1, seed=1, executions_per_trial=2,
            max_retries_per_trial=1, directory=tmp_path, project_name=name,
        )  # fmt: skip
        tuner.search(epochs=1, callbacks=callbacks, verbose=0)
        scores.append(tuner.oracle.get_best_trials()[0].score)
    assert scores[0] == scores[1]


OPTIONS = """
"A study whose training has options of many kinds."
from harness import Budget, CategoricalDistribution, FloatDistribution, Parity, Study

study = Study(
    dataset=Parity(train=64, validation=32, test=32, length=6),
    compare={"residual": [False, True], "clip_norm": [None, 1.0]},
    search={"weight_decay": FloatDistribution(1e-4, 1e-1, log=True),
            "pooling": CategoricalDistribution(["last", "mean", "max", "attention"])},
    fixed={"cell": "gru", "depth": 2, "units": 3, "vocabulary": 10, "embedding_dim": 2,
           "batch_size": 16, "sequence_length": 7, "optimizer": "sgd", "momentum": 0.9,
           "schedule": "SCHEDULE", "mask": True, "layer_norm": "output",
           "label_smoothing": 0.1, "class_weight": "balanced", "learning_rate": 0.1},
    budget=Budget(trials=2, epochs=3))
"""


@pytest.mark.parametrize("schedule", ["cosine", "warmup_cosine", "plateau"])
def test_options_act_as_in_a_study_and_schedules_go_on(schedule: str, tmp_path: Path) -> None:
    file = tmp_path / "options.py"
    file.write_text(OPTIONS.replace("SCHEDULE", schedule))
    model = StackedRNN.from_study(file)
    plain = losses(model)
    hp = kt.HyperParameters()
    arm, hyperparameters = model.hyperparameters(hp)
    assert hyperparameters.options["schedule"] == schedule
    expected: list[float] = []

    def keep(epoch: Any) -> bool:
        expected.append(epoch.val_loss)
        return True

    model.train(arm, hyperparameters, seed=model.study.seed, epochs=3, on_epoch=keep)
    assert plain == expected
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras")
    assert losses(model, checkpoint) == plain  # callbacks that set no rate leave the schedule alone
    assert keras.models.load_model(tmp_path / "best.keras").optimizer.momentum == 0.9
    with pytest.raises(UserError, match=f"the study has schedule {schedule}"):
        losses(model, Frozen() if schedule == "plateau" else at(1, _constant))


def _constant(model: Any) -> None:
    model.optimizer.learning_rate = keras.optimizers.schedules.CosineDecay(0.3, 5)


def test_each_option_is_offered_under_its_name(tmp_path: Path) -> None:
    file = tmp_path / "options.py"
    file.write_text(OPTIONS.replace("SCHEDULE", "cosine"))
    hp = kt.HyperParameters()
    built = StackedRNN.from_study(file).build(hp)
    assert set(hp.values) == {"residual", "clip_norm", "weight_decay", "pooling"}
    assert type(built.optimizer) is keras.optimizers.SGD
    assert type(built.optimizer.learning_rate).__module__.startswith("tensorflow")
    assert isinstance(
        built.optimizer._learning_rate, keras.optimizers.schedules.CosineDecay
    )  # stock Keras's own
    trial = optuna.create_study().ask()
    optuna_objective(file, epochs=1)(trial)
    assert set(trial.params) == set(hp.values)

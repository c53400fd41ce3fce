"""Tests of members side by side against trainings alone; for a process whose Keras has JAX.

    KERAS_BACKEND=jax pytest -m slow tests/side_by_side_testing.py

`tests/training/test_side_by_side.py` starts one process for each.
"""

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from toys import Noise
from training_testing import SMALL, toy_data

from harness.datasets.base.signature import BINARY, Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training import compiled_epochs
from harness.training.engines import build_program, prepare_compiler
from harness.training.epochs import order_of
from harness.training.optimizers import plateau_rate
from harness.training.same_program import why_alone
from harness.training.side_by_side import SideBySide
from harness.training.trainer import Callbacks, Data, Trainer, TrainOptions
from harness.workers.messages import (
    Continue,
    EpochDone,
    Failed,
    Finished,
    Stop,
    TrainRequest,
    within_patience,
)
from harness.workers.messages import Group as WorkersGroup
from harness.workers.timing import random_split
from harness.workers.worker import train

pytestmark = pytest.mark.slow

PARITY = 1e-4  # relative, of losses and accuracies; of weights, of the largest in each tensor
EPOCHS = 2


def refuse(line):
    raise RuntimeError(line)


def alone(trainer, hp, data, seed, epochs):
    """The numbers of the first epochs, and the weights after them."""
    callbacks = Callbacks(on_epoch=lambda epoch: epoch.epoch < epochs)
    training = trainer.train(hp, data, TrainOptions(seed=seed, epochs=EPOCHS), callbacks)
    numbers = [(e.loss, e.accuracy, e.val_loss, e.val_accuracy) for e in training.epochs]
    return numbers, trainer.weights()


class Group:
    """The same trainings side by side."""

    def __init__(self, path, hps, data):
        self.hps, self.data = hps, data
        self.group = SideBySide(
            build_program(hps[0], data.signature, path), data.train, data.validation,
            members=len(hps),
        )  # fmt: skip
        self.steps = math.ceil(len(data.train) / hps[0].batch_size)
        self.numbers = {member: [] for member in range(len(hps))}

    def enter(self, arrays=None):
        """All members, from their seeds, or from arrays of their variables."""
        for member, hp in enumerate(self.hps):
            self.group.program.reset(hp, member, EPOCHS * self.steps)
            if arrays is not None:
                variables = self.group.program.variables()
                for variable, array in zip(variables, arrays[member], strict=True):
                    variable.assign(array)
            self.group.enter(member)

    def epoch(self, number, on_step=lambda step, losses, seconds: None, done=0):
        members = self.group.members
        self.group.set_learning_rates({m: self.rate(m) for m in members})
        orders = {m: order_of(self.hps[m], m, number, len(self.data.train)) for m in members}
        trained = self.group.train(self.data.train, orders, on_step, done=done, seconds=0.0)
        validated = self.group.evaluate(self.data.validation)
        for m in members:
            self.numbers[m].append((*trained[m][:2], *validated[m][:2]))

    def rate(self, member):
        hp = self.hps[member]
        if hp.schedule != "plateau":
            return hp.learning_rate
        return plateau_rate(hp.learning_rate, [numbers[2] for numbers in self.numbers[member]])

    def weights(self, member):
        self.group.load(member)
        return self.group.program.model.get_weights()


def hyperparameters(members, **options):
    """Hyperparameters of members: those that are lists have a value for each."""
    return [
        Hyperparameters(
            **SMALL, **{n: v[m] if isinstance(v, list) else v for n, v in options.items()}
        )
        for m in range(members)
    ]


def assert_as_alone(path, hps, data, leaving=()):
    """Train all members alone and side by side; some leave after the first epoch."""
    trainer, group = Trainer(path=path, notify=refuse), Group(path, hps, data)
    group.enter()
    group.epoch(1)
    left = {m: group.weights(m) for m in leaving}
    group.group.leave(leaving)
    group.epoch(2)
    losses = set()
    for member, hp in enumerate(hps):
        epochs = 1 if member in leaving else EPOCHS
        numbers, weights = alone(trainer, hp, data, member, epochs)
        np.testing.assert_allclose(group.numbers[member], numbers, rtol=PARITY, atol=1e-6)
        ours = left[member] if member in leaving else group.weights(member)
        for one, other in zip(ours, weights, strict=True):
            largest = max(1e-3, np.abs(other).max())
            np.testing.assert_allclose(one, other, rtol=0, atol=PARITY * largest)
        losses.add(numbers[0][2])
    assert len(losses) == len(hps)  # members differ, so a mix-up would show
    return group.group


def test_lstm_with_dropout_of_all_kinds_while_most_members_leave():
    prepare_compiler("jax")
    hps = hyperparameters(
        4, cell="lstm", depth=1, learning_rate=[0.01, 0.003, 0.03, 0.001], optimizer="adamw",
        weight_decay=[0.1, 0.0, 0.01, 0.3], dropout=[0.3, 0.1, 0.5, 0.2], embedding_dropout=0.2,
        recurrent_dropout=[0.2, 0.4, 0.1, 0.3], schedule="cosine", class_weight="balanced",
    )  # fmt: skip
    group = assert_as_alone("xla-scan", hps, toy_data(), leaving=(0, 2))
    assert {size for _, size in group._programs} == {4, 2}  # a smaller program for those left
    with pytest.raises(ValueError, match="no place for member 4 among 4"):
        [group.enter(member) for member in range(5)]
    group.leave(range(5))
    with pytest.raises(ValueError, match="all members have left"):
        group.compile()


def test_gru_in_one_kernel_with_masks():
    prepare_compiler("jax")
    hps = hyperparameters(
        3, cell="gru", depth=1, mask=True, schedule="plateau", clip_norm=1.0,
        learning_rate=[0.5, 0.01, 0.02],
    )  # fmt: skip
    data = toy_data(classes=3, padded=True)
    group = assert_as_alone("xla-kernel", hps, data, leaving=(1,))
    assert {size for _, size in group._programs} == {3}  # its place is filled up
    outputs = group.predict(data.train)  # more examples than the validation split has
    assert sorted(outputs) == [0, 2]
    assert {array.shape for array in outputs.values()} == {(100, 3)}
    evaluated = group.evaluate(data.train)
    for member, found in outputs.items():
        right = np.mean(found.argmax(axis=1) == data.train.y)
        assert right == pytest.approx(evaluated[member].accuracy)


def test_rnn_of_forecasts_goes_on_bit_for_bit_after_a_pause(monkeypatch):
    prepare_compiler("jax")
    hps = hyperparameters(2, cell="rnn", depth=2, optimizer="sgd", momentum=0.9)
    signature = Signature(classes=0, features=2, numbers=4, horizon=2)
    train, validation = (random_split(hps[0], signature, rows) for rows in (300, 37))
    data = Data(train=train, validation=validation, signature=signature)
    whole = assert_as_alone("xla-scan", hps, data)

    monkeypatch.setattr(compiled_epochs, "PROGRESS_S", 0.0)  # a step at a time
    kept = {}

    def pause(step, losses, seconds):
        assert sorted(losses) == [0, 1]
        if step == 11:
            kept.update({m: first.group.variables(m) for m in range(2)})
            raise InterruptedError

    first, second = (Group("xla-scan", hps, data) for _ in range(2))
    second.group._programs = first.group._programs  # compiled once
    first.enter()
    with pytest.raises(InterruptedError):
        first.epoch(1, pause)
    second.enter(kept)
    second.epoch(1, done=11)
    second.epoch(2)
    for member in range(2):
        for one, other in zip(second.group.variables(member), whole.variables(member), strict=True):
            np.testing.assert_array_equal(one, other)


class DiedError(BaseException):
    pass


class Coordinator:
    """Answers a worker's messages as the coordinator does; dies at an epoch, if it shall."""

    def __init__(self, patience, dies_at=()):
        self.patience, self.dies_at = patience, dies_at
        self.epochs, self.scores = {}, {}

    def send(self, message):
        match message:
            case Failed():
                raise RuntimeError(message.reason)
            case EpochDone(task, metrics):
                self.epochs.setdefault(task, []).append(metrics)
                if (task, metrics["epoch"]) == self.dies_at:
                    raise DiedError
            case Finished(task, test):
                self.scores[task] = test.loss

    def get(self):
        task, epochs = list(self.epochs.items())[-1]
        best = min(epochs, key=lambda epoch: epoch["val_loss"])
        going = within_patience(epochs[-1]["epoch"], best["epoch"], self.patience)
        return Continue(task) if going else Stop(task)


def replicates(trainer, folder, *, grouped, dies_at=(), patience=1):
    """Numbers and test losses of three replicates, carried out by a worker one after another."""
    hp = Hyperparameters(**{**SMALL, "vocabulary": 10, "learning_rate": 0.05}, cell="gru", depth=1)
    requests = [
        TrainRequest(
            task=f"all/{seed}", dataset=Noise(), hyperparameters=hp, seed=seed, epochs=5,
            checkpoints=str(folder / str(seed)), score="test", keep_best=True,
        )
        for seed in range(3)
    ]  # fmt: skip
    coordinator = Coordinator(patience, dies_at)
    for place, request in enumerate(requests):
        if grouped:
            others = tuple((n, other) for n, other in enumerate(requests) if n > place)
            request = replace(request, group=WorkersGroup(3, place, others, patience))
        train(request, trainer, coordinator.send, coordinator, threading.Event())
    shares = [
        [epoch.pop(name) for name in TIMES] for e in coordinator.epochs.values() for epoch in e
    ]
    assert np.isfinite(shares).all()
    return coordinator.epochs, coordinator.scores


TIMES = ("train_s", "validation_s", "compile_s", "step_ms")


def test_replicates_of_a_worker_in_a_group(tmp_path):
    """As alone, also where one ends early, and bit for bit after the coordinator has died."""
    trainer = Trainer(path="xla-scan", notify=refuse)
    alone, scores = replicates(trainer, tmp_path / "alone", grouped=False)
    ended = {task: len(epochs) for task, epochs in alone.items()}
    assert len(set(ended.values())) > 1  # one ends before another
    found = replicates(trainer, tmp_path / "together", grouped=True)
    together, scores_together = found
    assert {task: len(epochs) for task, epochs in together.items()} == ended
    for task, epochs in alone.items():
        for one, other in zip(together[task], epochs, strict=True):
            assert one == pytest.approx(other, rel=PARITY)
        assert scores_together[task] == pytest.approx(scores[task], rel=PARITY)
    for task in ended:
        with pytest.raises(DiedError):
            replicates(trainer, tmp_path / task, grouped=True, dies_at=(task, ended[task]))
        assert replicates(trainer, tmp_path / task, grouped=True) == found


def test_what_has_to_be_trained_alone_says_why():
    def why(path="xla-scan", signature=BINARY, **options):
        return why_alone(hyperparameters(2, **options), signature, path)

    assert why(learning_rate=[0.1, 0.2], dropout=[0.1, 0.2], weight_decay=[0.0, 0.1]) is None
    assert why(path="keras").startswith("path keras:")
    assert why(signature=Signature(classes=2, builder=print)).startswith("path keras:")
    assert why(stateful=True).startswith("stateful:")
    assert why(depth=[1, 2]).startswith("depth:")
    assert why(dropout=[0.0, 0.2]).startswith("dropout:")  # one has no layer for it
    assert why(pretrained=[None, "vectors.txt"]).startswith("pretrained:")

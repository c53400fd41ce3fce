"""A training with companions: others of its shape and data, trained side by side with it.

Each writes its own checkpoints, as if it were alone. The training that was asked for decides how
long it goes on. A companion that has not ended by then goes on when it is asked for itself, from
its checkpoint. So nothing else needs to know that it was a companion.
"""

import time
from collections.abc import Mapping

from harness.training.checkpoint import TrainingPaused
from harness.training.side_by_side import SideBySide
from harness.training.training import Companions, OneTraining


def complete(
    group: SideBySide,
    trainings: Mapping[int, OneTraining],
    companions: Companions,
) -> None:
    """Train number `own`, which is started, to its end, and the others beside it.

    All have the program of the group. A companion that is at another step of its training stays
    behind.
    """
    own, goes_on = companions.own, companions.goes_on
    asked = trainings[own]
    group.leave(group.members)
    asked.restore()
    group.enter(own)
    if asked.replay() and asked.number <= asked.options.epochs:
        for number, other in trainings.items():
            if number != own:
                other.start()
                other.restore()
                if _place(other) == _place(asked) and goes_on(other.state.history):
                    group.enter(number)
        while asked.number <= asked.options.epochs:
            _epoch(group, trainings, own)
            if not asked.callbacks.on_epoch(asked.state.history[-1]):
                break
            ended = [m for m in group.members if not goes_on(trainings[m].state.history)]
            group.leave([member for member in ended if member != own])
    group.load(own)
    asked.end()


def _place(training: OneTraining) -> tuple[int, int]:
    return training.number, training.state.step


def _epoch(group: SideBySide, trainings: Mapping[int, OneTraining], own: int) -> None:
    """Train the next epoch of all members, or what is left of it, and record it."""
    asked, members = trainings[own], {m: trainings[m] for m in group.members}
    began = time.perf_counter()
    group.compile()
    asked.state.compile_s += time.perf_counter() - began
    if any(each.hp.schedule == "plateau" for each in members.values()):
        group.set_learning_rates({m: each.learning_rate for m, each in members.items()})

    def on_step(step: int, losses: Mapping[int, float], seconds: float) -> None:
        asked.callbacks.on_progress(asked.number, step, asked.steps, losses[own])
        if asked.asked_to_pause:
            for member, each in members.items():
                group.load(member)
                each.save(step, seconds)
            raise TrainingPaused

    trained = group.train(
        asked.data.train,
        {member: each.order for member, each in members.items()},
        on_step,
        done=asked.state.step,
        seconds=asked.state.seconds,
    )
    validated = group.evaluate(asked.data.validation)
    for member, each in members.items():
        group.load(member)
        each.record(trained[member], validated[member])

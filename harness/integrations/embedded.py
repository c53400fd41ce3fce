"""A study's search space and fast training inside another program: a notebook, KerasTuner, Optuna.

The other program decides what to train and keeps the results; nothing is written here. Imports
Keras.
"""

import functools
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, Self

from harness.core.errors import UserError
from harness.core.scalars import same
from harness.core.seeds import derive_seed
from harness.spec import study_files
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Arm, Study
from harness.training.trainer import Callbacks, Data, Epoch, Trainer, Training, TrainOptions

# Keras's random state and a compiled program are shared by all threads of a process, so one
# training runs at a time: `optimize(n_jobs=2)` then finds the same values as without threads.
ONE_AT_A_TIME = threading.RLock()


class Embedded:
    """A study trained in this process; compared hyperparameters are searched like the others.

    Raises UserError for a study whose units are found by measuring: only its own command does that.
    """

    def __init__(self, study: Study) -> None:
        if "step_ms" in study.hold:
            raise UserError(
                "hold: step_ms: the units of such a study are measured when it runs by itself, "
                "with python -m harness.study; here use a study without hold, or with parameters"
            )
        self.study = study
        self._prepared: set[Any] = set()

    @classmethod
    def from_study(cls, study: Study | str | os.PathLike[str]) -> Self:
        """A study, or the one of that name or file; raises UserError where there is none."""
        return cls(study if isinstance(study, Study) else study_files.load(study).study)

    @functools.cached_property
    def trainer(self) -> Trainer:
        return Trainer(path=self.study.path, device=self.study.device)

    def arm(self, compared: Mapping[str, Any]) -> Arm:
        """The arm with these compared values."""
        return next(
            arm
            for arm in self.study.arms()
            if all(same(value, compared[name]) for name, value in arm.values.items())
        )

    def train(
        self,
        arm: Arm,
        hyperparameters: Hyperparameters,
        *,
        seed: int,
        epochs: int,
        on_epoch: Callable[[Epoch], bool],
        on_start: Callable[[], None] = lambda: None,
        initial: list[Any] | None = None,
    ) -> Training:
        """Train like a trial of the study; returns its epochs, parameters and path.

        It starts from the weights `initial`, or else from weights drawn with `seed`. `on_start` is
        called before the first epoch. The training stops when `on_epoch` returns False; see
        `Trainer.train`. Other threads wait until it has ended.
        """
        with ONE_AT_A_TIME:
            dataset = self.study.dataset_of(arm)
            if dataset not in self._prepared:
                dataset.prepare(print)
                self._prepared.add(dataset)
            return self.trainer.train(
                hyperparameters,
                Data.of(dataset, hyperparameters, self.study.signature_of(arm)),
                TrainOptions(seed=derive_seed(seed, "embedded"), epochs=epochs, initial=initial),
                Callbacks(on_epoch=on_epoch, on_start=lambda parameters, path: on_start()),
            )

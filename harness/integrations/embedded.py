"""A study's search space and fast training inside another program: a notebook, KerasTuner, Optuna.

The other program decides what to train and keeps the results; nothing is written here. Imports
Keras.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Self

from harness.core.seeds import derive_seed
from harness.spec import study_files
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Arm, Study
from harness.training.trainer import Callbacks, Data, Epoch, Trainer, Training, TrainOptions


class Embedded:
    """A study trained in this process; compared hyperparameters are searched like the others."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._prepared: set[Any] = set()

    @classmethod
    def from_study(cls, name_or_file: str) -> Self:
        """The study of that name or file; raises UserError where there is none."""
        return cls(study_files.load(name_or_file).study)

    @functools.cached_property
    def trainer(self) -> Trainer:
        return Trainer(path=self.study.path, device=self.study.device)

    def arm(self, compared: Mapping[str, Any]) -> Arm:
        """The arm with these compared values."""
        return next(arm for arm in self.study.arms() if dict(arm.values) == dict(compared))

    def train(
        self,
        arm: Arm,
        hyperparameters: Hyperparameters,
        *,
        seed: int,
        epochs: int,
        on_epoch: Callable[[Epoch], bool],
        initial: list[Any] | None = None,
    ) -> Training:
        """Train like a trial of the study; returns its epochs, parameters and path.

        It starts from the weights `initial`, or else from weights drawn with `seed`. The training
        stops when `on_epoch` returns False; see `Trainer.train`.
        """
        dataset = self.study.dataset_of(arm)
        if dataset not in self._prepared:
            dataset.prepare(print)
            self._prepared.add(dataset)
        return self.trainer.train(
            hyperparameters,
            Data.of(dataset, hyperparameters, self.study.signature_of(arm)),
            TrainOptions(seed=derive_seed(seed, "embedded"), epochs=epochs, initial=initial),
            Callbacks(on_epoch=on_epoch),
        )

"""A study as a `keras_tuner.HyperModel`: its space and fast training for KerasTuner's tuners.

    import keras_tuner as kt
    from harness.models import StackedRNN

    tuner = kt.Hyperband(StackedRNN.from_study("joint_search"), objective="val_loss", max_epochs=5)
    tuner.search()

KerasTuner then searches, and keeps the results in its own directory.
"""

from collections.abc import Sequence
from typing import Any

import keras
import keras_tuner as kt
from optuna.distributions import BaseDistribution, CategoricalDistribution

from harness.core.errors import UserError
from harness.integrations.embedded import Embedded
from harness.samplers.keras_tuner.space import declare_number
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Arm
from harness.training.trainer import build_program


class StackedRNN(Embedded, kt.HyperModel):  # type: ignore[misc]
    """Created by `from_study(NAME)`; `tuner.search()` trains on the study's dataset.

    Models have stock Keras layers only. `fit` trains like the study's trials, by the fastest path.
    Callbacks see the weights after each epoch; their methods for batches are not called.
    """

    def __init__(self, study: Any) -> None:
        Embedded.__init__(self, study)
        kt.HyperModel.__init__(self)

    def hyperparameters(self, hp: kt.HyperParameters) -> tuple[Arm, Hyperparameters]:
        """Declare the study's search space in `hp`; returns the arm and hyperparameters chosen."""
        compared = {name: _choice(hp, name, values) for name, values in self.study.compare.items()}
        searched = {
            name: _suggest(hp, name, distribution)
            for name, distribution in self.study.search.items()
        }
        arm = self.arm(compared)
        return arm, self.study.hyperparameters(arm, searched)

    def build(self, hp: kt.HyperParameters) -> keras.Model:
        """A compiled model with stock Keras layers."""
        arm, hyperparameters = self.hyperparameters(hp)
        program = build_program(hyperparameters, self.study.signature_of(arm), "keras")
        program.reset(hyperparameters, self.study.seed)
        return program.model

    def fit(
        self,
        hp: kt.HyperParameters,
        model: keras.Model,
        *data: Any,
        epochs: int | None = None,
        initial_epoch: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: Any = None,
        **others: Any,
    ) -> keras.callbacks.History:
        """Train up to epoch `epochs` (by default the study's budget); returns Keras's History.

        Raises UserError for data or other arguments of Keras's `fit`: the study says what to train
        on, and how.
        """
        if data or others:
            named = ", ".join(others) or "x and y"
            raise UserError(
                f"search() was given {named}, but the study says what is trained on and how; call "
                "it with epochs, callbacks and verbose alone"
            )
        arm, hyperparameters = self.hyperparameters(hp)
        history = keras.callbacks.History()
        callback_list = keras.callbacks.CallbackList([*callbacks, history], model=model)
        model.stop_training = False
        number = initial_epoch

        def on_epoch(epoch: Any) -> bool:
            nonlocal number
            model.set_weights(self.trainer.weights())
            names = ("loss", "accuracy", "val_loss", "val_accuracy")
            callback_list.on_epoch_end(number, {name: getattr(epoch, name) for name in names})
            number += 1
            if verbose not in (None, 0, "auto"):
                print(f"epoch {number}: val_loss {epoch.val_loss:.4f}")
            if not model.stop_training and number < last:
                callback_list.on_epoch_begin(number)
            return not model.stop_training

        last = self.study.budget.search_epochs if epochs is None else epochs
        callback_list.on_train_begin()
        if last > initial_epoch:
            callback_list.on_epoch_begin(initial_epoch)
            self.train(
                arm,
                hyperparameters,
                # Hyperband continues an earlier trial; the examples are then shuffled differently.
                seed=self.study.seed + initial_epoch,
                epochs=last - initial_epoch,
                on_epoch=on_epoch,
                initial=model.get_weights() if initial_epoch else None,
            )
        callback_list.on_train_end()
        return history


def _suggest(hp: kt.HyperParameters, name: str, distribution: BaseDistribution) -> Any:
    """Ask KerasTuner for a value of an Optuna distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return _choice(hp, name, distribution.choices)
    return declare_number(hp, name, distribution)


def _choice(hp: kt.HyperParameters, name: str, values: Sequence[Any]) -> Any:
    """A choice; KerasTuner needs values of one simple type, so others are given as text."""
    if len({type(value) for value in values}) == 1 and isinstance(values[0], int | float | str):
        return hp.Choice(name, list(values), ordered=isinstance(values[0], int | float))
    return {str(value): value for value in values}[hp.Choice(name, [str(v) for v in values])]

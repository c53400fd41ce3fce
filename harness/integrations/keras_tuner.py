"""A study as a `keras_tuner.HyperModel`: its space and fast training for KerasTuner's tuners.

    import keras_tuner as kt
    from harness.models import StackedRNN

    tuner = kt.Hyperband(StackedRNN.from_study("joint_search"), objective="val_loss", max_epochs=5)
    tuner.search()

KerasTuner then searches, and keeps the results in its own directory.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import keras
import keras_tuner as kt
from keras_tuner.src.engine.tuner_utils import TunerCallback
from optuna.distributions import BaseDistribution, CategoricalDistribution

from harness.core.scalars import same
from harness.core.seeds import derive_seed
from harness.integrations import keras_callbacks
from harness.integrations.embedded import ONE_AT_A_TIME, Embedded
from harness.samplers.keras_tuner.space import declare_number
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Arm
from harness.spec.values import hashable
from harness.training.keras_epochs import FitEpochs
from harness.training.trainer import Epoch


class StackedRNN(Embedded, kt.HyperModel):  # type: ignore[misc]
    """Created by `from_study(NAME)`; `tuner.search()` trains on the study's dataset.

    Models have stock Keras layers only. `fit` trains like the study's trials, by the fastest path.
    Callbacks see the weights after each epoch, and may set weights and learning rate for the next.
    """

    def __init__(self, study: Any) -> None:
        Embedded.__init__(self, study)
        kt.HyperModel.__init__(self)
        self._executions: Counter[str] = Counter()

    def hyperparameters(self, hp: kt.HyperParameters) -> tuple[Arm, Hyperparameters]:
        """Declare the study's search space in `hp`; returns the arm and hyperparameters chosen."""
        compared = {name: _choice(hp, name, values) for name, values in self.study.compare.items()}
        arm = self.arm(compared)
        space = self.study.space.at(self.study.fixed)
        searched = {}
        for name, distribution in space.items():
            with ExitStack() as scopes:
                for parent, wanted in space.conditions.get(name, {}).items():
                    kept = _as_kept(self._choices(parent), wanted)
                    scopes.enter_context(hp.conditional_scope(parent, kept))
                searched[name] = _suggest(hp, name, distribution)
        return arm, self.study.hyperparameters(arm, self.study.space_of(arm).active(searched))

    def _choices(self, name: str) -> Sequence[Any] | None:
        """The values that are declared as a choice; None for a range of numbers."""
        declared = self.study.space.get(name)
        if declared is None:
            return self.study.compare[name]
        return declared.choices if isinstance(declared, CategoricalDistribution) else None

    def build(self, hp: kt.HyperParameters) -> keras.Model:
        """A compiled model with stock Keras layers."""
        arm, hyperparameters = self.hyperparameters(hp)
        with ONE_AT_A_TIME:
            program = FitEpochs(hyperparameters, self.study.signature_of(arm))
            program.reset(hyperparameters, self.study.seed)
            examples = self.study.dataset_of(arm).train
            steps = -(-examples // hyperparameters.batch_size) * self.study.budget.search_epochs
            return program.stock_model(steps)

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

        Raises UserError for data or other arguments of Keras's `fit` (the study says what to train
        on, and how), and for callbacks that would have no effect.
        """
        if data or others:
            named = ", ".join(others) or "x and y"
            raise keras_callbacks.RefusedError(
                f"search() was given {named}, but the study says what is trained on and how; call "
                "it with epochs, callbacks and verbose alone"
            )
        arm, hyperparameters = self.hyperparameters(hp)
        keras_callbacks.check(callbacks, model, self.study.signature_of(arm), hyperparameters)
        last = self.study.budget.search_epochs if epochs is None else epochs
        follower = keras_callbacks.Follower(
            callbacks,
            model,
            lambda: self.trainer,
            range(initial_epoch, last),
            hyperparameters.schedule,
        )
        initial = model.get_weights() if initial_epoch else None

        def on_epoch(epoch: Epoch) -> bool:
            if verbose not in (None, 0, "auto"):
                print(f"epoch {initial_epoch + epoch.epoch}: val_loss {epoch.val_loss:.4f}")
            return follower.on_epoch(epoch)

        try:
            changed = follower.begin()
            if last > initial_epoch:
                self.train(
                    arm,
                    hyperparameters,
                    # Hyperband continues a trial; the examples are then shuffled differently.
                    seed=self._seed(callbacks) + initial_epoch,
                    epochs=last - initial_epoch,
                    on_epoch=on_epoch,
                    on_start=follower.on_start,
                    initial=initial if changed is None else changed,
                )
            follower.end()
        except BaseException:
            self._executions.clear()  # a trial that is tried again begins with its first execution
            raise
        return follower.history

    def _seed(self, callbacks: Sequence[Any]) -> int:
        """The study's seed; for a trial's further executions seeds derived from it.

        KerasTuner does not say which execution it asks for, so they are counted.
        """
        tuned = next((each for each in callbacks if isinstance(each, TunerCallback)), None)
        if tuned is None:
            return self.study.seed
        trial = tuned.trial.trial_id
        number = self._executions[trial]
        self._executions[trial] = (number + 1) % tuned.tuner.executions_per_trial
        return derive_seed(self.study.seed, "execution", number) if number else self.study.seed


def _suggest(hp: kt.HyperParameters, name: str, distribution: BaseDistribution) -> Any:
    """Ask KerasTuner for a value of an Optuna distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return _choice(hp, name, distribution.choices)
    return declare_number(hp, name, distribution)


def _choice(hp: kt.HyperParameters, name: str, values: Sequence[Any]) -> Any:
    """A choice; None where a condition is not met."""
    kinds = {type(value) for value in values}
    if kinds == {bool} and len(values) == 2:
        return bool(hp.Boolean(name, default=values[0]))  # 0 or 1 in projects of older versions
    kept = _kept(values)
    found = hp.Choice(name, kept)
    return None if found is None else dict(zip(kept, values, strict=True))[found]


def _as_kept(choices: Sequence[Any] | None, values: Sequence[Any]) -> list[Any]:
    """These values as KerasTuner keeps them."""
    if choices is None or {type(each) for each in choices} == {bool}:
        return list(values)
    pairs = zip(_kept(choices), choices, strict=True)
    return [kept for kept, choice in pairs if any(same(choice, value) for value in values)]


def _kept(values: Sequence[Any]) -> list[Any]:
    """KerasTuner needs choices of one simple type, so others are given as text."""
    kinds = {type(value) for value in values}
    if len(kinds) == 1 and kinds <= {int, float, str}:
        return list(values)
    texts = [str(hashable(value)) for value in values]
    if len(set(texts)) < len(texts):  # such as 1 and "1"
        texts = [repr(value) for value in values]
    return texts

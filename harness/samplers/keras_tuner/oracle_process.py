"""KerasTuner's oracles in a separate process, because they import Keras."""

import json
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, json_to_distribution

from harness.core.checks import is_number
from harness.samplers.keras_tuner.space import declare_number

# KerasTuner's default, three random points for each hyperparameter, is too many for ten trials.
N_INITIAL_POINTS = 4


class _Replayed:
    """An oracle, and the trials that it has seen."""

    def __init__(
        self, kind: str, seed: int, epochs: int, space: Mapping[str, str], folder: str
    ) -> None:
        import keras_tuner as kt
        from keras_tuner import oracles

        hps = kt.HyperParameters()
        for name, text in space.items():
            _declare(hps, name, json_to_distribution(text))
        options: dict[str, Any] = {
            "objective": kt.Objective("val_loss", "min"),
            "hyperparameters": hps,
            "seed": seed,
            "max_retries_per_trial": 0,
            "max_consecutive_failed_trials": sys.maxsize,
        }
        if kind == "grid":
            self._oracle = oracles.GridSearchOracle(**options)
        elif kind == "hyperband":
            # Without an end: the study's budget limits the number of trials.
            self._oracle = oracles.HyperbandOracle(
                max_epochs=epochs, hyperband_iterations=None, **options
            )
        elif kind == "bayesian":
            self._oracle = oracles.BayesianOptimizationOracle(
                max_trials=None, num_initial_points=N_INITIAL_POINTS, **options
            )
        else:
            self._oracle = oracles.RandomSearchOracle(max_trials=None, **options)
        self._oracle._set_project_dir(folder, "oracle")
        self.told: list[dict[str, Any]] = []
        self._open: Any = None  # suggested, but its result is not known yet

    def suggest(self, trials: list[dict[str, Any]]) -> dict[str, Any] | None:
        for each in trials[len(self.told) :]:
            self._tell(each)
        if self._open is None:
            self._open = self._oracle.create_trial("tuner")
        return None if self._open.status == "STOPPED" else dict(self._open.hyperparameters.values)

    def _tell(self, each: dict[str, Any]) -> None:
        trial = self._open or self._oracle.create_trial("tuner")
        self._open = None
        self.told.append(each)
        if trial.status == "STOPPED":
            return
        # The trial may have other parameters than the oracle suggested: trials can be enqueued.
        trial.hyperparameters.values = {**trial.hyperparameters.values, **each["params"]}
        if each["running"]:
            return
        if each["value"] is None:
            trial.status = "INVALID"
        else:
            self._oracle.update_trial(trial.trial_id, {"val_loss": each["value"]})
            trial.status = "COMPLETED"
        self._oracle.end_trial(trial)


def _declare(hps: Any, name: str, distribution: BaseDistribution) -> None:
    """Declare an Optuna distribution in KerasTuner; choices by their index."""
    if isinstance(distribution, CategoricalDistribution):
        numbers = all(is_number(choice) for choice in distribution.choices)
        hps.Choice(name, list(range(len(distribution.choices))), ordered=numbers)
    else:
        declare_number(hps, name, distribution)


def main() -> None:
    """Answer requests, one in each line, until the input ends."""
    out, sys.stdout = sys.stdout, sys.stderr  # KerasTuner prints
    oracles: dict[str, _Replayed] = {}
    with tempfile.TemporaryDirectory(prefix="oracle-") as folder:
        for line in sys.stdin:
            request = json.loads(line)
            key = json.dumps([request[name] for name in ("kind", "seed", "epochs", "space")])
            kept, trials = oracles.get(key), request["trials"]
            if kept is None or kept.told != trials[: len(kept.told)]:
                # A folder for each oracle: oracles write files of their trials.
                place = tempfile.mkdtemp(dir=folder)
                kept = oracles[key] = _Replayed(
                    request["kind"], request["seed"], request["epochs"], request["space"], place
                )
            print(json.dumps({"params": kept.suggest(trials)}), file=out, flush=True)


def _serve() -> None:
    out = sys.stdout
    try:
        main()
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=out, flush=True)
        raise


if __name__ == "__main__":
    _serve()

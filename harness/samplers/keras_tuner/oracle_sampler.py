"""KerasTuner's oracles as samplers: an adapter to Optuna's ask, with the oracle in a process apart.

The coordinator holds no Keras, which KerasTuner imports; so a small process of its own, fed by
lines of JSON, holds the oracles (`python -m harness.samplers.keras_tuner.oracle_process`). It keeps no state that matters: each
request brings the arm's trials so far, which the oracle is made to repeat where it has not seen
them, so that a study killed anywhere goes on with the suggestions that it would have had.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
    json_to_distribution,
)
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from harness.core.errors import UserError
from harness.samplers import EPOCHS

# KerasTuner's default of three random points a hyperparameter would leave an arm of ten unsearched.
N_INITIAL_POINTS = 4


class OracleSampler(BaseSampler):
    """Suggests what the oracle `kind` does after the trials before.

    Kinds are random, bayesian, hyperband and grid. Trials that were pruned or failed are invalid to
    the oracle, which has no word for either.
    """

    def __init__(
        self, kind: str, seed: int, space: Mapping[str, BaseDistribution], epochs: int
    ) -> None:
        self._kind, self._space, self._epochs = kind, dict(space), epochs
        # KerasTuner takes a seed of 0 for none given; RandomState takes 32 bits.
        self._seed = 1 + seed % (2**32 - 2)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        # All of the arm's trials, also where a pruner would show the sampler a part of them.
        everyone = study._storage.get_all_trials(study._study_id, deepcopy=False)
        before = sorted((t for t in everyone if t.number < trial.number), key=lambda t: t.number)
        answer = _ask(
            {
                "kind": self._kind,
                "seed": self._seed,
                "epochs": self._epochs,
                "space": {name: distribution_to_json(d) for name, d in self._space.items()},
                "trials": [
                    {
                        # As the oracle knows choices: by their index.
                        "params": {n: d.to_internal_repr(each.params[n])
                                   if isinstance(d, CategoricalDistribution) else each.params[n]
                                   for n, d in self._space.items() if n in each.params},
                        "value": each.value if each.state == TrialState.COMPLETE else None,
                        "running": not each.state.is_finished(),
                    }
                    for each in before
                ],
            }
        )  # fmt: skip
        if answer["params"] is None:
            raise UserError(
                f"sampler kt-{self._kind}: nothing is left to try after {len(before)} trials; "
                f"give --trials {len(before)}"
            )
        if "tuner/epochs" in answer["params"]:
            study._storage.set_trial_system_attr(
                trial._trial_id, EPOCHS, int(answer["params"]["tuner/epochs"])
            )
        return {n: _value(d, answer["params"][n]) for n, d in self._space.items()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        raise ValueError(f"{name} is not of the space that this sampler was made for")


def _value(distribution: BaseDistribution, found: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(found)]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    # Logarithms and back may end a rounding error beyond the ends.
    value = min(max(found, distribution.low), distribution.high)
    return round(value) if isinstance(distribution, IntDistribution) else float(value)


_child: "subprocess.Popen[str] | None" = None


def _ask(request: Mapping[str, Any]) -> dict[str, Any]:
    global _child
    if _child is None or _child.poll() is not None:
        _child = _start()
    assert _child.stdin is not None
    assert _child.stdout is not None
    _child.stdin.write(json.dumps(request) + "\n")
    _child.stdin.flush()
    answer: dict[str, Any] = json.loads(_child.stdout.readline() or '{"error": "it ended"}')
    if "error" in answer:
        raise RuntimeError(f"KerasTuner's process: {answer['error']}")
    return answer


def _start() -> "subprocess.Popen[str]":
    # The cheapest backend to import that is there; an oracle computes nothing with it. Keras's
    # NumPy backend needs JAX.
    backend = "numpy" if find_spec("jax") else "tensorflow"
    child = subprocess.Popen(
        [sys.executable, "-m", "harness.samplers.keras_tuner.oracle_sampler"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
        start_new_session=True,  # Ctrl-C is for the coordinator, which closes our input
    )  # fmt: skip
    atexit.register(_end, child)
    return child


def _end(child: "subprocess.Popen[str]") -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.close()
        child.wait(timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        child.kill()
        child.wait()
    child.stdout.close()


# What follows runs in the process apart.


class _Replayed:
    """An oracle, and the trials that it has been told of."""

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
            # Without an end: the study's budget says how many trials there are.
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
        self._open: Any = None  # asked for, and not yet told of

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
        # Somebody may have enqueued others than the oracle's own.
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
    """The distribution of Optuna as KerasTuner has it; choices by their index."""
    if isinstance(distribution, CategoricalDistribution):
        numbers = all(
            isinstance(c, int | float) and not isinstance(c, bool) for c in distribution.choices
        )
        hps.Choice(name, list(range(len(distribution.choices))), ordered=numbers)
    else:
        declare_number(hps, name, distribution)


def declare_number(hps: Any, name: str, distribution: BaseDistribution) -> Any:
    """A distribution of numbers as KerasTuner has it; returns the value that it has there."""
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    kind = hps.Int if isinstance(distribution, IntDistribution) else hps.Float
    low, high = distribution.low, distribution.high
    if distribution.log:
        return kind(name, low, high, sampling="log")
    return kind(name, low, high, step=distribution.step)


def main() -> None:
    """Answer requests, a line each, until the input ends."""
    out, sys.stdout = sys.stdout, sys.stderr  # KerasTuner prints
    oracles: dict[str, _Replayed] = {}
    with tempfile.TemporaryDirectory(prefix="oracle-") as folder:
        for line in sys.stdin:
            request = json.loads(line)
            key = json.dumps([request[name] for name in ("kind", "seed", "epochs", "space")])
            kept, trials = oracles.get(key), request["trials"]
            if kept is None or kept.told != trials[: len(kept.told)]:
                # A folder of its own: oracles keep files of their trials.
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

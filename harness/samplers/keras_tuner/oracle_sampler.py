"""KerasTuner's oracles as samplers for Optuna.

KerasTuner imports Keras, which the coordinator must not do. So the oracles are in a small separate
process, `harness.samplers.keras_tuner.oracle_process`, which reads and writes lines of JSON. Its
state does not matter: each request contains the arm's trials so far, and the oracle repeats those
that it has not seen. So a study that was killed at any moment continues with the same suggestions.
"""

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from harness.core import optuna_private
from harness.core.errors import UserError
from harness.samplers import EPOCHS
from harness.samplers.base.configurations import ConfigurationSampler


class OracleSampler(ConfigurationSampler):
    """Suggests what the oracle `kind` suggests after the trials before.

    Kinds are random, bayesian, hyperband and grid. Trials that were pruned or failed are invalid
    for the oracle, which does not distinguish the two.
    """

    def __init__(
        self, kind: str, seed: int, space: Mapping[str, BaseDistribution], epochs: int
    ) -> None:
        super().__init__(space)
        self._kind, self._epochs = kind, epochs
        # For KerasTuner a seed of 0 means none; RandomState takes 32 bits.
        self._seed = 1 + seed % (2**32 - 2)

    def suggest(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        # All trials of the arm: some pruners show the sampler only a part of them.
        everyone = optuna_private.all_trials(study)
        before = sorted((t for t in everyone if t.number < trial.number), key=lambda t: t.number)
        answer = _ask(
            {
                "kind": self._kind,
                "seed": self._seed,
                "epochs": self._epochs,
                "space": {name: distribution_to_json(d) for name, d in self._space.items()},
                "trials": [
                    {
                        # The oracle knows choices by their index.
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
            optuna_private.set_system_attr(
                study, trial, EPOCHS, int(answer["params"]["tuner/epochs"])
            )
        return {n: _value(d, answer["params"][n]) for n, d in self._space.items()}


def _value(distribution: BaseDistribution, found: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(found)]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    # Rounding errors of logarithms may lead beyond the ends.
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
    # The installed backend that imports fastest; an oracle computes nothing with it. Keras's
    # NumPy backend needs JAX.
    backend = "numpy" if find_spec("jax") else "tensorflow"
    child = subprocess.Popen(
        [sys.executable, "-m", "harness.samplers.keras_tuner.oracle_process"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
        start_new_session=True,  # the coordinator handles Ctrl-C, and closes the input
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

"""Searches replayed on a table of trainings: what each method would have found, and when. No Keras.

A table (see harness.contest.tabulate) has every epoch of every configuration on several seeds. A
replayed trial is one training of the table. Its validation losses are reported epoch by epoch, and
the pruner is asked as in a real search. Its cost is the measured time of the epochs until it ends.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import pruners, samplers
from harness.analysis import statistics
from harness.contest.table import Method, Table
from harness.core.errors import UserError
from harness.core.seeds import derive_seed

MAX_TRIALS = 20  # times `trials`; with pruning, the same time is enough for more trials


@dataclass(frozen=True)
class ReplayedSearch:
    """One replayed search; arrays have shape (trials,), with the state after each trial.

    `cost` is in seconds. `quality` is that of the configuration that the search would recommend
    (see `Table`), NaN before the first complete trial. `epochs` and `pruned` count the epochs
    trained and the trials pruned so far.
    """

    cost: NDArray[np.float64]
    quality: NDArray[np.float64]
    epochs: NDArray[np.int64]
    pruned: NDArray[np.int64]

    def at_cost(self, cost: float) -> float:
        """The quality (0 to 1) after `cost` seconds; NaN before the first trial has ended."""
        done = int(np.searchsorted(self.cost, cost, side="right"))
        return float(self.quality[done - 1]) if done else math.nan

    def at_trial(self, trials: int) -> float:
        return float(self.quality[min(trials, len(self.quality)) - 1])


def search(table: Table, method: Method, seed: int, *, trials: int, cost: float) -> ReplayedSearch:
    """Replay one search until it has both `trials` trials and a cost of `cost` seconds.

    Sampler and pruner decide as in a real search: each trial has a new sampler, and the pruner is
    asked after every epoch except the last. `seed` also decides which of a configuration's
    trainings is used.
    """
    import optuna

    from harness.core.optuna_private import stored_trial

    space = table.space()
    study = optuna.create_study(pruner=pruners.make(method.pruner, epochs=table.epochs))
    spent, best, incumbent, epochs, pruned = 0.0, math.inf, math.nan, 0, 0
    history: list[tuple[float, float, int, int]] = []
    while len(history) < trials or (spent < cost and len(history) < MAX_TRIALS * trials):
        number = len(history)
        study.sampler = samplers.make(
            method.sampler,
            space,
            seed=derive_seed(seed, method.sampler, number),
            arm_seed=derive_seed(seed, method.sampler),
            epochs=table.epochs,
        )
        try:
            trial = study.ask(fixed_distributions=space)
        except UserError:  # nothing is left to try, for example in a grid
            history += [history[-1]] * (trials - number)
            break
        row = table.row(trial.params)
        rows = table.trainings[row]
        training = rows[derive_seed(seed, "training", row, number) % len(rows)]
        own = stored_trial(study, trial).system_attrs.get(samplers.EPOCHS)
        last = min(int(own or table.epochs), len(training.losses))
        state = optuna.trial.TrialState.COMPLETE
        for epoch, (loss, seconds) in enumerate(
            itertools.islice(zip(training.losses, training.seconds, strict=True), last), start=1
        ):
            spent += seconds
            epochs += 1
            trial.report(loss, epoch)
            if epoch < last and trial.should_prune():
                state = optuna.trial.TrialState.PRUNED
                pruned += 1
                break
        if not training.losses:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif state == optuna.trial.TrialState.PRUNED:
            study.tell(trial, state=state)
        else:
            value = min(training.losses[:last])
            study.tell(trial, value)
            if value < best:
                best, incumbent = value, float(table.quality[row])
        history.append((spent, incumbent, epochs, pruned))
    costs, quality, trained, halted = zip(*history, strict=True)
    return ReplayedSearch(np.array(costs), np.array(quality), np.array(trained), np.array(halted))


@dataclass(frozen=True)
class Outcome:
    """The results of one method over seeds; arrays have shape (seeds,) where nothing else is said.

    Qualities: `final` at the common cost, `by_trials` after the common number of trials,
    `anytime` the mean over the cost up to the common one. `cost` (seconds), `epochs` and `pruned`
    are those of the common number of trials. `rank` is that of `anytime` among the methods of one
    seed, 1 for the best. `curve` (seeds, points) is the quality over the contest's `grid`,
    `trial_curve` (seeds, trials) the quality after each trial.
    """

    method: Method
    final: NDArray[np.float64]
    by_trials: NDArray[np.float64]
    anytime: NDArray[np.float64]
    cost: NDArray[np.float64]
    epochs: NDArray[np.int64]
    pruned: NDArray[np.int64]
    rank: NDArray[np.float64]
    curve: NDArray[np.float64]
    trial_curve: NDArray[np.float64]


@dataclass(frozen=True)
class Contest:
    table: Table
    outcomes: tuple[Outcome, ...]
    grid: NDArray[np.float64]  # of cost, in seconds
    trials: int
    seeds: int


POINTS = 60  # of a curve


def contest(
    table: Table, methods: Sequence[Method], *, seeds: int, trials: int, seed: int, notify: Any
) -> Contest:
    """Replay every method on every seed; the common cost is that of `trials` whole trainings.

    Before its first complete trial, a search has the table's mean quality: that of a configuration
    drawn at random.
    """
    from scipy.stats import rankdata

    limit = trials * table.mean_cost
    grid = np.linspace(0.0, limit, POINTS + 1)[1:]
    chance = float(np.nanmean(table.quality))
    found: dict[Method, list[ReplayedSearch]] = {}
    for method in methods:
        found[method] = [
            search(table, method, derive_seed(seed, "contest", number), trials=trials, cost=limit)
            for number in range(seeds)
        ]
        notify(f"{method.label}: {seeds} searches replayed")

    def filled(values: Any) -> NDArray[np.float64]:
        return np.nan_to_num(np.asarray(values, np.float64), nan=chance)

    curves = {m: filled([[s.at_cost(c) for c in grid] for s in each]) for m, each in found.items()}
    anytime = {method: curve.mean(axis=1) for method, curve in curves.items()}
    ranks = rankdata(-table.metric.sign * np.array(list(anytime.values())), axis=0)
    outcomes = tuple(
        Outcome(
            method=method,
            final=curves[method][:, -1],
            by_trials=filled([s.at_trial(trials) for s in each]),
            anytime=anytime[method],
            cost=np.array([s.cost[trials - 1] for s in each]),
            epochs=np.array([s.epochs[trials - 1] for s in each]),
            pruned=np.array([s.pruned[trials - 1] for s in each]),
            rank=rank,
            curve=curves[method],
            trial_curve=filled([s.quality[:trials] for s in each]),
        )
        for (method, each), rank in zip(found.items(), ranks, strict=True)
    )
    return Contest(table, outcomes, grid, trials, seeds)


def reference(found: Contest) -> Outcome:
    """The method that the others are compared with: the study's own, else the first."""
    own = [each for each in found.outcomes if each.method == found.table.default]
    return (own or list(found.outcomes))[0]


def compared(found: Contest) -> dict[str, statistics.Comparison]:
    """By a method's label, its anytime quality minus the reference's.

    Differences are paired by seed and corrected together by Holm's method.
    """
    base = reference(found)
    others = [each for each in found.outcomes if each is not base]
    pairs = [(each.anytime, base.anytime) for each in others]
    better = found.table.metric.higher_is_better
    comparisons = statistics.compare(pairs, found.table.margin, higher_is_better=better)
    return {each.method.label: c for each, c in zip(others, comparisons, strict=True)}


def pruners_compared(found: Contest) -> dict[str, dict[str, statistics.MeanEstimate]]:
    """By pruner, the comparison with no pruner, with the same sampler and seed.

    `saved` is the share of the cost that it saves over the same number of trials, `lost` the
    quality that it loses after them, `gained` the quality that it gains at the same cost. Means are
    over samplers, intervals over seeds.
    """
    sign = found.table.metric.sign
    by_method = {each.method: each for each in found.outcomes}
    result = {}
    for pruner in dict.fromkeys(m.pruner for m in by_method if m.pruner != "none"):
        pairs = [
            (outcome, by_method[plain])
            for method, outcome in by_method.items()
            if method.pruner == pruner
            and (plain := type(method)(method.sampler, "none")) in by_method
        ]
        if not pairs:
            continue
        result[pruner] = {
            "saved": statistics.over_seeds(np.mean([1 - a.cost / b.cost for a, b in pairs], 0)),
            "lost": statistics.over_seeds(
                sign * np.mean([b.by_trials - a.by_trials for a, b in pairs], 0)
            ),
            "gained": statistics.over_seeds(
                sign * np.mean([a.final - b.final for a, b in pairs], 0)
            ),
        }
    return result

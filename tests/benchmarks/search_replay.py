"""Search methods compared on a model of recorded trainings: hundreds of searches in minutes.

    python tests/benchmarks/search_replay.py [--searches 60]

`trainings_depth1.jsonl` has 126 random configurations of one LSTM layer on 8,000 IMDB reviews, with
the validation loss and the test accuracy after each of five epochs. Two models of them (a Gaussian
process and trees) say what any configuration would have reached, and the process how noisy one
training is. So every method is judged by the true accuracy of the configuration that it finds,
beside which the luck of a training does not count. Real searches decide (search_luck.py); here is
what is too dear for them.

The second table is about trials of other arms as prior knowledge. `trainings_by_depth.jsonl` has 60
configurations on 4,000 reviews, each at depths 1, 2 and 3. The sampler `lcb` searches depth 1, then
depth 2, alone or with the trials of depth 1 among its own.
"""

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from harness import four_per_octave, samplers
from harness.core.seeds import derive_seed
from harness.samplers.lcb import encoded
from harness.samplers.qmc import design_point

FOLDER = Path(__file__).parent
SPACE: dict[str, BaseDistribution] = {
    "units": IntDistribution(4, 64, log=True),
    "sequence_length": CategoricalDistribution([50, 100, 200]),
    "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
    "dropout": FloatDistribution(0.0, 0.5),
}
GRID = {**SPACE, "units": four_per_octave(4, 64)}  # as in lstm_depth
Configuration = Mapping[str, Any]


def records(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


def point(params: Configuration) -> list[float]:
    return [x for name in sorted(SPACE) for x in encoded(SPACE[name], params[name])]


@dataclass
class Model:
    """A function of a configuration, with the deviation of a single training around it."""

    regressor: Any
    noise: float

    def __call__(self, params: Configuration) -> float:
        return float(self.regressor.predict([point(params)])[0])

    def drawn(self, params: Configuration, random: np.random.Generator) -> float:
        return self(params) + float(random.normal(0.0, self.noise))


def process(rows: Sequence[Configuration], values: Sequence[float]) -> Model:
    kernel = ConstantKernel(1.0) * RBF([0.5] * len(SPACE), (0.05, 20.0)) + WhiteKernel(0.1)
    fitted = GaussianProcessRegressor(
        kernel, normalize_y=True, n_restarts_optimizer=2, random_state=0
    ).fit([point(row) for row in rows], values)
    noise = math.sqrt(fitted.kernel_.k2.noise_level) * float(np.std(values))
    return Model(fitted, noise)


def trees(rows: Sequence[Configuration], values: Sequence[float], noise: float) -> Model:
    fitted = ExtraTreesRegressor(200, min_samples_leaf=3, random_state=0)
    return Model(fitted.fit([point(r) for r in rows], values), noise)


@dataclass
class World:
    """What trainings of one arm give: the log of the lowest loss within n epochs, the accuracy."""

    losses: Mapping[int, Model]
    accuracy: Model

    @classmethod
    def of(cls, rows: Sequence[dict[str, Any]], make: str) -> "World":
        best = [int(np.argmin(row["val"])) for row in rows]
        accuracies = [row["test"][epoch] for row, epoch in zip(rows, best, strict=True)]
        by_epochs = {n: [math.log(min(row["val"][:n])) for row in rows] for n in (2, 3, 5)}
        losses = {n: process(rows, values) for n, values in by_epochs.items()}
        accuracy = process(rows, accuracies)
        if make == "trees":
            losses = {n: trees(rows, by_epochs[n], model.noise) for n, model in losses.items()}
            accuracy = trees(rows, accuracies, accuracy.noise)
        return cls(losses, accuracy)

    @classmethod
    def of_depth(cls, depth: int) -> "World":
        """Five epochs only: the record has the best epoch alone."""
        rows = [r for r in records("trainings_by_depth.jsonl") if r["depth"] == depth]
        loss = process(rows, [math.log(row["val_loss"]) for row in rows])
        return cls({5: loss}, process(rows, [row["test"] for row in rows]))


@dataclass
class Search:
    """One search: configurations and losses in the order of the trials."""

    world: World
    seed: int
    space: Mapping[str, BaseDistribution] = field(default_factory=lambda: SPACE)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.study = optuna.create_study()
        self.tried: list[Configuration] = []
        self.losses: list[float] = []

    def run(self, sampler: str, trials: int, epochs: int, design: int = 0) -> "Search":
        """`design`: so many trials of a Sobol design first."""
        for number in range(trials):
            if number < design:
                self.study.enqueue_trial(design_point(self.space, number, self.seed))
            self.study.sampler = samplers.make(
                sampler,
                self.space,
                seed=derive_seed(self.seed, number),
                arm_seed=self.seed,
                epochs=5,
            )
            trial = self.study.ask(fixed_distributions=dict(self.space))
            loss = self.world.losses[epochs].drawn(trial.params, self.random)
            self.study.tell(trial, math.exp(loss))
            self.tried.append(trial.params)
            self.losses.append(loss)
        return self

    def add(self, other: "Search") -> "Search":
        """Take another search's trials as if they had been trained here."""
        for trial in other.study.get_trials(deepcopy=False):
            self.study.add_trial(trial)
        return self

    def lowest(self) -> Configuration:
        return self.tried[int(np.argmin(self.losses))]

    def retested(self, candidates: int, epochs: int, average: bool = False) -> Configuration:
        """The best of the first `candidates` once they were trained again."""
        again = {}
        for place in np.argsort(self.losses)[:candidates]:
            loss = self.world.losses[epochs].drawn(self.tried[place], self.random)
            again[place] = (loss + self.losses[place]) / 2 if average else loss
        return self.tried[min(again, key=lambda place: again[place])]


Method = Callable[[World, int], Configuration]
METHODS: dict[str, tuple[int, Method]] = {
    "`tpe`, 10 trials of five epochs": (50, lambda w, s: Search(w, s).run("tpe", 10, 5).lowest()),
    "`random`, 10 of five": (50, lambda w, s: Search(w, s).run("random", 10, 5).lowest()),
    "`qmc`, 25 of two": (50, lambda w, s: Search(w, s).run("qmc", 25, 2).lowest()),
    "`qmc`, 16 of two, the best 3 of them to five": (
        47, lambda w, s: Search(w, s).run("qmc", 16, 2).retested(3, 5)
    ),
    "`tpe`, 25 of two, the first 8 a Sobol design": (
        50, lambda w, s: Search(w, s).run("tpe", 25, 2, design=8).lowest()
    ),
    "`tpe`, 16 of three, the first 6 a Sobol design": (
        48, lambda w, s: Search(w, s).run("tpe", 16, 3, design=6).lowest()
    ),
    "`lcb`, 25 of two": (50, lambda w, s: Search(w, s).run("lcb", 25, 2).lowest()),
    "`lcb`, 16 of three": (48, lambda w, s: Search(w, s).run("lcb", 16, 3).lowest()),
    "`lcb`, 13 of three, the best 3 trained again": (
        48, lambda w, s: Search(w, s).run("lcb", 13, 3).retested(3, 3, average=True)
    ),
    "`tpe`, 10 of five, units on a grid": (
        50, lambda w, s: Search(w, s, GRID).run("tpe", 10, 5).lowest()
    ),
    "`lcb`, 16 of three, units on a grid": (
        48, lambda w, s: Search(w, s, GRID).run("lcb", 16, 3).lowest()
    ),
    "`lcb`, 12 of two": (24, lambda w, s: Search(w, s).run("lcb", 12, 2).lowest()),
}  # fmt: skip


def methods(searches: int) -> None:
    rows = records("trainings_depth1.jsonl")
    worlds = [World.of(rows, make) for make in ("process", "trees")]
    print("| method | epochs | process: accuracy | deviation | trees: accuracy | deviation |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, (epochs, method) in METHODS.items():
        cells = []
        for world in worlds:
            found = [
                100 * world.accuracy(method(world, derive_seed("replay", number)))
                for number in range(searches)
            ]
            cells += [f"{np.mean(found):.1f} %", f"{np.std(found, ddof=1):.2f}"]
        print(f"| {name} | {epochs} | {' | '.join(cells)} |", flush=True)


def shared(searches: int) -> None:
    first, second = World.of_depth(1), World.of_depth(2)
    print("\n| depth 2 by `lcb`, 12 trials | accuracy | deviation | deviation of depth 2 − 1 |")
    print("|---|---|---|---|", flush=True)
    for name, prior in (("its own trials", False), ("with those of depth 1", True)):
        found, differences = [], []
        for number in range(searches):
            seed = derive_seed("shared", number)
            of_first = Search(first, seed).run("lcb", 12, 5)
            of_second = Search(second, derive_seed(seed) if prior else seed)
            if prior:
                of_second.add(of_first)
            best = of_second.run("lcb", 12, 5).lowest()
            found.append(100 * second.accuracy(best))
            differences.append(found[-1] - 100 * first.accuracy(of_first.lowest()))
        print(
            f"| {name} | {np.mean(found):.1f} % | {np.std(found, ddof=1):.2f} | "
            f"{np.std(differences, ddof=1):.2f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=60)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    methods(options.searches)
    shared(options.searches)


if __name__ == "__main__":
    main()

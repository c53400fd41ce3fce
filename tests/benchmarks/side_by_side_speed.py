"""How fast replicates are side by side, as one program of JAX, and one after another.

    python tests/benchmarks/side_by_side_speed.py            five minutes on an idle CPU
    python tests/benchmarks/side_by_side_speed.py --gpu      up to 1,024 replicates
    python tests/benchmarks/side_by_side_speed.py --show     the table of the records on file

It ends with the rule of `harness/training/grouping.py`, derived from the records. What counts is
the time of short trainings, with compilation of what trains them side by side.

The records are written to side-by-side.json; those of other shapes and of the other device stay.
On a CPU all is measured on one core, and again on all cores, by a process each. An epoch side by
side and an epoch alone are taken in turn, so that a noisy moment hits both. Times are medians, in
milliseconds for a step of one replicate. The loss of the first replicate, after one epoch side by
side and after one alone, shows that both do the same.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).with_name("side-by-side.json")
SEEDS = 16  # that differ; further replicates repeat them, since times do not depend on values
FEATURES = 4


@dataclass(frozen=True)
class Shape:
    """A model of one layer that reads words or numbers, and the steps of a measured epoch."""

    inputs: str
    cell: str
    units: int
    batch_size: int
    sequence_length: int
    steps: int

    @property
    def name(self) -> str:
        return f"{self.inputs}, {self.cell} {self.units}"


ON_CPU = (
    Shape("numbers", "rnn", 4, 32, 50, 96),
    Shape("numbers", "lstm", 4, 32, 50, 64),
    Shape("numbers", "lstm", 8, 32, 50, 64),
    Shape("numbers", "lstm", 64, 32, 50, 12),
    Shape("words", "lstm", 4, 32, 100, 24),
    Shape("words", "lstm", 64, 64, 100, 4),
)
ON_GPU = (
    Shape("numbers", "lstm", 8, 32, 50, 16),
    Shape("words", "gru", 16, 32, 100, 8),
    Shape("words", "lstm", 64, 64, 100, 8),
)
MEMBERS = {"cpu": (1, 2, 4, 8, 16, 32), "gpu": (1, 4, 16, 64, 256, 1024)}
ROUNDS, ROUNDS_OF_MANY, MANY = 5, 3, 16
TRAINING_STEPS = 1500  # of each replicate: three epochs of 16,000 examples in batches of 32
# So many times faster it has to be. Members that have ended leave a place that is paid for, and
# while a group is trained last, other workers may wait.
GAIN = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--show", action="store_true", help="measure nothing")
    parser.add_argument("--quick", action="store_true", help="3 replicates, few steps, one core")
    parser.add_argument("--shape", default="", help="only shapes whose name has this in it")
    parser.add_argument("--records", type=Path, default=RECORDS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    device = "gpu" if asked.gpu else "cpu"
    shapes = [s for s in (ON_GPU if asked.gpu else ON_CPU) if asked.shape in s.name]
    if asked.measure:
        for record in measure(shapes, device, asked.measure, asked.quick):
            print(json.dumps(record), flush=True)
        return
    records = json.loads(asked.records.read_text())["records"] if asked.records.exists() else []
    if not asked.show:
        again = {(device, shape.inputs, shape.cell, shape.units) for shape in shapes}
        names = ("device", "inputs", "cell", "units")
        records = [r for r in records if tuple(r[name] for name in names) not in again]
        about = {name: version(name) for name in ("jax", "keras")}
        about["machine"] = platform.machine()
        of_cpu = ("one",) if asked.quick else ("one", "all")
        for cores in of_cpu if device == "cpu" else ("all",):
            for record in measured(cores, sys.argv[1:]):
                records.append(record)
                text = json.dumps({**about, "records": records}, indent=0)
                asked.records.write_text(text + "\n")
    print(table(records))
    print("SIDE_BY_SIDE =", derive(records))


def measured(cores: str, options: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The records of a process with JAX on one core, or on all."""
    variables = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, *options, "--measure", cores]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **variables}
    ) as process:
        for line in process.stdout or ():
            print(line, end="", file=sys.stderr, flush=True)
            yield json.loads(line)
    if process.returncode:
        sys.exit(process.returncode)


def measure(
    shapes: Sequence[Shape], device: str, cores: str, quick: bool
) -> Iterator[dict[str, Any]]:
    """A record for each shape and number of replicates."""
    if cores == "one":  # before JAX starts its threads
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from harness.training.device import placement, resolve
    from harness.training.engines import prepare_compiler

    prepare_compiler("jax")
    about = {"device": device, "cores": len(os.sched_getaffinity(0)), "hardware": hardware(device)}
    with placement(resolve(device, "jax"), "jax"):
        for shape in shapes:
            few = replace(shape, steps=2) if quick else shape
            members = (3,) if quick else MEMBERS[device]
            for record in of_shape(few, device, members):
                yield {**about, **record}


def of_shape(
    shape: Shape, device: str, numbers_of_members: Sequence[int]
) -> Iterator[dict[str, Any]]:
    from harness.datasets.base.signature import Signature
    from harness.spec.hyperparameters import Hyperparameters
    from harness.training.epochs import epoch_order
    from harness.training.jax_epochs import JaxEpochs
    from harness.training.recurrent import choose_path
    from harness.training.side_by_side import SideBySide
    from harness.workers.timing import random_split

    given = {name: v for name, v in asdict(shape).items() if name not in ("inputs", "steps")}
    hp = Hyperparameters(depth=1, **given)
    signature = Signature(features=FEATURES if shape.inputs == "numbers" else 0)
    path = choose_path(hp, device=device, backend="jax")
    rows = shape.steps * shape.batch_size
    train, validation = (random_split(hp, signature, n) for n in (rows, shape.batch_size))
    alone, program = (JaxEpochs(hp, signature, path) for _ in range(2))
    alone.compile(train, validation)
    starts = []
    for seed in range(min(SEEDS, max(numbers_of_members))):
        program.reset(hp, seed)
        starts.append(program.values())

    def told(*progress: Any) -> None:
        """Nobody looks."""

    for members in numbers_of_members:
        group = SideBySide(program, train, validation, members=members)
        for member in range(members):
            program.assign(starts[member % len(starts)])
            group.enter(member)
        alone.reset(hp, 0)
        losses: list[float] = []
        times: dict[str, list[float]] = {"alone": [], "together": []}
        for epoch in range(1 + (ROUNDS if members < MANY else ROUNDS_OF_MANY)):
            orders = [epoch_order(seed, epoch, rows) for seed in range(len(starts))]
            of_members = {member: orders[member % len(starts)] for member in range(members)}
            group.compile()
            one = alone.train(train, orders[0], told, done=0, seconds=0.0)
            together = group.train(train, of_members, told, done=0, seconds=0.0)
            if epoch == 0:  # to warm up, and before rounding has grown
                losses = [one.loss, together[0].loss]
                continue
            times["alone"].append(one.seconds / shape.steps * 1000.0)
            times["together"].append(together[0].seconds / shape.steps * 1000.0)
        yield {
            **given,
            "inputs": shape.inputs,
            "path": path,
            "members": members,
            "alone_ms": round(statistics.median(times["alone"]), 4),
            "together_ms": round(statistics.median(times["together"]), 4),
            "loss_parity": float(f"{abs(losses[1] - losses[0]) / losses[0]:.1e}"),
            "alone_compile_s": round(alone.compile_s, 2),  # of training and evaluation
            "compile_s": round(group.compile_s, 2),
        }


def derive(
    records: Sequence[dict[str, Any]],
) -> dict[str, dict[str, dict[str, tuple[tuple[int, int], ...]]]]:
    """`SIDE_BY_SIDE`: by device, inputs and cell, up to which units it takes how many members.

    From those members on every measured number is faster. Of a CPU one core counts.
    """
    rule: dict[str, dict[str, dict[str, tuple[tuple[int, int], ...]]]] = {}
    faster: dict[tuple[str, str, str], dict[int, list[tuple[int, bool]]]] = {}
    for r in records:
        if r["device"] == "gpu" or r["cores"] == 1:
            alone, together = (
                r["members"] * TRAINING_STEPS * r[name] / 1000.0
                for name in ("alone_ms", "together_ms")
            )
            gains = r["members"] > 1 and alone >= GAIN * (together + r["compile_s"])
            of_units = faster.setdefault((r["device"], r["inputs"], r["cell"]), {})
            of_units.setdefault(r["units"], []).append((r["members"], gains))
    for (device, inputs, cell), of_units in sorted(faster.items()):
        steps = []
        for units, found in sorted(of_units.items()):
            slow = max((members for members, gains in found if not gains), default=1)
            least = min((members for members, _ in found if members > slow), default=None)
            if least is None:
                break
            steps.append((units, least))
        if steps:
            rule.setdefault(device, {}).setdefault(inputs, {})[cell] = tuple(steps)
    return rule


def hardware(device: str) -> str:
    if device == "gpu":
        import jax

        return str(jax.devices()[0].device_kind)
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith("model name"))


def table(records: Sequence[dict[str, Any]]) -> str:
    """A line for each shape: how many times faster each number of replicates is side by side."""
    lines, shapes = [], {}
    for record in records:
        key = tuple(record[n] for n in ("device", "cores", "inputs", "cell", "units"))
        shapes.setdefault((*key, record["batch_size"], record["sequence_length"]), []).append(
            record
        )
    for (device, cores, inputs, cell, units, batch, length), found in shapes.items():
        lines.append(f"{device}, cores {cores}: {inputs}, {cell} {units}, {batch} × {length}")
        lines.append("  replicates " + "".join(f"{r['members']:>9}" for r in found))
        for title, name in (("alone ms", "alone_ms"), ("together ms", "together_ms")):
            lines.append(f"  {title:11}" + "".join(f"{r[name]:9.3f}" for r in found))
        gains = [r["alone_ms"] / r["together_ms"] for r in found]
        lines.append("  faster     " + "".join(f"{gain:8.2f}×" for gain in gains))
        lines.append("  loss apart " + "".join(f"{r['loss_parity']:9.0e}" for r in found))
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""A search whose trials are trained side by side, and the same one after another, on JAX.

    python tests/benchmarks/fused_search.py                   60 trials on a CPU
    python tests/benchmarks/fused_search.py --device gpu
    python tests/benchmarks/fused_search.py --count           which trials could be; trains nothing

The study is `joint_search` with one network (GRU(16), 50 words): random trials that differ in their
rates have one compiled program. Of all that `joint_search` searches few trials have: `--count`
says how many. Both studies begin with nothing compiled. The losses show that both do the same.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import harness
from harness import Budget, FloatDistribution, Study
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.search.arm_search import ArmSearch
from harness.search.database import open_storage, sqlite_url
from harness.spec import study_files
from harness.training import grouping
from harness.training.recurrent import choose_path
from harness.training.same_program import compiled_shape

NETWORK = {"cell": "gru", "depth": 1, "units": 16, "sequence_length": 50}
RATES = {
    "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
    "dropout": FloatDistribution(0.1, 0.5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--count", action="store_true", help="train nothing")
    parser.add_argument("--records", type=Path)
    asked = parser.parse_args()
    if asked.count:
        print(count(asked.device, asked.trials))
        return
    records: list[dict[str, Any]] = []
    values: list[list[float]] = []
    for how in ("beside", "alone"):
        record, losses = timed(how, asked.device, asked.trials)
        values.append(losses)
        if len(values) == 2:
            apart = [abs(one - two) / two for one, two in zip(*values, strict=True)]
            record["loss_apart"] = float(f"{max(apart):.1e}")
        records.append(record)
        print(json.dumps(record), flush=True)
        if asked.records:
            asked.records.write_text(json.dumps({"records": records}, indent=1) + "\n")


def study_of(device: str, trials: int) -> Study:
    """`joint_search` with random trials, one after another in one search, and no pruning."""
    return replace(
        study_files.load("joint_search").study, sampler="random", pruner="none", replicates=0,
        searches=1, backend="jax", device=device, threads=1,
        budget=Budget(trials=trials, epochs=2),
    )  # fmt: skip


def timed(how: str, device: str, trials: int) -> tuple[dict[str, Any], list[float]]:
    """Run the study by one worker; what it took, and the losses of its trials."""
    study = study_of(device, trials)
    study = replace(
        study,
        dataset=replace(study.dataset, train=4_000, validation=1_000, test=100),
        search=RATES,
        fixed={**study.fixed, **NETWORK},
    )
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HARNESS_COMPILE_CACHE"] = f"{folder}/programs"
        rule = {"words": {NETWORK["cell"]: ((NETWORK["units"], 2),)}}
        grouping.SIDE_BY_SIDE = {device: rule} if how == "beside" else {}  # type: ignore[dict-item]
        began = time.perf_counter()
        harness.run(study, name="fused", runs=folder, workers=1, profile=False, quiet=True)
        seconds = time.perf_counter() - began
        found = read_records(Path(folder) / "fused").trials
    return {
        "device": device, "trials": trials, "how": how, "study_s": round(seconds, 1),
        "training_s": round(float(found["train_s"].sum()), 1),
        "in_groups": int(found["step_ms"].isna().sum()),
    }, found["value"].tolist()  # fmt: skip


def count(device: str, trials: int) -> str:
    """How many random trials of `joint_search` have the program of another one."""
    study = study_of(device, trials)
    (arm,) = study.arms()
    with tempfile.TemporaryDirectory() as folder:
        root = RunDirectory(Path(folder))
        search = ArmSearch("count", study, arm, open_storage(sqlite_url(root.database)), root)
        found = [search.next().hyperparameters for _ in range(trials)]
    paths = [choose_path(hp, device=device, backend="jax") for hp in found]
    shapes = Counter(compiled_shape(hp, path) for hp, path in zip(found, paths, strict=True))
    shared = sum(number for number in shapes.values() if number > 1)
    return f"{shared} of {trials} trials of joint_search have the program of another one"


if __name__ == "__main__":
    main()

"""All that needs a GPU, one part after another, into one file of records.

    tests/benchmarks/gpu_session.sh [--records FILE]      at most nine minutes in all
    python tests/benchmarks/gpu_session.py --device cpu   the same parts without a GPU

- `tests`: the tests marked gpu.
- `profile`: each cell on each backend, on the GPU and the CPU: times, memory, energy where NVML
  counts it, and the path that ran.
- `study`: `joint_search --quick` on the first backend.
- `repeats`: a training three times over on each backend: is it the same to the last bit?
- `side_by_side`: up to 1,024 replicates at once on JAX, and one after another.
- `precision`: replicates in float32 and in mixed precision on each backend: accuracy, step time,
  and the path that ran.
- `fused`: a search of 60 trials on JAX, side by side and one after another.

Nine minutes are about enough for one backend (`--backends jax`). A part that no time is left for is
named and left out; `--parts` runs it alone.

The records are written again after each part, so a session that is cut off leaves those before.
They are a profile, too, so a report shows them beside its own machine's:

    python -m harness.report lstm_depth --profile gpu_session.json

Exit code 1 if a part failed, or a profiled network did not run on the path that belongs to it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core import environment, files
from harness.results.records import read_records
from harness.spec.hyperparameters import Hyperparameters
from harness.training.recurrent import choose_path

# Above what each took on an H100, where `tests` and `precision` were cut off and `side_by_side` had
# one shape. Of `profile`, `repeats` and `precision` it is the time of one backend. A CPU may take
# PATIENCE times that.
LIMITS_S = {
    "tests": 75.0,
    "profile": 120.0,
    "study": 120.0,
    "repeats": 40.0,
    "side_by_side": 120.0,
    "precision": 150.0,
    "fused": 160.0,
}
SESSION_S = 525.0  # of all parts; the command may take 540
PATIENCE = 10
LEAST_S = 20.0  # a part with less left is not begun
SIDE_BY_SIDE = Path(__file__).with_name("side_by_side_speed.py")
FUSED = Path(__file__).with_name("fused_search.py")
CELLS = ("lstm", "gru", "rnn")
PRECISION = Path(__file__).with_name("mixed_precision.py")
REPEATS = Path(__file__).with_name("repeated_training.py")
CUDNN = ("lstm", "gru")  # the stock layers that TensorFlow runs by cuDNN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=Path, default=Path("gpu_session.json"))
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu")
    parser.add_argument("--parts", nargs="+", choices=list(LIMITS_S), default=list(LIMITS_S))
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax"])
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--patience", type=float, help="so many times the time for each part")
    parser.add_argument("--quick", action="store_true", help="a small study of precisions")
    asked = parser.parse_args()
    records: dict[str, Any] = {
        "environment": environment.describe(), "gpus": gpus(), "parts": {}, "faults": [],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        for name, limit_s, command in plan(asked, Path(folder)):
            if asked.device == "gpu":
                limit_s = min(limit_s, SESSION_S - (time.perf_counter() - began))
                if limit_s < LEAST_S:
                    records["faults"].append(f"{name}: no time was left; run it with --parts")
                    save(records, asked.records)
                    continue
            print(f"{name}: {' '.join(command)}", file=sys.stderr, flush=True)
            part = run(command, limit_s)
            records["parts"][name] = part
            if part["code"] != 0:
                records["faults"].append(f"{name}: {part['tail'].splitlines()[-1:]}")
                part["logs"] = {
                    str(file.relative_to(folder)): file.read_text(errors="replace")[-2000:]
                    for file in Path(folder).rglob("logs/**/*")
                    if file.is_file()
                }
            if name == "profile" and part["code"] == 0:
                records |= json.loads((Path(folder) / "profile.json").read_text())
                records["faults"] += faults(records["entries"])
            kept = Path(folder) / f"{name}.json"
            if name in ("fused", "side_by_side") and kept.exists():  # some, where it took too long
                part["records"] = json.loads(kept.read_text())["records"]
            if name.startswith("precision") and part["code"] == 0:
                part |= of_precision(Path(folder) / name.replace(" ", "-"))
                records["faults"] += precision_faults(part["paths"], name.split()[1], asked.device)
            save(records, asked.records)
    for fault in records["faults"]:
        print(fault, file=sys.stderr)
    print(asked.records)
    return 1 if records["faults"] else 0


def save(records: Mapping[str, Any], file: Path) -> None:
    file.write_text(files.to_json(files.sealed(records)) + "\n")


def plan(asked: argparse.Namespace, folder: Path) -> list[tuple[str, float, list[str]]]:
    """The parts: a name, the seconds that it may take, its command."""
    python, device, parts = sys.executable, asked.device, list[tuple[str, list[str]]]()
    patience = asked.patience or (PATIENCE if device == "cpu" else 1)
    if "tests" in asked.parts:
        command = [python, "-m", "pytest", "-q", "-m", "gpu", "tests/test_gpu.py"]
        parts.append(("tests", command))
    if "profile" in asked.parts:
        devices = "gpu,cpu" if device == "gpu" else "cpu"
        grid = ["--cell", ",".join(asked.cells), "--depth", "2", "--units", "32", "--quick"]
        where = ["--backend", ",".join(asked.backends), "--device", devices]
        command = [python, "-m", "harness.profile", *grid, *where, "--output", str(folder)]
        parts.append(("profile", command))
    if "study" in asked.parts:
        command = [python, "-m", "harness.study", "joint_search", "--quick", "--json"]
        command += ["--backend", asked.backends[0], "--device", device]
        parts.append(("study", [*command, "--runs", f"{folder}/study"]))
    if "repeats" in asked.parts:
        for backend in asked.backends:
            command = [python, str(REPEATS), "--backend", backend, "--device", device]
            parts.append((f"repeats {backend}", command))
    if "side_by_side" in asked.parts and "jax" in asked.backends:
        what = "--gpu" if device == "gpu" else "--quick"
        command = [python, str(SIDE_BY_SIDE), what, "--records", f"{folder}/side_by_side.json"]
        parts.append(("side_by_side", command))
    if "precision" in asked.parts:
        for backend in asked.backends:
            command = [python, "-m", "harness.study", str(PRECISION), "--no-profile", "--json"]
            command += ["--backend", backend, "--device", device]
            command += ["--runs", f"{folder}/precision-{backend}", *["--quick"] * asked.quick]
            parts.append((f"precision {backend}", command))
    if "fused" in asked.parts and "jax" in asked.backends:
        command = [python, str(FUSED), "--device", device, "--records", f"{folder}/fused.json"]
        parts.append(("fused", [*command, *["--trials", "4"] * asked.quick]))
    each = len(asked.backends)
    limits = {**LIMITS_S, "profile": LIMITS_S["profile"] * each}
    return [(name, patience * limits[name.split()[0]], command) for name, command in parts]


def run(command: Sequence[str], limit_s: float) -> dict[str, Any]:
    """Run a command: its exit code (None where it took too long), seconds, and last lines."""
    started = time.perf_counter()
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=limit_s,
            check=False,
        )  # fmt: skip
        code, out = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
        code, out = None, f"{said.decode(errors='replace')}\nstopped after {limit_s:.0f} s"
    seconds = round(time.perf_counter() - started, 1)
    return {"code": code, "seconds": seconds, "tail": out[-4000:]}


def faults(entries: Sequence[dict[str, Any]]) -> list[str]:
    """What did not run on its path: that of `choose_path`, and cuDNN for stock layers on a GPU."""
    found = []
    for entry in entries:
        hp = Hyperparameters(cell=entry["cell"], depth=entry["depth"], units=entry["units"])
        backend, device = entry["backend"], entry["device"]
        expected = choose_path(hp, device=device, backend=backend)
        name = f"{entry['cell']} on {backend}, {device}"
        if entry["path"] != expected:
            found.append(f"{name}: path {entry['path']}, and {expected} belongs to it")
        cudnn = (backend, device, expected) == ("tensorflow", "gpu", "keras")
        if entry["cudnn"] is not (cudnn and entry["cell"] in CUDNN):
            found.append(f"{name}: cuDNN {entry['cudnn']}")
    return found


def of_precision(runs: Path) -> dict[str, Any]:
    """What a study of precisions found: scores and step times by arm, verdicts, and the paths."""
    (root,) = runs.glob(f"{PRECISION.stem}*")
    found = json.loads((root / "summary.json").read_text())
    replicates = read_records(root).replicates
    ours = replicates[replicates["arm"].str.startswith("precision=")]
    paths = {arm: sorted(set(rows["path"])) for arm, rows in ours.groupby("arm")}
    step_ms = {arm: sorted(rows["step_ms"]) for arm, rows in ours.groupby("arm")}
    return {
        "arms": found["arms"], "verdicts": found["verdicts"], "paths": paths, "step_ms": step_ms,
    }  # fmt: skip


def precision_faults(paths: Mapping[str, Sequence[str]], backend: str, device: str) -> list[str]:
    """Where replicates did not run on the path that belongs to their precision."""
    found = []
    for arm, taken in paths.items():
        hp = Hyperparameters(cell="gru", units=128, precision=arm.partition("=")[2])
        expected = choose_path(hp, device=device, backend=backend)
        if list(taken) != [expected]:
            told = ", ".join(taken)
            found.append(f"{arm} on {backend}: path {told}, and {expected} belongs to it")
    return found


def gpus() -> list[str]:
    """Name and driver of each NVIDIA GPU."""
    try:
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return done.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())

"""Pools the figures of several processes into one entry of profile.json."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.core import files
from harness.profile.measurements import Configuration, signature_fields
from harness.results.tables import to_csv
from harness.spec import counts
from harness.workers import spread


def entry(configuration: Configuration, processes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One entry of profile.json: the pooled figures of several processes.

    Times of blocks are pooled as they are. Of figures that each process has once, the entry has
    the median. The peak of resident memory is the smallest one, since a process also keeps memory
    of what it measured before. `gflops` counts matrix products only (`counts.flops_per_step`).
    """
    hp, signature = configuration.hyperparameters, configuration.signature
    step_ms = spread.pooled([ms for each in processes for ms in each["block_ms"]])
    flops = counts.flops_per_step(hp, signature)
    iterations = counts.recurrence_iterations(hp, signature)
    gflops = flops / step_ms["median"] / 1e6
    matmul = _median(processes, "matmul_gflops")
    first = processes[0]
    memory = [each["peak_device_mb"] for each in processes if each["peak_device_mb"] is not None]
    return {
        "cell": hp.cell,
        "depth": hp.depth,
        "units": list(hp.units) if isinstance(hp.units, tuple) else hp.units,
        "sequence_length": hp.sequence_length,
        "batch_size": hp.batch_size,
        "backend": configuration.backend,
        "device": configuration.device,
        "path": first["path"],
        "step_ms": step_ms,
        "compile_s": _median(processes, "compile_s"),
        "parameters": counts.parameters(hp, signature),
        "flops_per_step": flops,
        "peak_rss_mb": min(float(each["peak_rss_mb"]) for each in processes),
        "evaluation_ms": spread.pooled([ms for each in processes for ms in each["evaluation_ms"]]),
        "epoch_s": _median(processes, "epoch_s"),
        "epoch_steps": first["epoch_steps"],
        "evaluation_steps": first["evaluation_steps"],
        "import_s": _median(processes, "import_s"),
        "build_s": _median(processes, "build_s"),
        "gflops": gflops,
        "matmul_gflops": matmul,
        "matmul_share": None if not matmul else gflops / matmul,
        "us_per_iteration": step_ms["median"] * 1000.0 / iterations if iterations else None,
        "peak_device_mb": max(memory, default=None),
        "joules_per_step": _median(processes, "joules_per_step"),
        "xla": first["xla"],
        "cudnn": first["cudnn"],
        "processes": len(processes),
        "measured_longer": any(each["measured_longer"] for each in processes),
        "threads": configuration.threads,
        **signature_fields(signature),
        "bidirectional": hp.bidirectional,
        "embedding_dim": hp.embedding_dim,
        "vocabulary": hp.vocabulary,
        "dropout": hp.dropout,
        **hp.options,
        "arms": list(configuration.arms),
    }


def write(profiled: Mapping[str, Any], file: Path, table: Path) -> None:
    """Write profile.json, and the same entries as CSV with columns such as `step_ms_median`."""
    import pandas as pd

    rows = [
        {
            **{key: value for key, value in one.items() if not isinstance(value, dict | list)},
            **{
                f"{key}_{name}": number
                for key, value in one.items()
                if isinstance(value, dict)
                for name, number in value.items()
            },
            "units": "-".join(map(str, one["units"]))
            if isinstance(one["units"], list)
            else one["units"],
            "arms": " ".join(one["arms"]),
        }
        for one in profiled["entries"]
    ]
    files.write_atomically(file, files.to_json(files.sealed(profiled)))
    files.write_atomically(table, to_csv(pd.DataFrame(rows)))


def _median(processes: Sequence[Mapping[str, Any]], name: str) -> float | None:
    values = [float(each[name]) for each in processes if each.get(name) is not None]
    return statistics.median(values) if values else None

"""The profile at the end of a study: what each arm's best configuration costs."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UserError

SHARE, LEAST_S = 0.2, 10.0  # of the study's time, and seconds, that its profile may take
WARM_S = 3.0  # for one configuration, compiling and validation included, at the effort WARM

if TYPE_CHECKING:
    from harness.datasets.base.signature import Signature
    from harness.profile.measurements import Configuration, Effort
    from harness.profile.profiler import Warm
    from harness.results.records import Records
    from harness.workers.local import LocalPool


def profile_run_directory(
    root: Path,
    *,
    quick: bool,
    notify: Callable[[str], None],
    pool: "LocalPool | None" = None,
) -> Path:
    """Profile a finished study in short time, into its run directory; returns profile.json's path.

    Measures the best configuration of each arm, and nothing else, for a fifth of the study's time
    at most: in the first worker of `pool` where that is given and there is no GPU to measure as
    well. Raises UserError if no trial has completed, or nothing could be measured.
    """
    from dataclasses import replace

    from harness.analysis import summary
    from harness.profile.measurements import QUICK, QUICK_WARM, SHORT, WARM, Effort
    from harness.profile.profiler import Warm, devices_here
    from harness.results.records import read_records

    warm, records = None, read_records(root)
    spent_s = float(records.trials["train_s"].sum() + records.replicates["train_s"].sum())
    spec, workers = records.manifest.spec, records.manifest.workers or 1
    if pool is not None and (devices_here() == ["cpu"] or spec.get("device") == "cpu"):
        workers, sizes = len(pool), spec["dataset"]
        warm = Warm(pool, (int(sizes["train"]), int(sizes["validation"])))
        arms = len(summary.best_trials(records))
        # A short study is not made to wait for more seconds of steps than their spread needs.
        effort = QUICK_WARM if quick or arms * WARM_S > SHARE * spent_s / workers else WARM
    else:
        effort = QUICK if quick else SHORT
        earlier = records.profile
        if earlier:  # measure again with the same effort
            effort = Effort(int(earlier["processes"]), float(earlier["seconds"]))
    effort = replace(effort, limit_s=max(LEAST_S, SHARE * spent_s / workers))
    return profile_study(records, effort, notify, grid=False, warm=warm)


def profile_is_current(root: Path) -> bool:
    """Whether profile.json has each arm's best configuration, or says why it does not.

    False where later trials have found other best configurations. True if no trial has completed.
    """
    from dataclasses import replace

    from harness.analysis import summary
    from harness.analysis.parameters import all_parameters
    from harness.profile.estimate import hyperparameters_of
    from harness.results.records import read_records
    from harness.spec.hyperparameters import Hyperparameters

    records = read_records(root)
    best = summary.best_trials(records)
    if records.manifest["spec"].get("model"):
        return True  # such studies are not profiled
    if records.profile is None or records.profile["failed"]:
        return best.empty or records.profile is not None
    measured = [
        (hyperparameters_of(entry), arm)
        for entry in records.profile["entries"]
        for arm in entry["arms"]
    ]
    for _, trial in best.iterrows():
        hp = Hyperparameters.from_mapping(all_parameters(records, trial))
        # Step times do not depend on the learning rate, so profiles leave it out.
        if not any(
            arm == trial["arm"] and replace(of, learning_rate=hp.learning_rate) == hp
            for of, arm in measured
        ):
            return False
    return True


def profile_study(
    records: "Records",
    effort: "Effort",
    notify: Callable[[str], None],
    *,
    grid: bool = True,
    devices: Sequence[str] | None = None,
    path: str | None = None,
    warm: "Warm | None" = None,
) -> Path:
    from harness.profile import profiler
    from harness.profile.entries import write
    from harness.results.run_directory import RunDirectory

    directory = RunDirectory(records.root)
    configurations = configurations_of(records, grid=grid, devices=devices, path=path)
    profiled = profiler.profile(configurations, records.root / "profile", effort, notify, warm)
    write(profiled, directory.profile, directory.tables / "profile.csv")
    return directory.profile


def configurations_of(
    records: "Records",
    *,
    grid: bool = True,
    devices: Sequence[str] | None = None,
    path: str | None = None,
) -> list["Configuration"]:
    """The best configuration of each arm and, with `grid`, depths 1 to 4 of each of their cells.

    The grid has the lower median of units and length over completed trials, with the same units in
    all layers. Raises UserError if no trial has completed.
    """
    import statistics
    from dataclasses import replace

    from harness.analysis import summary
    from harness.analysis.parameters import all_parameters
    from harness.profile import profiler
    from harness.profile.measurements import Configuration
    from harness.spec.hyperparameters import BAG, Hyperparameters

    best = summary.best_trials(records)
    if best.empty:
        raise UserError(
            f"{records.root}: no trial has completed yet, so there is nothing to profile"
        )
    spec = records.manifest["spec"]
    if spec.get("model"):
        raise UserError(
            "the study builds its own models, which are not profiled; step times are in its trials"
        )
    if devices is None:
        here = profiler.devices_here()
        devices = here if spec["device"] == "auto" else [spec["device"]]
    trials = records.trials[records.trials["state"] == "complete"]
    all_of = [
        Hyperparameters.from_mapping(all_parameters(records, trial))
        for _, trial in trials.iterrows()
    ]
    chosen: list[tuple[Hyperparameters, tuple[str, ...]]] = [
        (Hyperparameters.from_mapping(all_parameters(records, trial)), (str(trial["arm"]),))
        for _, trial in best.iterrows()
    ]
    if grid:
        units = statistics.median_low(n for hp in all_of for n in hp.units_per_layer)
        length = statistics.median_low(hp.sequence_length for hp in all_of)
        first = {hp.cell: hp for hp, _ in reversed(chosen) if hp.cell != BAG}
        plain: dict[str, Any] = {"dropout": 0.0, "units_shape": "equal"}
        chosen += [
            (replace(hp, depth=depth, units=units, sequence_length=length, **plain), ())
            for hp in first.values()
            for depth in (1, 2, 3, 4)
        ]
    return [
        Configuration(
            hyperparameters=hp,
            backend=spec["backend"],
            device=device,
            path=path or spec.get("path"),
            threads=spec["threads"],
            signature=_signature(records),
            arms=arms,
        )
        for device in devices
        for hp, arms in chosen
    ]


def _signature(records: "Records") -> "Signature":
    """The inputs and outputs of a study's models."""
    from harness import datasets
    from harness.datasets.base.signature import FIELDS, Signature

    known = records.manifest.get("dataset") or {}
    if "classes" not in known:  # a run directory of an earlier version
        with contextlib.suppress(UserError, KeyError):
            return datasets.by_name(known["name"]).signature
    return Signature(**{name: known[name] for name in FIELDS if name in known})

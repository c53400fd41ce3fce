"""Units of equal step time for every arm, found by measuring before the first trial."""

from collections.abc import Mapping
from dataclasses import replace

from harness.core.console import stop
from harness.results.run_directory import RunDirectory
from harness.search import equal_step_time
from harness.search.coordinator import Coordinator
from harness.search.progress import ProgressDisplay
from harness.spec.study import Study
from harness.spec.study_files import Declaration
from harness.study.options import Options
from harness.study.trainings import settings_of, worker_count
from harness.workers.local import LocalPool


def solve_units(
    options: Options,
    study: Study,
    declaration: Declaration,
    directory: RunDirectory,
    known: Mapping[str, int] | None = None,
) -> Study:
    """The study with units measured for each arm; what is on file is not measured again.

    `known` are the units in the manifest, which hold once a study has begun.

    One worker measures, so that nothing else runs beside it. With `--quick` the arms are measured
    side by side, because all of it may take two minutes at most.
    """
    if known and all(arm.name in known for arm in study.arms()):
        return replace(study, measured_units=dict(known))
    if len(equal_step_time.read_units(study, directory)) < len(study.arms()):
        study.dataset.prepare(options.notify)
        options.notify(f"measuring which units take {study.hold['step_ms']:g} ms per step")
        workers = min(worker_count(options, study), len(study.arms())) if options.quick else 1
        settings = settings_of(study, declaration)
        with LocalPool(workers, settings, directory.root / "logs") as pool:
            probes = _probe(options, study, directory, pool)
        equal_step_time.write_units(probes, directory)
    return equal_step_time.with_units(study, directory)


def _probe(
    options: Options, study: Study, directory: RunDirectory, pool: LocalPool
) -> list[equal_step_time.StepTimeProbe]:
    """Measure every arm's units: one arm after another, each starting from the last one's units.

    With `--quick` all arms are measured at once.
    """
    arms = study.arms()
    groups = [arms] if options.quick else [[arm] for arm in arms]
    tolerance = equal_step_time.TOLERANCE_IN_QUICK if options.quick else equal_step_time.TOLERANCE
    found: list[equal_step_time.StepTimeProbe] = []
    for group in groups:
        start = found[-1].units if found else equal_step_time.START
        probes = [
            equal_step_time.StepTimeProbe(study, arm, directory, start=start, tolerance=tolerance)
            for arm in group
        ]
        names = [arm.name for arm in group]
        board = ProgressDisplay(names, 1, len(pool), equal_step_time.EPOCHS, noun="measurement")
        Coordinator(probes, pool, board, stop).run()
        for probe in probes:
            step_ms = probe.measured[probe.units]
            options.notify(f"{probe.arm.name}: {probe.units} units, {step_ms:.3g} ms per step")
        found += probes
    return found

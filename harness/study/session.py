"""One sitting of a study: from options to the report, under the study's lock. No Keras."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import report
from harness.analysis import summary
from harness.analysis.verdicts import conclude
from harness.commands import export
from harness.core.console import stop
from harness.core.errors import UserError
from harness.profile.command import predict_study, profile_is_current, profile_run_directory
from harness.results import estimates, lock
from harness.results import records as runs
from harness.search import database as storage
from harness.search import equal_step_time
from harness.search.arm_search import ArmSearch
from harness.search.coordinator import Search
from harness.search.progress import Board, duration
from harness.spec.study import Study
from harness.spec.study_files import Declaration, load
from harness.study import resume, warm_start
from harness.study.options import Options, apply, check_limits, command
from harness.study.trainings import Sitting, settings_of, worker_count
from harness.workers.local import LocalPool
from reports.wording import distribution_text

if TYPE_CHECKING:
    from harness.profile.scaling import Estimate

MOST_PROFILED_IN_QUICK = 8  # arms; each takes some five seconds to compile and measure


@dataclass(frozen=True)
class Opened:
    """A study whose directory and database are open, under its lock."""

    name: str
    declaration: Declaration
    study: Study
    directory: runs.RunDirectory
    arms: list[ArmSearch]
    resumed: bool


def run(options: Options) -> int:
    """Run or resume a study; returns the exit code. Raises UserError and StudyHeldError."""
    check_limits(options)
    if options.dry_run:
        print(plan(options))
        return 0
    with ExitStack() as stack:
        opened = open_study(options, stack)
        with storage.told(str(opened.directory.root)):
            _sit(options, opened)
        return _tell_outcome(options, opened.directory)


def plan(options: Options) -> str:
    """What `--dry-run` prints."""
    declaration, name, study, directory = _named(options)
    dataset = study.dataset
    lines = [
        f"{name}: {declaration.question}",
        f"dataset    {dataset.name}: {dataset.train:,} training, {dataset.validation:,} "
        f"validation, {dataset.test:,} test examples",
        f"arms       {', '.join(arm.name for arm in study.arms())}",
        "searched   "
        + (
            "\n           ".join(
                f"{name}: {distribution_text(declared)}"
                for name, declared in study.to_mapping()["search"].items()
            )
            or "nothing"
        ),
        f"fixed      {summary.short(study.fixed)}",
        f"budget     {study.budget.trials} trials an arm, "
        f"{study.budget.trials * len(study.arms())} in all, "
        f"up to {study.budget.epochs} epochs each",
        f"replicates {study.replicates} of each arm's best, on the "
        f"{'test' if dataset.test else 'validation'} split",
        f"search     sampler {study.sampler}, pruner {study.pruner}, seed {study.seed}",
        f"workers    {worker_count(options, study)}"
        + (f" on the cluster {options.ray}" if options.ray is not None else "")
        + f" with {study.threads} {'thread' if study.threads == 1 else 'threads'} each, "
        f"backend {study.backend}, device {study.device}",
        f"directory  {directory.root}" + (" (exists)" if directory.manifest.exists() else ""),
    ]
    found = _predicted(options, name, study)
    if found is not None:
        estimated, profile = found
        lines.append(f"time       at most {duration(estimated.seconds)}, by {profile}")
    elif options.ray is not None:
        lines.append("time       unknown: profiles are of this machine, not of a cluster")
    else:
        lines.append("time       unknown: no profile here; see python -m harness.profile -h")
    return "\n".join(lines)


def _predicted(options: Options, name: str, study: Study) -> "tuple[Estimate, str] | None":
    """How long a study will take, and the profile that says so, where there is one."""
    if options.ray is not None:
        return None  # profiles are of this machine, and a cluster's room is not known
    return predict_study(study, name, worker_count(options, study), options.runs)


def _named(options: Options) -> tuple[Declaration, str, Study, runs.RunDirectory]:
    """The study that the options mean, its name there, and its run directory."""
    declaration = load(options.name)
    study = apply(options, declaration.study)
    name = declaration.name + ("-quick" if options.quick else "")
    if options.storage is not None:
        storage.check_url(options.storage)
    return declaration, name, study, runs.RunDirectory(options.runs / name)


def open_study(options: Options, closing: ExitStack) -> Opened:
    """Begin a study or find it as it was left, and hold its lock until `closing` closes.

    Raises UserError where what is there is of another study, StudyHeldError where another process
    holds it. Nothing is written before all is known to fit.
    """
    declaration, name, study, directory = _named(options)
    closing.enter_context(lock.hold(directory.lock))
    if options.fresh and (directory.manifest.exists() or directory.database.exists()):
        aside = _move_aside(directory)
        closing.enter_context(lock.hold(directory.lock))
        options.say(f"the old run directory is now {aside}")
    with storage.told(str(directory.root)):
        study, arms, resumed = _open_locked(options, declaration, name, study, directory, closing)
    return Opened(name, declaration, study, directory, arms, resumed)


def _open_locked(
    options: Options,
    declaration: Declaration,
    name: str,
    study: Study,
    directory: runs.RunDirectory,
    closing: ExitStack,
) -> tuple[Study, list[ArmSearch], bool]:
    old = directory.read_manifest() if directory.manifest.exists() else None
    if old is None and directory.database.exists():
        raise UserError(
            f"{directory.root} has a study.db but no manifest.json; put the manifest back, "
            "or start anew with --fresh, which moves the directory aside"
        )
    if old is not None:
        study = resume.match(
            old,
            name,
            study,
            directory,
            trials_given=options.trials is not None,
            replicates_given=options.replicates is not None,
        )
    resume.check_replicates(study, directory, given=options.replicates is not None)
    if "step_ms" in study.hold and options.ray is not None:
        raise UserError("--ray: step_ms is held as measured on one machine; leave --ray out")
    if "step_ms" in study.hold:
        study = _solve_units(options, study, declaration, directory)
    url = options.storage or storage.sqlite_url(directory.database)
    if old is None:
        study.dataset.prepare(options.say)
    manifest = old or {
        **resume.new_manifest(declaration, name, study, quick=options.quick),
        "enqueued": warm_start.of_options(options, study),
    }
    manifest = {
        **manifest,
        "spec": study.to_mapping(),
        "storage": storage.shown(url),
        "command": command(options),
    }
    database = storage.open_storage(url)
    closing.callback(database.close)
    database.say = options.say
    database.hold(name)
    arms = [ArmSearch(name, study, arm, database, directory) for arm in study.arms()]
    resume.check_claims(arms, manifest["fingerprint"], storage.shown(url))
    resume.check_trials(arms, study, trials_given=options.trials is not None)
    # Only now, that nothing is left to refuse.
    runs.write_atomically(directory.manifest, runs.to_json(manifest))
    for arm in arms:
        arm.claim(manifest["fingerprint"])
        arm.enqueue(manifest.get("enqueued", {}).get(arm.arm.name, ()))
    return study, arms, old is not None


def _sit(options: Options, opened: Opened) -> None:
    """What is left to train, the model to take, and a profile."""
    study, directory, arms = opened.study, opened.directory, opened.arms
    settings = settings_of(study, opened.declaration)
    sitting = Sitting(options, opened.name, study, arms, directory, settings)
    if sitting.has_more:
        if opened.resumed:
            study.dataset.prepare(options.say)
            resume.check_data(directory.read_manifest(), study)
            estimates.interrupted(directory)
        else:
            _estimate(options, opened.name, study, directory)
        sitting.train()
    export.write_best(directory)
    if options.quick and len(arms) > MOST_PROFILED_IN_QUICK:
        options.say(f"no profile in a quick look at {len(arms)} arms")
    elif options.quick and "step_ms" in study.hold:
        options.say("no profile in a quick look: finding the units took its time")
    elif options.profile and not profile_is_current(directory.root):
        _profile(options, directory)


def _estimate(options: Options, name: str, study: Study, directory: runs.RunDirectory) -> None:
    """How long it will take, where a profile can tell; kept, to be held against what it took."""
    found = _predicted(options, name, study)
    if found is not None:
        estimated, profile = found
        options.say(f"estimated to take at most {duration(estimated.seconds)}, by {profile}")
        estimates.write(
            directory,
            search_s=estimated.search_s,
            replicates_s=estimated.replicates_s,
            workers=estimated.workers,
            profile=profile,
        )


def _profile(options: Options, directory: runs.RunDirectory) -> None:
    """What the best configurations cost, measured with nothing else running."""
    options.say("profiling the best configurations")
    try:
        profile_run_directory(directory.root, quick=options.quick, say=options.say)
    except UserError as error:  # a study is worth its report without a profile, too
        options.say(f"no profile: {error}")


def _solve_units(
    options: Options, study: Study, declaration: Declaration, directory: runs.RunDirectory
) -> Study:
    """Measure what is not on file yet: by one worker, so that nothing else runs beside it.

    A quick look has arms measured side by side, for it is to take two minutes at most.
    """
    if len(equal_step_time.read_units(study, directory)) < len(study.arms()):
        study.dataset.prepare(options.say)
        options.say(f"measuring which units take {study.hold['step_ms']:g} ms a step")
        workers = min(worker_count(options, study), len(study.arms())) if options.quick else 1
        settings = settings_of(study, declaration)
        with LocalPool(workers, settings, directory.root / "logs") as pool:
            probes = _probe(options, study, directory, pool)
        equal_step_time.write_units(probes, directory)
    return equal_step_time.with_units(study, directory)


def _probe(
    options: Options, study: Study, directory: runs.RunDirectory, pool: LocalPool
) -> list[equal_step_time.Probe]:
    """Every arm's units measured: in a quick look all arms at once, else one after another, each
    from where the last one ended.
    """
    arms = study.arms()
    groups = [arms] if options.quick else [[arm] for arm in arms]
    close = equal_step_time.CLOSE_IN_QUICK if options.quick else equal_step_time.CLOSE
    found: list[equal_step_time.Probe] = []
    for group in groups:
        start = found[-1].units if found else equal_step_time.START
        probes = [
            equal_step_time.Probe(study, arm, directory, start=start, close=close) for arm in group
        ]
        names = [arm.name for arm in group]
        board = Board(names, 1, len(pool), equal_step_time.EPOCHS, noun="measurement")
        Search(probes, pool, board, stop).run()
        for probe in probes:
            step_ms = probe.measured[probe.units]
            options.say(f"{probe.arm.name}: {probe.units} units, {step_ms:.3g} ms a step")
        found += probes
    return found


def _tell_outcome(options: Options, directory: runs.RunDirectory) -> int:
    with storage.told(str(directory.root)):
        page = report.write(directory.root)
    records = runs.read_records(directory.root)
    outcome = summary.summarise(records, str(page))
    if options.json_output:
        print(runs.to_json(outcome))
    else:
        for line in summary.in_words(outcome, conclude(records)):
            print(line)
        print(page)
    empty = [arm["arm"] for arm in outcome["arms"] if _all_failed(arm["trials"])]
    for arm in empty:
        print(f"every trial of {arm} failed; the report says why", file=sys.stderr)
    return 1 if empty else 0


def _all_failed(trials: Mapping[str, int]) -> bool:
    return trials["failed"] > 0 and trials["complete"] + trials["pruned"] == 0


def _move_aside(directory: runs.RunDirectory) -> Path | None:
    with storage.told(str(directory.root)):
        return directory.move_aside()

"""One session of a study: from options to the report, under the study's lock. No Keras."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.analysis import outcome_text, summary, trained_model
from harness.analysis.verdicts import conclude
from harness.core import files
from harness.core.errors import UserError
from harness.core.text import duration
from harness.profile.of_study import profile_is_current, profile_run_directory
from harness.results import estimates, lock
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.search.arm_search import ArmSearch
from harness.search.database import open_storage, shown, sqlite_url, user_errors
from harness.spec.study import Study
from harness.spec.study_files import Declaration
from harness.study import resume, warm_start
from harness.study.options import Options
from harness.study.overrides import check_limits, command
from harness.study.plan import named_study, plan, predicted_time
from harness.study.solve_units import solve_units
from harness.study.trainings import StudyTrainings, settings_of
from reports import write

MAX_PROFILED_IN_QUICK = 8  # arms; each takes some five seconds to compile and measure


@dataclass(frozen=True)
class Opened:
    """A study whose directory and database are open, under its lock."""

    name: str
    declaration: Declaration
    study: Study
    directory: RunDirectory
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
        with user_errors(str(opened.directory.root)):
            _sit(options, opened)
        return _tell_outcome(options, opened.directory)


def open_study(options: Options, closing: ExitStack) -> Opened:
    """Begin a study or find it as it was left, and hold its lock until `closing` closes.

    Raises UserError where what is there is of another study, StudyHeldError where another process
    holds it. Nothing is written before all is known to fit.
    """
    declaration, name, study, directory = named_study(options)
    closing.enter_context(lock.hold(directory.lock))
    if options.fresh and (directory.manifest.exists() or directory.database.exists()):
        aside = _move_aside(directory)
        closing.enter_context(lock.hold(directory.lock))
        options.notify(f"the old run directory is now {aside}")
    with user_errors(str(directory.root)):
        study, arms, resumed = _open_locked(options, declaration, name, study, directory, closing)
    return Opened(name, declaration, study, directory, arms, resumed)


def _open_locked(
    options: Options,
    declaration: Declaration,
    name: str,
    study: Study,
    directory: RunDirectory,
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
        study = solve_units(options, study, declaration, directory)
    url = options.storage or sqlite_url(directory.database)
    if old is None:
        study.dataset.prepare(options.notify)
    manifest = old or {
        **resume.new_manifest(declaration, name, study, quick=options.quick),
        "enqueued": warm_start.of_options(options, study),
    }
    manifest = {
        **manifest,
        "spec": study.to_mapping(),
        "storage": shown(url),
        "command": command(options),
    }
    database = open_storage(url)
    closing.callback(database.close)
    database.notify = options.notify
    database.hold(name)
    arms = [ArmSearch(name, study, arm, database, directory) for arm in study.arms()]
    resume.check_claims(arms, manifest["fingerprint"], shown(url))
    resume.check_trials(arms, study, trials_given=options.trials is not None)
    # Only now, that nothing is left to refuse.
    files.write_atomically(directory.manifest, files.to_json(manifest))
    for arm in arms:
        arm.claim(manifest["fingerprint"])
        arm.enqueue(manifest.get("enqueued", {}).get(arm.arm.name, ()))
    return study, arms, old is not None


def _sit(options: Options, opened: Opened) -> None:
    """What is left to train, the model to take, and a profile."""
    study, directory, arms = opened.study, opened.directory, opened.arms
    settings = settings_of(study, opened.declaration)
    trainings = StudyTrainings(options, opened.name, study, arms, directory, settings)
    if trainings.has_more:
        if opened.resumed:
            study.dataset.prepare(options.notify)
            resume.check_data(directory.read_manifest(), study)
            estimates.interrupted(directory)
        else:
            _estimate(options, opened.name, study, directory)
        trainings.train()
    trained_model.write_best(directory)
    if options.quick and len(arms) > MAX_PROFILED_IN_QUICK:
        options.notify(f"no profile in a quick look at {len(arms)} arms")
    elif options.quick and "step_ms" in study.hold:
        options.notify("no profile in a quick look: finding the units took its time")
    elif options.profile and not profile_is_current(directory.root):
        _profile(options, directory)


def _estimate(options: Options, name: str, study: Study, directory: RunDirectory) -> None:
    """How long it will take, where a profile can tell; kept, to be held against what it took."""
    found = predicted_time(options, name, study)
    if found is not None:
        estimated, profile = found
        options.notify(f"estimated to take at most {duration(estimated.seconds)}, by {profile}")
        estimates.write(
            directory,
            search_s=estimated.search_s,
            replicates_s=estimated.replicates_s,
            workers=estimated.workers,
            profile=profile,
        )


def _profile(options: Options, directory: RunDirectory) -> None:
    """What the best configurations cost, measured with nothing else running."""
    options.notify("profiling the best configurations")
    try:
        profile_run_directory(directory.root, quick=options.quick, notify=options.notify)
    except UserError as error:  # a study is worth its report without a profile, too
        options.notify(f"no profile: {error}")


def _tell_outcome(options: Options, directory: RunDirectory) -> int:
    with user_errors(str(directory.root)):
        page = write.write(directory.root)
    records = read_records(directory.root)
    outcome = summary.summarise(records, str(page))
    if options.json_output:
        print(files.to_json(outcome))
    else:
        for line in outcome_text.terminal_lines(outcome, conclude(records)):
            print(line)
        print(page)
    empty = [arm["arm"] for arm in outcome["arms"] if _all_failed(arm["trials"])]
    for arm in empty:
        print(f"every trial of {arm} failed; the report says why", file=sys.stderr)
    return 1 if empty else 0


def _all_failed(trials: Mapping[str, int]) -> bool:
    return trials["failed"] > 0 and trials["complete"] + trials["pruned"] == 0


def _move_aside(directory: RunDirectory) -> Path | None:
    with user_errors(str(directory.root)):
        return directory.move_aside()

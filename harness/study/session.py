"""One session of a study: from options to the report, under the study's lock. No Keras."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.analysis import outcome_text, summary, trained_model
from harness.analysis.verdicts import conclude
from harness.core import console, files
from harness.core.errors import UserError
from harness.profile.backend_choice import resolved
from harness.profile.of_study import profile_is_current, profile_run_directory
from harness.results import estimates, integrity, lock
from harness.results.manifest import Manifest
from harness.results.manifest import write as write_manifest
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.search.arm_search import ArmSearch
from harness.search.database import open_storage, shown, sqlite_url, user_errors
from harness.search.interfaces import Pool
from harness.spec.study import Arm, Study
from harness.study import data, resume, rounds, stored, warm_start
from harness.study.live import LivePage
from harness.study.named import Named, call, named_study
from harness.study.opened import Opened
from harness.study.options import Options
from harness.study.overrides import apply, check_limits, command
from harness.study.plan import (
    check_device,
    plan,
    plan_mapping,
    predicted_time,
)
from harness.study.solve_units import solve_units
from harness.study.trainings import StudyTrainings, settings_of, worker_count
from harness.workers.local import LocalPool
from reports import write

GROWING = ("trials", "searches", "replicates")  # options that make a study larger
MAX_PROFILED_IN_QUICK = 8  # arms; each takes about five seconds to compile and measure


def run(options: Options) -> int:
    """Run or resume a study; returns the exit code. Raises UserError and StudyHeldError."""
    check_limits(options)
    if options.dry_run:
        print(files.to_json(plan_mapping(options)) if options.json_output else plan(options))
        return 0
    with completed(options, named_study(options)) as directory:
        return _print_outcome(options, directory)


@contextmanager
def completed(options: Options, named: Named) -> Iterator[RunDirectory]:
    """Run or resume a study to its end, less the report; its lock is held in the block."""
    check_device(options, named.study)
    with ExitStack() as stack:
        opened = _open(options, named, stack)
        with user_errors(str(opened.directory.root)):
            _train_and_profile(options, opened)
        yield opened.directory


def open_study(options: Options, closing: ExitStack) -> Opened:
    """Start a study or open the one that is there, and hold its lock until `closing` closes.

    Raises UserError where the directory or database belongs to another study, StudyHeldError where
    another process runs this one. Nothing is written before all checks have passed.
    """
    return _open(options, named_study(options), closing)


def _open(options: Options, named: Named, closing: ExitStack) -> Opened:
    directory = named.directory
    rounds.check(options, named.study)
    closing.enter_context(lock.hold(directory.lock))
    if options.fresh and any(each != directory.lock for each in directory.root.iterdir()):
        aside = _move_aside(directory)
        closing.enter_context(lock.hold(directory.lock))
        options.notify(f"the old run directory is now {aside}")
    with user_errors(str(directory.root)):
        integrity.check_kinds(directory.root)
        files.remove_litter(directory.root)
        files.remove_litter(directory.root.parent, deep=False)
        return _open_locked(options, named, closing)


def _open_locked(options: Options, named: Named, closing: ExitStack) -> Opened:
    name, study, directory = named.name, named.study, named.directory
    old = directory.read_manifest() if directory.manifest.exists() else None
    url = stored.url_of(options, old, directory)
    stored.check_before_opening(url, old, directory)
    given = {name for name in GROWING if getattr(options, name) is not None}
    if options.settle:  # a study has grown beyond what its command says
        given -= {"searches", "replicates"}
    if old is not None:
        study = resume.match(old, name, study, directory, given)
    resume.check_replicates(study, directory, given="replicates" in given)
    rounds.check(options, study)
    if "step_ms" in study.hold and options.ray is not None:
        raise UserError("--ray: step_ms is measured on one machine; leave --ray out")
    if named.backend_why:
        options.notify(f"backend auto: {study.backend}, {named.backend_why}")
    if old is None:
        data.announce(options, named.declaration.study, study)
    if "step_ms" in study.hold:
        known = None if old is None else old.units
        study = solve_units(options, study, named.declaration, directory, known)
    manifest = old or {
        **resume.new_manifest(named.declaration, name, study, quick=options.quick),
        **({"backend_why": named.backend_why} if named.backend_why else {}),
        "enqueued": warm_start.of_options(options, study),
    }
    manifest = {
        **manifest,
        "spec": study.to_mapping(),
        "storage": shown(url),
        "database": directory.database.name if url == sqlite_url(directory.database) else None,
        "command": call(options, named) if named.declaration.file is None else command(options),
    }
    if study.measured_units:
        manifest["units"] = {arm: {"units": n} for arm, n in study.measured_units.items()}
    if ("searches" if study.search else "replicates") in given:
        manifest.pop("left_out", None)  # the user asks for as many of every arm
    for of_last_session in ("finished", "profiled", "trained"):
        manifest.pop(of_last_session, None)
    database = open_storage(url)
    closing.callback(database.close)
    database.notify = options.notify
    database.hold(name)
    shared = bool(manifest.get("shared_searches"))
    most = Manifest(manifest).searches_of

    def new_search(arm: Arm, number: int) -> ArmSearch:
        return ArmSearch(name, study, arm, database, directory, number, shared)

    arms = [
        new_search(arm, number)
        for number in range(1, study.independent_searches + 1)
        for arm in study.arms()
        if number <= most(arm.name)
    ]
    resume.check_claims(arms, manifest["fingerprint"], shown(url))
    resume.check_trials(arms, study, trials_given="trials" in given)
    if old is not None:
        resume.mend(arms, old, directory, options.notify)
    # Only now: all checks have passed.
    write_manifest(directory.manifest, manifest)
    for search in arms:
        search.claim(manifest["fingerprint"])
        if search.search == 1:
            search.enqueue(manifest.get("enqueued", {}).get(search.arm.name, ()))
    if old is None:  # in a database that another machine may have used
        resume.mend(arms, None, directory, options.notify)

    def claimed(arm: Arm, number: int) -> ArmSearch:
        search = new_search(arm, number)
        resume.check_claims([search], manifest["fingerprint"], shown(url))
        search.claim(manifest["fingerprint"])
        return search

    return Opened(name, named.declaration, study, directory, arms, old is not None, claimed)


def _train_and_profile(options: Options, opened: Opened) -> None:
    """Train what is left, keep the best model, and profile."""
    study, directory, arms = opened.study, opened.directory, opened.arms
    settings = settings_of(study, opened.declaration)
    trainings = StudyTrainings(options, opened.name, study, arms, directory, settings)
    training = rounds.Rounds(options, opened, trainings)
    profiled = options.profile and not _without_profile(options, study)

    def finish(pool: Pool | None = None) -> None:
        trained_model.write_best(directory)
        if profiled and not profile_is_current(directory.root):
            _profile(options, directory, pool)

    if training.has_more:
        if opened.resumed:
            data.announce(options, opened.declaration.study, study)
            resume.check_data(directory.read_manifest(), study)
            estimates.interrupted(directory)
        else:
            _estimate(options, opened.name, study, directory)
        directory.update_manifest(workers=trainings.workers, with_profile=profiled)
        with LivePage(directory.root, short=options.quick) as page:

            def after_the_page(pool: Pool) -> None:
                page.end()  # a profile has the machine for itself
                finish(pool)

            training.run(after_the_page)
    else:
        finish()
    if options.quick:
        _describe_full(options, opened)
    records = read_records(directory.root)
    directory.update_manifest(
        finished=records.finished,
        profiled=records.profile is not None,
        trained=records.trained,
    )


def _without_profile(options: Options, study: Study) -> bool:
    """Whether a quick look has no profile, and says so."""
    if options.quick and len(study.arms()) > MAX_PROFILED_IN_QUICK:
        options.notify(f"no profile in a quick look at {len(study.arms())} arms")
        return True
    if options.quick and "step_ms" in study.hold:
        options.notify("no profile in a quick look: finding the units took its time")
        return True
    return False


def _describe_full(options: Options, opened: Opened) -> None:
    """Put on record what the full study takes: a quick look recommends nothing."""
    full = replace(options, quick=False, trials=None, searches=None, replicates=None)
    try:
        study, _ = resolved(apply(full, opened.declaration.study))
    except UserError:
        return  # options that fit the small budget only
    found = predicted_time(full, opened.declaration.name, study)
    if "step_ms" in study.hold:
        found = None  # its units are not known yet
    opened.directory.update_manifest(
        full={
            "searches": study.independent_searches,
            "trials": study.budget.trials,
            "epochs": study.budget.search_epochs,
            "replicates": study.replicates,
            "train": study.dataset.train,
            "seconds": None if found is None else found[0].seconds,
            "time": None if found is None else found[0].told,
            "workers": worker_count(full, study),
        }
    )


def _estimate(options: Options, name: str, study: Study, directory: RunDirectory) -> None:
    """Predict the time where a profile allows it; kept, and compared with the real time later."""
    found = predicted_time(options, name, study)
    if found is not None:
        estimated, profile = found
        options.notify(f"estimated to take {estimated.told}, by {profile}")
        estimates.write(
            directory,
            search_s=estimated.search_s,
            replicates_s=estimated.replicates_s,
            workers=estimated.workers,
            profile=profile,
        )


def _profile(options: Options, directory: RunDirectory, pool: Pool | None) -> None:
    """Measure what the best configurations cost, with nothing else running."""
    options.notify("profiling the best configurations")
    local = pool if isinstance(pool, LocalPool) else None
    try:
        profile_run_directory(
            directory.root, quick=options.quick, notify=options.notify, pool=local
        )
    except UserError as error:  # a report without a profile is still worth writing
        options.notify(f"no profile: {error}")


def _print_outcome(options: Options, directory: RunDirectory) -> int:
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
    return 1 if tell_of_failures(outcome) else 0


def tell_of_failures(outcome: Mapping[str, Any]) -> bool:
    """Whether every trial of some arm failed, with a line on stderr for each such arm."""
    empty = [arm["arm"] for arm in outcome["arms"] if _all_failed(arm["trials"])]
    for arm in empty:
        console.notify(f"every trial of {arm} failed; the report says why")
    return bool(empty)


def _all_failed(trials: Mapping[str, int]) -> bool:
    return trials["failed"] > 0 and trials["complete"] + trials["pruned"] == 0


def _move_aside(directory: RunDirectory) -> Path | None:
    with user_errors(str(directory.root)):
        return directory.move_aside()

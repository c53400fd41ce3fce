"""One sitting of a study: from options to the report, under the study's lock. No Keras."""

import contextlib
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness import datasets, environment, lock, report, runs, storage, summary
from harness.arm_search import ArmSearch
from harness.console import stop
from harness.declarations import Declaration, load
from harness.errors import UserError
from harness.progress import Board, Plain, Terminal
from harness.search import Search
from harness.spec import Budget, Study, differences, fingerprint
from harness.workers.local import LocalPool, Settings, default_count

# Options that the command for going on leaves out: they change how a study runs, not what it is.
MAY_VARY = ("name", "trials", "workers", "trial_timeout", "fresh", "dry_run", "json_output",
            "quiet", "verbose")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line of `harness.study`; None where the study's own value holds."""

    name: str
    quick: bool = False
    trials: int | None = None
    epochs: int | None = None
    workers: int | None = None
    threads: int | None = None
    seed: int | None = None
    dataset: str | None = None
    data_dir: Path | None = None
    backend: str | None = None
    device: str | None = None
    path: str | None = None
    sampler: str | None = None
    pruner: str | None = None
    storage: str | None = None
    runs: Path = Path("runs")
    trial_timeout: float | None = None
    fresh: bool = False
    dry_run: bool = False
    json_output: bool = False
    quiet: bool = False
    verbose: bool = False


def run(options: Options) -> int:
    """Run or resume a study; returns the exit code. Raises UserError and StudyHeldError."""
    declaration = load(options.name)
    study = apply(options, declaration.study)
    name = declaration.name + ("-quick" if options.quick else "")
    directory = runs.RunDirectory(options.runs / name)
    _check_limits(options)
    if options.storage is not None:
        storage.check_url(options.storage)
    if options.dry_run:
        print(plan(name, declaration, study, directory, options))
        return 0
    with ExitStack() as stack:
        stack.enter_context(lock.hold(directory.lock))
        if options.fresh and (directory.manifest.exists() or directory.database.exists()):
            aside = _move_aside(directory)
            stack.enter_context(lock.hold(directory.lock))
            _say(options, f"the old run directory is now {aside}")
        with storage.told(str(directory.root)):
            _run_locked(options, declaration, name, study, directory, stack)
        return _tell_outcome(options, directory)


def command(options: Options) -> str:
    """The command that goes on with the study: what it was begun with, less what may vary."""
    words = ["python", "-m", "harness.study", options.name]
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name in MAY_VARY or value is None or value is False or value == field.default:
            continue
        words.append(f"--{field.name.replace('_', '-')}")
        if value is not True:
            words.append(str(value))
    return shlex.join(words)


def apply(options: Options, study: Study) -> Study:
    """The study with the command line's overrides, `--quick` first."""
    if options.dataset is not None:
        study = replace(study, dataset=datasets.by_name(options.dataset))
    if options.data_dir is not None:
        if not hasattr(study.dataset, "data_dir"):
            raise UserError(
                f"--data-dir: dataset {study.dataset.name} takes none; "
                "it goes with --dataset imdb-keras"
            )
        located: Any = {"data_dir": str(options.data_dir.absolute())}
        study = replace(study, dataset=replace(study.dataset, **located))
    if options.quick:
        study = study.quick()
    budget = Budget(
        trials=study.budget.trials if options.trials is None else options.trials,
        epochs=study.budget.epochs if options.epochs is None else options.epochs,
    )
    overrides: dict[str, Any] = {
        field: getattr(options, field)
        for field in ("threads", "seed", "backend", "device", "path", "sampler", "pruner")
        if getattr(options, field) is not None
    }
    study = replace(study, budget=budget, **overrides)
    if find_spec(study.backend) is None:
        raise UserError(
            f"backend {study.backend} is not installed; pip install {study.backend}, "
            "or leave --backend out"
        )
    return study


def plan(
    name: str,
    declaration: Declaration,
    study: Study,
    directory: runs.RunDirectory,
    options: Options,
) -> str:
    """What `--dry-run` prints."""
    dataset = study.dataset
    lines = [
        f"{name}: {declaration.question}",
        f"dataset    {dataset.name}: {dataset.train:,} training, {dataset.validation:,} "
        f"validation, {dataset.test:,} test examples",
        f"arms       {', '.join(arm.name for arm in study.arms())}",
        "searched   " + (", ".join(f"{n}: {d}" for n, d in study.search.items()) or "nothing"),
        f"fixed      {summary.short(study.fixed)}",
        f"budget     {study.budget.trials} trials an arm, "
        f"{study.budget.trials * len(study.arms())} in all, "
        f"up to {study.budget.epochs} epochs each",
        f"search     sampler {study.sampler}, pruner {study.pruner}, seed {study.seed}",
        f"workers    {_worker_count(options, study)} with {study.threads} threads each, "
        f"backend {study.backend}, device {study.device}",
        f"directory  {directory.root}" + (" (exists)" if directory.manifest.exists() else ""),
    ]
    return "\n".join(lines)


def _run_locked(
    options: Options,
    declaration: Declaration,
    name: str,
    study: Study,
    directory: runs.RunDirectory,
    closing: ExitStack,
) -> None:
    old = directory.read_manifest() if directory.manifest.exists() else None
    if old is None and directory.database.exists():
        raise UserError(
            f"{directory.root} has a study.db but no manifest.json; put the manifest back, "
            "or start anew with --fresh, which moves the directory aside"
        )
    if old is not None:
        study = _match(old, name, study, directory, trials_given=options.trials is not None)
    url = options.storage or storage.sqlite_url(directory.database)
    manifest = old or _new_manifest(options, declaration, name, study)
    manifest = {
        **manifest,
        "spec": study.to_mapping(),
        "storage": storage.shown(url),
        "command": command(options),
    }
    database = storage.open_storage(url)
    closing.callback(storage.close, database)
    arms = [ArmSearch(name, study, arm, database, directory) for arm in study.arms()]
    _check_claims(arms, manifest["fingerprint"], storage.shown(url))
    _check_trials(arms, study, trials_given=options.trials is not None)
    # Only now, that nothing is left to refuse.
    runs.write_atomically(directory.manifest, runs.to_json(manifest))
    for arm in arms:
        arm.claim(manifest["fingerprint"])
    if any(arm.has_more for arm in arms):
        _search(options, name, study, arms, directory)


def _search(
    options: Options,
    name: str,
    study: Study,
    arms: list[ArmSearch],
    directory: runs.RunDirectory,
) -> None:
    study.dataset.prepare(lambda text: _say(options, text))
    workers = min(_worker_count(options, study), len(arms) * study.budget.trials)
    settings = Settings(
        backend=study.backend, device=study.device, threads=study.threads, path=study.path
    )
    _say(
        options,
        f"{name}: {len(arms)} {'arm' if len(arms) == 1 else 'arms'} of {study.budget.trials} "
        f"trials of up to {study.budget.epochs} epochs, {workers} "
        f"{'worker' if workers == 1 else 'workers'}, in {directory.root}",
    )
    if workers > len(arms):
        _say(
            options,
            "more workers than arms: trials of one arm run side by side, and "
            "the outcome can't be repeated exactly",
        )
    with (
        _board(options, study, workers) as board,
        LocalPool(workers, settings, directory.root / "logs") as pool,
        _partial_report(directory),
    ):
        for arm in arms:
            for trial in arm.finished_trials():
                board.found(
                    arm.arm.name,
                    arm.state_of(trial),
                    trial.value,
                    trial.user_attrs.get("val_accuracy"),
                )
        Search(study, arms, pool, board, stop, options.trial_timeout).run()


@contextlib.contextmanager
def _partial_report(directory: runs.RunDirectory) -> Iterator[None]:
    """However the search ends, what there is so far is in the report."""
    try:
        yield
    except BaseException:
        # The first error is the one to tell.
        with contextlib.suppress(Exception):
            report.write(directory.root)
        raise


def _tell_outcome(options: Options, directory: runs.RunDirectory) -> int:
    with storage.told(str(directory.root)):
        page = report.write(directory.root)
    records = runs.read_records(directory.root)
    outcome = summary.summarise(records, str(page))
    if options.json_output:
        print(runs.to_json(outcome))
    else:
        for line in summary.in_words(outcome):
            print(line)
        print(page)
    empty = [arm["arm"] for arm in outcome["arms"] if _all_failed(arm["trials"])]
    for arm in empty:
        print(f"every trial of {arm} failed; the report says why", file=sys.stderr)
    return 1 if empty else 0


def _all_failed(trials: Mapping[str, int]) -> bool:
    return trials["failed"] > 0 and trials["complete"] + trials["pruned"] == 0


def _new_manifest(
    options: Options, declaration: Declaration, name: str, study: Study
) -> dict[str, Any]:
    study.dataset.prepare(lambda text: _say(options, text))
    spec = study.to_mapping()
    return {
        "schema": runs.SCHEMA,
        "study": name,
        "question": declaration.question,
        "quick": options.quick,
        "spec": spec,
        "arms": [{"name": arm.name, "values": dict(arm.values)} for arm in study.arms()],
        "fingerprint": fingerprint(spec),
        "dataset": {**study.dataset.to_mapping(), "sha256": study.dataset.fingerprint()},
        "storage": None,
        "created": runs.now(),
        "environment": environment.describe(),
    }


def _match(
    manifest: Mapping[str, Any],
    name: str,
    study: Study,
    directory: runs.RunDirectory,
    *,
    trials_given: bool,
) -> Study:
    """The study as it goes on; raises UserError where the directory holds another one."""
    if manifest["study"] != name:
        raise UserError(
            f"{directory.root} holds the study {manifest['study']!r}, not {name!r}; "
            "choose another --runs, or --fresh, which moves the directory aside"
        )
    changed = differences(manifest["spec"], study.to_mapping())
    if changed:
        raise UserError(
            f"{directory.root} was begun with another spec ({'; '.join(changed)}); "
            "give the old values to resume, or --fresh, which moves the directory aside"
        )
    begun_with = manifest["spec"]["budget"]["trials"]
    if not trials_given and begun_with > study.budget.trials:
        # It was extended with --trials before; the plain command keeps that.
        return replace(study, budget=replace(study.budget, trials=begun_with))
    return study


def _check_claims(arms: list[ArmSearch], claimed: str, where: str) -> None:
    """Trials that lie in the database under the study's name must be of the same spec."""
    for arm in arms:
        if arm.fingerprint is None and not arm.finished_trials():
            continue
        if arm.fingerprint != claimed:
            raise UserError(
                f"{where} already holds a study of this name with another spec; "
                "choose another --storage, or delete it there with: optuna delete-study"
            )


def _check_trials(arms: list[ArmSearch], study: Study, *, trials_given: bool) -> None:
    for arm in arms:
        done = arm.done.total()
        if trials_given and done > study.budget.trials:
            raise UserError(
                f"--trials {study.budget.trials} is lower than the {done} that {arm.arm.name} "
                f"has done; give {done} or more, or leave it out"
            )


def _check_limits(options: Options) -> None:
    if options.workers is not None and options.workers < 1:
        raise UserError(f"--workers {options.workers}: at least one is needed")
    if options.trial_timeout is not None and not options.trial_timeout > 0:
        raise UserError(f"--trial-timeout {options.trial_timeout:g}: needs a time above 0 seconds")


def _worker_count(options: Options, study: Study) -> int:
    """As asked; else one a core, but no more than leave the outcome repeatable."""
    return options.workers or min(default_count(study.threads, study.device), len(study.arms()))


def _move_aside(directory: runs.RunDirectory) -> Path | None:
    with storage.told(str(directory.root)):
        return directory.move_aside()


def _board(options: Options, study: Study, workers: int) -> Board:
    arms = [arm.name for arm in study.arms()]
    size = (arms, study.budget.trials, workers, study.budget.epochs)
    if options.quiet:
        return Board(*size)
    if sys.stderr.isatty():
        return Terminal(*size)
    return Plain(*size, verbose=options.verbose)


def _say(options: Options, text: str) -> None:
    if not options.quiet:
        print(text, file=sys.stderr, flush=True)

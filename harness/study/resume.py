"""Checks before a study resumes in a run directory. No Keras."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from harness.core import environment, files
from harness.core.errors import UserError
from harness.core.text import counted
from harness.results.manifest import BASELINES_VERSION, SCHEMA, Manifest
from harness.results.records import BAG_OF_EMBEDDINGS, BASELINES
from harness.results.run_directory import RunDirectory
from harness.search import replicates, trial_files
from harness.search.arm_search import ArmSearch
from harness.search.baselines import CANDIDATES
from harness.spec.fingerprint import differences, fingerprint
from harness.spec.own_data import contents
from harness.spec.study import Study
from harness.spec.study_files import Declaration

MOST_SHOWN = 8  # differences
CONTENTS = "contents_sha256"  # of the manifest's dataset


def new_manifest(
    declaration: Declaration, name: str, study: Study, *, quick: bool
) -> dict[str, Any]:
    """The manifest of a new study; its dataset must be prepared."""
    spec = study.to_mapping()
    return {
        "schema": SCHEMA,
        "study": name,
        "question": declaration.question,
        "quick": quick,
        "shared_searches": True,  # search s tries the same configurations in every arm
        "baselines": BASELINES_VERSION,
        "spec": spec,
        "arms": [{"name": arm.name, "values": dict(arm.values)} for arm in study.arms()],
        "fingerprint": fingerprint(spec),
        "dataset": {
            **study.dataset.to_mapping(),
            "classes": study.dataset.classes,
            "features": study.dataset.features,
            "steps": study.dataset.steps,
            "sha256": study.dataset.fingerprint(),
            **_contents(study),
            **study.dataset.facts(),
        },
        **({"published": dict(study.published)} if study.published else {}),
        "storage": None,
        "created": files.now(),
        "environment": environment.describe(),
    }


def match(
    manifest: Manifest,
    name: str,
    study: Study,
    directory: RunDirectory,
    given: Collection[str],
) -> Study:
    """The study as it resumes; raises UserError where the directory has another study or spec.

    `given` names the options of the command line that may make a study larger.
    """
    if manifest.study != name:
        raise UserError(
            f"{directory.root} holds the study {manifest.study!r}, not {name!r}; "
            "choose another --runs, or --fresh, which moves the directory aside"
        )
    changed = differences(manifest.spec, study.to_mapping())
    if changed:
        more = f"; and {len(changed) - MOST_SHOWN} more" if len(changed) > MOST_SHOWN else ""
        raise UserError(
            f"{directory.root} was started with another spec ({'; '.join(changed[:MOST_SHOWN])}"
            f"{more}); give the old values to resume, or --fresh, which moves the directory aside"
        )
    # Earlier --trials and the like stay in effect when the command does not give them.
    trials = manifest.trials
    if "trials" not in given and trials > study.budget.trials:
        study = replace(study, budget=replace(study.budget, trials=trials))
    replicates = manifest.replicates
    if "replicates" not in given and replicates > study.replicates:
        study = replace(study, replicates=replicates)
    searches = manifest.searches
    if "searches" in given and study.independent_searches < searches:
        raise UserError(
            f"--searches {study.searches} is lower than the {searches} that the study has; "
            f"give {searches} or more, or leave it out"
        )
    # A study that began before there were searches stays one of a single search.
    old = "searches" not in manifest.spec
    if "searches" not in given and (old or searches > study.searches):
        study = replace(study, searches=searches)
    return study


def check_data(manifest: Mapping[str, Any], study: Study) -> None:
    """Raise UserError where the data have changed since the study began."""
    known = manifest.get("dataset") or {}
    changed = known.get("sha256") and study.dataset.fingerprint() != known["sha256"]
    # Run directories of older versions do not have the contents.
    if changed or (CONTENTS in known and _contents(study) != {CONTENTS: known[CONTENTS]}):
        raise UserError(
            f"the data of {study.dataset.name} have changed since the study began; put them back "
            "as they were, or start again with --fresh, which moves the directory aside"
        )


def _contents(study: Study) -> dict[str, str]:
    found = contents(study.dataset)
    return {} if found is None else {CONTENTS: found}


def check_claims(arms: list[ArmSearch], claimed: str, where: str) -> None:
    """Raise UserError where the database has trials of another spec under the study's name."""
    for arm in arms:
        if arm.fingerprint is None and not arm.finished_trials():
            continue
        if arm.fingerprint != claimed:
            raise UserError(
                f"{where} already holds a study of this name with another spec; "
                "choose another --storage, or delete it there with: optuna delete-study"
            )


def check_trials(arms: list[ArmSearch], study: Study, *, trials_given: bool) -> None:
    """Raise UserError where more trials are done than the command line asks for."""
    for arm in arms:
        done = arm.done.total()
        if trials_given and done > study.budget.trials:
            raise UserError(
                f"--trials {study.budget.trials} is lower than the {done} that {arm.group} "
                f"has done; give {done} or more, or leave it out"
            )


def check_replicates(study: Study, directory: RunDirectory, *, given: bool) -> None:
    """Raise UserError where more replicates are done than the command line asks for."""
    found = [
        int(folder.name.removeprefix("seed="))
        for arm in study.arms()
        for search in range(1, study.independent_searches + 1)
        for folder in directory.replicates(arm.name, search).glob("seed=*")
        if folder.name.removeprefix("seed=").isdecimal() and (folder / "result.json").exists()
    ]
    done = max(found, default=0)
    if given and done > study.replicates:
        raise UserError(
            f"--replicates {study.replicates} is lower than the {done} that are done; "
            f"give {done} or more, or leave it out"
        )


_PATTERNS = {"seed": "**/seed=*", "candidate": "**/candidate=*"}


def mend(
    arms: list[ArmSearch],
    old: Manifest | None,
    directory: RunDirectory,
    notify: Callable[[str], None],
) -> None:
    """Make the files on record whole again, with a line for each: docs/reliability.md says how.

    Trials are written again from the database, replicates are moved aside and trained again.
    Raises UserError where the database and the files disagree.
    """
    for arm in arms:
        trial_files.mend(arm, notify)
    names = {arm.arm.name for arm in arms} | set(BASELINES)
    for name in sorted(names):
        parent = directory.replicates(name)
        found = {
            kind: [
                replicates.mend(folder, notify)
                for folder in sorted(parent.glob(pattern))
                if folder.name.partition("=")[2].isdecimal()
            ]
            for kind, pattern in _PATTERNS.items()
        }
        had = 0 if old is None else old.trained.get(name, 0)
        rates = CANDIDATES if had and name == BAG_OF_EMBEDDINGS else 0
        for noun, lost in (
            ("replicate", had - sum(found["seed"])),
            ("candidate", rates - sum(found["candidate"])),
        ):
            if lost > 0:
                notify(f"{counted(lost, noun)} of {name} cannot be found: trained again")
    if old is not None and old.profiled and not directory.profile.exists():
        notify(f"{directory.profile} is missing: it is measured again")

"""The study as declared, and what it ran on: all that is needed to repeat it."""

import shlex
from collections.abc import Mapping
from typing import Any

from harness.core.metrics import metric_of
from harness.results.manifest import Manifest
from harness.results.records import Records
from reports import wording
from reports.content import Column, Command, Row, Section, Table

ORDER = 90


def build(records: Records) -> Section:
    manifest = records.manifest
    return Section(
        id="declared",
        title="The study as declared, and what it ran on",
        text=(
            "Compared hyperparameters define the arms. Searched ones were tuned separately within "
            "each arm. Fixed ones are the same everywhere.",
        ),
        tables=(
            Table(
                "hyperparameters",
                "Hyperparameters as declared",
                (Column("Hyperparameter"), Column("Kind"), Column("Values")),
                tuple(_hyperparameters(manifest)),
            ),
            _pairs("protocol", "Protocol", {**_protocol(manifest), **_storage(records)}),
            _pairs("dataset", "Dataset", _dataset(manifest)),
            _pairs("environment", "Environment", _environment(manifest.environment)),
        ),
        commands=(
            Command("Runs or resumes the study", wording.study_command(records)),
            Command(
                "Shows Optuna's database in a browser (pip install optuna-dashboard)",
                f"optuna-dashboard {shlex.quote(wording.storage_url(records))}",
            ),
            Command(
                "Writes this page and its CSV tables again",
                f"python -m harness.report {shlex.quote(str(records.root))}",
            ),
        ),
    )


def _pairs(identity: str, caption: str, pairs: Mapping[str, Any]) -> Table:
    return Table(
        identity,
        caption,
        (Column("Item"), Column("Value")),
        tuple(Row((item, str(value))) for item, value in pairs.items() if value not in (None, "")),
    )


def _hyperparameters(manifest: Manifest) -> list[Row]:
    rows = [
        Row((wording.label(name), "compared", ", ".join(map(wording.value_text, values))))
        for name, values in manifest.compare.items()
    ]
    rows += [
        Row((wording.label(name), "searched", wording.distribution_text(declared)))
        for name, declared in manifest.search.items()
    ]
    rows += [
        Row((wording.label(name), "fixed", wording.value_text(value)))
        for name, value in manifest.fixed.items()
    ]
    return rows


def _protocol(manifest: Manifest) -> dict[str, Any]:
    spec, of = manifest.spec, "search" if manifest.searches > 1 else "arm"
    return {
        "Sampler": spec.get("sampler"),
        "Pruner": spec.get("pruner"),
        "Searches of each arm": manifest.searches if manifest.searches > 1 else None,
        "Fewer, because decided": ", ".join(f"{arm}: {n}" for arm, n in manifest.left_out.items())
        or None,
        f"Trials of each {of}": manifest.trials or None,
        "Maximum epochs": manifest.epochs,
        "Maximum epochs of a trial": None
        if manifest.trial_epochs == manifest.epochs
        else manifest.trial_epochs,
        f"Replicates {'of each search' if manifest.searches > 1 else 'declared'}": spec.get(
            "replicates"
        ),
        "Verdicts were looked at after": ", ".join(str(blocks) for blocks, _ in manifest.looks)
        or None,
        **_margin(manifest),
        "Seed": spec.get("seed"),
        "Backend": spec.get("backend"),
        "Why this backend": manifest.backend_why or None,
        "Device": spec.get("device"),
        "Threads of each worker": spec.get("threads"),
        "Execution path": spec.get("path"),
        "Started": manifest.created,
        "Fingerprint": manifest.fingerprint,
    }


def _storage(records: Records) -> dict[str, Any]:
    keys = ["search", "replicate"]
    seeds = records.replicates.dropna(subset=["seed"]).drop_duplicates(keys)
    listed = ", ".join(str(seed) for seed in seeds.sort_values(keys)["seed"])
    return {
        "Seeds of replicates, the same in every arm": listed,
        "Optuna's database": wording.storage_url(records),
    }


def _margin(manifest: Manifest) -> dict[str, str | None]:
    """The margin with its unit: points, nothing, or a share of the best arm's error."""
    metric, margin = metric_of(manifest.dataset), manifest.margin
    if not metric.higher_is_better:
        title, factor = "Margin, in % of the best arm's error", 100.0
    else:
        title, factor = f"Margin{metric.in_unit.replace(', ', ', in ')}", metric.factor
    return {title: None if margin is None else f"{factor * margin:g}"}


def _dataset(manifest: Manifest) -> dict[str, Any]:
    both = {**manifest.declared_dataset, **manifest.dataset}
    titles = {
        "name": "Name",
        "train": "Training examples",
        "validation": "Validation examples",
        "test": "Test examples, for replicates only",
        "sha256": "SHA-256",
        "contents_sha256": "SHA-256 of its arrays",
    }
    shown = {title: both.pop(key, None) for key, title in titles.items()}
    rest = {wording.label(key).capitalize(): wording.value_text(v) for key, v in both.items()}
    return {
        title: f"{value:,}" if isinstance(value, int) else value
        for title, value in {**shown, **rest}.items()
    }


def _environment(environment: Mapping[str, Any]) -> dict[str, Any]:
    packages = environment.get("packages") or {}
    memory = environment.get("memory_gb")
    known = ("python", "platform", "cpu", "cores", "memory_gb", "packages", "git")
    commit, dirty = (wording.look_up(environment, "git", key) for key in ("commit", "dirty"))
    return {
        "Python": environment.get("python"),
        "Packages": ", ".join(f"{name} {version}" for name, version in packages.items()),
        "Platform": environment.get("platform"),
        "CPU": environment.get("cpu"),
        "Cores": environment.get("cores"),
        "Memory": None if memory is None else f"{memory} GiB",
        "Code": commit and f"git {commit}{' with uncommitted changes' if dirty else ''}",
        **{
            wording.label(key).capitalize(): wording.value_text(value)
            for key, value in environment.items()
            if key not in known
        },
    }

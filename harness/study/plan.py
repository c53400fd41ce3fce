"""What a study would do, as `--dry-run` prints it."""

from harness.core import text
from harness.core.text import duration
from harness.profile.estimate import TimeEstimate, predict_study
from harness.results.run_directory import RunDirectory
from harness.search.database import check_url
from harness.spec.study import Study
from harness.spec.study_files import Declaration, load
from harness.study.options import Options
from harness.study.overrides import apply
from harness.study.trainings import worker_count
from reports.wording import distribution_text


def plan(options: Options) -> str:
    """The plan as lines of text; raises UserError for wrong options."""
    declaration, name, study, directory = named_study(options)
    dataset = study.dataset
    searches = study.independent_searches
    several = f"{searches} independent searches of each arm, each of " if searches > 1 else ""
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
        f"fixed      {text.short(study.fixed)}",
        f"budget     {several}{study.budget.trials} trials, "
        f"{study.budget.trials * searches * len(study.arms())} in all, "
        f"up to {study.budget.search_epochs} epochs each",
        f"replicates {study.replicates} of each {'search' if searches > 1 else 'arm'}'s best, on "
        f"the {'test' if dataset.test else 'validation'} split, up to {study.budget.epochs} epochs",
        f"search     sampler {study.sampler}, pruner {study.pruner}, seed {study.seed}",
        f"workers    {worker_count(options, study)}"
        + (f" on the cluster {options.ray}" if options.ray is not None else "")
        + f" with {study.threads} {'thread' if study.threads == 1 else 'threads'} each, "
        f"backend {study.backend}, device {study.device}",
        f"directory  {directory.root}" + (" (exists)" if directory.manifest.exists() else ""),
    ]
    found = predicted_time(options, name, study)
    if found is not None:
        estimated, profile = found
        lines.append(f"time       at most {duration(estimated.seconds)}, by {profile}")
    elif options.ray is not None:
        lines.append("time       unknown: profiles are of this machine, not of a cluster")
    else:
        lines.append("time       unknown: no profile here; see python -m harness.profile -h")
    return "\n".join(lines)


def predicted_time(options: Options, name: str, study: Study) -> tuple[TimeEstimate, str] | None:
    """How long a study will take, and the profile used; None where no profile fits."""
    if options.ray is not None:
        return None  # profiles are of this machine; how much runs at once on a cluster is unknown
    return predict_study(study, name, worker_count(options, study), options.runs)


def named_study(options: Options) -> tuple[Declaration, str, Study, RunDirectory]:
    """The declaration that the options name, the name and the study that result, its directory."""
    declaration = load(options.name)
    study = apply(options, declaration.study)
    name = declaration.name + ("-quick" if options.quick else "")
    if options.storage is not None:
        check_url(options.storage)
    return declaration, name, study, RunDirectory(options.runs / name)

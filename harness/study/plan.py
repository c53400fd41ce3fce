"""What a study would do, as `--dry-run` prints it."""

from collections.abc import Sequence
from typing import Any

from harness.analysis import planning
from harness.analysis.statistics import CONFIDENCE
from harness.core import text
from harness.core.errors import UserError
from harness.core.metrics import ACCURACY, Metric
from harness.core.text import plural, seconds
from harness.profile.backend_choice import expected_device
from harness.profile.estimate import TimeEstimate, predict_study
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.spec.choices import FLOAT32
from harness.spec.study import Study
from harness.study import rounds
from harness.study.data import understood
from harness.study.named import named_study
from harness.study.options import Options
from harness.study.trainings import worker_count
from harness.workers.local import why_no_gpu
from reports.wording import distribution_text

# Depth 1 of lstm_depth, searched six times by `lcb` on 8,000 reviews: seeds deviate by 0.8 points,
# so means of two by 0.6, and searches by no more (tests/benchmarks/search_luck.py).
TYPICAL = planning.Noise(block=0.006, examples=0.12)


def plan(options: Options) -> str:
    """The plan as lines of text; raises UserError for wrong options."""
    named = named_study(options)
    declaration, name, study = named.declaration, named.name, named.study
    directory = named.directory
    rounds.check(options, study)
    dataset = study.dataset
    searches = study.independent_searches
    several = f"{searches} independent searches of each arm, each of " if searches > 1 else ""
    lines = [
        f"{name}: {declaration.question}",
        f"dataset    {dataset.name}: {dataset.train:,} training, {dataset.validation:,} "
        f"validation, {dataset.test:,} test examples",
        *_indented("data", understood(options, declaration.study, study).lines()),
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
        *([f"backend    auto: {study.backend}, {named.backend_why}"] if named.backend_why else []),
        *_rounds(options, study),
        *_shows(options, study, directory),
        f"directory  {directory.root}" + (" (exists)" if directory.manifest.exists() else ""),
    ]
    found = predicted_time(options, name, study)
    if found is not None:
        estimated, profile = found
        lines.append(f"time       {estimated.told}, by {profile}")
        if options.time is not None:
            lines.append(f"           {_fitting(seconds(options.time), estimated.seconds, study)}")
    elif options.ray is not None:
        lines.append("time       unknown: profiles are of this machine, not of a cluster")
    else:
        lines.append("time       unknown: no profile here; see python -m harness.profile -h")
    return "\n".join(lines)


def plan_mapping(options: Options) -> dict[str, Any]:
    """The plan as plain JSON values; raises UserError for wrong options."""
    named = named_study(options)
    declaration, name, study, directory = (
        named.declaration,
        named.name,
        named.study,
        named.directory,
    )
    rounds.check(options, study)
    found = predicted_time(options, name, study)
    return {
        "study": name,
        "question": declaration.question,
        "data": understood(options, declaration.study, study).to_mapping(),
        "arms": [arm.name for arm in study.arms()],
        "spec": study.to_mapping(),
        **({"backend_why": named.backend_why} if named.backend_why else {}),
        "workers": worker_count(options, study),
        "directory": str(directory.root),
        "estimated_s": None if found is None else found[0].seconds,
    }


def _indented(title: str, lines: Sequence[str]) -> list[str]:
    """Lines of the plan; the title stands before the first."""
    return [f"{title * (not index):10} {line}" for index, line in enumerate(lines)]


def _rounds(options: Options, study: Study) -> list[str]:
    """What `--settle` and `--time` do to the budget."""
    if not options.settle and options.time is None:
        return []
    unit = plural(study.unit)
    ends = [] if options.time is None else [f"about {options.time} are over"]
    if options.settle:
        ends.insert(0, f"every arm is settled, or has {options.max_searches} {unit}")
    more = f"more {unit} are added until " if options.settle else "ends in order when "
    return [f"rounds     {more}{', or '.join(ends)}"]


def _fitting(limit_s: float, estimated_s: float, study: Study) -> str:
    """How many of the declared searches fit into `--time`, if the estimate is right."""
    blocks, unit = study.blocks, plural(study.unit)
    fit = int(limit_s / max(estimated_s, 1e-9) * blocks)
    if fit >= blocks:
        return f"all {blocks} {unit} fit into the time"
    if not fit:
        return f"less than one of the {unit} fits"
    return f"{fit} of {blocks} {unit} fit into the time"


def _shows(options: Options, study: Study, directory: RunDirectory) -> list[str]:
    """The smallest difference that the budget can show; nothing where it can't be said."""
    arms, examples = len(study.arms()), study.dataset.test or study.dataset.validation
    blocks = study.blocks
    if arms < 2 or not study.replicates:
        return []
    alpha = 1 - CONFIDENCE
    if options.settle:
        alpha = planning.last_level(max(2, blocks), options.max_searches)
        blocks = options.max_searches
    if blocks < 2:
        unit = "search" if study.search else "seed"
        return [f"shows      nothing about the arms: one {unit} says nothing about its luck"]
    noise, source, metric = None, "this study so far", Metric()
    if directory.manifest.exists():
        records = read_records(directory.root)
        noise, metric = planning.noise_of(records), records.metric
    if noise is None:
        if not study.dataset.metric.endswith(ACCURACY):
            return []  # how much errors and R² vary depends on the data
        noise, source = TYPICAL, "repeated searches of one LSTM on IMDB"
    found = planning.smallest_difference(
        noise, arms=arms, blocks=blocks, examples=examples, alpha=alpha
    )
    return [
        f"shows      differences of {metric.difference_text(found)} or more (four of five such "
        f"studies find them), if chance is as in {source}"
    ]


def predicted_time(options: Options, name: str, study: Study) -> tuple[TimeEstimate, str] | None:
    """How long a study will take, and the profile used; None where no profile fits."""
    if options.ray is not None:
        return None  # profiles are of this machine; how much runs at once on a cluster is unknown
    return predict_study(study, name, worker_count(options, study), options.runs)


def check_device(options: Options, study: Study) -> None:
    """Raise UserError where the study trains on a GPU and this machine shows none.

    Nodes of a cluster may have one all the same. Says so where mixed precision trains on a CPU.
    """
    missing = why_no_gpu() if study.device == "gpu" and options.ray is None else None
    if missing is not None:
        raise UserError(f"device gpu: {missing}; give --device auto or --device cpu")
    if (
        options.ray is None
        and expected_device(study) == "cpu"
        and any(hp.precision != FLOAT32 for hp in study.extremes())
    ):
        options.notify("mixed precision saves no time on a CPU; it is meant for GPUs")

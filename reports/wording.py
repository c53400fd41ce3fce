"""Numbers and names as the reader sees them, rounded as their uncertainty allows."""

import math
import re
import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harness.analysis import labels
from harness.analysis.conclusions import ArmResult
from harness.analysis.statistics import Interval
from harness.core.metrics import ACCURACY, Metric
from harness.core.scalars import missing as missing
from harness.core.text import capital as capital
from harness.core.text import counted as counted
from harness.core.text import listing as listing
from harness.core.text import sanitize
from harness.results.records import Records
from harness.spec.study_files import NAME

MISSING, NBSP = "–", "\u00a0"


def shorten(text: str, length: int = 26) -> str:
    """The beginning and the end of a long text: similar names often differ at the end."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def look_up(mapping: Any, *keys: str) -> Any:
    """`mapping[key1][key2]…`; None if a key is missing, as in manifests of other versions."""
    for key in keys:
        if not isinstance(mapping, Mapping):
            return None
        mapping = mapping.get(key)
    return mapping


def validation_size(records: Records) -> int | None:
    """The number of validation examples; None if no accuracy is measured on them."""
    if records.validation_metric.name != ACCURACY:
        return None  # only accuracies have a binomial standard error
    for dataset in (records.manifest.dataset, records.manifest.declared_dataset):
        size = dataset.get("validation")
        if isinstance(size, int) and size > 0:
            return size
    return None


def scored_metric(records: Records) -> str:
    """`Test accuracy`, `Balanced test accuracy`, `Test MAE`; validation without a test split."""
    split, name = records.scored_split, records.metric.name
    kind = name.removesuffix(ACCURACY)
    if not kind or kind == name:
        return f"{capital(split)} {name}"
    return f"{capital(kind.strip())} {split} {ACCURACY}"


def metric(records: Records) -> str:
    """The name of the metric of epochs and trials: accuracy, R² or MAE."""
    return records.validation_metric.name


def scored(records: Records) -> str:
    """The name of the metric of replicates; of balanced accuracy just accuracy."""
    name = records.metric.name
    return ACCURACY if name.endswith(ACCURACY) else name


def examples(records: Records) -> str:
    """What scores are of: examples, or times where these are forecasts."""
    return "examples" if records.horizon is None else "times"


def reached(metric: Metric, split: str, text: str) -> str:
    """A score in words: `85.2 % of the test split right`, `a test MAE of 12.34 units`."""
    if metric.name == ACCURACY:
        return f"{text} of the {split} split right"
    if metric.name.endswith(ACCURACY):
        return f"{text} {metric.name} on the {split} split"
    return f"a {split} {metric.name} of {text}"


def standard_error(accuracy: Any, size: int | None) -> float | None:
    """The binomial standard error of an accuracy (0 to 1) on `size` examples."""
    if size is None or missing(accuracy) or not 0 <= accuracy <= 1:
        return None
    return math.sqrt(accuracy * (1 - accuracy) / size)


def score(metric: Metric, value: Any, size: int | None = None) -> str:
    """85.2 %, 0.63, 12.34 units; whole percents if the standard error exceeds 3.5 points.

    This is the Particle Data Group's rounding rule (Review of Particle Physics, section 5.3),
    with one decimal at most.
    """
    if missing(value):
        return MISSING
    error = standard_error(value, size)
    return metric.text(value, space=NBSP, wide=error is not None and error > 0.0355)


def interval(metric: Metric, found: Interval | None) -> str:
    """84.1 to 86.3 %; whole percents if it is wider than 7 points."""
    if found is None or math.isinf(found.low):
        return MISSING
    wide = _wide(metric, found)
    low, high = metric.number(found.low, wide=wide), metric.text(found.high, space=NBSP, wide=wide)
    return f"{low} to {high}"


def mean_score(metric: Metric, mean: float | None, found: Interval | None) -> str:
    """A mean, with as many decimals as its interval."""
    return MISSING if mean is None else metric.text(mean, space=NBSP, wide=_wide(metric, found))


def _wide(metric: Metric, found: Interval | None) -> bool:
    """Whether the interval of an accuracy allows for whole percents only."""
    known = found is not None and not math.isinf(found.low)
    return known and found is not None and found.high - found.low > 0.07 and metric.unit == "%"


def detectable(metric: Metric, difference: float) -> str:
    """The smallest difference that could have been shown; `none` if there is no such one."""
    if math.isinf(difference):
        return MISSING
    return difference_text(metric, difference) if possible(metric, difference) else "none"


def possible(metric: Metric, difference: float) -> bool:
    """Whether two scores can differ by so much: accuracies by less than 100 points."""
    return difference < (1.0 if math.isfinite(metric.most) else math.inf)


def margin(metric: Metric, value: float, sign: str = "") -> str:
    """A declared difference: `0.5 points`, `±0.12 units`."""
    return metric.with_unit(f"{sign}{metric.bound(value)}", NBSP)


def p_value(p: float) -> str:
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def probability(p: float) -> str:
    """62 %, below 1 %, above 99 %."""
    return labels.probability_text(p).replace(" %", "\u00a0%")


def difference_text(metric: Metric, difference: float) -> str:
    """A difference of scores: `1.2 points`, `0.012`, `1.23 units`."""
    return metric.difference_text(difference, space=NBSP)


def signed(metric: Metric, difference: float) -> str:
    """+1.2 points, −0.4 points."""
    return metric.with_unit(metric.signed(difference), NBSP)


def loss(value: Any) -> str:
    return MISSING if missing(value) else f"{value:.3f}"


def count(value: Any) -> str:
    return MISSING if missing(value) else f"{int(value):,}"


def short_count(value: float) -> str:
    """For axes: 950, 12k, 1.5M."""
    for factor, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.4g}{suffix}"
    return f"{value:.4g}"


def milliseconds(value: Any) -> str:
    return MISSING if missing(value) else f"{significant(value, 3)} ms"


def seconds(value: Any) -> str:
    """8.4 s, 42 s, 3 min 20 s, 2 h 5 min."""
    if missing(value):
        return MISSING
    if value < 10:
        return f"{value:.2g} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(value / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def instant(value: Any) -> datetime | None:
    """A recorded time; None where there is none that can be read."""
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ") if isinstance(value, str) else None
    except ValueError:
        return None


def moment(value: Any) -> str:
    """2026-11-23 12:00 UTC."""
    found = instant(value)
    return MISSING if found is None else f"{found:%Y-%m-%d %H:%M} UTC"


def significant(value: float, digits: int) -> str:
    """`value` to this many significant digits; large ones without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def value_text(value: Any) -> str:
    """A hyperparameter's value as text; floats to three significant digits."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {value_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(value_text(item) for item in value)
    if missing(value):
        return MISSING
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else sanitize(str(value))


def distribution_text(declared: Any) -> str:
    """An Optuna distribution, given as its JSON, in words; with its condition, if it has one."""
    when = look_up(declared, "when")
    if isinstance(when, Mapping):
        words = [
            f"{label(name)} is {' or '.join(map(value_text, values))}"
            for name, values in when.items()
            if isinstance(values, list)
        ]
        return f"{_range_text(declared)}; only where {listing(words)}"
    return _range_text(declared)


def _range_text(declared: Any) -> str:
    attributes = look_up(declared, "attributes")
    if not isinstance(attributes, Mapping):
        return value_text(declared)
    if "choices" in attributes:
        return "one of " + ", ".join(map(value_text, attributes["choices"]))
    low, high = (value_text(attributes.get(end)) for end in ("low", "high"))
    kind = "whole numbers " if look_up(declared, "name") == "IntDistribution" else ""
    step = attributes.get("step")
    steps = f" in steps of {value_text(step)}" if step not in (None, 1) else ""
    return f"{kind}{low} to {high}{steps}{', on a log scale' if attributes.get('log') else ''}"


def label(name: str) -> str:
    """A hyperparameter's name in words."""
    return sanitize(name.replace("_", " "))


def arm_label(records: Records, arm: str) -> str:
    """`depth=2` in words: depth 2. Several compared hyperparameters are joined by commas.

    A baseline has its display name.
    """
    if arm in records.baselines:
        return records.baselines[arm]
    values = records.manifest.arm_values.get(arm)
    if not values:
        return sanitize(arm)
    return sanitize(", ".join(f"{label(key)} {value_text(item)}" for key, item in values.items()))


def times_searched(records: Records) -> str:
    """How often an arm was searched: 3; 3 to 6 where some arms were decided before the others."""
    counts = sorted({records.manifest.searches_of(arm) for arm in records.arms})
    return f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"


def several_searches(records: Records) -> bool:
    """Whether arms have several searches, so that trials are named with theirs."""
    return records.manifest.searches > 1


def draws(records: Records) -> str:
    """What varies between an arm's scores beside the examples: searches or seeds."""
    return "searches" if several_searches(records) else "seeds"


def most_replicates(arm: ArmResult) -> int:
    """The replicates of an arm's search that has most of them."""
    by_search = Counter(search for search, _ in arm.values)
    return max(by_search.values(), default=0)


def basis(arm: ArmResult) -> str:
    """What an arm's mean is taken over: 5 replicates; 3 searches of 2 replicates each."""
    if arm.searches < 2:
        return counted(arm.n, "replicate")
    most = most_replicates(arm)
    if most * arm.searches == arm.n:
        return f"{counted(arm.searches, 'search')} of {counted(most, 'replicate')} each"
    return f"{counted(arm.searches, 'search')} with {counted(arm.n, 'replicate')} in all"


def training_label(records: Records, noun: str, number: Any, search: Any) -> str:
    """A trial or replicate within its arm: trial 7, or of several searches: search 2, trial 7."""
    label = f"{noun} {number}"
    return f"search {search}, {label}" if several_searches(records) else label


def trial_label(records: Records, arm: str, number: Any, search: Any) -> str:
    """Short enough for a tooltip and a link: depth 2, trial 7; depth 2, search 3, trial 7."""
    label = training_label(records, "trial", number, search)
    return label if len(records.arms) == 1 else f"{shorten(arm_label(records, arm), 60)}, {label}"


def trial_anchor(arm: str, number: Any, search: Any = 1) -> str:
    """The id of a trial's row: what charts and other tables link to."""
    # A colon is in no arm's part, so that no two trials have the same id. It is short, because each
    # trial's is in ten charts.
    of_search = "" if search == 1 else f":{search}"
    return f"trial-{re.sub(r'[^0-9A-Za-z_.,=-]', '_', arm)}{of_search}-{number}"


def replicate_anchor(arm: str, number: Any, search: Any = 1) -> str:
    """The id of a replicate's row."""
    return trial_anchor(arm, number, search).replace("trial-", "replicate-", 1)


def study_argument(records: Records) -> str:
    """The study as an argument of commands: its name if it is in `runs/`, else its path."""
    root = records.root
    in_runs = root.parent.name == "runs" and NAME.fullmatch(root.name)
    return shlex.quote(root.name if in_runs else str(root))


def study_command(records: Records) -> str:
    """The command that starts or resumes the study: from the manifest, else from its name."""
    if records.manifest.command:
        return records.manifest.command
    quick = records.manifest.quick
    name = records.study.removesuffix("-quick") if quick else records.study
    return f"python -m harness.study {shlex.quote(name)}" + (" --quick" if quick else "")


def storage_url(records: Records) -> str:
    """Where Optuna keeps the trials, without a password.

    A database inside the run directory gets that directory's present path: the directory may have
    been copied or moved.
    """
    url = records.manifest.storage
    if url.startswith("sqlite:") and url.endswith("/study.db"):
        return f"sqlite:///{records.root.as_posix()}/study.db"
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:…@", url)

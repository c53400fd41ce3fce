"""`manifest.json`: what a study declared, on what data, where and when it ran."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core import files
from harness.core.errors import UserError, of_disk
from harness.core.shapes import NUMBER
from harness.spec.choices import PATIENCE

SCHEMA = 1
BASELINES_VERSION = 2  # of those that new studies have
ESTIMATE: dict[str, Any] = {"seconds": NUMBER, "profile": str, "interrupted?": bool}
_SHAPE: dict[str, Any] = {
    "study": str,
    "arms": [{"name": str, "values?": dict}],
    "spec?": {
        "budget?": {"trials?": int, "epochs?": int, "trial_epochs?": int},
        "searches?": int,
        "replicates?": int,
        "margin?": NUMBER,
        **dict.fromkeys(("dataset?", "compare?", "search?", "fixed?", "hold?"), dict),
    },
    "looks?": [{"blocks": int, "alpha": NUMBER}],
    "verdicts?": [{"a": str, "b": str, "estimate": dict}],
    "left_out?": {"*": int},
    "trained?": {"*": int},
    "enqueued?": {"*": [dict]},
    "units?": {"*": {"units": int}},
    "baselines?": int,
    "workers?": int,
    "estimate?": ESTIMATE,
    **dict.fromkeys(("dataset?", "environment?", "published?", "full?"), dict),
    **dict.fromkeys(("question?", "storage?", "command?", "created?", "fingerprint?",
                     "database?", "backend_why?"), str),
    **dict.fromkeys(("quick?", "shared_searches?", "finished?", "profiled?",
                     "with_profile?"), bool),
}  # fmt: skip


class Manifest(dict[str, Any]):
    """The object in `manifest.json`, key by key as it is on file.

    The properties read it with types. A key that is missing, as in a manifest of an older version,
    gives an empty value or None; only `study` and `arm_values` raise KeyError.
    """

    @property
    def study(self) -> str:
        """The study's name."""
        return str(self["study"])

    @property
    def arm_values(self) -> dict[str, dict[str, Any]]:
        """By arm, in the order of the study, the value of each compared hyperparameter."""
        return {arm["name"]: _object(arm, "values") for arm in self["arms"]}

    @property
    def question(self) -> str:
        """The first sentence of the study file."""
        return str(self.get("question") or "")

    @property
    def quick(self) -> bool:
        """Whether the study ran with `--quick`."""
        return bool(self.get("quick"))

    @property
    def full(self) -> dict[str, Any]:
        """Of a quick study: what the full one has, and the seconds it takes at most, or None."""
        return _object(self, "full")

    @property
    def shared_searches(self) -> bool:
        """Whether search s tries the same configurations in every arm; not so in old studies."""
        return bool(self.get("shared_searches"))

    @property
    def baselines(self) -> int:
        """The version of the baselines: from 2 on there is a linear model, and bags train longer.

        A study keeps those that it began with, because verdicts on them are corrected together.
        """
        return int(self.get("baselines") or 1)

    @property
    def created(self) -> str | None:
        """When the study began: ISO 8601, UTC."""
        return self.get("created")

    @property
    def fingerprint(self) -> str:
        """The hash of the spec: a study resumes only with the same one."""
        return str(self.get("fingerprint") or "")

    @property
    def backend_why(self) -> str:
        """Why the study has its backend, where it was left to be chosen."""
        return str(self.get("backend_why") or "")

    @property
    def command(self) -> str:
        """The command line that resumes the study."""
        return str(self.get("command") or "")

    @property
    def storage(self) -> str:
        """The URL of Optuna's database, without a password."""
        return str(self.get("storage") or "")

    @property
    def own_database(self) -> bool | None:
        """Whether the database is the run directory's study.db; None where it does not say."""
        return None if "database" not in self else self["database"] is not None

    @property
    def finished(self) -> bool:
        """Whether all that the study asked for was on file at the end of its last session."""
        return bool(self.get("finished"))

    @property
    def trained(self) -> dict[str, int]:
        """By arm and baseline, how many replicates had ended when the last session ended."""
        return {name: int(number) for name, number in _object(self, "trained").items()}

    @property
    def profiled(self) -> bool:
        """Whether there was a profile at the end of the study's last session."""
        return bool(self.get("profiled"))

    @property
    def units(self) -> dict[str, int]:
        """By arm, the units that take the step time which all arms are to have."""
        return {arm: int(found["units"]) for arm, found in _object(self, "units").items()}

    @property
    def environment(self) -> dict[str, Any]:
        """Processor, memory, versions of packages, git commit."""
        return _object(self, "environment")

    @property
    def published(self) -> dict[str, Any]:
        """Figures of another source: by measure, one number for each epoch."""
        return _object(self, "published")

    @property
    def dataset(self) -> dict[str, Any]:
        """The dataset once it was prepared: sizes, metric, classes, `sha256`."""
        return _object(self, "dataset")

    @property
    def spec(self) -> dict[str, Any]:
        """The study as declared, with the options of the command line."""
        return _object(self, "spec")

    @property
    def declared_dataset(self) -> dict[str, Any]:
        """The dataset as declared: name, sizes, its own options."""
        return _object(self.spec, "dataset")

    @property
    def compare(self) -> dict[str, Any]:
        """Compared hyperparameters and their values."""
        return _object(self.spec, "compare")

    @property
    def search(self) -> dict[str, Any]:
        """Searched hyperparameters and their Optuna distributions, as Optuna's JSON."""
        return _object(self.spec, "search")

    @property
    def fixed(self) -> dict[str, Any]:
        """Fixed hyperparameters and their values."""
        return _object(self.spec, "fixed")

    @property
    def hold(self) -> dict[str, Any]:
        """What is equal for all arms, such as `parameters`; their units follow from it."""
        return _object(self.spec, "hold")

    @property
    def trials(self) -> int:
        """The trials that each search of an arm is to have."""
        return int(_object(self.spec, "budget").get("trials") or 0)

    @property
    def epochs(self) -> int | None:
        """The most epochs that a replicate takes."""
        epochs = _object(self.spec, "budget").get("epochs")
        return epochs if isinstance(epochs, int) else None

    @property
    def trial_epochs(self) -> int | None:
        """The most epochs that a trial takes."""
        epochs = _object(self.spec, "budget").get("trial_epochs")
        return epochs if isinstance(epochs, int) else self.epochs

    @property
    def searches(self) -> int:
        """The independent searches that each arm is to have."""
        return int(self.spec.get("searches") or 1)

    @property
    def replicates(self) -> int:
        """The replicates that the best configuration of each search is to have."""
        return int(self.spec.get("replicates") or 0)

    @property
    def patience(self) -> int | None:
        """After how many epochs without a lower validation loss a replicate stops."""
        patience = self.spec.get("patience", PATIENCE)
        return patience if isinstance(patience, int) else None

    @property
    def workers(self) -> int | None:
        """How many trainings ran at once in the last session; None where it does not say."""
        return self.get("workers")

    @property
    def with_profile(self) -> bool:
        """Whether the last session was to end with a profile."""
        return bool(self.get("with_profile"))

    @property
    def looks(self) -> list[tuple[int, float]]:
        """After how many searches (or seeds) the study had verdicts, and at which level each."""
        looks = self.get("looks")
        return [(int(look["blocks"]), float(look["alpha"])) for look in looks or ()]

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """The verdicts of the last look, as harness.analysis.looks writes them."""
        verdicts = self.get("verdicts")
        return verdicts if isinstance(verdicts, list) else []

    @property
    def left_out(self) -> dict[str, int]:
        """Arms with fewer searches (or seeds) than the others, because they were decided."""
        return {arm: int(blocks) for arm, blocks in _object(self, "left_out").items()}

    def searches_of(self, arm: str) -> int:
        """The independent searches that the arm is to have."""
        return min(self.searches, self.left_out.get(arm, self.searches) if self.search else 1)

    def replicates_of(self, arm: str) -> int:
        """The replicates of each search's best configuration that the arm is to have."""
        most = self.replicates
        return most if self.search else min(most, self.left_out.get(arm, most))

    @property
    def wanted(self) -> dict[str, int]:
        """How many `trials` and `replicates` all arms together are to have."""
        searches = {arm: self.searches_of(arm) for arm in self.arm_values}
        return {
            "trials": self.trials * sum(searches.values()),
            "replicates": sum(self.replicates_of(arm) * n for arm, n in searches.items()),
        }

    @property
    def margin(self) -> float | None:
        """The difference, 0 to 1, that the study calls too small to matter.

        It is of accuracies or R², or relative to the best arm's error.
        """
        margin = self.spec.get("margin")
        return float(margin) if isinstance(margin, int | float) else None


def _object(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """An object inside another one; empty where it is missing."""
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def read(file: Path) -> Manifest:
    """A manifest from its file; raises UserError if it is missing, damaged or of another schema."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise UserError(
            f"{file.parent} holds no study (no manifest.json); "
            "start one with: python -m harness.study NAME"
        ) from None
    except OSError as error:
        raise of_disk(error, str(file)) from None
    manifest = files.parse_object(content)
    if manifest is None:
        raise _damaged(file, "it is not a JSON object")
    schema = manifest.get("schema")
    if schema != SCHEMA:
        raise UserError(
            f"{file} has schema {schema!r} and this version reads {SCHEMA}; "
            "use the version that wrote it, or --fresh"
        )
    if (wrong := files.fault(manifest, _SHAPE)) is not None:
        raise _damaged(file, wrong)
    return Manifest(manifest)


def write(file: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest, with its own hash; raises OSError."""
    files.write_atomically(file, files.to_json(files.sealed(manifest)))


def _damaged(file: Path, how: str) -> UserError:
    return UserError(
        f"{file} is damaged ({how}); put a good copy back, "
        "or start again with --fresh, which moves the old directory aside"
    )

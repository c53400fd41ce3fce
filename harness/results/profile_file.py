"""`profile.json`: what configurations cost, as it is on file."""

from pathlib import Path
from typing import Any

from harness.core import files
from harness.core.errors import UserError, of_disk
from harness.core.shapes import NUMBER

_SPREAD = {"median": NUMBER, "p05": NUMBER, "p95": NUMBER, "n": int, "unstable": bool}
_ENTRY: dict[str, Any] = {
    "step_ms": _SPREAD,
    "evaluation_ms": {"median": NUMBER},
    "units": (int, list),
    "arms": [str],
    **dict.fromkeys(("cell", "backend", "device", "path"), str),
    **dict.fromkeys(("depth", "sequence_length", "batch_size", "parameters", "embedding_dim",
                     "vocabulary", "features?", "steps?", "classes?"), int),
    **dict.fromkeys(("compile_s", "import_s", "build_s", "peak_rss_mb", "gflops", "dropout",
                     "us_per_iteration?", "matmul_share?", "joules_per_step?"), NUMBER),
    "bidirectional": bool,
}  # fmt: skip
_SHAPE: dict[str, Any] = {
    "processes": int,
    "seconds": NUMBER,
    "took_s?": NUMBER,
    "entries": [_ENTRY],
    "scaling": [{"cell": str, "n": int, "exponents": dict}],
    "failed": [{"configuration": str, "reason": str}],
    "environment": dict,
}


def read_profile(file: Path) -> dict[str, Any] | None:
    """A profile.json with entries; None where there is none. Raises UserError for a damaged one."""
    try:
        profile = files.parse_object(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise of_disk(error, str(file)) from None
    if (wrong := files.fault(profile, _SHAPE)) is not None:
        raise UserError(
            f"{file} is damaged ({wrong}); remove it, and make it again with: "
            "python -m harness.profile NAME"
        )
    return profile if profile and profile["entries"] else None

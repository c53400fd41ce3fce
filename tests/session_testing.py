"""Sessions of a study in process: a toy pool in place of worker processes, nothing profiled."""

from pathlib import Path
from typing import Any

import pytest
from toys import ToyPool, losses

from harness.study import plan, session, solve_units, trainings
from harness.study.options import Options

STUDY = """
'''Does it run?'''
from toys import toy_study
study = toy_study()
"""


class Pool(ToyPool):
    """The toy pool with the signature of the real one."""

    curve_of_all: Any = staticmethod(losses)

    def __init__(self, count: int, settings: object, logs: Path) -> None:
        super().__init__(count, curve=self.curve_of_all)

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        return None


def use_toy_pool(monkeypatch: pytest.MonkeyPatch, pool: type[Pool] = Pool) -> None:
    """Sessions train in `pool`; no time is estimated and nothing is profiled."""
    monkeypatch.setattr(solve_units, "LocalPool", pool)
    monkeypatch.setattr(trainings, "LocalPool", pool)
    monkeypatch.setattr(session, "profile_run_directory", lambda root, quick, notify: root)
    monkeypatch.setattr(plan, "predict_study", lambda *_: None)


def options(file: Path, **changes: Any) -> Options:
    return Options(**{"name": str(file), "runs": file.parent / "runs", "quiet": True, **changes})

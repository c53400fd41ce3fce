"""Sessions of a study in process: a toy pool in place of worker processes, nothing profiled."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from toys import ToyPool, losses

from harness.results.records import read_records
from harness.study import plan, session, solve_units, trainings
from harness.study.options import Options
from harness.workers.messages import TrainRequest

STUDY = """
'''Does it run?'''
from toys import toy_study
study = toy_study()
"""
DECLARED = """
'''Does it run?'''
from harness import Budget, CategoricalDistribution, FloatDistribution, IntDistribution
from toys import SPACE, toy_study
study = toy_study({})
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
    monkeypatch.setattr(session, "profile_run_directory", lambda root, quick, notify, pool: root)
    monkeypatch.setattr(plan, "predict_study", lambda *_: None)


def study_file(folder: Path, name: str, declared: str = "") -> Path:
    """A study file with these arguments of `toy_study`."""
    file = folder / f"{name}.py"
    file.write_text(DECLARED.format(declared))
    return file


def trials_of(folder: Path, name: str) -> Any:
    """The table of a study's trials, where `options` puts its run directory."""
    return read_records(folder / "runs" / name).trials


def options(file: Path, **changes: Any) -> Options:
    return Options(**{"name": str(file), "runs": file.parent / "runs", "quiet": True, **changes})


def outcome(file: Path, capsys: pytest.CaptureFixture[str], **changes: Any) -> dict[str, Any]:
    """What a session prints with `--json`; it must end well."""
    capsys.readouterr()
    assert session.run(options(file, json_output=True, **changes)) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@contextmanager
def dying_after(trainings: int, pool: type[Pool] = Pool) -> Iterator[None]:
    """The session in this block dies when it begins one training more than `trainings`."""
    left = trainings

    def crashing(request: TrainRequest) -> list[float]:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return losses(request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "curve_of_all", staticmethod(crashing))
        with pytest.raises(KeyboardInterrupt):
            yield

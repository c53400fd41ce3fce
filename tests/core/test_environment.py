"""What the manifest says about the machine is true, and can be written as JSON."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.core import environment

ROOT = Path(environment.__file__).parents[2]


def test_the_environment_is_plain_json() -> None:
    found = environment.describe()
    assert json.loads(json.dumps(found)) == found
    assert found["python"] == platform.python_version()
    assert found["packages"]["numpy"] == np.__version__
    assert found["memory_gb"] > 0
    assert found["cpu"]


def test_packages_that_are_absent_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PACKAGES", ("numpy", "no-such-package"))
    assert environment.versions() == {"numpy": np.__version__}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs sched_setaffinity")
def test_cores_are_those_that_the_process_may_use() -> None:
    code = (
        "import os; from harness.core import environment; "
        "os.sched_setaffinity(0, environment.available_cpus()[:1]); "
        "print(environment.describe()['cores'])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "1"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The package alone in a git repository that has committed nothing yet."""
    shutil.copytree(
        ROOT / "harness/core", tmp_path / "harness/core", ignore=shutil.ignore_patterns("*.pyc")
    )
    shutil.copy(ROOT / "harness/__init__.py", tmp_path / "harness")
    (tmp_path / ".gitignore").write_text("__pycache__/\n")
    git(tmp_path, "init")
    return tmp_path


def git_state(checkout: Path) -> object:
    code = (
        "import json; from harness.core import environment; "
        "print(json.dumps(environment.describe()['git']))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )  # fmt: skip
    return json.loads(found.stdout)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_the_state_of_the_checkout(checkout: Path) -> None:
    git(checkout, "commit", "--allow-empty", "-m", "another project")
    assert git_state(checkout) is None, "installed inside the checkout of another project"
    git(checkout, "add", ".")
    git(checkout, "commit", "-m", "all")
    commit = git(checkout, "rev-parse", "HEAD")
    assert git_state(checkout) == {"commit": commit, "dirty": False}
    (checkout / "new.txt").write_text("")
    assert git_state(checkout) == {"commit": commit, "dirty": True}


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_without_a_repository_there_is_no_state(checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    assert git_state(checkout) is None

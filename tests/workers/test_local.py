"""What this machine has, by the system's own files."""

from pathlib import Path

import pytest

from harness.workers import local
from harness.workers.messages import Died, Unable


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose device files the test makes."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(local, "NVIDIA_DRIVER", tmp_path / "gpus")
    monkeypatch.setattr(local, "DEVICES", tmp_path)
    monkeypatch.setattr(local.sys, "platform", "linux")
    return tmp_path


def test_a_machine_without_a_gpu_says_what_it_lacks(machine: Path) -> None:
    assert local.visible_gpus() == []
    assert "this machine shows no GPU" in str(local.why_no_gpu())


@pytest.mark.parametrize("device", ["nvidia0", "dxg", "kfd", "gpus/0000:65:00.0"])
def test_any_sign_of_a_gpu_is_enough_to_try(machine: Path, device: str) -> None:
    (machine / device).mkdir(parents=True)
    assert local.why_no_gpu() is None


def test_gpus_are_counted_by_their_devices_where_the_driver_lists_none(machine: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl"):
        (machine / name).touch()
    assert local.visible_gpus() == ["0", "1"]


@pytest.mark.parametrize("visible", ["", "-1"])
def test_gpus_that_are_hidden(machine: Path, monkeypatch: pytest.MonkeyPatch, visible: str) -> None:
    (machine / "nvidia0").touch()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert local.why_no_gpu() == "CUDA_VISIBLE_DEVICES hides every GPU of this machine"


def test_workers_that_give_up_at_start_say_why(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("raise ImportError('no module that this needs')\n")
    settings = local.Settings(
        backend="tensorflow", device="cpu", threads=1, path=None, study_file=str(file)
    )
    found: list[object] = []
    with local.LocalPool(1, settings, tmp_path / "logs") as pool:
        while len(found) < 2:
            for _, message in pool.wait(1.0):
                found.append(message)
                pool.replace(0)
    first, second = found
    assert isinstance(first, Died)
    assert first.how.startswith("exit code 1: ")
    assert isinstance(second, Unable)
    assert second.reason.startswith("2 in a row ended with exit code 1: ")
    assert "no module that this needs" in second.reason
    assert "worker-0.log has more" in second.reason


def test_a_notebooks_backend_for_charts_does_not_reach_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "module://a_notebook.alone")
    file = tmp_path / "mine.py"
    file.write_text("import os\nraise ImportError(os.environ.get('MPLBACKEND', 'none'))\n")
    settings = local.Settings(
        backend="tensorflow", device="cpu", threads=1, path=None, study_file=str(file)
    )
    with local.LocalPool(1, settings, tmp_path / "logs") as pool:
        while not (found := pool.wait(1.0)):
            pass
    assert isinstance(found[0][1], Died)
    assert "none" in found[0][1].how

"""Where trainings run, as the backend sees it."""

import pytest

from harness.core.errors import UserError
from harness.training import device
from harness.workers.local import Settings, environment_of


@pytest.mark.torch
def test_torch_trains_on_the_gpu_that_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.resolve("auto", "torch") == "gpu"
    assert device.resolve("cpu", "torch") == "cpu"


@pytest.mark.torch
def test_a_gpu_that_torch_does_not_see_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.resolve("auto", "torch") == "cpu"
    with pytest.raises(UserError, match="PyTorch sees no GPU"):
        device.resolve("gpu", "torch")


def test_a_worker_on_the_cpu_does_not_look_for_a_gpu() -> None:
    found = environment_of(Settings(backend="jax", device="cpu", threads=1, path=None))
    assert found["JAX_PLATFORMS"] == "cpu"
    assert found["CUDA_VISIBLE_DEVICES"] == "-1"
    found = environment_of(Settings(backend="jax", device="auto", threads=1, path=None))
    assert "JAX_PLATFORMS" not in found

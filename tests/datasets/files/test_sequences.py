"""The user's own sequences: read, checked, standardised; one line for bad ones."""

import json
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.errors import UserError
from harness.datasets.files.sequences import NumberFiles


def arrays(n: int = 120, length: int = 7, features: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(5.0, 2.0, (n, length, features)).astype(np.float32)
    return {"x": x, "y": (x[:, -1, 0] > 5).astype(np.int64)}


def saved(path: Path, **changes: Any) -> Path:
    file = path / "sequences.npz"
    np.savez(file, **{**arrays(), **changes})
    return file


def test_classes_are_numbered_and_features_standardised(tmp_path: Path) -> None:
    names = np.array(["up", "down"])[arrays()["y"]]
    dataset = NumberFiles.of(saved(tmp_path, y=names))
    assert dataset.labels == ("down", "up")
    assert (dataset.classes, dataset.features, dataset.steps) == (2, 3, 0)
    assert (dataset.train, dataset.validation, dataset.test) == (77, 19, 24)
    learnt = dataset.load("train", sequence_length=7, vocabulary=4)
    np.testing.assert_allclose(learnt.x.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(learnt.x.std(axis=(0, 1)), 1, atol=1e-4)
    x, scaling = arrays()["x"], dataset.scaling()
    again = (x[dataset.split()["test"]] - scaling["x_mean"]) / scaling["x_std"]
    test = dataset.load("test", sequence_length=7, vocabulary=4)
    np.testing.assert_allclose(test.x, again, rtol=1e-4, atol=1e-5)
    assert dataset.limits() == {"sequence_length": 7}
    assert pickle.loads(pickle.dumps(dataset)) == dataset


def test_shorter_ones_are_the_ends_and_longer_ones_begin_with_zeros(tmp_path: Path) -> None:
    dataset = NumberFiles.of(saved(tmp_path))
    whole = dataset.load("test", sequence_length=7, vocabulary=4).x
    short = dataset.load("test", sequence_length=3, vocabulary=4).x
    long = dataset.load("test", sequence_length=9, vocabulary=4).x
    np.testing.assert_array_equal(short, whole[:, -3:])
    np.testing.assert_array_equal(long[:, 2:], whole)
    assert not long[:, :2].any()


def test_numbers_are_predicted_and_told_in_r2(tmp_path: Path) -> None:
    dataset = NumberFiles.of(saved(tmp_path, y=1000 + arrays()["x"][:, -1, 0] * 50))
    assert (dataset.classes, dataset.metric) == (0, "R²")
    y = dataset.load("train", sequence_length=7, vocabulary=4).y
    assert y.dtype == np.float32
    np.testing.assert_allclose([y.mean(), y.std()], [0, 1], atol=1e-4)
    assert dataset.to_mapping()["metric"] == "R²"


def test_a_class_a_step_and_classes_of_very_different_sizes(tmp_path: Path) -> None:
    y = np.random.default_rng(0).integers(0, 3, (120, 4))
    dataset = NumberFiles.of(saved(tmp_path, y=y))
    assert (dataset.classes, dataset.steps) == (3, 4)
    assert dataset.load("test", sequence_length=7, vocabulary=4).y.shape == (24, 4)
    (tmp_path / "rare").mkdir()
    few = np.array([1] * 10 + [0] * 110)
    assert NumberFiles.of(saved(tmp_path / "rare", y=few)).metric == "balanced accuracy"


def test_copies_are_only_trained_on(tmp_path: Path) -> None:
    x = arrays()["x"]
    x[1::10] = x[::10]
    dataset = NumberFiles.of(saved(tmp_path, x=x))
    duplicates = {row for i in range(0, 120, 10) for row in (i, i + 1)}
    rows = dataset.split()
    assert not duplicates & {*rows["validation"].tolist(), *rows["test"].tolist()}


def test_the_fingerprint_is_of_the_numbers_alone(tmp_path: Path) -> None:
    one = NumberFiles.of(saved(tmp_path))
    (tmp_path / "other").mkdir()
    assert NumberFiles.of(saved(tmp_path / "other")).fingerprint() == one.fingerprint()
    x = arrays()["x"]
    x[3, 3, 0] += 1
    (tmp_path / "third").mkdir()
    assert NumberFiles.of(saved(tmp_path / "third", x=x)).fingerprint() != one.fingerprint()


class Evil:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (Path("/tmp/never").write_text, ("opened",))  # type: ignore[return-value]


def damaged(path: Path) -> Path:
    file = saved(path)
    file.write_bytes(file.read_bytes()[:-2000])
    return file


def rare() -> Any:
    return np.array([1] * 3 + [0] * 117)


def not_finite(name: str) -> dict[str, Any]:
    found = arrays()
    if name == "y":
        return {"y": np.where(np.arange(120) == 4, np.inf, 1.0 * np.arange(120))}
    found["x"][2, 1, 0] = np.nan
    return {"x": found["x"]}


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "two dimensions": (lambda p: saved(p, x=np.ones((120, 7))), r"\(120, 7\).*x\[\.\.\., None\]"),
    "nothing in it": (lambda p: saved(p, x=np.ones((0, 7, 1)), y=np.ones(0)), "needs"),
    "lengths differ": (lambda p: saved(p, y=np.ones(3, int)), "120 sequences, y 3 targets"),
    "too few": (lambda p: saved(p, x=np.ones((9, 7, 1)), y=np.ones(9, int)), "at least 50"),
    "strings in x": (lambda p: saved(p, x=np.full((120, 7, 1), "a")), "plain numbers"),
    "NaN": (lambda p: saved(p, **not_finite("x")), r"1 values of x are not finite.*x\[2, 1, 0\]"),
    "infinite target": (lambda p: saved(p, **not_finite("y")), r"of y are not finite.*y\[4\]"),
    "too large for float32": (lambda p: saved(p, x=np.full((120, 7, 1), 1e300)), "not finite"),
    "constant target": (lambda p: saved(p, y=np.full(120, 1.5)), "nothing to predict"),
    "one class": (lambda p: saved(p, y=np.ones(120, int)), "two classes are needed"),
    "many classes": (lambda p: saved(p, y=np.arange(120)), "120 different classes.*--task number"),
    "a rare class": (lambda p: saved(p, y=rare()), "3 sequences of class 1"),
    "more steps than there are": (
        lambda p: saved(p, y=np.ones((120, 8), int)), "last steps of at most 7"),
    "several numbers": (lambda p: saved(p, y=np.full((120, 2), 0.3)), r"has one number.*y\[:, 0\]"),
    "dates": (lambda p: saved(p, y=np.full(120, np.datetime64("2020-01-01"))), "numbers or str"),
    "a pickle": (lambda p: saved(p, x=np.array([Evil()] * 120, object)), "may run code"),
    "damaged": (damaged, "not an .npz file that can be read"),
    "no such file": (lambda p: p / "none.npz", "no such file"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "complaint"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, make: Callable[[Path], Path], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint) as refused:
        NumberFiles.of(make(tmp_path))
    assert "\n" not in str(refused.value)
    assert not Path("/tmp/never").exists()


def test_a_missing_array_and_a_single_one_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=arrays()["x"], labels=arrays()["y"])
    with pytest.raises(UserError, match="no array 'y'; it has x, labels"):
        NumberFiles.of(tmp_path / "a.npz")
    np.save(tmp_path / "a.npy", arrays()["x"])
    with pytest.raises(UserError, match=r"numpy\.savez"):
        NumberFiles.of(tmp_path / "a.npy")


def test_a_file_larger_than_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    file = saved(tmp_path)
    memory = psutil.virtual_memory()._replace(available=1_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    with pytest.raises(UserError, match="too large for the memory here"):
        NumberFiles.of(file)


def test_its_standardising_is_told_beside_the_model(tmp_path: Path) -> None:
    dataset = NumberFiles.of(saved(tmp_path))
    assert json.loads(json.dumps(dataset.scaling())) == dataset.scaling()
    assert set(dataset.scaling()) == {"x_mean", "x_std"}


def test_large_numbers_that_differ_by_little_keep_their_differences(tmp_path: Path) -> None:
    times = 1.7e9 + np.arange(120 * 7).reshape(120, 7, 1)
    y = 1e9 + 20 * np.random.default_rng(0).normal(size=120)
    dataset = NumberFiles.of(saved(tmp_path, x=times, y=y))
    learnt = dataset.load("train", sequence_length=7, vocabulary=4)
    assert len(np.unique(learnt.x)) == learnt.x.size
    np.testing.assert_allclose([learnt.x.std(), learnt.y.std()], 1, atol=1e-4)
    np.testing.assert_allclose([learnt.x.mean(), learnt.y.mean()], 0, atol=1e-4)
    order = np.argsort(y[dataset.split()["train"]])
    assert (np.diff(learnt.y[order]) >= 0).all()
    other = NumberFiles.of(saved(tmp_path / "..", x=times + 1, y=y))
    assert other.fingerprint() != dataset.fingerprint()


def test_a_feature_that_never_varies_becomes_zero(tmp_path: Path) -> None:
    x = arrays()["x"].astype(np.float64)
    x[..., 1] = 0.1  # its mean is not exactly 0.1
    found = NumberFiles.of(saved(tmp_path, x=x)).load("test", sequence_length=7, vocabulary=4)
    assert not found.x[..., 1].any()


def test_padding_is_left_out_of_the_scaling_and_put_in_front(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(100, 2, (120, 9, 1))
    lengths = rng.integers(3, 10, 120)
    for row, length in zip(x, lengths, strict=True):
        row[length:] = 0
    dataset = NumberFiles.of(saved(tmp_path, x=x))
    assert dataset.padding == "end"
    assert dataset.to_mapping()["padding"] == "end"
    assert "moved to the front" in dataset.encoding
    np.testing.assert_allclose(dataset.scaling()["x_mean"], [100], atol=1)
    np.testing.assert_allclose(dataset.scaling()["x_std"], [2], atol=0.3)
    found = dataset.load("train", sequence_length=9, vocabulary=4).x
    assert ((found[..., 0] == 0).sum(axis=1) == 9 - lengths[dataset.split()["train"]]).all()
    assert (found[:, -3:] != 0).all()
    np.testing.assert_allclose(found[found != 0].std(), 1, atol=0.01)
    assert "padding, left out of means and deviations" in dataset.contents(print).notes[0]


def test_doubts_are_said(tmp_path: Path) -> None:
    series = np.random.default_rng(0).normal(size=400).cumsum()
    windows = np.lib.stride_tricks.sliding_window_view(series, 20)[..., None]
    (note,) = NumberFiles.of(saved(tmp_path, x=windows, y=np.arange(381) % 2)).contents(print).notes
    assert "overlap others, like windows of one series" in note
    assert "x[::20], y[::20]" in note
    assert "each is the one before it, a step later" in note
    assert "--time-column" in note
    coarse = (1.7e9 + 30 * np.arange(120 * 7).reshape(120, 7, 1)).astype(np.float32)
    (note,) = NumberFiles.of(saved(tmp_path, x=coarse)).contents(print).notes
    assert "feature 0 is large and varies little" in note
    assert NumberFiles.of(saved(tmp_path / "..")).contents(print).notes == []


def test_the_task_is_in_the_fingerprint_where_the_type_says_another(tmp_path: Path) -> None:
    zeros_and_ones = arrays()["y"].astype(float)
    file = saved(tmp_path, y=zeros_and_ones)
    guessed, number = NumberFiles.of(file), NumberFiles.of(file, task="number")
    assert (guessed.classes, number.classes) == (2, 0)
    assert guessed.to_mapping()["task"] == "classes"
    assert "task" not in number.to_mapping()  # as before there were other meanings
    assert pickle.loads(pickle.dumps(number)).load("test", sequence_length=7, vocabulary=4).y.std()
    contents = guessed.contents(print)
    assert contents.task == "classes"
    assert "--task number" in contents.notes[0]


def damage_header(path: Path, shape: str, filling: int = 0) -> Path:
    """A file whose header names another shape, with so many blanks more behind it."""
    file = saved(path)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(
                name, content.replace(b"(120, 7, 3), }" + b" " * -filling, shape.encode())
            )
    return file


@pytest.mark.parametrize(
    "shape", ["(1000000000000, 7, 3), }", "(-120, 7, -3), }", "(120, 7, 3", "(" * 300, "(2**62,)}"]
)
def test_headers_that_lie_are_one_line_and_take_no_memory(tmp_path: Path, shape: str) -> None:
    file = damage_header(tmp_path, shape)
    tracemalloc.start()
    with pytest.raises(UserError, match=r"not an \.npz file that can be read"):
        NumberFiles.of(file)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_other_members_are_one_line(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    for content in (b"", b"\x93NUM", b"\x93NUMPY\x09\x00"):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("x.npy", content)
            archive.writestr("y.npy", content)
        with pytest.raises(UserError, match=r"not an \.npz file that can be read"):
            NumberFiles.of(file)
    np.savez(file, x=arrays()["x"], y=np.array(3))
    with pytest.raises(UserError, match="y a single number"):
        NumberFiles.of(file)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", b"a")
        archive.writestr("y.npy", b"a")
    with pytest.raises(UserError, match="a method that NumPy does not use"):
        NumberFiles.of(file)


def test_a_file_that_is_written_again_is_read_again(tmp_path: Path) -> None:
    one = NumberFiles.of(saved(tmp_path))
    first = one.load("train", sequence_length=7, vocabulary=4).x
    other = NumberFiles.of(saved(tmp_path, x=arrays()["x"][::-1]))
    assert not np.array_equal(other.load("train", sequence_length=7, vocabulary=4).x, first)
    with pytest.raises(UserError, match="has changed while it was in use"):
        one.load("train", sequence_length=7, vocabulary=4)


def test_a_file_of_python_2_is_read_without_a_warning(tmp_path: Path) -> None:
    plain = NumberFiles.of(saved(tmp_path)).fingerprint()
    # Python 2 wrote long numbers so; the filling after them is shorter by as much.
    file = damage_header(tmp_path, "(120L, 7, 3), }", filling=-1)
    assert NumberFiles.of(file).fingerprint() == plain

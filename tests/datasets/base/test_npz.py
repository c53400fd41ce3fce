"""Reading imdb.npz: every layout NumPy writes, and nothing that runs code."""

import io
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from dataset_testing import object_array

from harness.core.errors import UserError
from harness.datasets.base import npz

ROWS = [[1, 2, 3], [70_000], [5, 6]]


def write(path: Path, x: np.ndarray, y: object = (1, 0, 1)) -> Path:
    np.savez(path, x_train=x, y_train=np.array(y))
    return path


def write_pickle(path: Path, pickled: bytes) -> Path:
    """An .npz file whose x_train is an array of objects with a given pickle."""
    member = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (3,)}
    np.lib.format.write_array_header_1_0(member, header)
    labels = io.BytesIO()
    np.save(labels, np.array([1, 0, 1]))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", member.getvalue() + pickled)
        archive.writestr("y_train.npy", labels.getvalue())
    return path


def reviews(path: Path) -> list[list[int]]:
    corpus = npz.read_part(path, "train")
    assert corpus.labels.tolist() == [1, 0, 1]
    return [
        corpus.tokens[a:b].tolist()
        for a, b in zip(corpus.offsets[:-1], corpus.offsets[1:], strict=True)
    ]


@pytest.mark.parametrize(
    "x",
    [
        object_array(ROWS),
        object_array([np.array(row) for row in ROWS]),
        object_array([np.array(row, ">i4") for row in ROWS]),
        object_array([[np.int64(rank) for rank in row] for row in ROWS]),
        object_array([[np.uint32(rank) for rank in row] for row in ROWS]),
    ],
    ids=["lists", "arrays", "big-endian arrays", "NumPy integers", "unsigned NumPy integers"],
)
def test_lists_of_integers_are_read(tmp_path: Path, x: np.ndarray) -> None:
    assert reviews(write(tmp_path / "imdb.npz", x)) == ROWS


@pytest.mark.parametrize("dtype", [object, np.int64, np.uint16])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_of_one_length_are_read(tmp_path: Path, dtype: type, order: str) -> None:
    table = np.array([[1, 2], [3, 4], [5, 6]], dtype, order=order)  # type: ignore[call-overload]
    assert reviews(write(tmp_path / "imdb.npz", table)) == [[1, 2], [3, 4], [5, 6]]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_is_read(tmp_path: Path, protocol: int) -> None:
    pickled = pickle.dumps(object_array(ROWS), protocol=protocol)
    assert reviews(write_pickle(tmp_path / "imdb.npz", pickled)) == ROWS


def test_the_names_of_older_numpy_are_known(tmp_path: Path) -> None:
    pickled = pickle.dumps(object_array(ROWS), protocol=2)
    old = pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert reviews(write_pickle(tmp_path / "imdb.npz", old)) == ROWS


def test_empty_reviews_are_read(tmp_path: Path) -> None:
    assert reviews(write(tmp_path / "imdb.npz", object_array([[], [1], []]))) == [[], [1], []]


class Hostile:
    """An ordinary unpickler would make a directory here."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("inside", [True, False])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, protocol: int, inside: bool) -> None:
    hostile: object = Hostile(tmp_path / "run")
    if inside:
        array = object_array(ROWS)
        array[1] = hostile
        hostile = array
    path = write_pickle(tmp_path / "imdb.npz", pickle.dumps(hostile, protocol=protocol))
    with pytest.raises(UserError, match=r"asks for posix.mkdir.*nothing was executed") as refused:
        npz.read_part(path, "train")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()
    with np.load(path, allow_pickle=True) as archive:  # the attack is a real one
        archive["x_train"]
    assert (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name", ["builtins\neval", "numpy\nload", "numpy.core.multiarray\nfromfile", "os\nsystem"]
)
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    path = write_pickle(tmp_path / "imdb.npz", f"c{name}\n.".encode())
    with pytest.raises(UserError, match="which data never needs"):
        npz.read_part(path, "train")


def test_every_damaged_pickle_is_one_line(tmp_path: Path) -> None:
    pickled = pickle.dumps(object_array(ROWS), protocol=4)
    for at in range(len(pickled)):
        for spoiled in (pickled[:at], pickled[:at] + b"\xff" + pickled[at + 1 :]):
            path = write_pickle(tmp_path / "imdb.npz", spoiled)
            try:
                npz.read_part(path, "train")
            except UserError as error:
                assert "\n" not in str(error)  # noqa: PT017 (some damage makes other numbers)


@pytest.mark.parametrize(
    ("x", "y", "complaint"),
    [
        (object_array(ROWS), (1, 0), "3 reviews, but 2 labels"),
        (object_array(ROWS), (1, 0, 2), "labels other than 0 and 1"),
        (object_array([]), (), "no reviews"),
        (object_array([[1.5], [1], [2]]), (1, 0, 1), "not a list of whole numbers"),
        (object_array([["a"], [1], [2]]), (1, 0, 1), "not a list of whole numbers"),
        (object_array([[[1]], [1], [2]]), (1, 0, 1), "not a list of whole numbers"),
        (np.array([1, 2, 3]), (1, 0, 1), "not a list of whole numbers"),
        (np.array([[1.5], [1], [2]], object), (1, 0, 1), "not a list of whole numbers"),
        (object_array([[-1], [1], [2]]), (1, 0, 1), "negative or too large"),
        (object_array([[2**31], [1], [2]]), (1, 0, 1), "negative or too large"),
    ],
)
def test_other_content_is_refused(
    tmp_path: Path, x: np.ndarray, y: tuple[int, ...], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        npz.read_part(write(tmp_path / "imdb.npz", x, y), "train")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "imdb.npz", object_array(ROWS))
    with pytest.raises(UserError, match=r"no item named 'x_test.npy'"):
        npz.read_part(path, "test")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UserError, match="does not contain reviews in Keras's layout"):
        npz.read_part(path, "train")


def test_a_few_bytes_take_little_memory(tmp_path: Path) -> None:
    """Python would reserve 16 bytes for each number below the one that an object gets."""
    put = pickle.LONG_BINPUT + (2**30).to_bytes(4, "little")
    for begin in (b"]" + put, b"](dp99999999999\n"):
        path = write_pickle(tmp_path / "imdb.npz", b"\x80\x02" + begin + b".")
        tracemalloc.start()
        with pytest.raises(UserError, match="remembers more objects than it has bytes"):
            npz.read_part(path, "train")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
        tracemalloc.stop()


def test_lists_that_share_their_parts_are_not_multiplied_out(tmp_path: Path) -> None:
    nested: list[object] = [1, 2]
    for _ in range(25):
        nested = [nested, nested]  # 2^26 numbers, in some hundred bytes
    path = write_pickle(tmp_path / "imdb.npz", pickle.dumps(object_array([nested, [1], [2]])))
    with pytest.raises(UserError, match="not a list of whole numbers"):
        npz.read_part(path, "train")

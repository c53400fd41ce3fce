"""What `y` means: the likely meaning is taken and said, and `--task` decides."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.errors import UserError
from harness.datasets.files.targets import Targets, targets

RNG = np.random.default_rng(0)
CLASSES = np.arange(60) % 3
FEW, ONE_HOT = "few different whole numbers in floating point", "is one-hot"
COLUMN = "has one target for each sequence"


def of(y: Any, task: str | None = None) -> Targets:
    return targets(Path("a.npz"), np.asarray(y), 8, task)


@pytest.mark.parametrize(
    ("y", "task", "found", "note"),
    [
        (CLASSES, None, "classes", ""),
        (CLASSES.astype(float), None, "classes", FEW),
        (CLASSES.astype(float), "classes", "classes", ""),
        (CLASSES.astype(float), "number", "number", ""),
        (CLASSES, "number", "number", ""),
        (np.eye(3, dtype=int)[CLASSES], None, "classes", ONE_HOT),
        (np.eye(3)[CLASSES], None, "classes", ONE_HOT),
        (np.eye(3, dtype=bool)[CLASSES], None, "classes", ONE_HOT),
        (np.eye(3, dtype=int)[CLASSES], "steps", "steps", ""),
        (np.eye(3)[CLASSES][:, None, :], None, "steps", ONE_HOT),
        (CLASSES[:, None], None, "classes", COLUMN),
        (CLASSES[:, None], "steps", "steps", ""),
        (CLASSES[:, None, None], None, "classes", COLUMN),
        (RNG.normal(size=(60, 1)), None, "number", COLUMN),
        (RNG.normal(size=60), None, "number", ""),
        (np.arange(60.0), None, "number", "many different whole numbers"),
        (RNG.integers(0, 2, (60, 4)), None, "steps", ""),
        (RNG.integers(0, 3, (60, 4)).astype(float), None, "steps", "a class for each step"),
        (RNG.integers(0, 3, (60, 4, 1)), None, "steps", ""),
        (np.array(["a", "b ", "b"])[CLASSES], None, "classes", "blanks"),
        (np.array([b"a", b"b", b"c"])[CLASSES], None, "classes", ""),
    ],
)
def test_meanings(y: Any, task: str | None, found: str, note: str) -> None:
    made = of(y, task)
    assert made.task == found
    assert note in "; ".join(made.notes)
    assert bool(note) == bool(made.notes)
    assert (made.y.dtype == np.float64) == (found == "number")


def test_one_hot_classes_are_the_places_of_the_1() -> None:
    np.testing.assert_array_equal(of(np.eye(3)[CLASSES]).y, CLASSES)
    assert of(np.eye(3)[CLASSES]).labels == ("0", "1", "2")
    steps = RNG.integers(0, 4, (60, 8))
    np.testing.assert_array_equal(of(np.eye(4)[steps]).y, steps)


def test_only_what_the_type_says_is_plain() -> None:
    plain = [(CLASSES, None), (RNG.normal(size=60), None), (RNG.integers(0, 2, (60, 4)), None),
             (CLASSES.astype(float), "number"), (CLASSES[:, None], "steps")]  # fmt: skip
    assert all(of(*each).plain for each in plain)
    guessed = [(CLASSES.astype(float), None), (CLASSES, "number"), (CLASSES[:, None], None),
               (np.eye(3, dtype=int)[CLASSES], None)]  # fmt: skip
    assert not any(of(*each).plain for each in guessed)


@pytest.mark.parametrize(
    ("y", "task", "complaint"),
    [
        (CLASSES, "classify", "--task classify: not one of classes, number, steps"),
        (RNG.normal(size=(60, 5)), None, r"\(60, 5\); each sequence has one number.*y\[:, 0\]"),
        (RNG.dirichlet([1, 1, 1], 60), None, r"y\.argmax\(axis=1\)"),
        (RNG.integers(0, 2, (60, 9)), None, "last steps of at most 8"),
        (RNG.integers(0, 2, (60, 4)), "classes", "each sequence has one class"),
        (RNG.normal(size=(60, 2, 2)), "number", r"y\[:, 0, 0\]"),
        (np.array([0.0] * 57 + [1.0] * 3), None, "3 sequences of class 1.*or --task number"),
        (np.array(["a"] * 57 + ["b"] * 3), None, "3 sequences of class b.*leave them out$"),
        (np.array(["a"] * 60), "number", "y has strings"),
        (np.array([b"\xff", b"a"] * 30), None, "not UTF-8"),
        (np.arange(60) * 1.5, "classes", "1 sequence of class 0 is too few"),
        (np.arange(5000), None, "5,000 different classes in y, at most 100.*--task number"),
        (np.arange(60) * 1j, None, "it needs numbers or strings"),
    ],
)
def test_what_can_not_be_used_is_one_line(y: Any, task: str | None, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as told:
        of(y, task)
    assert len(str(told.value)) < 300


def test_strings_with_impossible_characters_are_one_line() -> None:
    y = np.array(["ab", "cd"] * 30)
    y.view(np.uint32)[0] = 0x7FFFFFFF
    with pytest.raises(UserError, match="strings that are damaged"):
        of(y)

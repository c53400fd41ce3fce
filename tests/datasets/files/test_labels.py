"""Which spellings of labels are one class, and which classes are told to look alike."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UserError
from harness.datasets.files.labels import Label, cleaned, ordered


def place(index: int) -> str:
    return f"row {index + 1}"


def of(*values: Label) -> list[str]:
    return cleaned(values, place).of_rows


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (("neg", "neg ", " neg", "neg\u00a0", "\ufeffneg\u200b", "\tneg"), ["neg"] * 6),
        (("café", "cafe\u0301"), ["café"] * 2),
        (("3", "3.0", "4.0"), ["3", "3", "4"]),
        (("3.0", "4.0", "4.00"), ["3.0", "4.0", "4.0"]),
        (("1", 1, 1.0, "1.0"), ["1"] * 4),
        (("3", "3.0", "unknown"), ["3", "3", "unknown"]),
        (("0", "-0", "+0.0"), ["0"] * 3),
        (("1.5", "1.50", "2"), ["1.5", "1.5", "2"]),
        (("01", "1"), ["01", "1"]),
        ((True, False, "true"), ["true", "false", "true"]),
        (("Neg", "neg"), ["Neg", "neg"]),
        ((1e300, 0.25), [str(int(1e300)), "0.25"]),
    ],
)
def test_spellings(values: tuple[Label, ...], names: list[str]) -> None:
    assert of(*values) == names


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (("neg", "neg ", "neg "), "blanks around 2 labels are not part of the class"),
        (("3", "3.0"), "labels that are one number are one class: '3' and '3.0'"),
        (("Neg", "neg"), "labels that differ only in case or form stay apart: 'Neg' and 'neg'"),
        (("very good", "verygood"), "stay apart: 'very good' and 'verygood'"),
        (("01", "1"), "stay apart: '01' and '1'"),
        (("x" * 999, "X" * 999), "…"),
    ],
)
def test_what_was_made_of_labels_is_said(values: tuple[Label, ...], note: str) -> None:
    (found,) = cleaned(values, place).notes
    assert note in found
    assert len(found) < 200
    assert cleaned(("neg", "pos"), place).notes == []


@pytest.mark.parametrize("others", [(0, 1), ("1", "0"), (0.5,), ("yes",)])
def test_true_beside_other_labels_is_refused(others: tuple[Label, ...]) -> None:
    with pytest.raises(UserError, match="row 2 has the label true, while another is "):
        of(others[0], True, *others[1:])


def test_order_is_of_numbers_or_of_texts() -> None:
    assert ordered(["10", "9", "-1.5"]) == ("-1.5", "9", "10")
    assert ordered(["10", "9", "a"]) == ("10", "9", "a")


numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6).filter(math.isfinite)


@given(st.lists(st.text() | numbers.map(str) | numbers))
def test_cleaning_twice_changes_nothing(values: list[Label]) -> None:
    once = of(*values)
    assert of(*once) == once

"""Text from elsewhere can be shown, and written in any encoding."""

from hypothesis import given
from hypothesis import strategies as st

from harness.core.text import cut, escape_surrogates, sanitize, some


@given(st.text(st.characters(categories=["L", "N", "P", "Z", "S", "C"])))
def test_any_text_can_be_written(text: str) -> None:
    escape_surrogates(text).encode("utf-8")


def test_what_can_be_written_stays() -> None:
    assert escape_surrogates("zażółć 文字 🙂 \x1b") == "zażółć 文字 🙂 \x1b"
    assert escape_surrogates("a\udc80b") == r"a\udc80b"
    assert [escape_surrogates(value) for value in (None, 3, [1])] == [None, 3, [1]]


def test_codes_and_marks_are_spelled_out() -> None:
    assert sanitize("\x1b[31m\u202ea\tb🙂") == r"\x1b[31m\u202ea" + "\tb🙂"


@given(st.text(st.characters(categories=["L", "N", "P", "Z", "S", "C"])))
def test_a_cut_text_is_a_short_line_that_can_be_printed(text: str) -> None:
    found = cut(text, 12)
    assert len(found) <= 12
    assert "\n" not in found
    found.encode("utf-8")
    if len(text) <= 12 and text.isascii() and text.isalnum():
        assert found == text


def test_of_many_names_the_first_are_shown() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some([str(i) for i in range(12)], 3) == "0, 1, 2 and 9 more"
    assert len(some(["x" * 10_000] * 50)) < 500

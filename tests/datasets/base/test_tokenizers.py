"""Words of any language are kept, and characters lose nothing that can be read."""

import time

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UserError
from harness.datasets.base import tokenizers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop! It’s 3.5", ["don't", "stop", "it’s", "3", "5"]),
        ("Ünïcode ÇA", ["ünïcode", "ça"]),
        ("中文字。test", ["中", "文", "字", "test"]),
        ("日本語カタカナ", ["日", "本", "語", "カ", "タ", "カ", "ナ"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("العربية، שלום؟", ["العربية", "שלום"]),
        ("한국어 좋아요", ["한국어", "좋아요"]),
        ("good🙂👍🏽", ["good", "🙂", "👍🏽"]),
        ("a\u3000b\u00a0c\u2028d", ["a", "b", "c", "d"]),
        ("...", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert tokenizers.words(text) == words


@given(st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_no_letter_is_lost(text: str) -> None:
    assert "".join(tokenizers.words(text)) == text.lower().replace("\u0307", "") or (
        set(text.lower()) - set("".join(tokenizers.words(text))) <= {"\u0307"}
    )


@given(st.text())
def test_characters_keep_all_but_the_kind_of_white_space(text: str) -> None:
    found = tokenizers.characters(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert "\n" not in "".join(found)


def test_characters_are_what_a_reader_sees() -> None:
    assert tokenizers.characters("a \n b👍🏽e\u0301") == ["a", " ", "b", "👍🏽", "e\u0301"]


FLAGS = st.text(st.sampled_from("\U0001f1e9\U0001f1ea\u200d\u0301\u0600a \U0001f44d"), max_size=12)


@given(FLAGS)
def test_runs_of_flags_are_cut_as_unicode_says(text: str) -> None:
    expected = [" " if each.isspace() else each for each in regex.findall(r"\s+|\X", text)]
    assert tokenizers.characters(text) == expected


def test_a_long_run_of_flags_takes_linear_time() -> None:
    def seconds(n: int) -> float:
        began = time.process_time()
        assert len(tokenizers.characters("\U0001f1e9" * n)) == n // 2
        return time.process_time() - began

    assert seconds(200_000) < 5  # four minutes where each looks back over all before it


def test_a_mistyped_name_is_one_line() -> None:
    with pytest.raises(UserError, match="known: keras, words, characters"):
        tokenizers.by_name("word")

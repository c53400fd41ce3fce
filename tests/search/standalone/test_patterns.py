"""The patterns beside a model make the same tokens with Python's `re` as the tokenizers here."""

import random
import re
import sys

import pytest
import regex

from harness.core.errors import UserError
from harness.datasets.base import tokenizers
from harness.search.standalone import patterns

# What the rules treat in a way of its own.
KINDS = [
    *(rf"\p{{GCB={name}}}" for name in (
        "Extend", "SpacingMark", "Prepend", "Control", "L", "V", "T", "LV", "LVT",
    )),
    r"\p{Regional_Indicator}", r"\p{Extended_Pictographic}", r"\p{Emoji_Modifier}",
    r"\p{InCB=Consonant}", r"\p{InCB=Linker}", r"\p{InCB=Extend}", r"\s", r"\p{L}", r"\p{N}",
    r"\p{M}", r"\p{P}", r"\p{Han}", r"\p{Thai}", r"[\u200c\u200d]", "['’]", r"[\x00-\x7f]",
    r"[\x1c-\x1f]",
]  # fmt: skip


def tokens(rule: dict[str, object], text: str) -> list[str]:
    """As `predict.py` makes them."""
    found = re.findall(str(rule["pattern"]), text.lower() if rule["lower"] else text)
    return [" " if rule["one_space"] and each.isspace() else each for each in found]


@pytest.fixture(scope="module")
def pools() -> list[list[str]]:
    characters = "".join(map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]))
    return [regex.findall(kind, characters) for kind in KINDS]


@pytest.mark.parametrize("name", tokenizers.TOKENIZERS)
def test_any_text_has_the_same_tokens(name: str, pools: list[list[str]]) -> None:
    rule, draw = patterns.rule(name), random.Random(0)
    for _ in range(20_000):
        text = "".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(0, 12)))
        assert tokens(rule, text) == tokenizers.by_name(name)(text), ascii(text)


@pytest.mark.parametrize("name", tokenizers.TOKENIZERS)
@pytest.mark.parametrize(
    "part", ["🇦", "क्", "्", "ᄀ", "\u0600", "👨\u0301", "a'", "'", "🏽", "\u200d", " "]
)
def test_long_runs_are_fast(name: str, part: str) -> None:
    """Quadratic time would take minutes for these."""
    rule = patterns.rule(name)
    assert len(tokens(rule, part * 100_000)) <= 200_000


def test_symbols_stand_between_blanks() -> None:
    assert tokens(patterns.rule(None), " (  [ ]\n)") == ["(", "[", "]", ")"]


def test_an_unknown_tokenizer_is_refused() -> None:
    with pytest.raises(UserError, match="no tokenizer named"):
        patterns.rule("letters")

"""The tokenizers as patterns of Python's own `re`, for users of a model without this package.

Python's patterns don't know the properties of Unicode's characters, so the ranges of characters
that have them are spelled out here, as the `regex` package of this process knows them.
"""

import functools
import sys
from collections.abc import Callable
from typing import Any

import regex

from harness.datasets.base import tokenizers
from harness.datasets.base.characters import BLANK
from harness.datasets.base.tokenizers import FILTERS

_PICTURE = r"\p{Extended_Pictographic}"
_SYMBOLS: dict[str, Any] = {
    "name": "symbols",
    "lower": False,
    "one_space": False,
    "pattern": r"\S+",
}

# Of `harness.datasets.base.characters`: white space is shown as `blank`.
STREAM: dict[str, Any] = {
    "name": "stream",
    "lower": False,
    "one_space": True,
    "blank": BLANK,
    "pattern": r"\s+|\S",
}


def rule(tokenizer: str | None) -> dict[str, Any]:
    """What makes tokens of a text: `re.findall(pattern, text.lower() if lower else text)`.

    With `one_space` tokens of white space become one space, or the `blank` of the rule. Without a
    tokenizer tokens are symbols between blanks. Raises UserError for an unknown name.
    """
    if tokenizer is None:
        return _SYMBOLS
    tokenizers.by_name(tokenizer)
    patterns: dict[str, Callable[[], str]] = {
        "keras": _keras, "words": _words, "characters": _characters,
        "tokens": lambda: tokenizers.TOKENS,
    }  # fmt: skip
    of_characters = tokenizer == "characters"
    as_written = tokenizer in ("characters", "tokens")
    return {
        "name": tokenizer,
        "lower": not as_written,
        "one_space": of_characters,
        "pattern": patterns[tokenizer](),
    }


def _keras() -> str:
    return f"[^{''.join(map(_escaped, map(ord, FILTERS)))} ]+"


@functools.cache
def _words() -> str:
    """See `tokenizers.words`: the same alternatives."""
    unspaced = tokenizers.UNSPACED
    alone = _ranges(rf"[[{unspaced}]&&[\p{{L}}\p{{N}}]]")
    first = _ranges(rf"[[\p{{L}}\p{{N}}]--[{unspaced}]]")
    inner = _ranges(rf"[[\p{{L}}\p{{N}}\p{{M}}]--[{unspaced}]]")
    joined = _ranges(rf"[[\p{{L}}\p{{N}}\p{{M}}\u200c\u200d]--[{unspaced}]]")
    mark, picture, modifier = map(_ranges, (r"\p{M}", _PICTURE, r"\p{Emoji_Modifier}"))
    return f"[{alone}][{mark}]*|[{first}][{joined}]*(?:['’][{inner}]+)*|[{picture}][{modifier}]?"


@functools.cache
def _characters() -> str:
    """Grapheme clusters by table 1c of Unicode Standard Annex 29, and runs of white space."""
    of = {
        name: _ranges(rf"\p{{GCB={name}}}")
        for name in ("Control", "Prepend", "Extend", "L", "V", "T", "LV")
    }
    picture, flag, blank = map(_ranges, (_PICTURE, r"\p{Regional_Indicator}", r"\s"))
    consonant = _ranges(r"\p{InCB=Consonant}")
    linker, joined = _ranges(r"\p{InCB=Linker}"), _ranges(r"[\p{InCB=Linker}&&\p{GCB=Extend}]")
    between = _ranges(r"[\p{InCB=Extend}[\p{InCB=Linker}&&\p{GCB=Extend}]]")
    loose = _ranges(r"[[\p{GCB=Extend}\p{GCB=SpacingMark}\u200d]--\p{InCB=Linker}]")
    extend, joiner = of["Extend"], "\\u200d"
    syllable = (
        rf"[{of['L']}]*(?:[{of['V']}]+|[{of['LV']}][{of['V']}]*|[\uac00-\ud7a3])[{of['T']}]*"
        rf"|[{of['L']}]+|[{of['T']}]+"
    )
    pictures = rf"[{picture}](?:[{extend}]*{joiner}[{picture}])*"
    conjunct = f"[{linker}][{between}]*[{consonant}]?"
    core = f"(?:{syllable}|[{flag}]{{2}}|{pictures}|{conjunct}|[^{of['Control']}\\r\\n])"
    # What a linker ends joins the consonant after it. No part can be read in two ways.
    after = f"(?:[{loose}]|[{joined}][{between}]*(?:[{consonant}]|(?![{between}])))*"
    return f"[{blank}]+|[{of['Control']}\\r\\n]|[{of['Prepend']}]*{core}{after}"


def _ranges(of_class: str) -> str:
    """The characters of a class of `regex`, for a class of `re`: `\\u0041-\\u005a\\u0061`."""
    found: list[list[int]] = []
    for match in regex.compile(of_class, regex.V1).finditer(_all_characters()):
        code = ord(match[0])
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(
        _escaped(first) + ("" if first == last else f"-{_escaped(last)}") for first, last in found
    )


@functools.cache
def _all_characters() -> str:
    return "".join(map(chr, range(sys.maxunicode + 1)))


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

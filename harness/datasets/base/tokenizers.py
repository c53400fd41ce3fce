"""From a text to its tokens: Keras's words, Unicode's words, characters, or words with signs."""

import re
from collections.abc import Callable

import regex

from harness.core.errors import UserError

Tokenizer = Callable[[str], list[str]]

# The filters are the defaults of Keras's Tokenizer.
FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_TO_BLANK = str.maketrans(dict.fromkeys(FILTERS, " "))

# Scripts without spaces between words: each of their characters is a token.
UNSPACED = "".join(
    rf"\p{{{script}}}"
    for script in ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
)
_WORDS = regex.compile(
    rf"[[{UNSPACED}]&&[\p{{L}}\p{{N}}]]\p{{M}}*"
    # Letters with their marks, joined by apostrophes within the word: don't, aujourd’hui.
    rf"|[[\p{{L}}\p{{N}}]--[{UNSPACED}]][[\p{{L}}\p{{N}}\p{{M}}\u200c\u200d]--[{UNSPACED}]]*"
    rf"(?:['’][[\p{{L}}\p{{N}}\p{{M}}]--[{UNSPACED}]]+)*"
    r"|\p{Extended_Pictographic}\p{Emoji_Modifier}?",
    regex.V1,
)


def keras(text: str) -> list[str]:
    """The words of a text by Keras's rules: lower case, filter characters count as spaces.

    Like Keras it splits only at spaces: other white space stays part of a word.
    """
    return [word for word in text.lower().translate(_TO_BLANK).split(" ") if word]


def words(text: str) -> list[str]:
    """Words of any language, in lower case; punctuation is left out, pictographs are kept.

    In scripts without spaces between words (Chinese, Japanese, Thai, …) each character is a word.
    """
    return _WORDS.findall(text.lower())


# \X looks back over a whole run of flag letters for each of them, so long runs are cut here: two
# are one character (Unicode Standard Annex 29, rules GB12 and GB13), \X finds the last ones.
_CHARACTERS = regex.compile(r"\s+|\p{Regional_Indicator}{2}(?=\p{Regional_Indicator})|\X")


def characters(text: str) -> list[str]:
    """What readers see as characters (grapheme clusters); white space becomes one space."""
    return [" " if each.isspace() else each for each in _CHARACTERS.findall(text)]


# From a word's first letter or digit to its last one; other signs alone. Of Python's own `re`.
TOKENS = r"\w(?:\S*\w)?|[^\w\s]"


def tokens(text: str) -> list[str]:
    """Words as they are written; signs around them, such as full stops, are tokens, too."""
    return re.findall(TOKENS, text)


TOKENIZERS: dict[str, Tokenizer] = {
    "keras": keras,
    "words": words,
    "characters": characters,
    "tokens": tokens,
}


def by_name(name: str) -> Tokenizer:
    """The tokenizer `name`; raises UserError for an unknown name."""
    if name not in TOKENIZERS:
        raise UserError(f"no tokenizer named {name!r}; known: {', '.join(TOKENIZERS)}")
    return TOKENIZERS[name]

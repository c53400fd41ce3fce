"""The dataset `character-files`: your own text, whose next character is predicted."""

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, Unpack

from harness.core.checks import check_whole
from harness.core.errors import UserError
from harness.datasets.base.characters import CharacterTexts, streamed, whole_batches
from harness.datasets.base.dataset import SPLITS, Split
from harness.datasets.base.memory import content
from harness.datasets.files.decoding import UTF8, decoded
from harness.datasets.files.limits import Sizes, sizes

SUFFIX = ".txt"
MOST: dict[Split, int] = {"train": 20_480, "validation": 2_048, "test": 4_096}  # by default
LEAST = 20  # examples in all
BYTE_MEMORY = 20  # bytes of memory a byte of the file takes at most


@dataclass(frozen=True, kw_only=True)
class CharacterFiles(CharacterTexts):
    """Made by `of`. The beginning of the text trains, the next part validates, the end tests.

    `content` is the SHA-256 of the file's bytes, `given_encoding` what the user says about them.
    """

    path: str = ""
    given_encoding: str | None = None
    content: str = ""

    name: ClassVar[str] = "character-files"

    @classmethod
    def of(
        cls,
        path: str | Path,
        *,
        encoding: str | None = None,
        predicted: int = 50,
        alphabet: int = 96,
        **splits: Unpack[Sizes],
    ) -> Self:
        """The dataset of a text file; by default 64, 16 and 20 % of it, or less of a long one.

        Raises UserError with a line that says what is wrong.
        """
        check_whole("predicted", predicted, 1)
        file = os.path.abspath(path)
        _read.cache_clear()  # the file may be another one than before
        text, content = _read(file, encoding)
        examples = len(text) // predicted
        if examples < LEAST:
            raise UserError(
                f"{path}: {len(text):,} characters are too few, at least {LEAST * predicted:,}"
            )
        usual = sizes(examples, {})
        chosen = {each: whole_batches(min(usual[each], MOST[each])) for each in SPLITS} | splits
        found = cls(
            **chosen,  # type: ignore[arg-type]
            path=file,
            predicted=predicted,
            alphabet=alphabet,
            given_encoding=encoding,
            content=content,
        )
        streamed(found)  # raises UserError for sizes that do not fit
        return found

    def streams(self) -> dict[Split, str]:
        text, content = _read(self.path, self.given_encoding)
        if content != self.content:
            raise UserError(f"{self.path} has changed while it was in use; put it back")
        wanted = [getattr(self, split) * self.predicted for split in SPLITS]
        if sum(wanted) > len(text):
            raise UserError(
                f"{self.path}: the splits need {sum(wanted):,} characters, but there are "
                f"{len(text):,}: make one of them smaller"
            )
        parts, first = {}, 0
        for split, count in zip(SPLITS, wanted, strict=True):
            parts[split] = text[first : first + count]
            first += count
        return parts

    def to_mapping(self) -> dict[str, Any]:
        encoding = {} if self.given_encoding in (None, UTF8) else {"encoding": self.given_encoding}
        return super().to_mapping() | {"file": Path(self.path).name, **encoding}


@functools.lru_cache(maxsize=2)
def _read(path: str, encoding: str | None) -> tuple[str, str]:
    """The text of a file, with blanks alone as white space, and the SHA-256 of its bytes."""
    file = Path(path)
    raw = content(file, BYTE_MEMORY, "--dataset ")
    text = " ".join(decoded(file, raw, encoding).text.split())
    return text, hashlib.sha256(raw).hexdigest()

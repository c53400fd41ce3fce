"""The dataset `characters`: IMDB's reviews, character by character."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from harness.datasets.base import cache
from harness.datasets.base.characters import CharacterTexts, streamed
from harness.datasets.base.dataset import Split
from harness.datasets.imdb import SHA256, reviews

VERSION = 1  # of the file in the cache: change it with what is in it
HELD_OUT: dict[Split, float] = {"validation": 0.1, "test": 0.15}  # shares of the reviews


@dataclass(frozen=True, kw_only=True)
class Characters(CharacterTexts):
    """Film reviews, one after another in random order; the next character is predicted.

    The splits have other reviews, and each text occurs once. A model that gives all 97 characters
    the same probability has 6.6 bits per character, one that knows only how frequent each is about
    4.4. Shannon, "Prediction and entropy of printed English", Bell System Technical Journal
    30:50-64 (1951), estimated 0.6 to 1.3 bits for people and 27 characters.
    """

    train: int = 10_240
    validation: int = 2_048
    test: int = 3_072
    split_seed: int = 0

    name: ClassVar[str] = "characters"
    subject: ClassVar[str] = "IMDB reviews"

    def prepare(self, notify: Callable[[str], None]) -> None:
        _texts(notify)
        streamed(self)

    def streams(self) -> dict[Split, str]:
        texts = _texts(lambda line: None)
        # RandomState always gives the same numbers; NumPy's Generator may change between versions.
        order = np.random.RandomState(self.split_seed).permutation(len(texts)).tolist()
        parts: dict[Split, str] = {}
        for split, share in HELD_OUT.items():
            count = int(share * len(texts))
            parts[split] = " ".join(texts[row] for row in order[:count])
            order = order[count:]
        return {"train": " ".join(texts[row] for row in order), **parts}

    def to_mapping(self) -> dict[str, Any]:
        return super().to_mapping() | {"split_seed": self.split_seed}


def _texts(notify: Callable[[str], None]) -> tuple[str, ...]:
    """The different reviews, without line breaks."""

    def build() -> tuple[str, ...]:
        notify("characters: reading 25,000 reviews (once; a few seconds)")
        plain = (" ".join(each.replace("<br />", " ").split()) for each in reviews()["text"])
        return tuple(dict.fromkeys(plain))

    return cache.cached(
        f"characters-{SHA256[:16]}-{VERSION}",
        build=build,
        write=lambda texts, folder: _write(texts, folder / "reviews.txt"),
        read=lambda folder: _read(folder / "reviews.txt"),
        notify=notify,
    )


def _write(texts: tuple[str, ...], file: Path) -> None:
    file.write_text("\n".join(texts), encoding="utf-8", newline="\n")


@functools.lru_cache(maxsize=1)
def _read(file: Path) -> tuple[str, ...]:
    return tuple(file.read_text(encoding="utf-8").split("\n"))

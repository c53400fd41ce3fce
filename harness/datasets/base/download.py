"""Downloads files into the cache; keeps only files with the published hash."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.core.errors import UserError
from harness.datasets.base import cache

_TIMEOUT_S = 30.0  # for connecting, and for each wait for bytes
_SAY_EVERY_S = 3.0
_CHUNK = 1 << 16


def has_hash(path: Path, published: str) -> bool:
    """Whether there is a readable file with this hash, in hex: SHA-256, or MD5 if it is short."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: _digest(published)).hexdigest() == published
    except OSError:
        return False


def fetch(
    url: str, target: Path, *, published: str, mend: str, notify: Callable[[str], None]
) -> None:
    """Download `url` to `target`, a file in the cache, which appears there only when complete.

    Raises UserError if that fails; its text ends with `mend`, what to do without a network.
    """
    notify(f"downloading {url}")
    digest = _digest(published)
    with cache.keeping(target) as partial:
        with partial.open("wb") as file:
            said, received = time.monotonic(), 0
            for chunk in _chunks(url, mend):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                if time.monotonic() - said > _SAY_EVERY_S:
                    said = time.monotonic()
                    notify(f"downloading {url}: {received / 1e6:.1f} MB so far")
        if digest.hexdigest() != published:
            raise UserError(f"{url} did not give the published file (wrong hash); {mend}")


def _chunks(url: str, mend: str) -> Iterator[bytes]:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response:
            while chunk := response.read(_CHUNK):
                yield chunk
    except (OSError, http.client.HTTPException) as error:
        # The error inside a plain URLError says more clearly what happened.
        told = error.reason if type(error) is urllib.error.URLError else error
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it has the open connection
        reason = " ".join(str(told).split()) or type(error).__name__
        raise UserError(f"cannot download {url} ({reason}); {mend}") from error


def _digest(published: str) -> "hashlib._Hash":
    # MD5 is not secure, but Keras publishes no other hash of its word index.
    return hashlib.new("sha256" if len(published) == 64 else "md5", usedforsecurity=False)

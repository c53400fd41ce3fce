"""What closes itself at the end of a `with` block."""

from typing import Self


class Closing:
    """A context manager whose block ends with `close`, however the block ends."""

    def close(self) -> None:
        """Release what is in use; may be called more than once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

"""What results say: `from harness.analysis import compare`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.analysis.blocks import compare as compare


def __getattr__(name: str) -> Any:
    """Loaded when asked for: NumPy is not needed to list studies."""
    if name == "compare":
        from harness.analysis.blocks import compare

        return compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

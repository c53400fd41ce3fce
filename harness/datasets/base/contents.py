"""What a dataset was understood to be: said before anything is trained, and by `--dry-run`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.text import counted, cut

MAX_SHOWN = 12  # classes that a line names


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a dataset was understood to be.

    `task` is `classes` (a class for each example), `steps` (a class for each of the last time
    steps), `tags` (one for each token) or `number` (a number to predict). `classes` has the number
    of examples of each class, or of time steps where these have the classes. `rows` counts the
    examples that the splits are drawn from, and `left_out`, by reason, what the source has besides.
    `length` is that of the longest example in tokens or time steps (None: not known),
    `typical_length` the median, and `shortest` that of the shortest one, where lengths are given.
    `features` is 0 where time steps are tokens. `notes` are sentences about what was changed or
    may be wrong.
    """

    task: str
    classes: Mapping[str, int]
    rows: int
    splits: Mapping[str, int]
    features: int = 0
    length: int | None = None
    typical_length: int | None = None
    shortest: int | None = None
    left_out: Mapping[str, int] | None = None
    notes: Sequence[str] = ()

    def with_lengths(self, of_each: NDArray[Any], *, shortest: bool = False) -> "Contents":
        """The same with the lengths of all examples; the `shortest` is told if asked for."""
        if not len(of_each):
            return self
        longest, median = int(of_each.max()), int(np.median(of_each))
        least = int(of_each.min()) if shortest else None
        return replace(self, length=longest, typical_length=median, shortest=least)

    def with_notes(self, more: Sequence[str]) -> "Contents":
        """The same with more notes at the end."""
        return replace(self, notes=(*self.notes, *more))

    def to_mapping(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "task": self.task,
            "classes": dict(self.classes),
            "rows": self.rows,
            "left_out": dict(self.left_out or {}),
            "features": self.features,
            "length": self.length,
            "typical_length": self.typical_length,
            **({} if self.shortest is None else {"shortest": self.shortest}),
            "splits": dict(self.splits),
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """For people: one line for each kind of fact, long names cut."""
        found = [f"{self.rows:,} examples, {self._target()}", self._inputs()]
        found.append(
            f"{self.splits['train']:,} to train, {self.splits['validation']:,} to validate, "
            f"{self.splits['test']:,} to test"
        )
        if self.left_out:
            reasons = (f"{reason} ({count:,})" for reason, count in self.left_out.items())
            found.append(f"left out: {', '.join(reasons)}")
        return [*found, *self.notes]

    def _target(self) -> str:
        if self.task == "number":
            return "each with a number to predict"
        named = list(self.classes)
        if len(named) > MAX_SHOWN:
            named = sorted(named, key=self.classes.__getitem__, reverse=True)[: MAX_SHOWN - 1]
        listed = [f"{cut(name, 30)} {self.classes[name]:,}" for name in named]
        more = len(self.classes) - len(named)
        listed += [f"{more:,} smaller ones"] if more else []
        if self.task == "tags":
            return f"a tag of {len(self.classes):,} for each token: {', '.join(listed)}"
        of = " for each of the last time steps" if self.task == "steps" else ""
        return f"{len(self.classes):,} classes{of}: {', '.join(listed)}"

    def _inputs(self) -> str:
        steps = "tokens"
        if self.features:
            steps = f"time steps of {counted(self.features, 'number')}"
        if self.length is None:
            return f"sequences of {steps}"
        typical = ""
        if self.typical_length not in (None, self.length):
            typical = f", half of them of at most {self.typical_length:,}"
        if self.shortest is None:
            return f"sequences of up to {self.length:,} {steps}{typical}"
        return f"sequences of {self.shortest:,} to {self.length:,} {steps}{typical}"


def task_of(classes: int, steps: int) -> str:
    """The task of a dataset with so many classes (0: a number) for so many steps (0: none)."""
    return "number" if not classes else "steps" if steps else "classes"


def counts(y: NDArray[Any], classes: int, labels: Sequence[str]) -> dict[str, int]:
    """How often each class occurs in class numbers `y`, by its name, or by its number.

    Those of padding, -1, do not count.
    """
    found = np.bincount(y[y >= 0].astype(np.int64), minlength=classes).tolist()
    names = labels or [str(number) for number in range(classes)]
    return dict(zip(names, found, strict=False))

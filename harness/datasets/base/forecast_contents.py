"""What a dataset of a forecast was understood to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.text import counted, cut, some
from harness.datasets.base.contents import Contents

_OF_FACTS = (
    "horizon", "frequency", "season", "targets", "inputs", "known", "channels", "series", "folds",
    "unit",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ForecastContents(Contents):
    """The same for a forecast: its facts, the times of each split, and of all rows."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    spans: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ends: tuple[str, str] = ("", "")
    gap: int = 0

    def to_mapping(self) -> dict[str, Any]:
        """For `--json`. `spans` has the first and last time that each split forecasts."""
        return super().to_mapping() | {
            **{name: self.facts[name] for name in _OF_FACTS},
            "gap": self.gap,
            "spans": {split: list(span) for split, span in self.spans.items()},
        }

    def lines(self) -> list[str]:
        facts = self.facts
        panel = f" of {facts['series']:,} series" if facts["series"] > 1 else ""
        season = f", a season of {facts['season']:,} steps" if facts["season"] > 1 else ""
        found = [
            f"{counted(self.rows, 'row')}{panel}, {facts['frequency']} apart{season}, "
            f"{self.ends[0]} to {self.ends[1]}",
            f"forecasts of {some(facts['targets'])} for {counted(facts['horizon'], 'step')} ahead, "
            f"from windows of up to {counted(self.length or 0, 'step')}",
            f"each step has {counted(self.features, 'number')}: {some(facts['channels'])}",
            f"{self.splits['train']:,} times to train, {self.splits['validation']:,} to validate, "
            f"{self.splits['test']:,} to test"
            + (f" in {facts['folds']:,} blocks" if facts["folds"] > 1 else "")
            + f"; {counted(self.gap, 'time')} left out between them",
        ]
        found += [f"{split}: {cut(a)} to {cut(b)}" for split, (a, b) in self.spans.items()]
        if self.left_out:
            reasons = (f"{reason} ({count:,})" for reason, count in self.left_out.items())
            found.append(f"left out: {', '.join(reasons)}")
        return [*found, *self.notes]

"""Charts: theme, SVG as a part of a page, and colours that can be told from the paper."""

import re
from pathlib import Path

import pytest

import reports
from reports.charts import chart

CSS = (Path(reports.__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def schemes() -> list[dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    assert len(blocks) == 2
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark"])
def test_colours_stand_out_from_the_paper(scheme: dict[str, str]) -> None:
    for index in range(len(chart.SERIES)):
        assert contrast(scheme[f"series-{index}"], scheme["paper"]) >= 3
    for text in ("ink", "muted", "accent", "bad"):
        assert contrast(scheme[text], scheme["paper"]) >= 4.5
        assert contrast(scheme[text], scheme["soft"]) >= 4.5
    assert contrast(scheme["warn"], scheme["warn-paper"]) >= 4.5
    # A row that was jumped to.
    for text in ("ink", "muted", "bad"):
        assert contrast(scheme[text], scheme["warn-paper"]) >= 4.5


def test_twelve_arms_look_different() -> None:
    arms = [f"depth={i}" for i in range(12)]
    assert len({chart.arm_style(arms, arm) for arm in arms}) == 12


def test_a_chart_follows_the_page() -> None:
    style = chart.arm_style(["a"], "a")
    panel = chart.panel(
        "mine",
        "What it shows",
        lambda axes: chart.mark(axes, [1, 2, 3], [1, 2, 3], style, "complete", ["x", "y", "z"]),
        tooltips={"x": "first <b>", "y": "second"},
    )
    assert 'aria-label="What it shows"' in panel.svg
    assert "var(--series-0)" in panel.svg
    assert not re.search(r"#[0-9a-f]{6}\b", panel.svg)
    assert "_blank" not in panel.svg
    assert "DejaVu" not in panel.svg
    assert "<title>first &lt;b&gt;</title>" in panel.svg
    assert all(name.startswith("mine-") for name in re.findall(r' id="([^"]*)"', panel.svg))
    assert "matplotlib" not in panel.svg.lower()

"""The forest plot: every study once in the summary, units apart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_testing import write_run

from harness.analysis.claims import Claim, answer
from harness.analysis.pooled import pool
from harness.analysis.verdicts import conclude
from harness.results.records import Records, read_records
from reports.content import Command
from reports.pages import forest

COMMAND = Command("This page", "harness claims --time 0")


def run(folder: Path, name: str, seed: int = 0, **compare: list[Any]) -> Records:
    return read_records(
        write_run(
            folder / name, compare={"depth": [1, 2], **compare}, replicates=2, searches=3, seed=seed
        )
    )


def built(*studies: Records) -> tuple[list[forest.Effects], dict[str, Records]]:
    by_name = {each.study: each for each in studies}
    answers = [answer(Claim("deeper", (name,)), by_name) for name in by_name]
    return forest.effects_of(answers), by_name


def test_contexts_of_one_study_are_one_effect(tmp_path: Path) -> None:
    """Three contexts are three rows of the chart, but nothing is known of how studies differ."""
    (effects,), studies = built(run(tmp_path, "one", nesting=[1, 2, 4]))
    assert len(effects.each) == 3
    assert forest.pool_studies(effects, studies) is None
    (section,) = forest.build([answer(Claim("deeper", ("one",)), studies)], studies, COMMAND)
    assert section.text[0].startswith("Depth 2 less depth 1: 3 contexts of 1 study, too few")
    assert section.commands == (COMMAND,)


def test_each_study_counts_once_in_the_mean(tmp_path: Path) -> None:
    names = [run(tmp_path, "one", nesting=[1, 2, 4])]
    names += [run(tmp_path, name, seed) for seed, name in enumerate(("two", "three"), 1)]
    (effects,), studies = built(*names)
    found = forest.pool_studies(effects, studies)
    assert found is not None
    assert found.effects == 3
    assert "5 contexts of 3 studies, on average over studies" in forest._summary(effects, found)
    means = {
        name: np.mean([pair.comparison.difference for pair in pairs])
        for name, pairs in effects.studies.items()
    }
    # The mean of one study's contexts has the error of the contrast, not that of a context.
    errors = {
        name: forest._of_study(studies[name], pairs) for name, pairs in effects.studies.items()
    }
    for name, mean in means.items():
        assert errors[name] is not None
        assert errors[name][0] == pytest.approx(mean)
    assert found == pool([m for m, _ in errors.values()], [e for _, e in errors.values()])


def test_the_error_of_a_single_context_is_that_of_its_pair(tmp_path: Path) -> None:
    records = run(tmp_path, "one")
    (effects,), studies = built(records)
    (pair,) = conclude(records).pairs
    found = forest._of_study(studies["one"], effects.studies["one"])
    assert found == pytest.approx((pair.comparison.difference, pair.comparison.estimate.error))


@pytest.mark.parametrize(
    ("metric", "unit", "identity"),
    [("exact match", "points", "forest-2"), ("bits per character", "bits per character", None)],
)
def test_shares_are_one_unit_and_others_are_apart(
    metric: str, unit: str, identity: str | None, tmp_path: Path
) -> None:
    shares = run(tmp_path, "one")
    dataset = {**shares.manifest["dataset"], "metric": metric}
    root = write_run(
        tmp_path / "two", compare={"depth": [1, 2]}, replicates=2, searches=3,
        manifest={"dataset": dataset},
    )  # fmt: skip
    effects, studies = built(shares, read_records(root))
    if unit == "points":
        assert [(each.id, len(each.each)) for each in effects] == [(identity, 2)]
        return
    assert [(each.id, each.unit) for each in effects] == [
        ("forest-2", "points"),
        ("forest-2-bits", "bits per character"),
    ]
    assert forest.pool_studies(effects[1], studies) is None
    assert "Other units are not averaged" in forest._summary(effects[1], None)
    assert "Below 0 the deeper network is better" in forest._figure(effects[1], None).caption

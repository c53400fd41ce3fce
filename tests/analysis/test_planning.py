"""The difference that a plan promises is found as often as it says."""

from pathlib import Path

import numpy as np
import pytest
from report_testing import write_accuracies, write_run

from harness.analysis.blocks import compare
from harness.analysis.planning import Noise, last_level, noise_of, smallest_difference
from harness.results.records import read_records


@pytest.mark.parametrize(("arms", "blocks"), [(2, 5), (4, 3), (4, 8)])
def test_four_of_five_studies_find_the_promised_difference(arms: int, blocks: int) -> None:
    difference = smallest_difference(Noise(0.01, 0.0), arms=arms, blocks=blocks, examples=100)
    random = np.random.default_rng(1)
    found = 0
    for _ in range(300):
        cells = random.normal(0.8, 0.01, (arms, blocks)) + random.normal(0, 0.05, blocks)
        cells[0] += difference
        scores = {f"{arm}": np.tile(row[:, None, None], (1, 1, 2)) for arm, row in enumerate(cells)}
        verdicts = {(each.a, each.b): each.verdict for each in compare(scores, 0.0)}
        found += verdicts["1", "0"] == "worse"
    # Holm's later steps and the guard move it a little.
    assert 0.7 < found / 300 < 0.93


def test_a_larger_test_split_and_more_searches_show_more() -> None:
    noise = Noise(0.01, 0.3)
    one = smallest_difference(noise, arms=4, blocks=3, examples=1_000)
    assert smallest_difference(noise, arms=4, blocks=6, examples=1_000) < one
    assert smallest_difference(noise, arms=4, blocks=3, examples=9_000) < one


def test_the_last_of_many_looks_has_a_small_level() -> None:
    assert last_level(12, 12) == pytest.approx(0.05)
    assert 0 < last_level(3, 12) < 0.01


def test_noise_is_what_a_study_has_seen(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "run", {"depth=1": 0.8, "depth=2": 0.7}, searches=4)
    records = read_records(root)
    noise = noise_of(records)
    assert noise is not None
    cells = np.array(
        [[each.mean() for each in records.scores(arm).values()] for arm in records.arms]
    )
    left = cells - cells.mean(0) - cells.mean(1, keepdims=True) + cells.mean()
    assert noise.block == pytest.approx(np.sqrt((left**2).sum() / 3))
    assert 0.1 < noise.examples < 1.0


def test_one_search_says_nothing(tmp_path: Path) -> None:
    root = write_run(tmp_path / "run", trials=2, replicates=3)
    assert noise_of(read_records(root)) is None

"""The answer from one training of each configuration."""

from typing import Any

from report_testing import MakeRun

from harness.results.records import read_records
from reports.sections import answer


def two_arms(second: tuple[float, float]) -> Any:
    """An edit: depth 1 reaches loss 0.4 at 85 %, depth 2 what is given."""

    def edit(result: dict[str, Any]) -> dict[str, Any]:
        value, right = (0.4, 0.85) if result["arm"] == "depth=1" else second
        step_ms = 10.0 if result["arm"] == "depth=1" else 18.0
        own = {"value": value, "val_accuracy": right, "step_ms": step_ms, "state": "complete"}
        return {**result, **own}

    return edit


def test_answer_calls_a_small_difference_no_evidence(make_run: MakeRun) -> None:
    root = make_run(compare={"depth": [1, 2]}, trials=2, edit=two_arms((0.39, 0.852)))
    section = answer.build(read_records(root))
    words = " ".join(section.text)
    assert words.startswith("Depth 2 reached the lowest validation loss: 0.390, with 85.2\u00a0%")
    assert "takes 1.8 times as long" in words
    assert "this is no evidence" in words
    assert "best of 2 trials" in words
    assert section.facts[0].note == "± 0.6\u00a0points, one standard error"


def test_answer_asks_for_fresh_seeds_after_a_large_difference(make_run: MakeRun) -> None:
    root = make_run(compare={"depth": [1, 2]}, trials=2, edit=two_arms((0.45, 0.80)))
    words = " ".join(answer.build(read_records(root)).text)
    assert "Depth 1 reached" in words
    assert "No other arm's best configuration has a faster training step" in words
    assert "this is no evidence" not in words
    assert "fresh seeds" in words

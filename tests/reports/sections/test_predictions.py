"""The section on predictions: classes, numbers, and what it leaves out."""

import json
from pathlib import Path

import numpy as np
import pytest
from page_testing import HOSTILE, check
from report_testing import NOW, MakeRun

from harness.datasets.base.predictions import Predictions
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import PREDICTIONS
from harness.search import score_files
from reports import page
from reports.content import Section, Value
from reports.sections import predictions


def built(root: Path, found: Predictions | None = None) -> Section | None:
    """The section of a run whose every kept model predicted `found`."""
    for folder in root.glob("replicates/depth=*/seed=1"):
        if found is not None:
            score_files.write_predictions(folder, found)
    return predictions.build(read_records(root))


def of_classes(truth: list[int], predicted: list[int], *inputs: str) -> Predictions:
    a, b = np.array(truth, np.int32), np.array(predicted, np.int32)
    wrong = np.flatnonzero(a != b).astype(np.int32)
    return Predictions(
        truth=a, predicted=b, certainty=np.full(len(a), 0.875, np.float32), mistakes=wrong,
        inputs=inputs,
    )  # fmt: skip


def test_a_matrix_and_the_accuracy_of_each_class(make_run: MakeRun) -> None:
    found = built(make_run(replicates=1), of_classes([0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]))
    assert found is not None
    assert "5 of 6 examples right (83.3\u00a0%)" in found.text[0]
    assert "0 taken for 1, in 1 of 4 cases of 0" in found.text[0]
    (figure,) = found.figures
    assert figure.data.rows == (("0", "0", 3), ("0", "1", 1), ("1", "0", 0), ("1", "1", 2))
    by_class, mistakes = found.tables
    rights = [row.cells[2] for row in by_class.rows]
    assert [cell.number for cell in rights if isinstance(cell, Value)] == [75.0, 100.0]
    assert by_class.rows[0].cells[3] == "30.1 to 95.4\u00a0%"  # Wilson's interval of 3 of 4
    assert mistakes.rows[0].cells[:3] == ("4", "0", "1")
    assert len(mistakes.columns) == 4  # no text was kept


def test_texts_are_cut_and_escaped(make_run: MakeRun) -> None:
    text = "word " * 100 + HOSTILE
    root = make_run(replicates=1)
    found = built(root, of_classes([0, 1], [1, 1], text))
    assert found is not None
    shown = str(found.tables[1].rows[0].cells[-1])
    assert shown.startswith("[…] ")
    assert len(shown) < 260
    parsed = check(page.render(read_records(root), now=NOW))
    assert "<script>alert(1)</script>" in parsed.text


def test_padding_has_no_class(make_run: MakeRun) -> None:
    nothing = np.zeros(0, np.int32)
    found = built(
        make_run(replicates=1),
        Predictions(
            truth=np.array([[-1, 0], [1, 1]], np.int32), mistakes=nothing,
            predicted=np.array([[1, 0], [1, 0]], np.int32), certainty=np.ones((2, 2), np.float32),
        ),
    )  # fmt: skip
    assert found is not None
    assert "2 of 3 time steps right" in found.text[0]


def test_many_classes_have_no_matrix(make_run: MakeRun) -> None:
    found = built(make_run(replicates=1), of_classes([*range(20)], [*range(20)]))
    assert found is not None
    assert found.figures == ()
    assert len(found.tables[0].rows) == 20
    assert "It makes no mistake." in found.text[0]


def test_more_classes_than_anyone_reads_are_left_out(make_run: MakeRun) -> None:
    """Such as the words of a vocabulary: a matrix of them would not fit into memory."""
    assert built(make_run(replicates=1), of_classes([0, 10**9], [0, 1])) is None


def test_numbers_are_drawn_with_their_errors(make_run: MakeRun) -> None:
    truth = np.linspace(10, 20, 1000).astype(np.float32)
    nothing = np.zeros(0, np.int32)
    found = built(
        make_run(replicates=1),
        Predictions(
            truth=truth, predicted=truth + np.float32(0.5), mistakes=nothing,
            certainty=nothing.astype(np.float32),
        ),
    )  # fmt: skip
    assert found is not None
    assert "0.500 too high" in found.text[0]
    values = {fact.label: fact.value for fact in found.facts}
    assert values["R²"] == "0.97"
    assert values["Mean absolute error"] == "0.500"
    (figure,) = found.figures
    assert len(figure.data.rows) == 500
    assert "Drawn are 500 of 1,000" in figure.caption


def test_true_numbers_that_are_all_the_same_have_no_correlation(make_run: MakeRun) -> None:
    nothing = np.zeros(0, np.int32)
    found = built(
        make_run(replicates=1),
        Predictions(
            truth=np.full(9, 3, np.float32), predicted=np.arange(9, dtype=np.float32),
            mistakes=nothing, certainty=nothing.astype(np.float32),
        ),
    )  # fmt: skip
    assert found is not None
    assert found.facts[0].value == "–"
    assert "all true numbers are the same" in found.figures[0].panels[0].alt


@pytest.mark.parametrize("damage", ["missing", "cut", "longer"])
def test_without_predictions_it_stays_away(make_run: MakeRun, damage: str) -> None:
    root = make_run(replicates=1)
    for arm in (1, 2, 3, 4):
        file = RunDirectory(root).replicate(f"depth={arm}", 1) / PREDICTIONS
        if damage == "missing":
            file.unlink()
        elif damage == "cut":
            file.write_bytes(file.read_bytes()[:100])
        else:
            score_files.write_predictions(
                file.parent,
                Predictions(
                    truth=np.zeros(3, np.int32), predicted=np.zeros(2, np.int32),
                    certainty=np.zeros(3, np.float32), mistakes=np.zeros(0, np.int32),
                ),
            )  # fmt: skip
    assert predictions.build(read_records(root)) is None


def test_classes_have_the_names_of_the_model(make_run: MakeRun) -> None:
    root = make_run(replicates=1)
    for folder in root.glob("replicates/depth=*/seed=1"):
        (folder / "model.keras").touch()
        (folder / "params.json").write_text(json.dumps({"labels": ["bad", "good"]}))
    found = built(root)
    assert found is not None
    assert [row.cells[0] for row in found.tables[0].rows] == ["bad", "good"]
    assert "a <b>fine</b> film" in str(found.tables[1].rows[0].cells[-1])

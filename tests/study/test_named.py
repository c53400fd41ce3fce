"""The name and the question of a study on one's own data."""

import json
from pathlib import Path

import pytest
from report_testing import write_run

from harness.core.files import to_json
from harness.spec import study_files
from harness.study.named import named_study, question_on, slug
from harness.study.options import Options

LSTM = "Does stacking LSTM layers pay on IMDB reviews?"


def reviews(folder: Path, name: str = "My Reviews.csv") -> Path:
    rows = [f"word{i % 17} film {i},{'pos' if i % 2 else 'neg'}\n" for i in range(200)]
    (folder / name).write_text("text,label\n" + "".join(rows))
    return folder / name


def test_the_file_is_in_the_question_and_in_the_name(tmp_path: Path) -> None:
    file, runs = str(reviews(tmp_path)), tmp_path / "runs"
    named = named_study(Options(name="lstm_depth", dataset=file, runs=runs))
    assert named.name == "lstm_depth-my-reviews"
    assert named.directory.root == runs / "lstm_depth-my-reviews"
    assert named.declaration.question == "Does stacking LSTM layers pay on My Reviews.csv?"
    quick = named_study(Options(name="lstm_depth", dataset=file, runs=runs, quick=True))
    assert quick.name == "lstm_depth-my-reviews-quick"


def test_a_name_that_is_given_counts(tmp_path: Path) -> None:
    file = str(reviews(tmp_path))
    assert named_study(Options(name="lstm_depth", dataset=file, run_name="mine")).name == "mine"


def test_other_datasets_and_studies_keep_their_names() -> None:
    named = named_study(Options(name="lstm_depth"))
    assert (named.name, named.declaration.question) == ("lstm_depth", LSTM)
    assert named_study(Options(name="lstm_depth", dataset="digits")).name == "lstm_depth"


def test_a_directory_that_was_named_before_goes_on(tmp_path: Path) -> None:
    file, runs = str(reviews(tmp_path)), tmp_path / "runs"
    study = named_study(Options(name="lstm_depth", dataset=file, runs=runs)).study
    write_run(runs / "lstm_depth", manifest={"spec": json.loads(to_json(study.to_mapping()))})
    named = named_study(Options(name="lstm_depth", dataset=file, runs=runs))
    assert named.name == "lstm_depth"


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (LSTM, "Does stacking LSTM layers pay on a.csv?"),
        ("Do more layers pay?", "Do more layers pay, on a.csv?"),
        ("", ""),
    ],
)
def test_questions(question: str, asked: str) -> None:
    assert question_on(question, "IMDB reviews", "a.csv") == asked
    assert question_on(question, "", "a.csv").endswith(("on a.csv?", ""))


def test_names_of_files_become_names_of_runs() -> None:
    assert slug("Böse Kritik (2)") == "bose-kritik-2"
    assert slug("日本") == "data"
    assert study_files.NAME.fullmatch(f"lstm_depth-{slug('x' * 300)}-quick")
    assert len(slug("ab " * 100)) <= 40

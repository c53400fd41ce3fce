"""Study files: every one of the package's, and what can be wrong with a user's."""

from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution

from harness.core.errors import UserError
from harness.spec import study_files
from harness.spec.study_files import NAME

GOOD = """
'''Is more better? Yes. Or no.'''
from harness import Budget, Imdb, Study
study = Study(dataset=Imdb(), compare={"depth": [1, 2]}, budget=Budget(trials=1, epochs=1))
"""


@pytest.mark.parametrize("name", study_files.names())
def test_every_study_declares_a_question_and_loads(name: str) -> None:
    declaration = study_files.load(name)
    assert declaration.name == name
    assert NAME.fullmatch(name)
    assert declaration.question.endswith("?")
    assert declaration.study.arms()
    assert len(declaration.study.quick().arms()) == len(declaration.study.arms())


@pytest.mark.parametrize("name", ["lstm_depth", "gru_depth", "rnn_depth"])
def test_depth_studies_search_the_learning_rate_within_each_depth(name: str) -> None:
    study = study_files.load(name).study
    assert [arm.values for arm in study.arms()] == [{"depth": d} for d in (1, 2, 3, 4)]
    assert set(study.search) == {"units", "sequence_length", "learning_rate", "dropout"}


def test_joint_search_has_one_arm_over_everything() -> None:
    study = study_files.load("joint_search").study
    assert [arm.name for arm in study.arms()] == ["all"]
    assert set(study.search) == {
        "cell", "depth", "units", "sequence_length", "learning_rate", "dropout",
    }  # fmt: skip
    cells = study.search["cell"]
    assert isinstance(cells, CategoricalDistribution)
    assert set(cells.choices) == {"rnn", "lstm", "gru"}


def test_a_file_is_a_study_named_after_itself(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(GOOD)
    declaration = study_files.load(str(file))
    assert declaration.name == "mine"
    assert declaration.question == "Is more better?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_like_it", r"does not import: ModuleNotFoundError.*\(line 1\)"),
        ("x = 1\ny = z", r"does not import: NameError: name 'z' is not defined \(line 2\)"),
        ("def f(:", r"does not import: SyntaxError.*\(line 1\)"),
        ("import sys\nsys.exit('no data')", r"does not import: SystemExit: no data \(line 2\)"),
        ("study = 5", "declares no study"),
        ("", "declares no study"),
        (GOOD.replace("[1, 2]", "[1, 0]"), "depth: 0 is not a whole number"),
        (GOOD.replace("trials=1", "trials=0"), "trials: 0 is not a whole number"),
        ("raise SystemError('a\\nb')", "SystemError: a b"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        study_files.load(str(file))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../x", "{x}", "a\0b", "x" * 5000, "", "lstm_depth "])
def test_a_strange_name_is_unknown(name: str) -> None:
    with pytest.raises(UserError, match="no study named"):
        study_files.load(name)


@pytest.mark.parametrize("stem", ["-x", "x" * 101, "{x}", "a b"])
def test_a_file_whose_name_cannot_be_a_studys(tmp_path: Path, stem: str) -> None:
    file = tmp_path / f"{stem}.py"
    file.write_text(GOOD)
    with pytest.raises(UserError, match="can't be a study's name"):
        study_files.load(str(file))


def test_a_path_is_as_good_as_its_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(GOOD)
    assert study_files.load(file).name == "mine"
    assert study_files.load(Path("lstm_depth")).name == "lstm_depth"
    for wrong in (None, 5, b"mine.py", ["mine.py"], study_files.load(file).study):
        with pytest.raises(UserError, match=r"is neither a study's name nor the path of its file"):
            study_files.load(wrong)  # type: ignore[arg-type]


def test_a_missing_file(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none.py"), "a\0b.py"):
        with pytest.raises(UserError, match="no study file"):
            study_files.load(name)


def test_a_mistyped_name_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match=r"did you mean lstm_depth\?"):
        study_files.load("lstm_dept")

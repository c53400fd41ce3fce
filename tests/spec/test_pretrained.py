"""Files of vectors as a hyperparameter: sizes that fit, names of arms, the fingerprint."""

import os
from pathlib import Path
from typing import Any

import pytest

from harness import Adding, Budget, CategoricalDistribution, Imdb, IntDistribution, Study
from harness.core.errors import UserError
from harness.spec.fingerprint import differences, fingerprint
from harness.spec.hyperparameters import Hyperparameters


@pytest.fixture
def vectors(tmp_path: Path) -> str:
    (tmp_path / "v.txt").write_text("good 1 2 3\nbad 4 5 6\n")
    return str(tmp_path / "v.txt")


def study(**changes: Any) -> Study:
    given: dict[str, Any] = {"dataset": Imdb(), "budget": Budget(trials=1, epochs=1), **changes}
    return Study(**given)


def test_it_is_fixed_compared_or_searched(vectors: str) -> None:
    fixed = {"embedding_dim": 3}
    assert study(fixed={**fixed, "pretrained": vectors}).pretrained == [vectors]
    compared = study(fixed=fixed, compare={"pretrained": [None, vectors]})
    assert [arm.name for arm in compared.arms()] == ["pretrained=None", "pretrained=v.txt"]
    searched = study(fixed=fixed, search={"pretrained": CategoricalDistribution([None, vectors])})
    assert searched.pretrained == [vectors]
    (arm,) = searched.arms()
    assert searched.hyperparameters(arm, {"pretrained": vectors}).pretrained == vectors


def test_without_it_nothing_is_as_new() -> None:
    assert "pretrained" not in study().to_mapping()
    assert "pretrained" not in Hyperparameters().to_mapping()
    assert study(fixed={"pretrained": None}).pretrained == []


def test_a_changed_file_is_another_study(vectors: str) -> None:
    fixed = {"embedding_dim": 3, "pretrained": vectors}
    before = study(fixed=fixed).to_mapping()
    Path(vectors).write_text("good 1 2 4\nbad 4 5 6\n")
    os.utime(vectors, (1, 1))
    after = study(fixed=fixed).to_mapping()
    assert fingerprint(before) != fingerprint(after)
    (changed,) = differences(before, after)
    assert changed.startswith(f"pretrained.{vectors}: ")


def test_what_does_not_fit_is_one_line(vectors: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has 3 numbers a word, embedding_dim is 32; set embedd"):
        study(fixed={"pretrained": vectors})
    with pytest.raises(UserError, match="set embedding_dim to 3"):
        study(fixed={"pretrained": vectors}, search={"embedding_dim": IntDistribution(3, 8)})
    searched = {
        "pretrained": CategoricalDistribution([None, vectors]),
        "embedding_dim": CategoricalDistribution([3, 4]),
    }
    with pytest.raises(UserError, match="set embedding_dim to 3"):
        study(search=searched)
    with pytest.raises(UserError, match="no such file"):
        study(fixed={"embedding_dim": 3, "pretrained": "none.txt"})
    with pytest.raises(UserError, match="pretrained: 3 is neither None nor the name of a file"):
        study(fixed={"pretrained": 3})
    with pytest.raises(UserError, match="holds numbers, not tokens"):
        study(dataset=Adding(), fixed={"embedding_dim": 3, "pretrained": vectors})
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / "v.txt"
    other.write_text("good 1 2 3\n")
    with pytest.raises(UserError, match="two files have one name"):
        study(fixed={"embedding_dim": 3}, compare={"pretrained": [vectors, str(other)]})

"""What the data were understood to be: said before training, and by `--dry-run`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from session_testing import options, use_toy_pool

from harness import IntDistribution
from harness.core import files
from harness.core.errors import UserError
from harness.results.run_directory import RunDirectory
from harness.spec import study_files
from harness.spec.study import Study
from harness.study import named, plan, session
from harness.study.options import Options
from harness.study.overrides import apply, narrowed

pytestmark = pytest.mark.usefixtures("no_sections")


@pytest.fixture(autouse=True)
def toy_pool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_toy_pool(monkeypatch)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """80 short texts of two classes, one label with a blank."""
    rows = "".join(f"word{i} is {'good' if i % 2 else 'bad'},{i % 2}\n" for i in range(79))
    path = tmp_path / "reviews.csv"
    path.write_text(f"text,label\n{rows}the last one,1 \n\n")
    return path


@pytest.fixture
def flags(tmp_path: Path) -> Path:
    """Sequences whose classes are saved in floating point."""
    x = np.random.default_rng(0).normal(size=(60, 5, 2))
    np.savez(tmp_path / "flags.npz", x=x, y=(x[:, 0, 0] > 0).astype(float))
    return tmp_path / "flags.npz"


def test_it_is_said_on_stderr_before_the_first_trial(
    file: Path, reviews: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run(options(file, quiet=False, dataset=str(reviews)))
    err = capsys.readouterr().err.splitlines()
    said = [line for line in err if line.startswith("data: ")]
    assert said == [
        "data: 80 examples, 2 classes: 0 40, 1 40",
        "data: sequences of up to 3 tokens",
        "data: 51 to train, 13 to validate, 16 to test",
        "data: left out: blank lines (1)",
        "data: blanks around 1 label are not part of the class",
        said[-2], said[-1],
    ]  # fmt: skip
    assert said[-1] == (
        "data: sequence_length: one of 4 instead of one of 50, 100, 200; the data have no more"
    )
    first_trial = next(i for i, line in enumerate(err) if "trial" in line and "data: " not in line)
    assert err.index(said[-1]) < first_trial
    session.run(options(file, dataset=str(reviews), quiet=True, trials=7))
    assert capsys.readouterr().err == ""


def test_a_dry_run_has_it_as_text_and_as_json(
    file: Path, reviews: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.run(options(file, dry_run=True, dataset=str(reviews)))
    assert "\ndata       80 examples, 2 classes: 0 40, 1 40\n" in capsys.readouterr().out
    session.run(options(file, dry_run=True, json_output=True, dataset=str(reviews)))
    out = json.loads(capsys.readouterr().out)
    assert out["study"] == "mine-reviews"
    assert out["arms"] == ["depth=1", "depth=2"]
    data = out["data"]
    assert {name: data[name] for name in ("task", "classes", "rows", "left_out", "length")} == {
        "task": "classes", "classes": {"0": 40, "1": 40}, "rows": 80,
        "left_out": {"blank lines": 1}, "length": 3,
    }  # fmt: skip
    assert not (file.parent / "runs").exists()


def test_any_dataset_says_what_it_is(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session.run(options(file, dry_run=True, json_output=True))
    data = json.loads(capsys.readouterr().out)["data"]
    # Only workers load the data of a class of the user's own.
    assert (data["task"], data["rows"], data["classes"]) == ("classes", 128, {})
    session.run(options(Path("parity"), quick=True, dry_run=True, json_output=True))
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["task"], sum(data["classes"].values())) == ("classes", data["rows"])


def test_the_search_is_narrowed_to_short_texts_and_resumes(
    file: Path, reviews: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes: dict[str, Any] = {"dataset": str(reviews)}
    session.run(options(file, **changes))
    spec = RunDirectory(file.parent / "runs" / "mine-reviews").read_manifest()["spec"]
    assert spec["search"]["sequence_length"]["attributes"]["choices"] == [4]
    assert spec["fixed"]["vocabulary"] < 100
    session.run(options(file, **changes, trials=8))
    reviews.write_text(reviews.read_text() + "a text that is longer than the others,1\n")
    with pytest.raises(UserError, match="was started with another spec"):
        session.run(options(file, **changes, trials=9))


OWN = """
'''Does it run?'''
from harness import CategoricalDistribution, IntDistribution
from harness.datasets.files.texts import TextFiles
from toys import toy_study
study = toy_study(
    dataset=TextFiles.of({path!r}),
    search={{"sequence_length": CategoricalDistribution([3, 50, 100]),
             "vocabulary": IntDistribution(8, 4096)}},
    fixed={{"units": 4, "batch_size": 16}},
    replicates=1,
)
"""


def test_what_a_study_file_searches_is_narrowed_to_its_data_and_resumes(
    file: Path, reviews: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(OWN.format(path=str(reviews)))
    told = json.loads(files.to_json(plan.plan_mapping(options(file))))
    assert [note.partition(";")[0] for note in told["data"]["notes"]][-2:] == [
        "sequence_length: one of 3, 4 instead of one of 3, 50, 100",
        "vocabulary: whole numbers 8 to 58 instead of whole numbers 8 to 4096",
    ]
    assert told["spec"]["search"]["sequence_length"]["attributes"]["choices"] == [3, 4]
    session.run(options(file))
    manifest = RunDirectory(file.parent / "runs" / "mine").read_manifest()
    assert manifest.spec == told["spec"]
    assert session.run(options(file, trials=8)) == 0
    assert "sequence_length: one of 3, 4 instead of one of 3, 50" in plan.plan(options(file))


def test_a_study_whose_search_began_wider_keeps_it(
    file: Path, reviews: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(OWN.format(path=str(reviews)))
    with monkeypatch.context() as patched:
        patched.setattr(named, "fitted", lambda study, began: study)
        session.run(options(file))
    assert session.run(options(file, trials=8)) == 0
    spec = RunDirectory(file.parent / "runs" / "mine").read_manifest().spec
    assert spec["search"]["sequence_length"]["attributes"]["choices"] == [3, 50, 100]


def test_what_a_study_file_fixes_is_not_narrowed(file: Path, reviews: Path) -> None:
    fixed = '"sequence_length": 100, "vocabulary": 4096, "units": 4'
    text = OWN.format(path=str(reviews)).replace('"units": 4', fixed)
    start, end = text.index("    search="), text.index("    fixed=")
    file.write_text(text[:start] + "    search={},\n" + text[end:])
    spec = plan.plan_mapping(options(file))["spec"]
    assert (spec["fixed"]["sequence_length"], spec["fixed"]["vocabulary"]) == (100, 4096)


def test_lists_of_numbers_in_json_lines_are_sequences(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"x": [i, 0.5, 2][: 1 + i % 3], "y": ["a", "b"][i % 2]} for i in range(60)]
    path = tmp_path / "lists.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    session.run(options(file, dry_run=True, dataset=str(path)))
    out = capsys.readouterr().out
    assert "sequences of 1 to 3 time steps of 1 number, half of them of at most 2\n" in out
    named = "".join(json.dumps({"series": row["x"], "label": row["y"]}) + "\n" for row in rows)
    path.write_text(named)
    study = study_files.load("lstm_depth").study
    given = {"dataset": str(path), "text_column": "series"}
    of_lists = apply(Options(name="a", **given), study).dataset
    assert of_lists.to_mapping()["y_column"] == "label"
    with pytest.raises(UserError, match="--tokenizer: goes with texts, not with numbers"):
        apply(Options(name="a", tokenizer="words", **given), study)


def test_tags_are_known_by_the_kind_of_file_its_columns_or_the_option(tmp_path: Path) -> None:
    study = study_files.load("lstm_depth").study
    rows = [(["a", f"b{i}"][: 1 + i % 2], ["X", "Y"][: 1 + i % 2]) for i in range(60)]
    pairs = ["\n".join(map(" ".join, zip(*row, strict=True))) for row in rows]
    (tmp_path / "a.txt").write_text("\n\n".join(pairs))
    for names, given in (
        (("tokens", "tags"), {}),
        (("text", "label"), {"task": "tags", "text_column": "text", "label_column": "label"}),
    ):
        lines = (json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
        (tmp_path / "a.jsonl").write_text("".join(lines))
        found = apply(Options(name="a", dataset=str(tmp_path / "a.jsonl"), **given), study)
        assert found.dataset.name == "tag-files"
    found = apply(Options(name="a", dataset=str(tmp_path / "a.txt")), study)
    assert (found.dataset.name, found.dataset.labels) == ("tag-files", ("X", "Y"))
    assert found.search["sequence_length"].choices == (3,)
    with pytest.raises(UserError, match="--tokenizer: goes with texts; sentences with tags"):
        apply(Options(name="a", dataset=str(tmp_path / "a.txt"), tokenizer="words"), study)


def test_how_many_words_have_vectors_is_said(
    file: Path, reviews: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file.parent / "v.txt").write_text("good 1 2 3\nis 4 5 6\nother 7 8 9\n")
    path = str(file.parent / "v.txt")
    fixed = {"pretrained": path, "embedding_dim": 3}
    file.write_text(file.read_text().replace("toy_study()", f"toy_study(fixed={fixed!r})"))
    session.run(options(file, dry_run=True, dataset=str(reviews)))
    said = f"pretrained: {path} has vectors of 2 of the vocabulary's "
    assert said in " ".join(capsys.readouterr().out.split())


def test_what_y_means_is_asked_and_remembered(file: Path, flags: Path) -> None:
    session.run(options(file, dataset=str(flags)))
    manifest = RunDirectory(file.parent / "runs" / "mine-flags").read_manifest()
    assert manifest["spec"]["dataset"]["task"] == "classes"
    with pytest.raises(UserError, match=r"dataset.task: .classes. → absent"):
        session.run(options(file, dataset=str(flags), task="number"))
    session.run(options(file, dataset=str(flags), task="classes", trials=7))
    command = RunDirectory(file.parent / "runs" / "mine-flags").read_manifest()["command"]
    assert " --task classes" in command


def test_options_go_with_data_of_their_kind(reviews: Path, flags: Path) -> None:
    study = study_files.load("lstm_depth").study

    def refused(words: str, **given: Any) -> None:
        with pytest.raises(UserError, match=words):
            apply(Options(name="a", **given), study)

    refused("--task number: texts have classes", dataset=str(reviews), task="number")
    refused("--task wrong: ", dataset=str(flags), task="wrong")
    refused("--encoding: goes with a table of texts", dataset=str(flags), encoding="utf-8")
    refused("--encoding goes with a file of yours", encoding="utf-8")
    refused("--task goes with a file of yours", task="number")
    refused("--encoding no: no such encoding", dataset=str(reviews), encoding="no")
    refused("no such file or folder|not read", dataset="x/" * 5_000 + "a.csv")
    assert (
        apply(Options(name="a", dataset=str(reviews), task="classes"), study).dataset.classes == 2
    )


def test_a_study_of_lengths_is_refused_where_no_two_are_left(reviews: Path) -> None:
    lengths = study_files.load("sequence_length").study
    with pytest.raises(UserError, match="compares sequence_length, but the data have no more than"):
        apply(Options(name="a", dataset=str(reviews)), lengths)


def test_steps_of_a_range_stay_whole_steps(reviews: Path) -> None:
    """And nothing is cut twice: both limits act on `fixed`."""
    declared = study_files.load("lstm_depth").study
    fixed = {"cell": "lstm", "sequence_length": 90, "vocabulary": 9_000}
    stepped = {"sequence_length": IntDistribution(1, 91, step=2)}
    of_fixed = Study(dataset=declared.dataset, fixed=fixed, budget=declared.budget)
    found = apply(Options(name="a", dataset=str(reviews)), of_fixed)
    assert found.fixed["sequence_length"] == 4
    assert found.fixed["vocabulary"] < 100
    assert len(narrowed(of_fixed, found)) == 2
    of_range = Study(dataset=declared.dataset, search=stepped, budget=declared.budget)
    found = apply(Options(name="a", dataset=str(reviews)), of_range)
    assert found.search["sequence_length"] == IntDistribution(1, 3, step=2)


def test_the_plan_of_a_file_is_short_lines(file: Path, reviews: Path) -> None:
    printed = plan.plan(options(file, dataset=str(reviews)))
    assert all(len(line) < 200 for line in printed.splitlines())

"""The run directory: what is damaged or missing is named, and nothing is overwritten."""

from pathlib import Path

import pytest
from report_testing import write_run

from harness.core.errors import UserError
from harness.results.run_directory import RunDirectory, find
from harness.results.training_folder import read_epochs


def test_an_epoch_line_cut_short_ends_the_epochs(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n{"epo')
    assert [epoch["epoch"] for epoch in read_epochs(tmp_path)] == [1, 2]
    assert list(read_epochs(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "holds no study"),
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ("[" * 100_000, "is damaged"),
        ("{}", "schema None"),
        ('{"schema": 99}', "schema 99"),
        ("\xff\xfe", "is damaged"),
    ],
)
def test_a_manifest_that_cannot_be_read(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=message):
        RunDirectory(tmp_path).read_manifest()


def test_moving_aside_never_overwrites(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "x")
    assert directory.move_aside() is None
    for number in (1, 2):
        directory.root.mkdir()
        (directory.root / "mark").write_text(str(number))
        assert directory.move_aside() == tmp_path / f"x.old-{number}"
    assert (tmp_path / "x.old-1" / "mark").read_text() == "1"


def test_a_quick_look_is_found_by_its_studys_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path / "mine-quick")
    assert find("mine", tmp_path) == tmp_path / "mine-quick"
    assert "with --quick only" in capsys.readouterr().err
    write_run(tmp_path / "mine")
    assert find("mine", tmp_path) == tmp_path / "mine"
    assert capsys.readouterr().err == ""

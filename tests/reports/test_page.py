"""The page as a whole: one harmless, self-contained, repeatable file for any records."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from page_testing import HOSTILE, check, failed, pruned
from report_testing import NOW, Edit, MakeRun

from harness.results import records
from harness.results.run_directory import RunDirectory
from reports import page
from reports.content import Column, Row, Table, Value


def rendered(root: Path) -> str:
    return page.render(records.read_records(root), now=NOW)


def test_page_is_whole_and_self_contained(make_run: MakeRun) -> None:
    text = rendered(make_run())
    parsed = check(text)
    policy = next(a["content"] for t, a in parsed.elements if a.get("http-equiv")) or ""
    assert "default-src 'none'" in policy
    assert "http" not in text.replace("http-equiv", "")
    for words in ("reached the lowest validation loss", "standard error", "without replicates"):
        assert words in parsed.text
    assert "python -m harness.study lstm_depth" in parsed.text
    assert "Unfinished" not in parsed.text
    assert "trial-depth=2-7" in list(parsed.all("id"))


def test_replicates_are_what_the_page_is_about(make_run: MakeRun) -> None:
    parsed = check(rendered(make_run(trials=4, searches=3, replicates=2)))
    assert "Take depth " in parsed.text
    assert "without replicates" not in parsed.text
    ids = list(parsed.all("id"))
    assert {"replicate-depth=2-2", "replicate-depth=2:3-2"} <= set(ids)
    assert {"trial-depth=2-3", "trial-depth=2:3-3"} <= set(ids)
    assert "depth 2, search 3, replicate 1: " in parsed.text


def test_one_search_needs_no_column_of_searches(make_run: MakeRun) -> None:
    parsed = check(rendered(make_run(trials=3, replicates=2)))
    heads = {a.get("data-title") or "" for tag, a in parsed.elements if tag == "th"}
    assert not any(re.search(r":\d", identity) for identity in parsed.all("id"))
    assert "search 1, trial" not in parsed.text
    assert "Search" not in heads
    assert "variance" not in [a.get("id") for tag, a in parsed.elements if tag == "section"]


def test_a_failed_replicate_has_its_reason_on_the_page(make_run: MakeRun) -> None:
    root = make_run(replicates=3)
    file = RunDirectory(root).replicate("depth=2", 1) / "result.json"
    file.write_text(
        json.dumps(failed(json.loads(file.read_text()), HOSTILE) | {"scored_accuracy": None})
    )
    parsed = check(rendered(root))
    assert parsed.text.count("<script>alert(1)</script>") == 2  # among failures and replicates
    assert "1 replicate failed (in depth 2)" in parsed.text


def test_figures_offer_their_numbers(make_run: MakeRun) -> None:
    root = make_run(replicates=3, trials=3)
    parsed = check(rendered(root))
    links = [t for t in parsed.all("href") if t.startswith("data:text/csv")]
    assert len(links) == [tag for tag, _ in parsed.elements].count("figure")
    table = unquote(links[0].partition(",")[2]).splitlines()
    assert table[0] == "arm,replicate,seed,scored_accuracy,scored_n"
    assert len(table) == 1 + 5 * 3  # four arms and the bag of embeddings


def test_numbers_of_several_searches_name_theirs(make_run: MakeRun) -> None:
    parsed = check(rendered(make_run(searches=2, replicates=2, trials=2)))
    links = [t for t in parsed.all("href") if t.startswith("data:text/csv")]
    heads = [unquote(link.partition(",")[2]).splitlines()[0] for link in links]
    assert heads[0] == "arm,search,replicate,seed,scored_accuracy,scored_n"
    assert all(",search," in head for head in heads if ",trial," in head or ",replicate," in head)


def test_page_is_the_same_for_the_same_records(make_run: MakeRun) -> None:
    root = make_run(trials=6)
    assert rendered(root) == rendered(root)


def test_page_does_not_depend_on_what_was_drawn_before(make_run: MakeRun) -> None:
    import matplotlib as mpl

    root = make_run(trials=3)
    first = rendered(root)
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 40, "svg.hashsalt": None}):
        rendered(make_run("another", compare={}, trials=4))
        assert rendered(root) == first


def arm_failed(result: dict[str, Any]) -> dict[str, Any]:
    return failed(result) if result["arm"] == "depth=3" else result


def full_of_nothing(result: dict[str, Any]) -> dict[str, Any]:
    numbers = ("val_accuracy", "best_epoch", "parameters", "step_ms", "train_s", "path", "seed")
    missing = dict.fromkeys(numbers[: result["trial"] % 8])
    value = float("nan") if result["trial"] == 1 else result["value"]
    return {**result, **missing, "value": value, "params": {**result["params"], "dropout": None}}


def lists(result: dict[str, Any]) -> dict[str, Any]:
    units = [8, 4] if result["trial"] % 2 else 8
    params = {"units": units, "bidirectional": result["trial"] % 3 == 0, "optimizer": "adam"}
    return {**result, "params": params if result["trial"] else {}}


def all_running(result: dict[str, Any]) -> dict[str, Any]:
    return {**{key: result[key] for key in ("arm", "trial", "params")}, "state": "running"}


def one_value(result: dict[str, Any]) -> dict[str, Any]:
    same = {"value": 0.5, "val_accuracy": 1.0, "train_s": 3.0, "parameters": 7, "step_ms": 1.0}
    return {**result, **same, "params": {"units": 8, "learning_rate": 0.001}}


def extreme(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "value": 10.0 ** (result["trial"] * 3), "train_s": 10.0 ** result["trial"]}


EDITS: dict[str, Edit] = {
    "all pruned": pruned,
    "all failed": failed,
    "a failed arm": arm_failed,
    "missing numbers": full_of_nothing,
    "lists, flags and words as hyperparameters": lists,
    "all running": all_running,
    "no spread": one_value,
    "extreme numbers": extreme,
    "no accuracy": lambda result: {**result, "val_accuracy": None},
}
COMPARES: dict[str, dict[str, Any]] = {
    "one arm": {},
    "four arms": {"depth": [1, 2, 3, 4]},
}


@pytest.mark.parametrize("compare", COMPARES.values(), ids=COMPARES.keys())
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_odd_records(make_run: MakeRun, edit: Edit, compare: dict[str, Any]) -> None:
    check(rendered(make_run(edit=edit, compare=compare, trials=4, searches=2, replicates=2)))


@pytest.mark.parametrize("trials", [0, 1])
def test_hardly_any_trial(make_run: MakeRun, trials: int) -> None:
    parsed = check(rendered(make_run(trials=trials, epochs=1, wanted=10)))
    assert "Unfinished" in parsed.text
    assert ("No trial has finished yet" in parsed.text) == (trials == 0)


@pytest.mark.parametrize(
    "compare",
    [
        {"cell": [f"a cell of a rather long name, number {i}" for i in range(12)]},
        {"units": [4, 16, 64, 4096]},
        {"bidirectional": [True, False]},
        {"depth": [2]},
        {"units": ["a" * 90]},
    ],
)
def test_what_is_compared(make_run: MakeRun, compare: dict[str, Any]) -> None:
    check(rendered(make_run(compare=compare, trials=3)))


def test_manifest_with_little_in_it(make_run: MakeRun) -> None:
    root = make_run(trials=3)
    manifest = json.loads((root / "manifest.json").read_text())
    little = {key: manifest[key] for key in ("schema", "study", "arms")}
    little["spec"] = {"budget": {"trials": 3}, "fixed": {}}
    (root / "manifest.json").write_text(json.dumps(little))
    check(rendered(root))


def test_hostile_text_is_harmless(make_run: MakeRun) -> None:
    def edit(result: dict[str, Any]) -> dict[str, Any]:
        params = {HOSTILE: result["trial"], "choice": HOSTILE}
        chosen = {**result, "params": params, "path": HOSTILE}
        return failed(chosen, HOSTILE) if result["trial"] == 2 else chosen

    root = make_run(
        edit=edit,
        trials=4,
        manifest={
            "question": HOSTILE,
            "study": HOSTILE,
            "arms": [{"name": "depth=1", "values": {HOSTILE: HOSTILE}}],
            "storage": HOSTILE,
            "environment": {"cpu": HOSTILE, "packages": {HOSTILE: HOSTILE}, HOSTILE: [HOSTILE]},
        },
    )
    text = rendered(root)
    parsed = check(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200f\u202a-\u202e\u2066-\u2069]", text)
    # It is shown as plain text, in charts as well as in tables.
    assert "<script>alert(1)</script>" in parsed.text
    assert r"\x1b[31mred" in parsed.text
    assert "$x^2$" in parsed.text
    assert "{{ 7*7 }}" in parsed.text


def test_1000_trials_fit_into_two_megabytes(make_run: MakeRun) -> None:
    def later(result: dict[str, Any]) -> dict[str, Any]:  # so that there is a timeline
        times = {"started": f"2026-11-23T12:00:{result['trial']:02}Z",
                 "finished": f"2026-11-23T12:05:{result['trial']:02}Z"}  # fmt: skip
        return result | times | {"worker": str(result["trial"] % 4)}

    text = rendered(make_run(trials=50, searches=5, epochs=20, replicates=1, edit=later))
    parsed = check(text)
    assert len(text.encode()) < 2_000_000
    links = [a for tag, a in parsed.elements if tag == "a" and a.get("tabindex") == "-1"]
    assert len(links) > 9_000  # a mark in each chart


def test_a_password_is_not_shown(make_run: MakeRun) -> None:
    root = make_run(trials=1, manifest={"storage": "postgresql://me:secret@host:5432/studies"})
    assert "secret" not in rendered(root)


def test_one_replicate_has_no_interval(make_run: MakeRun) -> None:
    parsed = check(rendered(make_run(replicates=1, trials=3)))
    assert "One replicate per arm, so there is no interval." in parsed.text


def test_without_a_profile_the_page_says_so_or_nothing(make_run: MakeRun) -> None:
    root = make_run(replicates=2, trials=3)
    (root / "profile.json").unlink()
    parsed = check(rendered(root))
    assert "profile" not in [a.get("id") for tag, a in parsed.elements if tag == "section"]


def test_what_is_the_same_in_every_row_is_said_once() -> None:
    columns = (Column("Arm"), Column("Failed", True), Column("p", True), Column("Verdict"))
    rows = tuple(
        Row((name, "0", "–", "better"), id=None) for name in ("depth 1", "depth 2", "depth 3")
    )
    assert page.constants(Table("t", "", columns, rows)) == {1: "Failed 0", 2: ""}
    assert page.constants(Table("t", "", columns, rows[:2])) == {}
    other = (*rows[:2], Row(("depth 3", "1", Value("0.5", 0.5), "better")))
    assert page.constants(Table("t", "", columns, other)) == {}

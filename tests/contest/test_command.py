"""Contests on a generated table: replayed is what was measured, and the better method wins."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from harness.contest import command, replay
from harness.contest import page as contest_page
from harness.contest.table import MANIFEST, TABLE, Method, Table
from harness.core import files
from harness.core.errors import UserError

EPOCHS = 6
GRID = {"units": [4, 8, 16, 32], "learning_rate": [1e-3, 3e-3, 1e-2], "cell": ["rnn", "lstm"],
        "dropout": [0.0]}  # fmt: skip


def loss_of(units: int, rate: float, cell: str, seed: int, epoch: int) -> float:
    """Lowest for lstm, 16 units, 3e-3; the others are seen to be worse early."""
    off = abs(math.log2(units / 16)) + abs(math.log(rate / 3e-3)) + (cell == "rnn")
    return 0.3 + 0.05 * off + 0.2 / epoch + 0.001 * seed


def write_table(folder: Path, **changes: Any) -> Path:
    pytest.importorskip("pyarrow", reason="no pyarrow (pip install pyarrow)")
    root = folder / "toy-table"
    root.mkdir(parents=True)
    rows = []
    number = 0
    for units in GRID["units"]:
        for rate in GRID["learning_rate"]:
            for cell in GRID["cell"]:
                for seed in (1, 2):
                    failed = (units, rate, cell) == (32, 1e-2, "rnn")
                    for epoch in range(1, 2 if failed else EPOCHS + 1):
                        loss = loss_of(units, rate, cell, seed, epoch)
                        rows.append({
                            "configuration": number, "seed": seed, "units": units,
                            "learning_rate": rate, "cell": cell, "dropout": 0.0,
                            "state": "failed" if failed else "complete", "epoch": epoch,
                            "loss": loss, "val_loss": loss, "val_accuracy": 1.1 - loss,
                            "accuracy": 0.5, "train_s": 0.9, "validation_s": 0.1,
                        })  # fmt: skip
                number += 1
    pd.DataFrame(rows).to_parquet(root / TABLE, index=False)
    kinds = {"units": "IntDistribution", "learning_rate": "FloatDistribution",
             "cell": "CategoricalDistribution", "dropout": "FloatDistribution"}  # fmt: skip
    manifest = {
        "grid": GRID, "seeds": 2,
        "study": {"search": {n: {"name": k, "attributes": {}} for n, k in kinds.items()},
                  "budget": {"trials": 9, "epochs": EPOCHS}, "sampler": "tpe", "pruner": "median",
                  "margin": 0.005, "dataset": {}, **changes},
    }  # fmt: skip
    files.write_atomically(root / MANIFEST, files.to_json(manifest))
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("contest"))


@pytest.fixture(scope="module")
def table(root: Path) -> Table:
    return Table.read(root)


def test_a_table_is_read_as_it_was_written(table: Table) -> None:
    assert len(table.trainings) == 24
    assert set(table.space()) == {"units", "learning_rate", "cell"}  # one value is no search
    row = table.row({"units": 2, "learning_rate": 1, "cell": 1})
    assert table.quality[row] == pytest.approx(np.nanmax(table.quality))
    training = table.trainings[row][0]
    assert training.losses == pytest.approx(
        [loss_of(16, 3e-3, "lstm", 1, epoch) for epoch in range(1, EPOCHS + 1)]
    )
    assert training.seconds == pytest.approx([1.0] * EPOCHS)
    assert table.mean_cost == pytest.approx(EPOCHS)
    failed = table.row({"units": 3, "learning_rate": 2, "cell": 0})
    assert math.isnan(table.quality[failed])
    assert all(each.losses == () for each in table.trainings[failed])


def test_a_search_costs_what_it_trains_and_recommends_its_best(table: Table) -> None:
    found = replay.search(table, Method("random", "none"), 3, trials=10, cost=0.0)
    assert len(found.cost) == 10
    assert found.epochs.tolist() == found.cost.tolist()
    assert np.diff(found.epochs).max() == EPOCHS
    known = found.quality[~np.isnan(found.quality)]
    assert known[-1] >= known[0]
    assert found.at_cost(-1) != found.at_cost(-1)  # nothing is known before the first trial
    assert found.at_trial(10) == known[-1]


def test_searches_repeat_and_seeds_differ(table: Table) -> None:
    method = Method("tpe", "median")
    one, again, other = (
        replay.search(table, method, seed, trials=8, cost=0.0) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.quality, again.quality)
    np.testing.assert_array_equal(one.cost, again.cost)
    assert (
        one.cost.tolist() != other.cost.tolist() or one.quality.tolist() != other.quality.tolist()
    )


def test_pruning_saves_what_the_contest_says(table: Table) -> None:
    methods = [Method("random", "none"), Method("random", "median")]
    found = replay.contest(table, methods, seeds=6, trials=12, seed=0, notify=lambda line: None)
    (saved,) = (each["saved"] for each in replay.pruners_compared(found).values())
    plain, pruned = found.outcomes
    assert saved.mean == pytest.approx(np.mean(1 - pruned.cost / plain.cost))
    assert saved.mean > 0.1
    # The same suggestions, so the same best configuration is in reach.
    assert (plain.by_trials - pruned.by_trials).mean() == pytest.approx(
        replay.pruners_compared(found)["median"]["lost"].mean
    )


def test_a_guided_search_beats_a_blind_one_and_ranks_add_up(table: Table) -> None:
    methods = [Method("tpe", "median"), Method("random", "none")]
    found = replay.contest(table, methods, seeds=12, trials=14, seed=1, notify=lambda line: None)
    guided, blind = found.outcomes
    assert guided.anytime.mean() > blind.anytime.mean()
    np.testing.assert_allclose(guided.rank + blind.rank, 3.0)
    comparison = replay.compared(found)["random"]
    assert comparison.difference == pytest.approx((blind.anytime - guided.anytime).mean())
    assert comparison.difference < 0


@pytest.mark.filterwarnings("ignore:.* is deprecated, :DeprecationWarning")
def test_hyperbands_own_epochs_are_kept(table: Table) -> None:
    found = replay.search(table, Method("kt-hyperband", "none"), 0, trials=9, cost=0.0)
    assert found.epochs[0] < EPOCHS


def test_a_grid_that_ends_early_holds_what_it_found(table: Table) -> None:
    space = 24
    found = replay.search(table, Method("kt-grid", "none"), 0, trials=space + 6, cost=0.0)
    assert len(found.cost) == space + 6
    assert found.quality[-1] == np.nanmax(table.quality)


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(command.app, list(arguments), standalone_mode=False)


def test_the_command_writes_a_page_and_json(root: Path) -> None:
    options = ["toy", "--runs", str(root.parent), "--seeds", "4", "--trials", "6", "-q"]
    done = invoke(*options, "--samplers", "tpe,random", "--pruners", "none,median", "--json")
    outcome = json.loads(done.stdout)
    assert outcome["reference"] == "tpe + median"
    assert {each["method"] for each in outcome["methods"]} == {
        "tpe", "tpe + median", "random", "random + median",
    }  # fmt: skip
    assert set(outcome["pruners"]) == {"median"}
    page = (root.parent / "toy-contest.html").read_text(encoding="utf-8")
    assert outcome["report"] == str(root.parent / "toy-contest.html")
    for text in ("Which search method finds a good network soonest?", "Methods by mean rank",
                 "Pruners compared with none", "random + median"):  # fmt: skip
        assert text in page
    lines = invoke(*options).stdout.splitlines()
    assert lines[-1].endswith("toy-contest.html")
    assert any("the reference" in line for line in lines)


def test_one_seed_gives_no_intervals(table: Table) -> None:
    found = replay.contest(
        table, [Method("random", "none"), Method("tpe", "median")], seeds=1, trials=4, seed=0,
        notify=lambda line: None,
    )  # fmt: skip
    assert "nan" not in contest_page.render(found, now="2026-11-24T00:00:00Z").split("<main")[1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["toys"], "no table of 'toys' in .*; make one with: harness tabulate toys"),
        (["toy", "--samplers", "tpx"], "no sampler named 'tpx'; did you mean tpe"),
        (["toy", "--pruners", ","], "--pruners: name one or more of"),
        (["toy", "--seeds", "0"], "--seeds 0: at least one"),
    ],
)
def test_mistakes_are_named(root: Path, arguments: list[str], complaint: str) -> None:
    done = invoke(*arguments, "--runs", str(root.parent))
    assert isinstance(done.exception, UserError)
    import re

    assert re.search(complaint, str(done.exception))


def test_half_a_table_is_refused(tmp_path: Path) -> None:
    root = write_table(tmp_path)
    table = pd.read_parquet(root / TABLE)
    table[table["configuration"] < 5].to_parquet(root / TABLE)
    with pytest.raises(UserError, match="not complete"):
        Table.read(root)


def test_errors_are_better_where_they_are_lower(tmp_path: Path, table: Table) -> None:
    """The same trainings, with an error of ten times the loss: the same ranks and verdicts."""
    dataset = {"metric": "MAE", "unit": "units", "mase_scale": 5.0}
    root = write_table(tmp_path, dataset=dataset, margin=0.01)
    frame = pd.read_parquet(root / TABLE)
    frame.assign(val_accuracy=10 * frame["loss"]).to_parquet(root / TABLE, index=False)
    errors = Table.read(root)
    assert errors.best == pytest.approx(10 * (1.1 - table.best))
    assert errors.margin == pytest.approx(0.01 * errors.best)
    methods = [Method("tpe", "median"), Method("tpe", "none"), Method("random", "none")]
    options: dict[str, Any] = {"seeds": 8, "trials": 12, "seed": 1, "notify": lambda line: None}
    lower, higher = (replay.contest(each, methods, **options) for each in (errors, table))
    for one, other in zip(lower.outcomes, higher.outcomes, strict=True):
        np.testing.assert_array_equal(one.rank, other.rank)
    for name, one in replay.compared(lower).items():
        other = replay.compared(higher)[name]
        assert one.difference == pytest.approx(-10 * other.difference)
        assert one.higher_is_better is False
    (lost,) = (each["lost"] for each in replay.pruners_compared(lower).values())
    (gone,) = (each["lost"] for each in replay.pruners_compared(higher).values())
    assert lost.mean == pytest.approx(10 * gone.mean)
    lines = command.terminal_lines(lower)
    assert all("points" not in line for line in lines)
    assert " units, at the end 3." in lines[0]
    text = contest_page.render(lower, now="2026-11-24T00:00:00Z").split("<main")[1]
    assert "Quality, MAE, units" in text
    assert "points" not in text
    assert command.summarise(lower)["metric"] == "MAE, units"

"""Every documented form of every hyperparameter goes through a whole study, report included."""

import itertools
import json
import os
from pathlib import Path

import pytest
from session_testing import options, use_toy_pool

from harness import samplers
from harness.core.scalars import same
from harness.results.records import read_records
from harness.spec import study_files
from harness.study import session

STUDY = """
'''Does it run?'''
from harness import Budget, CategoricalDistribution as C, FloatDistribution as F
from harness import IntDistribution as I, Parity, UnitsByLayer, When
from harness.core.scalars import same
from toys import Noise, toy_study

def build(hp, signature, *, extra=None, other=None):
    import keras
    assert any(same(extra, each) for each in {own} + [True, False, 'l2', (3,)])
    return keras.Sequential([
        keras.Input((hp.sequence_length,)),
        keras.layers.Embedding(hp.vocabulary, 4),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(signature.outputs, activation="sigmoid")])

study = toy_study(**{{"compare": {{}}, "search": {{}}, "fixed": {{}}, "searches": 1,
                     "replicates": 1, "budget": Budget(trials=2, epochs=2)}} | dict({declared}))
"""
RATE = "'learning_rate': F(1e-3, 1e-1, log=True)"

# By hyperparameter, values as docs/your-own-study.md names them, and distributions of them.
VALUES = {
    "cell": ["'rnn'", "'gru'", "'lstm'"],
    "units": ["(8, 4)", "[4, 8]", "8"],
    "bidirectional": ["False", "True"],
    "embedding_dim": ["8", "16"],
    "vocabulary": ["50", "100"],
    "sequence_length": ["5", "10"],
    "dropout": ["0.0", "0.5"],
    "learning_rate": ["1e-3", "1e-2"],
    "batch_size": ["16", "32"],
    "optimizer": ["'sgd'", "'rmsprop'"],
    "momentum": ["0.0", "0.9"],
    "weight_decay": ["None", "0.01"],
    "clip_norm": ["None", "1.0"],
    "schedule": ["'constant'", "'cosine'", "'plateau'"],
    "pooling": ["'last'", "'mean'", "'attention'"],
    "embedding_dropout": ["0.0", "0.2"],
    "residual": ["False", "True"],
    "layer_norm": ["'none'", "'output'"],
    "recurrent_dropout": ["0.0", "0.2"],
    "mask": ["False", "True"],
    "label_smoothing": ["0.0", "0.1"],
    "class_weight": ["'none'", "'balanced'"],
    "activation": ["'tanh'", "'relu'"],
    "kernel_initializer": ["'glorot_uniform'", "'he_normal'"],
    "recurrent_initializer": ["'orthogonal'", "'identity'"],
    "precision": ["'float32'", "'mixed_bfloat16'"],
}
NUMBERS = {
    "depth": ["I(1, 3)", "I(1, 3, step=2)"],
    "units": ["I(2, 64, log=True)", "I(2, 8, step=2)"],
    "embedding_dim": ["I(4, 16)", "I(4, 16, step=4)"],
    "vocabulary": ["I(50, 100, step=10)", "I(50, 60)"],
    "sequence_length": ["I(5, 20, log=True)", "I(5, 10)"],
    "dropout": ["F(0.0, 0.5)", "F(0.0, 0.5, step=0.25)"],
    "learning_rate": ["F(1e-4, 1e-1, log=True)", "F(1e-4, 1e-1)"],
    "batch_size": ["I(8, 32, log=True)", "I(8, 32)"],
    "weight_decay": ["F(1e-5, 1e-1, log=True)", "F(0.0, 0.1)"],
    "clip_norm": ["F(0.1, 10.0, log=True)", "F(0.5, 1.0)"],
    "embedding_dropout": ["F(0.0, 0.5)", "F(0.1, 0.2)"],
    "recurrent_dropout": ["F(0.0, 0.5)", "F(0.1, 0.2)"],
    "label_smoothing": ["F(0.0, 0.2)", "F(0.1, 0.2)"],
}
# Hyperparameters of a study's own `model`.
OWN = ["1", "0.5", "'relu'", "None", "(3, 5)", "[[3, 5], 'same']"]


def _fixed(number: int) -> str:
    each = {name: values[number % len(values)] for name, values in VALUES.items()}
    return "fixed={'depth': 2, " + ", ".join(f"'{n}': {v}" for n, v in each.items()) + "}"


def _compared(*names: str) -> str:
    each = ", ".join(f"'{name}': [{', '.join(VALUES[name][:2])}]" for name in names)
    return f"compare={{{each}}}, fixed={{'depth': 2}}"


def _searched(number: int) -> str:
    each = ", ".join(f"'{name}': {kinds[number]}" for name, kinds in NUMBERS.items())
    return f"search={{{each}}}"


CHOICES = ", ".join(f"'{name}': C([{', '.join(values)}])" for name, values in VALUES.items())
DECLARED = {
    **{f"fixed {number}": _fixed(number) for number in range(3)},
    "compare 1": _compared("cell", "units"),
    "compare 2": _compared("bidirectional", "embedding_dim"),
    "compare 3": _compared("vocabulary", "sequence_length"),
    "compare 4": _compared("dropout", "learning_rate"),
    "compare 5": _compared("batch_size") + f", search={{{RATE}}}",
    **{
        f"compare {one} and {two}": _compared(one, two)
        for one, two in itertools.pairwise([*VALUES][list(VALUES).index("weight_decay") :])
    },
    "compare optimizers": "compare={'optimizer': ['adam', 'adamw', 'rmsprop', 'sgd']}",
    "momentum of sgd": "fixed={'optimizer': 'sgd'}, search={'momentum': F(0.0, 0.99)}",
    "momentum where sgd": "search={'momentum': When('optimizer', 'sgd', F(0.0, 0.99)), "
    "'optimizer': C(['adam', 'sgd'])}",
    "units by layer": "compare={'residual': [False, True]}, "
    "search={'depth': I(1, 3), 'units': UnitsByLayer(2, 8)}",
    "shapes of units": "compare={'units_shape': ['equal', 'pyramid']}, fixed={'depth': 3}, "
    "search={'units': I(2, 64)}",
    "hold parameters of residual layers": "hold={'parameters': 5000}, "
    "compare={'residual': [False, True]}, "
    "fixed={'depth': 2, 'units_shape': 'pyramid', 'vocabulary': 100, 'layer_norm': 'output'}",
    "compare depth": f"compare={{'depth': [1, 3]}}, search={{{RATE}}}",
    "search choices": f"search={{{CHOICES}}}, fixed={{'depth': 2}}",
    "search one choice": "search={'units': C([(8, 4)])}, fixed={'depth': 2}",
    "search numbers": _searched(0),
    "search other numbers": _searched(1),
    "bag": f"fixed={{'cell': 'bag', 'depth': 1}}, search={{{RATE}}}",
    "compare cells with bag": "compare={'cell': ['gru', 'bag']}, fixed={'depth': 1}",
    "compare train": f"compare={{'train': [16, 64]}}, search={{{RATE}}}",
    "compare a task's difficulty": "dataset=Parity(train=64, validation=32, test=32), "
    f"compare={{'length': [5, 10]}}, search={{{RATE}}}",
    "hold parameters": "hold={'parameters': 5000}, compare={'depth': [1, 2]}, "
    f"search={{{RATE}}}, fixed={{'vocabulary': 100}}",
    "no test split": f"dataset=Noise(test=0), search={{{RATE}}}",
    "fewer epochs of trials": f"search={{{RATE}}}, "
    "budget=Budget(trials=2, epochs=3, trial_epochs=1), patience=None",
    "own fixed": f"model=build, fixed={{'extra': {OWN[-1]}, 'other': None}}",
    "own compared": f"model=build, compare={{'extra': [{', '.join(OWN)}]}}",
    "own searched": f"model=build, search={{'extra': C([{', '.join(OWN)}])}}",
    "own searched none": "model=build, search={'extra': C([None, 'l2']), 'other': C([None])}",
    "own searched booleans": "model=build, search={'extra': C([True, False])}",
    "own searched lists": "model=build, search={'extra': C([(3,), (3, 5)]), 'other': I(1, 4)}",
}


@pytest.fixture(autouse=True)
def toy_pool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("slow") is None:
        use_toy_pool(monkeypatch)


def check(
    folder: Path,
    declared: str,
    capsys: pytest.CaptureFixture[str],
    trials: int = 3,
    workers: int | None = None,
) -> None:
    """The study runs, resumes with more trials than two, and its trials have declared values."""
    file = folder / "mine.py"
    file.write_text(STUDY.format(declared=declared, own=f"[{', '.join(OWN)}]"))
    if trials > 2:
        assert session.run(options(file, profile=False)) == 0
    capsys.readouterr()
    changes = {"trials": trials, "workers": workers, "json_output": True}
    assert session.run(options(file, profile=False, **changes)) == 0
    outcome = json.loads(capsys.readouterr().out)
    root = folder / "runs" / "mine"
    assert (root / "report.html").stat().st_size > 10_000
    study = study_files.load(file).study
    records = read_records(root)
    assert records.finished
    for arm in outcome["arms"]:
        found = arm["best"]["params"]
        space = study.space_of(next(each for each in study.arms() if each.name == arm["arm"]))
        searched = {name: space[name] for name in space if space.applies(name, found)}
        assert set(found) == set(searched) | ({"units"} if study.hold else set())
        for name, distribution in searched.items():
            if hasattr(distribution, "choices"):
                assert any(same(found[name], choice) for choice in distribution.choices)
            else:
                assert distribution.low <= found[name] <= distribution.high  # type: ignore[attr-defined]
    if outcome["recommended"] is not None:
        arms = {arm.name: arm for arm in study.arms()}
        recommended = outcome["recommended"]
        trained = study.hyperparameters(
            arms[recommended["arm"]],
            {name: value for name, value in recommended["params"].items() if name in study.space},
        ).to_mapping(defaults=True)
        for name, value in recommended["params"].items():
            assert same(trained[name], value) or name.startswith("units_")


@pytest.mark.parametrize("form", DECLARED)
@pytest.mark.usefixtures("no_charts")
def test_a_form_goes_through(ram_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(ram_path, DECLARED[form], capsys)


@pytest.mark.slow
@pytest.mark.parametrize("form", DECLARED)
@pytest.mark.usefixtures("no_charts")
def test_a_form_trains(
    ram_path: Path, form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same with a worker process that trains; a second one would take as long to start."""
    path = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    check(ram_path, DECLARED[form], capsys, trials=2, workers=1)
    records = read_records(ram_path / "runs" / "mine")
    trained = [*records.trials["state"], *records.replicates["state"]]
    assert set(trained) <= {"complete", "pruned"}


@pytest.mark.parametrize("form", ["search choices", "own searched", "compare 1"])
def test_a_form_goes_through_with_charts(
    ram_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With enough trials for every section."""
    check(ram_path, DECLARED[form], capsys, trials=14)


@pytest.mark.parametrize("sampler", samplers.names())
@pytest.mark.usefixtures("no_charts")
def test_every_sampler_searches_units_of_each_layer(
    ram_path: Path, sampler: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if sampler == "gp":
        pytest.importorskip("torch", reason="no PyTorch (pip install -e '.[gp]')")
    declared = (
        f"search={{'units': C([(8, 4), (4, 8), (6, 6), 5]), {RATE}, 'dropout': F(0.0, 0.5)}}, "
        f"fixed={{'depth': 2}}, sampler={sampler!r}, pruner='none'"
    )
    check(ram_path, declared, capsys, trials=8)

"""The bag of embeddings learns whatever the study's epochs, and stays as it was in old studies."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
from topics_testing import write_topics

from harness import Budget, CategoricalDistribution, Study
from harness.core import files
from harness.datasets.files.texts import TextFiles
from harness.results.manifest import BASELINES_VERSION, SCHEMA
from harness.results.run_directory import RunDirectory
from harness.search import baselines
from harness.search.replicates import Replicates


def directory(root: Path, version: int = BASELINES_VERSION) -> RunDirectory:
    manifest = {"schema": SCHEMA, "study": "s", "arms": [], "baselines": version}
    files.write_atomically(root / "manifest.json", files.to_json(files.sealed(manifest)))
    return RunDirectory(root)


def short_texts(folder: Path, rows: int = 600) -> Study:
    """Texts of at most 23 words in windows of 200, and two epochs for each training."""
    return Study(
        dataset=TextFiles.of(write_topics(folder / "topics.csv", rows)),
        compare={"depth": [1, 2]},
        search={"sequence_length": CategoricalDistribution([50, 200])},
        fixed={"units": 4, "vocabulary": 1000},
        budget=Budget(trials=2, epochs=2),
        searches=1,
        replicates=1,
    )


def train(trainings: Replicates) -> list[float]:
    """Train all as a worker does; returns the test accuracies, or 0 of those without a test."""
    from harness.training.trainer import Callbacks, Data, Epoch, Trainer, TrainOptions, load

    trainer, found = Trainer(), []
    while trainings.has_more:
        assignment = trainings.next()
        request = trainings.training_request(assignment)
        hp = request.hyperparameters

        def on_epoch(epoch: Epoch, of=assignment) -> bool:  # type: ignore[no-untyped-def]
            of.add_epoch(asdict(epoch))
            return trainings.report(of, asdict(epoch))

        trainer.train(
            hp,
            Data.of(request.dataset, hp),
            TrainOptions(seed=request.seed, epochs=request.epochs, keep_best=request.keep_best),
            Callbacks(on_epoch=on_epoch),
        )
        reached = trainer.evaluate(load(request.dataset, "test", hp))[1] if request.score else 0.0
        found.append(reached)
        trainings.end(assignment, "finished")
    return found


@pytest.mark.slow
def test_the_bag_learns_short_texts_although_the_arms_have_two_epochs(tmp_path: Path) -> None:
    study, root = short_texts(tmp_path), directory(tmp_path / "s")
    candidates = baselines.bag_candidates(study, root)
    assert len(train(candidates)) == baselines.CANDIDATES
    (replicates,) = baselines.bag_replicates(study, root)
    (accuracy,) = train(replicates)
    assert accuracy > 0.9


def test_small_data_have_more_epochs_and_large_data_those_of_the_study(tmp_path: Path) -> None:
    found = {}
    for rows in (60, 2_000, 5_000):
        study = short_texts(tmp_path, rows)
        longer = baselines.with_epochs(study)
        assert longer.patience == baselines.BAG_PATIENCE
        steps = -(-study.dataset.train // 32)
        found[rows] = (longer.budget.epochs, longer.budget.epochs * steps)
    assert found[60][0] == baselines.BAG_EPOCHS
    assert 800 <= found[2_000][1] < 840
    assert found[5_000][0] == 8
    many = Budget(trials=2, epochs=100)
    assert baselines.with_epochs(replace(study, budget=many)).budget.epochs == 100


def test_a_study_that_began_before_trains_its_bag_as_it_did(tmp_path: Path) -> None:
    study = short_texts(tmp_path)
    seen = {}
    for version in (1, BASELINES_VERSION):
        candidates = baselines.bag_candidates(study, directory(tmp_path / str(version), version))
        requests = [
            candidates.training_request(candidates.next()) for _ in range(baselines.CANDIDATES)
        ]
        seen[version] = [
            (r.epochs, r.hyperparameters.learning_rate, r.hyperparameters.mask) for r in requests
        ]
    assert seen[1] == [(2, 1e-3, False), (2, 3e-3, False), (2, 1e-2, False)]
    assert seen[BASELINES_VERSION] == [(40, 3e-3, True), (40, 1e-2, True), (40, 3e-2, True)]

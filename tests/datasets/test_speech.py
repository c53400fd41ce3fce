"""Spoken words: other voices in each split, whole in the cache, and learnable."""

from pathlib import Path

import numpy as np
import pytest
from dataset_testing import spoken

from harness import Speech
from harness.core.errors import UserError
from harness.datasets import speech
from harness.datasets.base.dataset import SPLITS


def test_no_speaker_is_in_two_splits() -> None:
    train, validation, test = (set(each) for each in speech.SPEAKERS.values())
    assert not train & validation
    assert not (train | validation) & test


def test_all_speakers_of_an_accent_sound_different(
    first_use: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken()
    speech._check_voices.__wrapped__()
    monkeypatch.setattr(speech, "ACCENTS", ("en-us",))
    monkeypatch.setitem(speech.SPEAKERS, "test", ("nobody", "nobody else"))
    with pytest.raises(UserError, match=r"speaks alike as en-us\+nobody and as en-us\+nobody else"):
        speech._check_voices.__wrapped__()


def test_features_are_standardised_with_the_training_split(first_use: object) -> None:
    dataset = spoken()
    x = dataset.load("train", sequence_length=speech.FRAMES, vocabulary=4).x
    assert x.shape == (100, 49, 24)
    np.testing.assert_allclose(x.mean(axis=(0, 1)), 0.0, atol=1e-4)
    np.testing.assert_allclose(x.std(axis=(0, 1)), 1.0, atol=1e-3)
    facts = dataset.scaling()
    assert len(facts["x_mean"]) == len(facts["x_std"]) == 24


def test_it_is_said_what_it_is_before_anything_is_spoken(
    first_use: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = spoken().smaller(60, 50, 40)
    y = [dataset.load(split, sequence_length=1, vocabulary=4).y for split in SPLITS]
    monkeypatch.setattr(speech, "_spoken", lambda *_: pytest.fail("speaks"))
    found = dataset.contents(pytest.fail)
    assert list(found.classes.values()) == np.bincount(np.concatenate(y), minlength=20).tolist()
    assert sum(Speech(train=400, validation=60, test=60).contents(print).classes.values()) == 520


def test_noise_is_as_loud_as_it_says() -> None:
    random = np.random.RandomState(0)
    word = np.full(100, speech.LOUDNESS)
    loud = [speech._in_noise(random, word, 0).std() for _ in range(20)]
    softer = [speech._in_noise(random, word, -20).std() for _ in range(20)]
    assert speech.LOUDNESS * 10**-0.5 <= min(loud) <= max(loud) <= speech.LOUDNESS * 1.1
    assert np.mean(softer) < np.mean(loud) / 5


def test_a_network_learns_the_words(first_use: object) -> None:
    from sklearn.neural_network import MLPClassifier

    spoken()
    dataset = Speech(noise_db=-40, train=200, validation=100)  # hardly any noise
    train, other = (
        dataset.load(split, sequence_length=speech.FRAMES, vocabulary=4)
        for split in ("train", "validation")
    )
    network = MLPClassifier(64, max_iter=60, tol=0.0, n_iter_no_change=60, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        network.fit(train.x.reshape(len(train), -1), train.y)
    # From ten examples of a word, for voices that it never heard; chance is 0.05.
    assert network.score(other.x.reshape(len(other), -1), other.y) > 0.15


@pytest.mark.parametrize("missing", ["program", "package"])
def test_what_is_missing_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    speech._program.cache_clear()
    if missing == "program":
        monkeypatch.setenv("PATH", "/nowhere")
        message = "needs the program espeak-ng: install it"
    else:
        spoken()
        speech._program.cache_clear()
        monkeypatch.setattr(speech.importlib.util, "find_spec", lambda name: None)
        message = r"needs the package kaldi-native-fbank: pip install"
    with pytest.raises(UserError, match=message):
        Speech().prepare(lambda line: None)
    speech._program.cache_clear()


def test_a_program_that_fails_leaves_nothing_in_the_cache(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kaldi_native_fbank", reason="needs the package kaldi-native-fbank")
    program = tmp_path / "espeak-ng"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "eSpeak NG 1.0" || exit 3\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    speech._program.cache_clear()
    with pytest.raises(UserError, match="exit status 3"):
        Speech().prepare(lambda line: None)
    speech._program.cache_clear()
    assert [path for path in own_cache.iterdir() if path.is_dir()] == []

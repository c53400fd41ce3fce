"""`imdb-keras` from a small file in Keras's layout: found and loaded as by Keras."""

import functools
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dataset_testing import SMALL, KerasFile, keras_file, padded, quiet

from harness.core.errors import UserError
from harness.datasets import ImdbKeras, imdb_keras


@pytest.fixture(autouse=True)
def _alone(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache and a Keras home for each test, without network and without earlier results."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras-home"))
    monkeypatch.setattr(imdb_keras, "_ORIGIN", "http://127.0.0.1:9/")
    monkeypatch.setenv("no_proxy", "*")
    imdb_keras._prepared.cache_clear()
    yield
    imdb_keras._prepared.cache_clear()


def publish(monkeypatch: pytest.MonkeyPatch, made: KerasFile) -> None:
    """Make the hashes of the small file the published ones."""
    npz, index = (made.directory / name for name in (imdb_keras._NPZ, imdb_keras._WORDS))
    monkeypatch.setattr(imdb_keras, "_NPZ_SHA256", hashlib.sha256(npz.read_bytes()).hexdigest())
    monkeypatch.setattr(imdb_keras, "_WORDS_MD5", hashlib.md5(index.read_bytes()).hexdigest())


def small(made: KerasFile, **options: int) -> ImdbKeras:
    return ImdbKeras(**(SMALL | options), data_dir=str(made.directory))


def loaded_slowly(made: KerasFile, vocabulary: int) -> tuple[list[list[int]], list[int]]:
    """Keras's load_data, written out: shuffled, start mark, index_from 3, rare words 2."""
    random = np.random.RandomState(113)
    x: list[list[int]] = []
    y: list[int] = []
    for rows, labels in ((made.x_train, made.y_train), (made.x_test, made.y_test)):
        order = np.arange(len(rows))
        random.shuffle(order)
        raw = [[1] + [rank + 3 for rank in rows[i]] for i in order]
        x += [[i if i < vocabulary else 2 for i in row] for row in raw]
        y += [labels[i] for i in order]
    return x, y


def test_it_loads_what_keras_loads(keras_reviews: KerasFile) -> None:
    dataset = small(keras_reviews)
    dataset.prepare(quiet)
    x, y = loaded_slowly(keras_reviews, 50)
    places = {"train": slice(0, 30), "validation": slice(30, 40), "test": slice(40, 65)}
    for split in ("train", "validation", "test"):
        arrays = dataset.load(split, sequence_length=12, vocabulary=50)
        assert arrays.x.tolist() == padded(x[places[split]], 12)
        assert arrays.y.tolist() == y[places[split]]


@pytest.mark.slow
def test_it_loads_what_keras_itself_loads(
    keras_reviews: KerasFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras
    import keras.src.datasets.imdb as keras_imdb

    path = str(keras_reviews.directory / "imdb.npz")
    monkeypatch.setattr(keras_imdb, "get_file", lambda *args, **kwargs: path)
    (x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words=40)
    whole = small(keras_reviews, train=32, validation=8, test=30)
    whole.prepare(quiet)
    for split, x, y in (
        ("train", x_train[:32], y_train[:32]),
        ("validation", x_train[32:], y_train[32:]),
        ("test", x_test, y_test),
    ):
        arrays = whole.load(split, sequence_length=9, vocabulary=40)  # type: ignore[arg-type]
        np.testing.assert_array_equal(arrays.x, keras.utils.pad_sequences(x, maxlen=9))
        np.testing.assert_array_equal(arrays.y, y)


def test_address_and_hashes_are_those_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    import importlib.util

    found = importlib.util.find_spec("keras")
    assert found is not None
    assert found.origin is not None
    source = (Path(found.origin).parent / "src" / "datasets" / "imdb.py").read_text()
    for published in ("_ORIGIN", "_NPZ", "_NPZ_SHA256", "_WORDS", "_WORDS_MD5"):
        assert f'"{getattr(imdb_keras, published)}"' in source
    assert f"seed={imdb_keras._SHUFFLE_SEED}" in source


def test_smaller_splits_are_parts(keras_reviews: KerasFile) -> None:
    whole, part = small(keras_reviews), small(keras_reviews).smaller(11, 4, 7)
    assert part.data_dir == whole.data_dir
    for split, place in (("train", slice(0, 11)), ("validation", slice(6, 10))):
        a = whole.load(split, sequence_length=9, vocabulary=50)  # type: ignore[arg-type]
        b = part.load(split, sequence_length=9, vocabulary=50)  # type: ignore[arg-type]
        np.testing.assert_array_equal(a.x[place], b.x)
        np.testing.assert_array_equal(a.y[place], b.y)


def test_words_come_from_the_index_beside_the_file(keras_reviews: KerasFile) -> None:
    words = small(keras_reviews).words(1_000)
    assert words[4] == "word1"
    assert words[7 + 3] == "<unused>"
    assert words[63] == "word60"
    assert len(words) == 64


def test_reading_twice_reads_once(keras_reviews: KerasFile) -> None:
    lines: list[str] = []
    small(keras_reviews).prepare(lines.append)
    small(keras_reviews).prepare(lines.append)
    assert len(lines) == 1
    assert lines[0].startswith("imdb-keras: reading ")


def test_the_place_of_the_file_is_no_part_of_the_dataset(
    keras_reviews: KerasFile, tmp_path: Path
) -> None:
    moved = keras_file(tmp_path / "moved", 40, 30)
    assert small(moved).fingerprint() == small(keras_reviews).fingerprint()
    assert small(moved).to_mapping() == small(keras_reviews).to_mapping()


def test_other_reviews_have_another_fingerprint(keras_reviews: KerasFile, tmp_path: Path) -> None:
    other = keras_file(tmp_path / "other", 41, 30)
    assert small(other).fingerprint() != small(keras_reviews).fingerprint()


def test_offline_with_nothing_cached_is_one_line_that_says_what_to_do() -> None:
    with pytest.raises(UserError, match=r"cannot download .* give --data-dir DIR") as refused:
        ImdbKeras().prepare(quiet)
    assert "\n" not in str(refused.value)


def test_a_directory_without_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"there is no imdb.npz in {tmp_path}"):
        ImdbKeras(data_dir=str(tmp_path)).prepare(quiet)


def test_words_that_cannot_be_had_stop_only_those_who_ask(tmp_path: Path) -> None:
    made = keras_file(tmp_path / "bare", 40, 30)
    (made.directory / "imdb_word_index.json").unlink()
    dataset = small(made)
    dataset.prepare(quiet)
    dataset.load("train", sequence_length=5, vocabulary=50)
    with pytest.raises(UserError, match=r"put their imdb_word_index.json beside it"):
        dataset.words(10)
    for content in ("[]", "{", '{"a": -1}', '{"a": "b"}'):
        (made.directory / "imdb_word_index.json").write_text(content)
        with pytest.raises(UserError, match="is not a word index"):
            dataset.words(10)


def test_keras_own_download_is_used(
    keras_reviews: KerasFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, keras_reviews)
    downloads = tmp_path / "keras-home" / "datasets"
    downloads.mkdir(parents=True)
    for name in ("imdb.npz", "imdb_word_index.json"):
        (downloads / name).write_bytes((keras_reviews.directory / name).read_bytes())
    dataset = ImdbKeras(**SMALL)
    dataset.prepare(quiet)
    assert dataset.fingerprint() == small(keras_reviews).fingerprint()
    assert dataset.words(5)[4] == "word1"


def test_another_file_among_keras_downloads_is_not_used(tmp_path: Path) -> None:
    keras_file(tmp_path / "keras-home" / "datasets", 40, 30)
    with pytest.raises(UserError, match="cannot download"):
        ImdbKeras(**SMALL).prepare(quiet)


@pytest.fixture
def server(keras_reviews: KerasFile, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A server in place of Keras's; yields the paths that were requested."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(keras_reviews.directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        monkeypatch.setattr(imdb_keras, "_ORIGIN", f"http://127.0.0.1:{served.server_port}/")
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield asked
        served.shutdown()
        thread.join()


def test_it_downloads_once_and_checks_the_hash(
    server: list[str], keras_reviews: KerasFile, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="did not give the published file"):
        ImdbKeras(**SMALL).prepare(quiet)
    assert not (own_cache / "imdb.npz").exists()
    publish(monkeypatch, keras_reviews)
    lines: list[str] = []
    for _ in range(2):
        ImdbKeras(**SMALL).prepare(lines.append)
        imdb_keras._prepared.cache_clear()
    assert ImdbKeras(**SMALL).words(5)[4] == "word1"
    assert server == ["/imdb.npz", "/imdb.npz", "/imdb_word_index.json"]
    assert [line.split()[0] for line in lines] == ["downloading", "imdb-keras:"]
    assert sorted(json.loads((own_cache / "imdb_word_index.json").read_text()))[0] == "word1"
    assert not list(own_cache.glob("*.partial"))


def test_a_missing_file_on_the_server_is_one_line(
    server: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imdb_keras, "_NPZ", "gone.npz")
    with pytest.raises(UserError, match="HTTP Error 404"):
        ImdbKeras(**SMALL).prepare(quiet)

"""Encoder-decoders: the same numbers on every path, and answers written without looking."""

from dataclasses import replace

import numpy as np
import pytest
from training_testing import numbers

from harness import Hyperparameters
from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.search.standalone import predict_translation
from harness.spec import counts
from harness.training import networks
from harness.training.decoding import greedy
from harness.training.trainer import Callbacks, Data, Trainer, TrainOptions

STEPS, CLASSES = 4, 5  # class 0 is the end; ids of words are class + 4, and 4 is also <go>
FED_BACK = np.arange(4, 4 + CLASSES, dtype=np.int32)
SIGNATURE = Signature(classes=CLASSES, steps=STEPS, decodes=True)
HP = Hyperparameters(
    cell="gru", depth=1, units=24, embedding_dim=8, vocabulary=12, sequence_length=8,
    batch_size=32, learning_rate=0.02,
)  # fmt: skip


def reversed_words(n: int, seed: int) -> Arrays:
    """One to three of four words; the answer is the same in reverse order."""
    random = np.random.RandomState(seed)
    x, y = np.zeros((n, 8), np.int32), np.zeros((n, STEPS), np.int32)
    for row, answer in zip(x, y, strict=True):
        words = random.randint(1, CLASSES, random.randint(1, 4))
        row[4 - len(words) : 4] = words + 4
        answer[: len(words)] = words[::-1]
        row[4:] = [4, *FED_BACK[answer[:-1]]]
    return Arrays(x, y)


DATA = Data(train=reversed_words(400, 0), validation=reversed_words(64, 1), signature=SIGNATURE)


@pytest.mark.parametrize("decoder_depth", [0, 1, 2])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_parameters_are_counted(cell: str, decoder_depth: int) -> None:
    hp = replace(HP, cell=cell, depth=3, decoder_depth=decoder_depth, layer_norm="output")
    model = networks.build(hp, SIGNATURE, path="keras", seed=0)
    assert counts.parameters(hp, SIGNATURE) == model.count_params()
    names = [layer.name for layer in model.layers if layer.name.startswith(f"decoder_{cell}")]
    assert len(names) == (decoder_depth or 3)


def test_the_compiled_path_trains_as_stock_keras_does() -> None:
    hp = replace(HP, cell="lstm", depth=2, decoder_depth=1)
    found = []
    for path in ("xla-scan", "keras"):
        trainer = Trainer(path=path)
        training = trainer.train(hp, DATA, TrainOptions(seed=3, epochs=2), Callbacks())
        assert training.path == path
        found.append(np.array(numbers(training)))
    np.testing.assert_allclose(found[0], found[1], rtol=2e-4)


def test_a_network_learns_to_write_and_reads_no_answers() -> None:
    trainer = Trainer(path="xla-scan")
    trainer.train(HP, DATA, TrainOptions(seed=0, epochs=25), Callbacks())
    asked = reversed_words(64, 2)
    written = greedy(trainer.predict, asked, FED_BACK)
    assert (written == asked.y).all(axis=1).mean() > 0.9
    blind = asked.x.copy()
    blind[:, 5:] = 11  # other answers, which must not matter
    again = greedy(trainer.predict, Arrays(blind, asked.y), FED_BACK)
    np.testing.assert_array_equal(written, again)
    # A stock model writes the same.
    stock = trainer.stock_model()
    np.testing.assert_array_equal(
        greedy(lambda each: stock.predict(each.x, verbose=0), asked, FED_BACK), written
    )
    # So does the script beside an exported model; ids 5 to 8 are the words a to d.
    words = ["<p>", "<s>", "<u>", "<n>", "<go>", "a", "b", "c", "d"]
    letters = np.array(["", "a", "b", "c", "d"])
    outputs = stock.predict(asked.x, verbose=0)  # where it is right, it has read these answers
    likely = np.take_along_axis(outputs, asked.y[..., None], axis=-1)[..., 0]
    found = predict_translation.translated(
        lambda x: stock.predict(x, verbose=0), asked.x, words, ["<end>", *"abcd"], STEPS
    )
    assert [each for each, _ in found] == [" ".join(letters[row]).strip() for row in written]
    for (_, probability), row, own, answer in zip(found, likely, written, asked.y, strict=True):
        if (own == answer).all():
            of_answer = row[: np.count_nonzero(answer) + 1].prod()
            assert probability == pytest.approx(of_answer, rel=1e-4)


def test_nothing_is_written_after_the_end() -> None:
    asked = reversed_words(3, 4)

    def predict(split: Arrays) -> np.ndarray:
        found = np.zeros((3, STEPS, CLASSES), np.float32)
        found[:, [0, 2, 3], 2] = found[:, 1, 0] = 1.0
        return found

    assert greedy(predict, asked, FED_BACK).tolist() == [[2, 0, 0, 0]] * 3

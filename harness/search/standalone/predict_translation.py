"""Translate with the model in this folder: python predict.py "one hundred and two"

The words of a text stand between blanks. Prints a line for each text: its translation, a tab, and
the probability of that. The model writes the most probable word each time, and reads what it has
written. Needs Keras, NumPy and Python, nothing else.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
START, UNKNOWN = 1, 2  # ids; 0 is padding, and those of words follow id 3, which is not used
GO = "<go>"  # the word after which the model writes
END = 0  # the class after which it writes nothing


def main() -> int:
    texts = sys.argv[1:]
    if texts in ([], ["-h"], ["--help"]):
        print(__doc__, file=sys.stderr if not texts else sys.stdout)
        return 2 if not texts else 0
    about = json.loads((FOLDER / "params.json").read_text(encoding="utf-8"))
    words = (FOLDER / "vocabulary.txt").read_bytes().decode("utf-8", "surrogatepass").split("\n")
    import keras  # here: it takes seconds

    model = keras.models.load_model(FOLDER / "model.keras", compile=False)
    length, steps = model.input_shape[1], model.output_shape[1]
    x = encoded([text.split() for text in texts], words[:-1], length, steps)

    def outputs(read: Any) -> Any:
        return model.predict(read, verbose=0)

    for answer, probability in translated(outputs, x, words[:-1], about["labels"], steps):
        print(f"{answer}\t{probability:.4f}")
    return 0


def encoded(
    sentences: Sequence[Sequence[str]], words: Sequence[str], length: int, steps: int
) -> Any:
    """The ids of each sentence between its marks, and room for the answer: (n, length).

    Padded in front. Of one that is too long the beginning is left out.
    """
    ids = ids_of(words)
    x = np.zeros((len(sentences), length), np.int32)
    for row, sentence in zip(x, sentences, strict=True):
        read = [START, *(ids.get(word, UNKNOWN) for word in sentence), ids.get(GO, UNKNOWN)]
        found = [*read, *[0] * (steps - 1)][-length:]
        row[length - len(found) :] = found
    return x


def translated(
    predict: Callable[[Any], Any],
    x: Any,
    words: Sequence[str],
    labels: Sequence[str],
    steps: int,
) -> list[tuple[str, float]]:
    """Each answer's words and its probability, that of all its words and of its end.

    `predict` gives probabilities (n, steps, classes) for ids (n, length).
    """
    ids = ids_of(words)
    fed_back = np.array([ids.get(label, UNKNOWN) for label in labels], np.int32)
    x, n = x.copy(), len(x)
    answers: list[list[str]] = [[] for _ in x]
    probabilities, writing = np.ones(n), np.ones(n, bool)
    for step in range(steps):
        outputs = np.asarray(predict(x), np.float64)[:, step]
        best = outputs.argmax(axis=-1)
        probabilities[writing] *= outputs[np.arange(n), best][writing]
        writing &= best != END
        for at in np.flatnonzero(writing):
            answers[at].append(labels[best[at]])
        if not writing.any():
            break
        if step + 1 < steps:
            x[:, x.shape[1] - steps + 1 + step] = fed_back[best]
    return [(" ".join(answer), float(p)) for answer, p in zip(answers, probabilities, strict=True)]


def ids_of(words: Sequence[str]) -> dict[str, int]:
    return {word: number for number, word in enumerate(words) if number > 3}


if __name__ == "__main__":
    sys.exit(main())

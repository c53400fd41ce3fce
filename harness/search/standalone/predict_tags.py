"""Tag the tokens of texts with the model in this folder: python predict.py "Anna lives in Rome."

Prints a line for each token: the token, a tab, its tag; and a blank line after each text. A text is
split at blanks, and signs around a word are tokens of their own. Needs Keras, NumPy and Python,
nothing else.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
START, UNKNOWN = 1, 2  # ids; 0 is padding, and those of words follow id 3, which is not used


def main() -> int:
    texts = sys.argv[1:]
    if texts in ([], ["-h"], ["--help"]):
        print(__doc__, file=sys.stderr if not texts else sys.stdout)
        return 2 if not texts else 0
    about = json.loads((FOLDER / "params.json").read_text(encoding="utf-8"))
    words = (FOLDER / "vocabulary.txt").read_bytes().decode("utf-8", "surrogatepass").split("\n")
    rule = json.loads((FOLDER / "tokenizer.json").read_text(encoding="utf-8"))
    sentences = [re.findall(rule["pattern"], text) for text in texts]
    import keras  # here: it takes seconds

    model = keras.models.load_model(FOLDER / "model.keras", compile=False)
    steps = model.output_shape[1]
    outputs = model.predict(encoded(sentences, words[:-1], model.input_shape[1], steps), verbose=0)
    for tokens, tags in zip(sentences, tagged(outputs, sentences, about["labels"]), strict=True):
        for token, tag in zip(tokens, tags, strict=True):
            print(f"{token}\t{tag}")
        print()
    return 0


def pieces(sentences: Sequence[Sequence[str]], steps: int) -> Iterator[tuple[int, Sequence[str]]]:
    """Parts of at most `steps` tokens, for which the model has outputs; each with its sentence."""
    for number, tokens in enumerate(sentences):
        for first in range(0, max(1, len(tokens)), steps):
            yield number, tokens[first : first + steps]


def encoded(
    sentences: Sequence[Sequence[str]], words: Sequence[str], length: int, steps: int
) -> Any:
    """The ids of each piece of a sentence after a start mark, padded in front: (n, length)."""
    ids = {word: number for number, word in enumerate(words) if number > 3}
    parts = [part for _, part in pieces(sentences, steps)]
    x = np.zeros((len(parts), length), np.int32)
    for row, part in zip(x, parts, strict=True):
        found = [START, *(ids.get(token, UNKNOWN) for token in part)][-length:]
        row[length - len(found) :] = found
    return x


def tagged(outputs: Any, sentences: Sequence[Sequence[str]], labels: Sequence[str]) -> Any:
    """The tag of each token of each sentence, from the model's outputs (n, steps, outputs)."""
    if outputs.shape[-1] == 1:  # the probability of the second label
        outputs = np.concatenate([1 - outputs, outputs], axis=-1)
    found: list[list[str]] = [[] for _ in sentences]
    parts = pieces(sentences, outputs.shape[1])
    for (number, part), each in zip(parts, outputs.argmax(axis=-1), strict=True):
        found[number] += [labels[at] for at in each[len(each) - len(part) :]]
    return found


if __name__ == "__main__":
    sys.exit(main())

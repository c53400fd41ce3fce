"""Label texts with the model in this folder: python predict.py "text one" "text two"

Prints a line for each text: its label, a tab, and the probability of that label. A model that
labels each of the last steps prints their labels; one that continues texts prints the likeliest
character that comes next, and its probability. Needs Keras, NumPy and Python, nothing else.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
PADDING, START, UNKNOWN = 0, 1, 2  # ids; those of words follow id 3, which is not used


def main() -> int:
    texts = sys.argv[1:]
    if texts in ([], ["-h"], ["--help"]):
        print(__doc__, file=sys.stderr if not texts else sys.stdout)
        return 2 if not texts else 0
    about = json.loads((FOLDER / "params.json").read_text(encoding="utf-8"))
    x = encoded(texts, about["hyperparameters"]["sequence_length"])
    import keras  # here: it takes seconds

    model = keras.models.load_model(FOLDER / "model.keras", compile=False)
    for line in lines(model.predict(x, verbose=0), about):
        print(line)
    return 0


def encoded(texts: list[str], length: int) -> Any:
    """The last `length` ids of each text after its start mark, padded in front: (n, length)."""
    words = (FOLDER / "vocabulary.txt").read_bytes().decode("utf-8", "surrogatepass").split("\n")
    ids = {word: number for number, word in enumerate(words[:-1]) if number > 3}
    rule = json.loads((FOLDER / "tokenizer.json").read_text(encoding="utf-8"))
    pattern = re.compile(rule["pattern"])
    x = np.full((len(texts), length), PADDING, np.int32)
    for row, text in zip(x, texts, strict=True):
        tokens = pattern.findall(text.lower() if rule["lower"] else text)
        if rule["one_space"]:
            blank = rule.get("blank", " ")
            tokens = [blank if token.isspace() else token for token in tokens]
        found = [START, *(ids.get(token, UNKNOWN) for token in tokens)][-length:]
        row[length - len(found) :] = found
    return x


def lines(outputs: Any, about: dict[str, Any]) -> Iterator[str]:
    """What the model says of each text."""
    labels = about["labels"]
    if not labels:  # it predicts a number
        scaling = {"y_mean": [0.0], "y_std": [1.0], **about.get("scaling", {})}
        for value in outputs[:, 0] * scaling["y_std"][0] + scaling["y_mean"][0]:
            yield f"{value:.9g}"
        return
    if outputs.shape[-1] == 1:  # the probability of the second label
        outputs = np.concatenate([1 - outputs, outputs], axis=-1)
    if about["dataset"].get("bits"):  # what follows the last character
        outputs = outputs[:, -1]
    for each in outputs:
        if each.ndim == 2:  # a label for each of the last steps
            yield "\t".join(labels[at] for at in each.argmax(axis=-1))
        else:
            yield f"{labels[each.argmax()]}\t{each.max():.4f}"


if __name__ == "__main__":
    sys.exit(main())

"""The answer of the training example with the smallest edit distance."""

import numpy as np

from harness.datasets.base.dataset import Arrays
from harness.search import nearest_pair


def distance(a: list[int], b: list[int]) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(
        distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0])
    )


def arrays(random: np.random.RandomState, n: int) -> Arrays:
    """Up to five words from 4 on with padding and a start mark in front; answers of 2 steps."""
    x = np.zeros((n, 8), np.int32)
    for row in x:
        count = random.randint(1, 6)
        row[5 - count : 6] = [1, *random.randint(4, 8, count)]
    return Arrays(x, random.randint(0, 9, (n, 2)).astype(np.int32))


def test_answers_are_those_of_the_nearest_example() -> None:
    random = np.random.RandomState(0)
    train, asked = arrays(random, 30), arrays(random, 12)
    found = nearest_pair.answers(train, asked)
    for row, answer in zip(asked.x, found, strict=True):
        question = [word for word in row[:-2] if word > 3]
        known = [[word for word in each[:-2] if word > 3] for each in train.x]
        best = int(np.argmin([distance(question, each) for each in known]))
        assert answer.tolist() == train.y[best].tolist()


def test_of_what_was_seen_the_answer_is_right() -> None:
    train = arrays(np.random.RandomState(1), 40)
    distinct = Arrays(*(each[np.unique(train.x, axis=0, return_index=True)[1]] for each in (
        train.x, train.y)))  # fmt: skip
    assert (nearest_pair.answers(distinct, distinct) == distinct.y).all()

"""A linear model as a baseline: no word order, no recurrence, nothing on a GPU. No Keras.

Texts and tokens become TF-IDF weights, numbers stay what they are. On them stands scikit-learn's
logistic regression or, where a number is predicted, its ridge regression.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from harness.core.metrics import R2, scored
from harness.datasets.base.dataset import Arrays, Dataset, Split
from harness.datasets.base.naive import ALPHAS
from harness.datasets.base.text import INDEX_FROM

# The weights of the penalty, the strongest first; scikit-learn's LogisticRegression has C = 1 / it.
PENALTIES = (10.0, 1.0, 0.1, 0.01)
MAX_TERMS = 50_000  # words and pairs of words
MAX_COLUMNS = 20_000  # numbers of an example, steps × features
MAX_WEIGHTS = 500_000  # terms × classes: with many classes fewer terms, so that it takes seconds
MAX_NUMBERS = 50_000_000  # examples × columns × classes
MAX_STEPS = 5_000_000  # of tokens that are turned into terms at once; they take 500 MB
MAX_ITERATIONS = 100  # of the solver; what is not done by then hardly changes any prediction


@dataclass(frozen=True)
class Fitted:
    """The predictions for a split as scores (n,), the best model's validation score and loss.

    `weights` counts its coefficients; `penalty` is the one that was chosen.
    """

    scores: NDArray[Any]
    validated: float
    loss: float
    weights: int
    penalty: float


def applies_to(dataset: Dataset) -> bool:
    """Not where each step has its own class, nor to forecasts: they have a ridge autoregression."""
    return not dataset.steps and not dataset.signature.horizon


def fit(dataset: Dataset, split: Split, *, sequence_length: int, vocabulary: int) -> Fitted:
    """Learn from the training split, choose the penalty by validation loss, and score `split`.

    The model gets the examples as networks do: the last `sequence_length` steps, and ids below
    `vocabulary`. Of very many it learns from some, evenly spread. Raises ValueError for data that
    scikit-learn refuses, such as NaN.
    """

    def load(each: Split) -> Arrays:
        found = dataset.load(each, sequence_length=sequence_length, vocabulary=vocabulary)
        assert isinstance(found, Arrays)
        return found

    train = load("train")
    most = _most_examples(dataset, train)
    train, held_out, scored_on = (
        _spread(train, most),
        _spread(load("validation"), most),
        load(split),
    )
    encode = _encoder(dataset, train.x)
    models = list(_models(encode(train.x), train.y, classes=dataset.classes))
    validation = encode(held_out.x)
    losses = [_loss(model, validation, held_out.y, dataset.classes) for _, model in models]
    best = int(np.argmin(losses))  # the first, of the strongest penalty, where several are equal
    penalty, model = models[best]
    metric = R2 if dataset.metric == R2 else "accuracy"
    validated = scored(model.predict(validation), held_out.y, metric)
    pieces = [scored_on.x[first : first + most] for first in range(0, len(scored_on), most)]
    predicted = np.concatenate([model.predict(encode(piece)) for piece in pieces])
    return Fitted(
        scores=scored(predicted, scored_on.y, dataset.metric),
        validated=float(np.mean(validated)),
        loss=losses[best],
        weights=int(np.size(model.coef_) + np.size(model.intercept_)),
        penalty=penalty,
    )


def _most_examples(dataset: Dataset, train: Arrays) -> int:
    """How many examples are learned from, and encoded at once."""
    if not dataset.features:
        return max(1, MAX_STEPS // int(train.x.shape[1]))
    return max(1, MAX_NUMBERS // (4 * dataset.features * max(1, dataset.classes)))


def _spread(split: Arrays, most: int) -> Arrays:
    """At most so many examples, evenly spread."""
    if len(split) <= most:
        return split
    return Arrays(*split.examples(np.linspace(0, len(split) - 1, most).astype(np.int64)))


def _models(x: Any, y: NDArray[Any], *, classes: int) -> Iterator[tuple[float, Any]]:
    """A fitted model for each penalty, the strongest first."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    if not classes:
        for penalty in ALPHAS:
            yield penalty, Ridge(alpha=penalty, solver="lsqr").fit(x, y)
        return
    before: Any = None
    for penalty in PENALTIES:
        model = LogisticRegression(C=1 / penalty, max_iter=MAX_ITERATIONS, warm_start=True)
        if before is not None:  # the last solution is near the next one
            model.coef_, model.intercept_ = before.coef_.copy(), before.intercept_.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            before = model.fit(x, y)
        yield penalty, model


def _loss(model: Any, x: Any, y: NDArray[Any], classes: int) -> float:
    """The mean negative log-likelihood of the classes, or the mean squared error."""
    if not classes:
        return float(np.mean((model.predict(x) - y) ** 2))
    with np.errstate(divide="ignore"):
        found = model.predict_log_proba(x)
    places = np.minimum(np.searchsorted(model.classes_, y), len(model.classes_) - 1)
    seen = model.classes_[places] == y  # the training split may lack a class
    likely = np.where(seen, found[np.arange(len(y)), places], -np.inf)
    return -float(np.mean(np.maximum(likely, np.log(np.finfo(np.float64).tiny))))


def _encoder(dataset: Dataset, train: NDArray[Any]) -> Callable[[NDArray[Any]], Any]:
    """From inputs to a matrix (n, columns); it is made from the training split's inputs alone."""
    if not dataset.features:
        return _tf_idf(train, pairs=dataset.input == "text", classes=dataset.classes)
    from sklearn.preprocessing import StandardScaler

    columns = train.shape[1] * train.shape[2]
    cells = len(train) * columns * max(1, dataset.classes)
    whole = columns <= MAX_COLUMNS and cells <= MAX_NUMBERS

    def flat(x: NDArray[Any]) -> NDArray[Any]:
        return x.reshape(len(x), -1) if whole else _summaries(x)

    scaler = StandardScaler().fit(flat(train))
    return lambda x: scaler.transform(flat(x))


def _summaries(x: NDArray[Any]) -> NDArray[Any]:
    """Mean, standard deviation, first and last value of each feature: (n, 4 × features)."""
    return np.concatenate([x.mean(axis=1), x.std(axis=1), x[:, 0], x[:, -1]], axis=1)


def _tf_idf(train: NDArray[Any], *, pairs: bool, classes: int) -> Callable[[NDArray[Any]], Any]:
    """Term frequency × inverse document frequency, of tokens and with `pairs` of neighbours.

    The terms are the most frequent ones of the training split.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    counted = _Terms.of(train, pairs=pairs)
    most = min(MAX_TERMS, max(1_000, MAX_WEIGHTS // max(1, classes)))
    found, counts = np.unique(counted.codes, return_counts=True)
    terms = np.sort(found[np.argsort(-counts, kind="stable")[:most]])
    transformer = TfidfTransformer(sublinear_tf=True).fit(counted.matrix(terms))
    return lambda x: transformer.transform(_Terms.of(x, pairs=pairs).matrix(terms))


@dataclass(frozen=True)
class _Terms:
    """The terms of examples: `codes[i]` is in example `rows[i]`, of `examples` in all."""

    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    examples: int

    @classmethod
    def of(cls, x: NDArray[Any], *, pairs: bool) -> Self:
        """The terms of ids (n, steps): known tokens, and pairs of them that are neighbours.

        A token's code is its id. A pair's is that of its first token in the upper half of 64 bits.
        """
        ids = x.astype(np.int64)
        known = ids > INDEX_FROM
        rows, steps = np.nonzero(known)
        codes = ids[rows, steps]
        if pairs:
            before, first = np.nonzero(known[:, 1:] & known[:, :-1])
            both = (ids[before, first] << 32) | ids[before, first + 1]
            rows, codes = np.concatenate([rows, before]), np.concatenate([codes, both])
        return cls(rows, codes, len(x))

    def matrix(self, terms: NDArray[np.int64]) -> Any:
        """How often each of the `terms`, which are sorted, is in each example: sparse."""
        from scipy.sparse import csr_matrix

        places = np.minimum(np.searchsorted(terms, self.codes), max(0, len(terms) - 1))
        kept = terms[places] == self.codes if len(terms) else np.zeros(len(places), bool)
        ones = np.ones(np.count_nonzero(kept))
        shape = (self.examples, max(1, len(terms)))
        return csr_matrix((ones, (self.rows[kept], places[kept])), shape=shape)

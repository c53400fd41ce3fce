"""What the recommended model predicts, example by example: mistakes by class, or errors."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from harness.analysis import trained_model
from harness.analysis.summary import recommended_arm
from harness.core.text import cut
from harness.datasets.base.predictions import Predictions
from harness.results.predictions import read_predictions
from harness.results.records import Records
from reports import cells, wording
from reports.charts import chart, scales
from reports.content import Column, Data, Fact, Figure, Row, Section, Table, Value

ORDER = 23
MAX_MATRIX = 12  # classes; a larger matrix can't be read
MAX_CLASSES = 200  # nobody reads a table of more
MAX_DOTS = 500
MAX_TEXT = 240  # characters of an input that is shown


def build(records: Records) -> Section | None:
    """None for forecasts, more than MAX_CLASSES, and run directories without stored predictions."""
    arm = recommended_arm(records)
    if arm is None or records.horizon is not None:
        return None
    found = read_predictions(trained_model.folder_of(records, arm))
    if found is None:
        return None
    if not found.certainty.size:
        return _numbers(records, arm, found)
    if max(found.truth.max(), found.predicted.max()) >= MAX_CLASSES:
        return None
    return _classes(records, arm, found)


def _which(records: Records, arm: str) -> str:
    """Whose predictions these are: one model, not the mean of all replicates."""
    label = wording.arm_label(records, arm) if len(records.arms) > 1 else "the configuration found"
    return (
        f"These are predictions of one model, the one that is kept of {label} (replicate 1), on "
        f"the {records.scored_split} split"
    )


def _classes(records: Records, arm: str, found: Predictions) -> Section:
    labels = _labels(records, arm, found)
    truth, predicted = (each.ravel().astype(np.int64) for each in (found.truth, found.predicted))
    real = truth >= 0  # other time steps are padding
    truth, predicted = truth[real], predicted[real]
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, (truth, predicted), 1)
    noun = "time steps" if found.truth.ndim > 1 else wording.examples(records)
    right = int(np.trace(counts))
    share = Value(f"{100 * right / len(truth):.1f}\u00a0%", 100 * right / len(truth))
    small = len(labels) <= MAX_MATRIX
    return Section(
        id="predictions",
        title="Where the model is right and wrong",
        text=(
            f"{_which(records, arm)}: {right:,} of {len(truth):,} {noun} right ({share.text}). "
            f"{_confused(labels, counts)}",
        ),
        figures=(_matrix(labels, counts, noun),) if small else (),
        tables=(_by_class(labels, counts, noun), *_mistakes(labels, found)),
    )


def _labels(records: Records, arm: str, found: Predictions) -> list[str]:
    """The classes' names; numbers where the model's file has none."""
    card = trained_model.model_card(records, arm) or {}
    named = card.get("labels")
    most = int(max(found.truth.max(), found.predicted.max())) + 1
    names = [cut(str(each), 40) for each in named] if isinstance(named, list) else []
    return names + [str(number) for number in range(len(names), most)]


def _confused(labels: list[str], counts: NDArray[np.int64]) -> str:
    """The most frequent mistake, in words."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    if not wrong.any():
        return "It makes no mistake."
    a, b = (int(each) for each in np.unravel_index(wrong.argmax(), wrong.shape))
    of = int(counts[a].sum())
    return (
        f"The most frequent mistake: {labels[a]} taken for {labels[b]}, in {wrong[a, b]:,} of "
        f"{of:,} cases of {labels[a]}."
    )


def _matrix(labels: list[str], counts: NDArray[np.int64], noun: str) -> Figure:
    """Rows are true classes, columns predicted ones; the stronger, the larger the row's share."""
    number = len(labels)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    short = [wording.shorten(each, 14) for each in labels]

    def draw(axes: Axes) -> None:
        for row, column in np.ndindex(counts.shape):
            share = float(shares[row, column])
            axes.add_patch(
                Rectangle(
                    (column - 0.48, row - 0.46), 0.96, 0.92, facecolor=chart.SERIES[0],
                    alpha=0.04 + 0.5 * share, edgecolor="none",
                )
            )  # fmt: skip
            text = f"{counts[row, column]:,}"
            if number <= 5:
                text += f"\n{100 * share:.0f}\u00a0%"
            axes.text(
                column, row, text, ha="center", va="center", color=chart.INK,
                fontsize=11 if number <= 5 else 8.5,
            )  # fmt: skip
        scales.categories(axes, "x", short)
        scales.categories(axes, "y", short)
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.set_xlabel("Predicted")
        axes.set_title("True class (rows), predicted class (columns)")
        if number > 5:
            axes.tick_params(axis="x", rotation=90)

    rows = "; ".join(
        f"of {label}, {counts[row].sum():,} {noun}, {counts[row, row]:,} right"
        for row, label in enumerate(labels)
    )
    return Figure(
        id="confusion-figure",
        panels=(
            chart.panel(
                "confusion", f"Confusion matrix of {number} classes: {rows}.", draw,
                height=max(chart.HEIGHT, 90 + 30 * number),
            ),
        ),
        caption=f"Confusion matrix, in {noun}. Shares are of the row, so the diagonal has the "
        "accuracy of each true class.",
        data=Data(
            ("true", "predicted", noun.replace(" ", "_")),
            tuple(
                (labels[row], labels[column], int(counts[row, column]))
                for row, column in np.ndindex(counts.shape)
            ),
        ),
    )  # fmt: skip


def _by_class(labels: list[str], counts: NDArray[np.int64], noun: str) -> Table:
    from scipy import stats

    rows = []
    for each, label in enumerate(labels):
        of, right, taken = int(counts[each].sum()), int(counts[each, each]), counts[:, each].sum()
        others = counts[each].copy()
        others[each] = 0
        interval = wording.MISSING
        if of:
            low, high = stats.binomtest(right, of).proportion_ci(method="wilson")
            interval = f"{100 * low:.1f} to {100 * high:.1f}\u00a0%"
        rows.append(
            Row(
                (
                    label,
                    cells.count(of),
                    _share(right, of),
                    interval,
                    cells.count(int(taken)),
                    _share(right, int(taken)),
                    labels[int(others.argmax())] if others.any() else wording.MISSING,
                )
            )
        )
    return Table(
        id="accuracy-by-class",
        caption="Accuracy by class; intervals (Wilson) are over examples alone",
        columns=(
            Column("True class"),
            Column(wording.capital(noun), True),
            Column("Right", True, "%"),
            Column("95\u00a0% interval", True),
            Column("Predicted", True),
            Column("Of these right", True, "%"),
            Column("Most often taken for"),
        ),
        rows=tuple(rows),
    )


def _share(part: int, of: int) -> Value | str:
    return Value(f"{100 * part / of:.1f}\u00a0%", 100 * part / of) if of else wording.MISSING


def _mistakes(labels: list[str], found: Predictions) -> tuple[Table, ...]:
    """The most certain mistakes, with what the network read where that is words."""
    if not found.mistakes.size:
        return ()
    read = list(found.inputs) if len(found.inputs) == len(found.mistakes) else []
    rows = []
    for place, example in enumerate(found.mistakes.tolist()):
        certainty = 100 * float(found.certainty[example])
        rows.append(
            Row(
                (
                    f"{example + 1:,}",
                    labels[int(found.truth[example])],
                    labels[int(found.predicted[example])],
                    Value(f"{certainty:.1f}\u00a0%", certainty),
                    *((_end(read[place]),) if read else ()),
                )
            )
        )
    return (
        Table(
            id="certain-mistakes",
            caption="The most certain mistakes"
            + (
                ", with the last words that the network read; … is a word unknown to it"
                * bool(read)
            ),
            columns=(
                Column("Example", True),
                Column("True"),
                Column("Predicted"),
                Column("Certainty", True, "%"),
                *((Column("Text"),) if read else ()),
            ),
            rows=tuple(rows),
        ),
    )


def _end(text: str) -> str:
    """The last MAX_TEXT characters of an input, from the beginning of a word."""
    text = " ".join(text.split())
    if len(text) <= MAX_TEXT:
        return text
    tail = text[-MAX_TEXT:]
    return f"[…] {tail.partition(' ')[2] or tail}"


def _numbers(records: Records, arm: str, found: Predictions) -> Section:
    truth, predicted = (
        np.asarray(each, np.float64).ravel() for each in (found.truth, found.predicted)
    )
    errors = predicted - truth
    absolute = np.abs(errors)
    spread = float(((truth - truth.mean()) ** 2).sum())
    r2 = 1 - float((errors**2).sum()) / spread if spread else None
    mae, half = float(absolute.mean()), 1.96 * float(absolute.std()) / len(absolute) ** 0.5
    facts = (
        Fact("R²", wording.MISSING if r2 is None else f"{r2:.2f}".replace("-", "−"), "share of the "
             "variance that is explained"),
        Fact("Mean absolute error", _number(mae), f"in the unit of y; 95\u00a0% interval over "
             f"examples {_number(max(0.0, mae - half))} to {_number(mae + half)}"),
        Fact("Root mean squared error", _number(float((errors**2).mean() ** 0.5)),
             "in the unit of y"),
        Fact("90\u00a0% of errors", f"within ±{_number(float(np.quantile(absolute, 0.9)))}",
             "in the unit of y"),
    )  # fmt: skip
    bias = float(errors.mean())
    direction = "too high" if bias > 0 else "too low"
    return Section(
        id="predictions",
        title="Predicted and true numbers",
        text=(
            f"{_which(records, arm)}, {len(truth):,} {wording.examples(records)}. On average they "
            f"are {_number(abs(bias))} {direction}.",
        ),
        facts=facts,
        figures=(_scatter(truth, predicted),),
    )


def _number(value: float) -> str:
    return wording.significant(value, 3).replace("-", "−")


def _scatter(truth: NDArray[np.float64], predicted: NDArray[np.float64]) -> Figure:
    """Each dot is an example; on the line, the prediction is right."""
    order = np.argsort(truth, kind="stable")
    # Of many, every k-th in the order of truth, so that all of its range is seen.
    drawn = order[:: -(-len(order) // MAX_DOTS)]
    x, y = truth[drawn], predicted[drawn]
    low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
    room = 0.04 * (high - low) or 1.0

    def square(axes: Axes) -> None:
        axes.plot((low, high), (low, high), color=chart.INK, linewidth=1, linestyle=(0, (4, 3)))
        dots: dict[str, Any] = {"color": chart.SERIES[0], "alpha": 0.6, "linewidths": 0}
        axes.scatter(x, y, s=16, zorder=3, **dots)
        for axis in ("x", "y"):
            scales.linear(axes, axis)
        axes.set_xlim(low - room, high + room)
        axes.set_ylim(low - room, high + room)
        axes.set_xlabel("True number")
        axes.set_title("Predicted number")

    def residuals(axes: Axes) -> None:
        axes.axhline(0, color=chart.INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.scatter(x, y - x, s=16, zorder=3, color=chart.SERIES[0], alpha=0.6, linewidths=0)
        scales.linear(axes, "x")
        scales.linear(axes, "y")
        axes.set_xlabel("True number")
        axes.set_title("Predicted minus true number")

    named = {"true numbers": truth, "predictions": predicted}
    same = [f"all {name} are the same" for name, numbers in named.items() if not np.ptp(numbers)]
    told = (
        wording.listing(same) or f"their correlation is {np.corrcoef(truth, predicted)[0, 1]:.2f}"
    )
    alt = (
        f"Scatter plot of predicted against true numbers of {len(drawn):,} examples: true ones go "
        f"from {_number(float(truth.min()))} to {_number(float(truth.max()))}, predicted ones from "
        f"{_number(float(predicted.min()))} to {_number(float(predicted.max()))}; {told}."
    )
    thirds = np.array_split(order, 3) if len(order) > 2 else [order]
    means = [_number(float((predicted - truth)[each].mean())) for each in thirds]
    errors_alt = (
        "Scatter plot of predicted minus true numbers against true ones: the mean error from the "
        f"lowest to the highest third of the true numbers is {wording.listing(means)}."
    )
    few = f" Drawn are {len(drawn):,} of {len(truth):,}." if len(drawn) < len(truth) else ""
    return Figure(
        id="predicted-figure",
        panels=(
            chart.panel("predicted-true", alt, square),
            chart.panel("predicted-errors", errors_alt, residuals),
        ),
        caption=f"Each dot is an example; on the dashed line the prediction is right.{few}",
        data=Data(
            ("true", "predicted"),
            tuple((_plain(a), _plain(b)) for a, b in zip(x, y, strict=True)),
        ),
    )


def _plain(value: float) -> float:
    return float(f"{float(value):.6g}")

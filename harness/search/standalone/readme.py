"""`README.md` beside a trained model: what each file is, how good the model is, how to use it."""

from collections.abc import Mapping
from typing import Any

from harness.core import environment
from harness.core.metrics import metric_of
from harness.core.text import cut
from harness.results.training_folder import (
    DATA,
    EXAMPLE,
    KERAS_MODEL,
    PARAMS,
    PREDICT,
    README,
    TOKENIZER,
    TRAIN,
    VOCABULARY,
)

_FILES = {
    KERAS_MODEL: "the model, with its weights; `keras.models.load_model` reads it",
    PARAMS: "hyperparameters, labels, scaling, and how inputs are encoded",
    VOCABULARY: "the known words, one a line; the first line has id 0",
    TOKENIZER: "how a text becomes words: a pattern of Python's `re`",
    PREDICT: "predicts with Keras and NumPy alone",
    TRAIN: "the network and its training, layer by layer; trains it again",
    DATA: "what train.py learns from",
    EXAMPLE: "forecasts what follows a table, with Keras, NumPy and pandas alone",
}
_USES = {
    "texts": 'python predict.py "text one" "text two"',
    "symbols": 'python predict.py "a b c" "c b a"    # symbols with blanks between them',
    "stream": 'python predict.py "The film w"    # the likeliest next character, its probability',
    "translation": 'python predict.py "one hundred and two"    # words with blanks between them',
    "numbers": "python predict.py new.npz    # x (n, length, features), and lengths; or JSON Lines",
    "forecast": "python forecast.py newer.csv",
}


def text(
    params: Mapping[str, Any], record: Mapping[str, Any], names: tuple[str, ...], backend: str
) -> str:
    """The page of a model with these `params.json` and result, beside files of these `names`.

    `record` has the score and the size of the model; `backend` is Keras's when it was trained.
    """
    facts = {**params["dataset"], **params.get("forecast", {})}
    metric, split = metric_of(facts), params["split"]
    score = f"{metric.name} {metric.text(params['scored_accuracy'])}"
    known = environment.versions()
    versions = {name: known[name] for name in ("keras", backend) if name in known}
    trained = " and ".join(f"{name} {version}" for name, version in versions.items())
    needed = " ".join(f"{name}=={version}" for name, version in versions.items())
    size = f", {record['parameters']:,} parameters" if record.get("parameters") else ""
    lines = [
        f"# A trained model: {cut(params['arm'])}",
        "",
        f"- Data: {cut(str(params['dataset'].get('file') or params['dataset']['name']))}",
        f"- Network: {_network(params['hyperparameters'])}{size}",
        f"- Score on the {split} split, {record['scored_n']:,} examples: {score}",
        f"- Trained with {trained} (backend {backend}), seed {params['seed']}",
        "",
        "| file | what it is |",
        "|---|---|",
        *(f"| `{name}` | {told} |" for name, told in _FILES.items() if name in names),
        f"| `{README}` | this page |",
        "",
        "## Predict",
        "",
        *_predict(params, names),
        "",
        f"The versions that it was trained with: `pip install numpy {needed}`",
    ]
    return "\n".join(lines) + "\n"


def _network(hyperparameters: Mapping[str, Any]) -> str:
    values = [f"{name} {value}" for name, value in hyperparameters.items()]
    return cut(", ".join(values), 400)


def _predict(params: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    if EXAMPLE in names:
        use = "forecast"
    elif PREDICT not in names:
        return [
            "There is no script for this network. Load it with",
            f'`keras.models.load_model("{KERAS_MODEL}")`; layers of your own must be registered',
            f"with Keras first. `encoding` in `{PARAMS}` says what the inputs are.",
        ]
    elif TOKENIZER not in names:
        use = "numbers"
    elif params["dataset"].get("bits"):
        use = "stream"
    elif params["dataset"].get("decodes"):
        use = "translation"
    else:
        use = "texts" if params["input"] == "text" else "symbols"
    return ["```sh", _USES[use], "```"]

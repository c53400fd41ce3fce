"""The files beside a trained model, with which it can be used without this package. No Keras."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.core import files
from harness.datasets.base.dataset import Dataset
from harness.datasets.base.tokenizers import TOKENIZERS
from harness.datasets.files.tags import TagFiles
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
from harness.search import example
from harness.search.standalone import packaged_data, patterns, readme, training_code
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.spec.study import Study

_SCRIPTS = Path(__file__).parent / "standalone"


def write(
    folder: Path,
    dataset: Dataset,
    hyperparameters: Hyperparameters,
    record: Mapping[str, Any],
    *,
    study: Study,
) -> None:
    """Write vocabulary, hyperparameters, the script that predicts, and a README.

    `record` is the training's result. A network that a function of the study's builds may have
    layers that stock Keras doesn't have, so it has no script.
    """
    built = study.model is not None and hyperparameters.cell != BAG
    facts = dataset.facts()
    words = dataset.words(hyperparameters.vocabulary)
    params = {
        "arm": record["arm"],
        "replicate": record["replicate"],
        "seed": record["seed"],
        "hyperparameters": hyperparameters.to_mapping(),
        "dataset": dataset.to_mapping(),
        "input": dataset.input,
        "tokenizer": dataset.tokenizer,
        "labels": list(dataset.labels) or [str(number) for number in range(dataset.classes)],
        "encoding": dataset.encoding,
        **({"scaling": scaling} if (scaling := dataset.scaling()) else {}),
        **({"forecast": facts} if facts else {}),
        "split": record["split"],
        "scored_accuracy": record["scored_accuracy"],
    }
    text = "".join(f"{word}\n" for word in words)
    contents: dict[str, str | bytes] = {
        VOCABULARY: text.encode("utf-8", "surrogatepass"),
        PARAMS: files.to_json(params) + "\n",
    }
    if facts:
        contents[EXAMPLE] = example.code(params)
    elif not built and dataset.features:
        contents[PREDICT] = (_SCRIPTS / "predict_numbers.py").read_text(encoding="utf-8")
    elif not built and words and (dataset.input != "text" or dataset.tokenizer in TOKENIZERS):
        rule = patterns.rule(dataset.tokenizer if dataset.input == "text" else None)
        rule = patterns.STREAM if dataset.signature.bits else rule
        contents[TOKENIZER] = files.to_json(rule) + "\n"
        script = "predict_tags.py" if isinstance(dataset, TagFiles) else "predict_texts.py"
        script = "predict_translation.py" if dataset.signature.decodes else script
        contents[PREDICT] = (_SCRIPTS / script).read_text(encoding="utf-8")
    training = training_code.code(dataset, hyperparameters, study.budget.epochs, study.patience)
    if PREDICT in contents and training is not None:
        contents[TRAIN] = training
        if content := packaged_data.file(dataset, hyperparameters):
            contents[DATA] = content
    names = (*contents, KERAS_MODEL)
    contents[README] = readme.text(params, record, names, study.backend)
    for name, each in contents.items():
        if name == DATA and isinstance(each, bytes):
            _write_once(folder / name, each)
        else:
            files.write_atomically(folder / name, each)


def _write_once(file: Path, content: bytes) -> None:
    """Write a file, or give one of another replicate with the same content this name as well.

    The data of a study may be tens of megabytes, and every search keeps a model.
    """
    replicates = next((each for each in file.parents if each.name == "replicates"), file.parent)
    for other in replicates.rglob(file.name):
        if other.stat().st_size == len(content) and other.read_bytes() == content:
            if file.exists() and other.samefile(file):
                return
            with contextlib.suppress(OSError), files.replacing(file) as temporary:
                temporary.hardlink_to(other)
                return
    files.write_atomically(file, content)

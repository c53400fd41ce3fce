"""What a study's data were understood to be, said before anything is trained. No Keras."""

from collections.abc import Iterator

from harness.datasets.base.contents import Contents
from harness.datasets.base.text import MARKS
from harness.datasets.base.vectors import lookup
from harness.search.baselines import largest
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Study
from harness.study.options import Options
from harness.study.overrides import narrowed


def understood(options: Options, declared: Study, study: Study) -> Contents:
    """The contents of the study's dataset, with what is cut from the declared study for them."""
    contents = study.dataset.contents(options.notify)
    return contents.with_notes([*narrowed(declared, study), *_of_vectors(study)])


def _of_vectors(study: Study) -> Iterator[str]:
    """How many words of the largest vocabulary each file of pretrained vectors has."""
    for path in study.pretrained:
        most = largest(study, "vocabulary").get("vocabulary", Hyperparameters.vocabulary)
        words = study.dataset.words(most)
        found = len(lookup(path, words).ids)
        yield (
            f"pretrained: {path} has vectors of {found:,} of the vocabulary's "
            f"{max(0, len(words) - len(MARKS)):,} words; the others start at random"
        )


def announce(options: Options, declared: Study, study: Study) -> None:
    """Prepare the dataset, and say what it was understood to be."""
    for line in understood(options, declared, study).lines():
        options.notify(f"data: {line}")

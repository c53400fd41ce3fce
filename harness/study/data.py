"""What a study's data were understood to be, said before anything is trained. No Keras."""

from harness.datasets.base.contents import Contents
from harness.spec.study import Study
from harness.study.options import Options
from harness.study.overrides import narrowed


def understood(options: Options, declared: Study, study: Study) -> Contents:
    """The contents of the study's dataset, with what is cut from the declared study for them."""
    contents = study.dataset.contents(options.notify)
    return contents.with_notes(narrowed(declared, study))


def announce(options: Options, declared: Study, study: Study) -> None:
    """Prepare the dataset, and say what it was understood to be."""
    for line in understood(options, declared, study).lines():
        options.notify(f"data: {line}")

"""The recommended configuration as a script of stock Keras, which stands beside its model."""

import contextlib

from harness.analysis import trained_model
from harness.analysis.summary import recommended_arm
from harness.core.text import escape_surrogates
from harness.results.records import Records
from harness.results.training_folder import TRAIN
from reports import wording
from reports.content import Command, Section

ORDER = 75


def build(records: Records) -> Section | None:
    """None without a script: before replicates, and for data that none reads (docs/usage.md)."""
    arm = recommended_arm(records)
    if arm is None:
        return None
    file = trained_model.folder_of(records, arm) / TRAIN
    code = ""
    with contextlib.suppress(OSError, ValueError):
        code = escape_surrogates(file.read_text(encoding="utf-8")).strip()
    if not code:
        return None
    which = wording.arm_label(records, arm) if len(records.arms) > 1 else "what was found"
    return Section(
        id="keras-code",
        title="As Keras code",
        text=(
            f"The configuration of {which} as a script: it trains the network again, and needs "
            "Keras and NumPy, nothing of this package. Its folder has what it reads.",
        ),
        commands=(Command(f"{TRAIN}, in {file.parent}", code),),
    )

"""Where trainings are faster side by side than one after another. A fixed rule; no Keras.

As with the paths, what is faster does not follow from a measurement within a study, since numbers
differ in the last bits. The rule comes from committed measurements: see `derive` in
`tests/benchmarks/side_by_side_speed.py`.
"""

from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters

MOST_MEMBERS = 32  # of a group: its memory grows with each

# By device (a CPU is one core), inputs and cell: for layers of up to so many units the least
# members with which they are faster, smallest layers first. What is not here is trained alone.
SIDE_BY_SIDE: dict[str, dict[str, dict[str, tuple[tuple[int, int], ...]]]] = {}


def faster_side_by_side(
    hp: Hyperparameters, signature: Signature, members: int, *, device: str
) -> bool:
    """Whether so many trainings of a shape are faster at once on a device, with JAX."""
    inputs = "numbers" if signature.features else "words"
    for units, least in SIDE_BY_SIDE.get(device, {}).get(inputs, {}).get(hp.cell, ()):
        if max(hp.units_per_layer) <= units:
            return members >= least
    return False

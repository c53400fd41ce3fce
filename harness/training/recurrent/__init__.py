"""Execution paths of recurrent layers, and the choice between them.

A path is how a recurrent stack is executed. `keras` runs the stock layers of Keras: this is the
reference, and on a GPU it uses cuDNN. `xla-scan` runs the same layers as a scan written for XLA, on
TensorFlow and on JAX.
`xla-kernel` is that scan with each loop compiled into one kernel, for layers of few units.
Importing this package imports no Keras.
"""

from harness.spec.choices import PATHS
from harness.training.recurrent.choice import choose_path, paths_from
from harness.training.recurrent.xla import set_xla_flags, xla_flags

__all__ = ["PATHS", "choose_path", "paths_from", "set_xla_flags", "xla_flags"]

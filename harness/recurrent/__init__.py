"""Execution paths of recurrent layers, and the choice between them.

A path is how a recurrent layer is executed: `keras` runs the stock layers of Keras (the reference;
on a GPU they use cuDNN), `xla-scan` runs the same layers as a scan written for XLA, several
times faster on a CPU. Importing this package imports neither Keras nor TensorFlow.
"""

from harness.recurrent.choice import PATHS, choose_path, paths_from

__all__ = ["PATHS", "choose_path", "paths_from"]

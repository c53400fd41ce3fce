"""Datasets that go wrong in the worker that loads them; importable there by PYTHONPATH."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from toys import Noise

from harness.datasets.base.dataset import Arrays, Split


@dataclass(frozen=True, kw_only=True)
class Faulty(Noise):
    """Goes wrong at its first `times` loads, counted in a file, then is an ordinary Noise."""

    counter: str
    fault: str
    times: int = 99
    name = "faulty"

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        counter = Path(self.counter)
        count = int(counter.read_text()) if counter.exists() else 0
        counter.write_text(str(count + 1))
        if count < self.times:
            if self.fault == "raises":
                raise RuntimeError("the disk of the reviews\nis gone")
            if self.fault == "exits":
                os._exit(0)
            if self.fault == "hangs":
                time.sleep(600)
            if self.fault == "allocates":
                hoard = []
                while True:
                    hoard.append(np.ones(10_000_000))
                    time.sleep(0.01)
        return super().load(split, sequence_length=sequence_length, vocabulary=vocabulary)

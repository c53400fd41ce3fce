"""The dataset `two-waves`: the next value of two sine waves and some noise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.core.metrics import R2
from harness.datasets.base.generated import Drawn, GeneratedTask
from harness.datasets.base.sequences import ENCODING as NUMBERS


@dataclass(frozen=True, kw_only=True)
class TwoWaves(GeneratedTask):
    """Each series is two sine waves of random frequency and phase, and uniform noise.

    The task is the next value after `length` steps. Over the whole series, time t goes from 0 to 1:

        0.5 sin((t − p₁) (10 + 10 f₁)) + 0.2 sin((t − p₂) (20 + 20 f₂)) + noise

    f and p are uniform from 0 to 1, the noise from −0.05 to 0.05. After the description in
    A. Géron, "Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow", 2nd edition
    (2019), chapter 15. The last value as a forecast has a mean squared error of about 0.020, the
    best linear model of all values about 0.003, and the noise alone 0.0008.
    """

    train: int = 7_000
    validation: int = 2_000
    test: int = 1_000
    length: int = 50

    name: ClassVar[str] = "two-waves"
    classes: ClassVar[int] = 0
    features: ClassVar[int] = 1
    input: ClassVar[str] = "numbers"
    encoding: ClassVar[str] = NUMBERS
    metric: ClassVar[str] = R2
    difficulty: ClassVar[str] = "length"
    least: ClassVar[dict[str, int]] = {"length": 2}

    @property
    def longest(self) -> int:
        return self.length

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        f1, f2, p1, p2 = random.uniform(size=(4, n, 1))
        time = np.linspace(0, 1, self.length + 1)
        series = 0.5 * np.sin((time - p1) * (10 + 10 * f1))
        series += 0.2 * np.sin((time - p2) * (20 + 20 * f2))
        series += random.uniform(-0.05, 0.05, series.shape)
        series = series.astype(np.float32)
        return list(series[:, :-1, None]), series[:, -1]

"""The dataset `mnist1d`: ten digits drawn as one-dimensional curves of 40 points."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.seeds import derive_seed
from harness.datasets.base.generated import Drawn, GeneratedTask
from harness.datasets.base.sequences import ENCODING as NUMBERS

# The curves of the digits 0 to 9, twelve points each.
TEMPLATES = np.array([
    [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
    [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
    [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
    [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
    [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
    [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
    [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
    [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
    [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
])  # fmt: skip
_POINTS = TEMPLATES.shape[1]
_PADDING = (36, 60)  # points after the curve, both ends included
_LENGTH = _POINTS + _PADDING[1]  # to which curve and padding are stretched
_SCALE, _SHEAR = 0.4, 0.75  # widths of the ranges
_SHIFT = 48  # points, by fewer of which it is shifted in a circle
_SMOOTH_NOISE, _SIGMA, _WHITE_NOISE = 0.25, 2.0, 0.02
_STEPS = 40
# Of 500,000 examples; the paper standardises with those of its own 5,000.
_MEAN, _DEVIATION = -0.0060, 0.1547


@dataclass(frozen=True, kw_only=True)
class Mnist1d(GeneratedTask):
    """A curve is stretched, scaled, shifted in a circle, sheared and made noisy; which digit is it?

    After the description in S. Greydanus and D. Kobak, "Scaling Down Deep Learning with MNIST-1D"
    (2020, arXiv:2011.14439), with the curves of its code (github.com/greydanus/mnist1d, Apache
    2.0). Each example is 40 steps of one number, about standardised. The digits are equally
    frequent, so chance level is 10 %. The paper has 4,000 training and 1,000 test examples, where
    logistic regression reaches 32 %, a perceptron 68 %, a convolutional network 94 %, a GRU 91 %
    and people 96 %. With `shuffled` the steps of all examples are in one other order, drawn from
    `data_seed`: the GRU then reaches 57 %, and the convolutional network 56 %.
    """

    train: int = 4_000
    validation: int = 1_000
    test: int = 1_000
    shuffled: bool = False

    name: ClassVar[str] = "mnist1d"
    classes: ClassVar[int] = len(TEMPLATES)
    features: ClassVar[int] = 1
    input: ClassVar[str] = "numbers"
    encoding: ClassVar[str] = NUMBERS
    labels: ClassVar[tuple[str, ...]] = tuple("0123456789")
    difficulty: ClassVar[str] = "shuffled"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.shuffled, bool):
            raise UserError(f"shuffled: {self.shuffled!r} is neither True nor False")

    @property
    def longest(self) -> int:
        return _STEPS

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        digits = random.permutation(np.arange(n) % self.classes)
        x = (_drawn(digits, random) - _MEAN) / _DEVIATION
        if self.shuffled:
            seed = derive_seed(self.data_seed, "shuffled")
            x = x[:, np.random.RandomState(seed).permutation(_STEPS)]
        return list(x.astype(np.float32)[:, :, None]), digits


def _drawn(digits: NDArray[np.int64], random: np.random.RandomState) -> NDArray[np.float64]:
    """A curve of each digit, (n, 40), not standardised."""
    from scipy.ndimage import gaussian_filter1d

    n = len(digits)
    curves = TEMPLATES - TEMPLATES.mean(axis=1, keepdims=True)
    curves /= curves.std(axis=1, keepdims=True)
    curves = (curves - curves[:, :1]) / 6.0  # they begin and end at 0, as the padding is
    padding = random.randint(_PADDING[0], _PADDING[1] + 1, n)
    # Where the stretched points are on the curve; beyond its last point they are padding.
    at = np.linspace(0, 1, _LENGTH) * (_POINTS - 1 + padding)[:, None]
    x = np.stack([
        np.interp(places, np.arange(_POINTS), curves[digit])
        for places, digit in zip(at, digits, strict=True)
    ])  # fmt: skip
    x *= 1 + _SCALE * (random.uniform(size=(n, 1)) - 0.5)
    # The noise of the padding is smooth, as the curve is.
    smooth = gaussian_filter1d(_SMOOTH_NOISE * random.normal(size=x.shape), _SIGMA, axis=1)
    shifted = (np.arange(_LENGTH) - random.randint(0, _SHIFT, (n, 1))) % _LENGTH
    x = np.where(
        np.take_along_axis(at, shifted, axis=1) < _POINTS,
        np.take_along_axis(x, shifted, axis=1),
        smooth,
    )
    x += _WHITE_NOISE * random.normal(size=x.shape)
    x -= _SHEAR * (random.uniform(size=(n, 1)) - 0.5) * np.linspace(-0.5, 0.5, _LENGTH)
    kept = np.linspace(0, _LENGTH - 1, _STEPS)
    return np.stack([np.interp(kept, np.arange(_LENGTH), row) for row in x])

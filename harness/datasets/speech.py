"""The dataset `speech`: spoken digits and commands in noise, by voices that were never heard.

`espeak-ng`, a program, speaks the words, and the package `kaldi-native-fbank` has the features.
"""

import functools
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.seeds import derive_seed
from harness.datasets.base import cache
from harness.datasets.base.contents import Contents, counts
from harness.datasets.base.dataset import SPLITS, Arrays, Split
from harness.datasets.base.generated import Drawn, GeneratedTask
from harness.datasets.base.sequences import ENCODING, padded
from harness.datasets.base.text import check_encoding

WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"),
)
# "en" is British. By its other name, "en-gb", espeak-ng 1.51 ignores the speaker.
ACCENTS = ("en", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029")
# espeak-ng's variants of a voice: each speaks with every accent, and in one split only.
SPEAKERS: dict[Split, tuple[str, ...]] = {
    "train": ("m1", "m2", "m3", "m5", "m7", "m8", "f1", "f3", "f5", "klatt", "klatt4", "croak"),
    "validation": ("m6", "f2", "klatt2"),
    "test": ("m4", "f4", "klatt3"),
}
SPEEDS, PITCHES = (130, 200), (25, 75)  # words per minute; 0 to 99, 50 is the voice's own
RATE = 22_050  # samples a second: a clip is one second
FRAME_MS, SHIFT_MS, BINS, TOP_HZ = 25.0, 20.0, 24, 8_000.0
FRAMES = 1 + int((RATE - RATE * FRAME_MS / 1000) // (RATE * SHIFT_MS / 1000))
LOUDNESS = 3_000.0  # the root mean square of a word's samples; 16-bit samples end at 32,767
VERSION = 2  # part of the cache's key: change it with whatever changes the features
_INSTALL = "install it, for instance with: sudo apt-get install espeak-ng"


@dataclass(frozen=True, kw_only=True)
class Speech(GeneratedTask):
    """One of twenty words in a second of noise: 49 time steps of 24 log-mel features.

    espeak-ng speaks ten digits and ten commands with six accents of English, in random speed and
    pitch. The words are those of P. Warden, "Speech Commands: a dataset for limited-vocabulary
    speech recognition", arXiv:1804.03209 (2018), whose clips last a second, too. The splits have
    other speakers: 12 train, 3 validate and 3 test. Pink noise is `noise_db` louder than the word
    (softer, if it is below zero), or up to 10 dB softer than that. Features are standardised with
    the training split. Chance level is 5 %.
    """

    train: int = 6_000
    validation: int = 1_200
    test: int = 2_000
    noise_db: int = 0

    name: ClassVar[str] = "speech"
    classes: ClassVar[int] = len(WORDS)
    features: ClassVar[int] = BINS
    labels: ClassVar[tuple[str, ...]] = WORDS
    input: ClassVar[str] = "numbers"
    encoding: ClassVar[str] = ENCODING
    difficulty: ClassVar[str] = "noise_db"
    least: ClassVar[dict[str, int]] = {"noise_db": -60}
    block: ClassVar[int] = 100

    @property
    def longest(self) -> int:
        return FRAMES

    def prepare(self, notify: Callable[[str], None]) -> None:
        for split in SPLITS:
            for number in range(self._blocks(split)):
                self._clips(split, number, notify)

    def draw_block(self, split: Split, number: int) -> Drawn:
        x, y = self._clips(split, number, lambda line: None)
        return list(x), y

    def contents(self, notify: Callable[[str], None]) -> Contents:
        _program()
        y = []
        for split in SPLITS:
            blocks = range(self._blocks(split))
            drawn = [_classes(self._seeded(split, number), self.block) for number in blocks]
            y += [number for block in drawn for number in block][: getattr(self, split)]
        return Contents(
            task="classes",
            classes=counts(np.array(y, np.int64), len(WORDS), WORDS),
            rows=len(y),
            splits=self.sizes(),
            features=self.features,
            length=FRAMES,
            typical_length=FRAMES,
            notes=("espeak-ng says the words before the first training, unless it has before",),
        )

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        check_encoding(sequence_length, vocabulary)
        # Every clip has all frames, so none of the zeros in front is a frame.
        frames = super().load(split, sequence_length=FRAMES, vocabulary=vocabulary)
        means, deviations = _moments(self)
        x = ((frames.x - means) / deviations).astype(np.float32)
        return Arrays(padded(x, sequence_length, self.features), frames.y)

    def scaling(self) -> dict[str, list[float]]:
        means, deviations = _moments(self)
        return {"x_mean": means.tolist(), "x_std": deviations.tolist()}

    def _blocks(self, split: Split) -> int:
        return -(-self.sizes()[split] // self.block)

    def _seeded(self, split: Split, number: int) -> np.random.RandomState:
        return np.random.RandomState(derive_seed(self.data_seed, split, number))

    def _clips(
        self, split: Split, number: int, notify: Callable[[str], None]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Features (block, frames, bins) and classes (block,), from the cache."""

        def build() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
            first, last = number * self.block, (number + 1) * self.block
            _check_voices()
            notify(f"speech: espeak-ng says words {first + 1:,} to {last:,} of {split} (once)")
            return _spoken(self._seeded(split, number), split, self.block, self.noise_db)

        made_with = f"{VERSION}-{_program()[1]}-{self.data_seed}-{self.noise_db}"
        return cache.cached(
            f"speech-{made_with}-{split}-{number}",
            build=build,
            write=_write,
            read=_read,
            notify=notify,
        )


def _write(clips: tuple[NDArray[np.float32], NDArray[np.int64]], folder: Path) -> None:
    np.save(folder / "x.npy", clips[0], allow_pickle=False)
    np.save(folder / "y.npy", clips[1], allow_pickle=False)


def _read(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    x, y = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("x", "y"))
    return x, y


@functools.lru_cache(maxsize=4)
def _moments(dataset: Speech) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of each feature over the training split."""
    x = GeneratedTask.load(dataset, "train", sequence_length=FRAMES, vocabulary=4).x
    flat = x.reshape(-1, x.shape[-1]).astype(np.float64)
    return flat.mean(axis=0).astype(np.float32), flat.std(axis=0).astype(np.float32)


@functools.lru_cache(maxsize=1)
def _program() -> tuple[str, str]:
    """The path of espeak-ng and its version, which decides how words sound."""
    path = shutil.which("espeak-ng")
    if path is None:
        raise UserError(f"dataset speech needs the program espeak-ng: {_INSTALL}")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\d+(\.\d+)+", said)
    if version is None:
        raise UserError(f"{path} --version names no version; {_INSTALL}")
    if importlib.util.find_spec("kaldi_native_fbank") is None:
        raise UserError(
            "dataset speech needs the package kaldi-native-fbank: pip install -e '.[speech]'"
        )
    return path, version.group()


@functools.lru_cache(maxsize=1)
def _check_voices() -> None:
    """Raises UserError unless all speakers of an accent sound different.

    espeak-ng silently takes the accent's own voice for a speaker that it does not know. Voices of
    the test split would then be heard in training.
    """
    speakers = [speaker for split in SPLITS for speaker in SPEAKERS[split]]
    with ThreadPoolExecutor() as pool:
        for accent in ACCENTS:
            heard: dict[bytes, str] = {}
            voices = [f"{accent}+{speaker}" for speaker in speakers]
            for voice, sound in zip(voices, pool.map(_sound, voices), strict=True):
                other = heard.setdefault(sound, voice)
                if other != voice:
                    raise UserError(
                        f"dataset speech: this espeak-ng speaks alike as {other} and as {voice}, "
                        "so speakers of the test split would be heard in training; install version "
                        "1.51 with its data"
                    )


def _sound(voice: str) -> bytes:
    return _say("seven", voice, 160, 50).tobytes()


def _classes(random: np.random.RandomState, n: int) -> NDArray[np.int64]:
    """The words of `n` clips: each equally often."""
    found: NDArray[np.int64] = random.permutation(n).astype(np.int64) % len(WORDS)
    return found


def _spoken(
    random: np.random.RandomState, split: Split, n: int, noise_db: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features of `n` clips and their classes."""
    y = _classes(random, n)
    accents = random.choice(ACCENTS, n)
    speakers = random.choice(SPEAKERS[split], n)
    speeds = random.randint(*SPEEDS, n)
    pitches = random.randint(*PITCHES, n)
    voices = [f"{accent}+{speaker}" for accent, speaker in zip(accents, speakers, strict=True)]
    said = [WORDS[number] for number in y]
    with ThreadPoolExecutor() as pool:  # they wait for processes
        words = list(pool.map(_say, said, voices, speeds.tolist(), pitches.tolist()))
    clips = [_in_noise(random, word, noise_db) for word in words]
    return np.stack([_features(clip) for clip in clips]), y


def _say(word: str, voice: str, speed: int, pitch: int) -> NDArray[np.float64]:
    """The samples of a word without the silence around it, equally loud each time."""
    path, _ = _program()
    command = [path, "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", word]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(f"dataset speech: {' '.join(command)} failed ({error})") from error
    raw = done.stdout
    header = raw.find(b"data") + 8
    if raw[:4] != b"RIFF" or int.from_bytes(raw[24:28], "little") != RATE or header < 8:
        raise UserError(f"{' '.join(command)} gave no sound of {RATE:,} samples a second")
    samples = np.frombuffer(raw, "<i2", (len(raw) - header) // 2, header).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) * 100 > np.abs(samples).max(initial=0.0))
    if not len(loud):
        raise UserError(f"{' '.join(command)} gave silence: {_INSTALL}")
    kept = samples[loud[0] : loud[-1] + 1][:RATE]
    found: NDArray[np.float64] = kept * (LOUDNESS / np.sqrt(np.mean(kept**2)))
    return found


def _in_noise(
    random: np.random.RandomState, word: NDArray[np.float64], noise_db: int
) -> NDArray[np.float64]:
    """A second of pink noise with the word at a random place in it."""
    spectrum = np.fft.rfft(random.normal(size=RATE))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), RATE)
    level = LOUDNESS * 10 ** ((noise_db - random.uniform(0, 10)) / 20)
    clip: NDArray[np.float64] = noise * (level / noise.std())
    start = random.randint(RATE - len(word) + 1)
    clip[start : start + len(word)] += word
    return clip


def _features(clip: NDArray[np.float64]) -> NDArray[np.float32]:
    """Logarithms of the energies in mel bands, (frames, bins)."""
    import kaldi_native_fbank as fbank

    options = fbank.FbankOptions()
    frames, mel = options.frame_opts, options.mel_opts
    frames.samp_freq, frames.dither = RATE, 0.0  # no random numbers
    frames.frame_length_ms, frames.frame_shift_ms = FRAME_MS, SHIFT_MS
    mel.num_bins, mel.high_freq = BINS, TOP_HZ
    computer = fbank.OnlineFbank(options)
    computer.accept_waveform(RATE, clip.astype(np.float32).tolist())
    computer.input_finished()
    return np.stack([computer.get_frame(number) for number in range(FRAMES)])

"""What a change of the user's own code is called, and what may change."""

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import UserError
from harness.results.manifest import Manifest
from harness.results.run_directory import RunDirectory
from harness.spec import own_modules, study_files
from harness.spec.fingerprint import differences, fingerprint
from harness.spec.study import Study
from harness.study import resume

STUDY = '''
"""Does a front layer help?"""
import functools
import helpers_code as hc
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from harness import Budget, FloatDistribution, SplitNumbers, Study
from helpers_code import middle
from pack_code.layers import inner

WIDTH = 4
TABLE = np.load(Path(__file__).with_name("table.npy"))
SIZES = {"wide": 1}
SIZES["narrow"] = 2
TRIALS = 2
UNUSED = 1
if WIDTH > 3:
    DEEP = True

def front(x):
    """Doubles."""
    return x * WIDTH * TABLE[0] * SIZES["wide"] * DEEP

def unused():
    return UNUSED

class Block:
    scale = 3

    def call(self, x):
        return front(x)

def build(hp, signature, *, extra):
    import lazy_code
    WIDE = extra  # a local name
    return lazy_code.late(Block().call(middle(inner(hc.used(WIDE)))))

@dataclass(frozen=True, kw_only=True)
class Waves(SplitNumbers):
    train: int = 30
    validation: int = 10
    test: int = 10
    noise: float = 0.5
    name = "waves"
    classes = 2
    features = 1

    def whole(self):
        x = np.load(Path(__file__).with_name("x.npy"))
        return x, np.arange(50, dtype="int32") % 2, "waves, version 1"

study = Study(
    dataset=Waves(), model=build, compare={"extra": [1, 2]},
    search={"learning_rate": FloatDistribution(1e-3, 1e-2, log=True)},
    fixed={"units": 4, "sequence_length": 5}, budget=Budget(trials=TRIALS, epochs=1))
'''
FILES = {
    "mine.py": STUDY,
    "helpers_code.py": """
        from deeper_code import *
        from deeper_code import CONSTANT as C

        def middle(x):
            return far(x) + C

        def used(x):
            return x

        def not_used(x):
            return x
        """,
    "deeper_code.py": """
        CONSTANT = 7

        def far(x):
            return x

        def not_far(x):
            return x
        """,
    "lazy_code.py": """
        def late(x):
            return x
        """,
    "pack_code/__init__.py": "",
    "pack_code/layers.py": """
        from .base import below

        def inner(x):
            return below(x)
        """,
    "pack_code/base.py": """
        def below(x):
            return x + 1
        """,
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A study with modules beside it; nothing of them stays loaded."""
    modules, path = set(sys.modules), list(sys.path)
    files, texts = dict(own_modules._beside.files), dict(own_modules._texts)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    np.save(tmp_path / "table.npy", np.arange(1, 5000))
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(50, 5, 1)))
    yield tmp_path
    for name in set(sys.modules) - modules:
        if own_modules.is_own_module(name):
            del sys.modules[name]
    sys.path[:] = path
    own_modules._beside.files, own_modules._texts = files, texts


def study_in(folder: Path) -> Study:
    return study_files.load(folder / "mine.py").study


def edit(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("mine.py", "WIDTH = 4", "WIDTH = 8", "mine.WIDTH"),
        ("mine.py", "return x * WIDTH", "return x + WIDTH", "mine.front"),
        ("mine.py", "return front(x)", "return x", "mine.Block"),
        ("mine.py", "scale = 3", "scale = 4", "mine.Block"),
        ("mine.py", '{"wide": 1}', '{"wide": 5}', "mine.SIZES"),
        ("mine.py", 'SIZES["narrow"] = 2', 'SIZES["narrow"] = 3', "mine.SIZES"),
        ("mine.py", "DEEP = True", "DEEP = False", "mine.DEEP"),
        ("mine.py", "import middle", "import not_used as middle", "mine.middle"),
        ("mine.py", "% 2, ", "% 2 * 1, ", "mine.Waves"),
        ("mine.py", "noise: float = 0.5", "noise: float = 0.7", "mine.Waves"),
        ("mine.py", "dataset=Waves()", "dataset=Waves(noise=0.1)", "mine.Waves.noise"),
        ("helpers_code.py", "far(x) + C", "far(x) - C", "helpers_code.middle"),
        ("helpers_code.py", "CONSTANT as C", "far as C", "helpers_code.C"),
        ("helpers_code.py", "def used(x):\n    return x", "def used(x):\n    return 1",
         "helpers_code.used"),
        ("deeper_code.py", "far(x):\n    return x\n\ndef", "far(x):\n    return 2\n\ndef",
         "deeper_code.far"),
        ("deeper_code.py", "CONSTANT = 7", "CONSTANT = 8", "deeper_code.CONSTANT"),
        ("lazy_code.py", "return x", "return -x", "lazy_code.late"),
        ("pack_code/layers.py", "below(x)", "below(x) + 1", "pack_code.layers.inner"),
        ("pack_code/base.py", "x + 1", "x + 2", "pack_code.base.below"),
    ],
)  # fmt: skip
def test_a_change_is_named(folder: Path, file: str, old: str, new: str, changed: str) -> None:
    before = study_in(folder).to_mapping()
    edit(folder, file, old, new)
    after = study_in(folder).to_mapping()
    assert f"the code of {changed} has changed" in differences(before, after)
    assert fingerprint(before) != fingerprint(after)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("mine.py", "TRIALS = 2", "TRIALS = 9"),
        ("mine.py", "UNUSED = 1", "UNUSED = 2"),
        ("mine.py", "return UNUSED", "return 0"),
        ("mine.py", "def front(x):", "def front(x):  # a comment\n"),
        ("mine.py", '"""Doubles."""', '"""Doubles its argument."""'),
        ("mine.py", "import functools", "import functools, math"),
        ("helpers_code.py", "def not_used(x):\n    return x", "def not_used(x):\n    return 1"),
        ("deeper_code.py", "def not_far(x):\n    return x", "def not_far(x):\n    return 1"),
    ],
)
def test_what_networks_and_data_do_not_use_may_change(
    folder: Path, file: str, old: str, new: str
) -> None:
    before = study_in(folder).to_mapping()
    edit(folder, file, old, new)
    assert differences(before, study_in(folder).to_mapping()) == []


def test_the_contents_of_an_array_are_part_of_it(folder: Path) -> None:
    """Also of one whose repr leaves most of it out."""
    before = study_in(folder).to_mapping()
    table = np.load(folder / "table.npy")
    table[2500] += 1
    np.save(folder / "table.npy", table)
    assert differences(before, study_in(folder).to_mapping()) == [
        "the code of mine.TABLE has changed"
    ]


def test_the_contents_of_own_data_are_compared(folder: Path) -> None:
    """`whole` calls both of them "waves, version 1"."""
    declaration = study_files.load(folder / "mine.py")
    manifest = resume.new_manifest(declaration, "mine", declaration.study, quick=False)
    resume.check_data(manifest, study_in(folder))
    np.save(folder / "x.npy", np.load(folder / "x.npy") + 1)
    with pytest.raises(UserError, match="the data of waves have changed"):
        resume.check_data(manifest, study_in(folder))
    del manifest["dataset"][resume.CONTENTS]  # as in older run directories
    resume.check_data(manifest, study_in(folder))


def test_a_run_directory_of_an_older_version_resumes(folder: Path) -> None:
    study = study_in(folder)
    old = {name: value for name, value in study.to_mapping().items() if name != "code"}
    manifest = Manifest({"study": "mine", "spec": old})
    edit(folder, "mine.py", "WIDTH = 4", "WIDTH = 8")
    changed = study_in(folder)
    assert resume.match(manifest, "mine", changed, RunDirectory(folder), ()) == changed
    manifest["spec"] = study.to_mapping()
    with pytest.raises(UserError, match=r"the code of mine\.WIDTH has changed"):
        resume.match(manifest, "mine", changed, RunDirectory(folder), ())


def test_a_definition_that_is_gone_or_new_is_named(folder: Path) -> None:
    before = study_in(folder).to_mapping()
    edit(folder, "mine.py", "return front(x)", "return lateral(x)")
    edit(folder, "mine.py", "class Block:", "def lateral(x):\n    return x\n\nclass Block:")
    found = differences(before, study_in(folder).to_mapping())
    assert "the code of mine.front is gone" in found
    assert "the code of mine.lateral is new" in found


def test_a_moved_folder_is_the_same_code(folder: Path) -> None:
    before = study_in(folder).to_mapping()
    moved = folder.with_name(f"{folder.name}-moved")
    folder.rename(moved)
    for name in ["studies.mine", *FILES]:
        sys.modules.pop(name.removesuffix(".py").replace("/", "."), None)
    for name in ("pack_code", "pack_code.layers", "pack_code.base"):
        sys.modules.pop(name, None)
    assert differences(before, study_in(moved).to_mapping()) == []


def test_a_study_without_own_code_has_none() -> None:
    study = study_files.load("lstm_depth").study
    assert "code" not in study.to_mapping()
    assert "code" not in replace(study, seed=3).to_mapping()

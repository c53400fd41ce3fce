"""Modules beside a study file, found as `python mine.py` would find them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core.errors import UserError
from harness.spec import own_modules, study_files

STUDY = """
'''Do more units pay?'''
{imports}
from harness import Budget, Study
from harness.datasets import Parity

study = Study(dataset=Parity(), compare={{"units": UNITS}}, budget=Budget(trials=1, epochs=1))
"""


@pytest.fixture(autouse=True)
def own_process() -> Iterator[None]:
    """As if each test were a process of its own: nothing that it loads stays."""
    modules, path, finders = dict(sys.modules), list(sys.path), list(sys.meta_path)
    files, texts = dict(own_modules._beside.files), dict(own_modules._texts)
    yield
    for name in set(sys.modules) - set(modules):
        if (file := own_modules.file_of(sys.modules[name])) and own_modules.is_own(file):
            del sys.modules[name]
    sys.path[:], sys.meta_path[:] = path, finders
    own_modules._beside.files, own_modules._texts = files, texts


def write(folder: Path, imports: str, **modules: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in modules.items():
        file = folder / (name.replace("__in__", "/") + ".py")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    (folder / "mine.py").write_text(STUDY.format(imports=imports))
    return folder / "mine.py"


def units(file: Path) -> list[int]:
    return [arm.values["units"] for arm in study_files.load(file).study.arms()]


@pytest.mark.parametrize(
    ("imports", "modules"),
    [
        ("from helpers_a import UNITS", {"helpers_a": "UNITS = [2, 4]"}),
        ("import helpers_b as h; UNITS = h.UNITS", {"helpers_b": "UNITS = [2, 4]"}),
        (
            "from helpers_c import UNITS",
            {"helpers_c": "from deeper_c import UNITS", "deeper_c": "UNITS = [2, 4]"},
        ),
        (
            "from nets_d.layers import UNITS",
            {"nets_d__in____init__": "", "nets_d__in__layers": "UNITS = [2, 4]"},
        ),
        (
            "from nets_e.layers import UNITS",  # a folder without __init__.py
            {"nets_e__in__layers": "UNITS = [2, 4]"},
        ),
        (
            "import importlib; UNITS = importlib.import_module('helpers' + '_f').UNITS",
            {"helpers_f": "UNITS = [2, 4]"},
        ),
        (
            "def late():\n    from helpers_g import UNITS\n    return UNITS\nUNITS = late()",
            {"helpers_g": "UNITS = [2, 4]"},
        ),
    ],
)
def test_modules_beside_a_study_are_found(
    tmp_path: Path, imports: str, modules: dict[str, str]
) -> None:
    assert units(write(tmp_path / "there", imports, **modules)) == [2, 4]


def test_a_link_leads_to_the_modules_of_the_file_itself(tmp_path: Path) -> None:
    file = write(tmp_path / "there", "from helpers_h import UNITS", helpers_h="UNITS = [3]")
    link = tmp_path / "link.py"
    link.symlink_to(file)
    assert units(link) == [3]


def test_only_imported_modules_come_from_the_folder(tmp_path: Path) -> None:
    """A file named like a module of Python or of this program is in nobody's way."""
    stop = "raise RuntimeError('the wrong module')"
    names = ("queue", "colorsys", "reports", "harness", "keras", "helpers_i")
    file = write(tmp_path, "UNITS = [2]", **dict.fromkeys(names, stop))
    assert units(file) == [2]
    import colorsys

    assert own_modules.file_of(colorsys) != (tmp_path / "colorsys.py").resolve()


def test_a_name_that_is_in_use_is_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "one", "from helpers_j import UNITS", helpers_j="UNITS = [2]")
    two = write(tmp_path / "two", "from helpers_j import UNITS", helpers_j="UNITS = [4]")
    assert units(one) == [2]
    with pytest.raises(UserError, match=r"imports helpers_j, but .*one/helpers_j.py is in use"):
        units(two)
    three = write(tmp_path / "three", "import json; UNITS = [2]", json="")
    with pytest.raises(UserError, match=r"rename json.py, or use a new process"):
        units(three)


def test_a_changed_module_is_read_again(tmp_path: Path) -> None:
    file = write(tmp_path, "from helpers_k import UNITS", helpers_k="from deep_k import UNITS",
                 deep_k="UNITS = [2]")  # fmt: skip
    assert units(file) == [2]
    (tmp_path / "deep_k.py").write_text("UNITS = [3]")  # as long, and within the same second
    assert units(file) == [3]


def test_a_changed_study_file_is_read_again(tmp_path: Path) -> None:
    assert units(write(tmp_path, "UNITS = [2]")) == [2]
    assert units(write(tmp_path, "UNITS = [3]")) == [3]
    assert not (tmp_path / "__pycache__").exists()


def test_a_broken_module_is_one_line(tmp_path: Path) -> None:
    for number, text in enumerate(("def f(:", "raise ValueError('a\\nb')", "x = '\0'")):
        name = f"broken_{number}"
        file = write(tmp_path / name, f"from {name} import UNITS", **{name: text})
        with pytest.raises(UserError, match=r"mine\.py does not import: .*\(line 3\)$") as caught:
            study_files.load(file)
        assert "\n" not in str(caught.value)


def test_it_is_found_from_any_folder_by_the_command(tmp_path: Path) -> None:
    file = write(tmp_path / "there", "from helpers_l import UNITS", helpers_l="UNITS = [2, 4]")
    done = subprocess.run(
        [sys.executable, "-m", "harness.study", str(file), "--dry-run"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "units=2, units=4" in done.stdout


def test_what_it_defines_reaches_a_worker(tmp_path: Path) -> None:
    """A worker executes the study file, then unpickles what the module beside it defines."""
    dataset = """
from dataclasses import dataclass
from harness import Parity

@dataclass(frozen=True, kw_only=True)
class Mine(Parity):
    name = "mine"
"""
    file = write(tmp_path / "there", "from helpers_m import Mine; UNITS = [2]", helpers_m=dataset)
    code = """
import pickle, sys
from pathlib import Path
from harness.spec import study_files
if sys.argv[2] == "write":
    module = study_files.execute(Path(sys.argv[1]))
    Path(sys.argv[3]).write_bytes(pickle.dumps(module.Mine(length=5)))
else:
    study_files.execute(Path(sys.argv[1]))
    print(pickle.loads(Path(sys.argv[3]).read_bytes()).length)
"""
    for part in ("write", "read"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(file), part, str(tmp_path / "pickled")],
            cwd=os.sep, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert done.stdout == "5\n"


def test_the_users_own_modules_are_told_from_installed_ones(tmp_path: Path) -> None:
    file = write(tmp_path, "from helpers_n import UNITS", helpers_n="UNITS = [2]")
    study_files.load(file)
    names = {module.__name__ for module in own_modules.loaded_beside(file)}
    assert names == {"studies.mine", "helpers_n"}
    for module in (os, pytest, study_files):
        path = own_modules.file_of(module)
        assert path is not None
        assert not own_modules.is_own(path)

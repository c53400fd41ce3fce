"""Imports point one way, and what must be instant stays so."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent

# Lower packages first; a package may import from those of the rows before its own, and its own row.
ORDER = [
    {"core", "names"},
    {"datasets", "samplers", "pruners"},
    {"spec"},
    {"training", "results"},
    {"analysis"},
    {"workers", "reports"},
    {"search", "profile", "report"},
    {"study", "table"},
    {"contest", "integrations"},
    {"commands", "models"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


def _imports(file: Path) -> set[str]:
    """First parts below `harness` (or `reports`) of all that a file imports, lazily or not."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "harness" and len(parts) > 1:
                found.add(parts[1])
            elif parts[0] == "reports":
                found.add("reports")
    return found


def test_imports_point_one_way() -> None:
    wrong = []
    for file in [*PACKAGE.glob("harness/**/*.py"), *PACKAGE.glob("reports/**/*.py")]:
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        own = "reports" if parts[0] == "reports" else parts[1]
        if own == "__init__":
            continue
        assert own in LEVEL, f"{own} has no layer yet: give it one in this test"
        wrong += [
            f"{own} imports {name}"
            for name in _imports(file)
            if name in LEVEL and LEVEL[name] > LEVEL[own]
        ]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("harness", ("optuna", "pandas", "keras", "tensorflow", "numpy")),
        ("harness.study.command", ("optuna", "pandas", "keras", "tensorflow", "numpy")),
        ("harness.commands.main", ("optuna", "pandas", "keras", "tensorflow")),
        ("harness.study.session", ("keras", "tensorflow", "seaborn")),
        ("harness.spec.study_files", ("optuna", "keras", "tensorflow")),
        ("harness.search.coordinator", ("keras", "tensorflow")),
        ("harness.profile.command", ("optuna", "pandas", "keras", "tensorflow", "numpy")),
        ("harness.profile.profiler", ("keras", "tensorflow", "seaborn")),
        ("reports.page", ("keras", "tensorflow", "optuna")),
    ],
)
def test_heavy_imports_stay_out(module: str, absent: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([m for m in {absent!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE
    )
    assert found.stdout.strip() == "[]"

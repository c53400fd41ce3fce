"""Imports point one way, and what must be instant stays so."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent

# Lower layers first; a module may import from its own layer and those before it.
LAYERS = [
    {"errors", "names", "printable", "seeds", "parameters", "signals", "signature", "statistics"},
    {"arithmetic", "spread"},
    {"runs", "environment", "energy", "lock", "samplers", "oracle", "pruners", "datasets"},
    {"verdicts", "estimates", "published"},
    {"summary"},
    {"checkpoint"},
    {"recurrent"},
    {"spec", "storage"},
    {"ledger"},
    {"copying"},
    {"declarations", "models"},
    {"epochs", "training"},
    {"embedded"},
    {"hypermodel"},
    {"workers"},
    {"scaling", "crossover"},
    {"profiler"},
    {"progress", "assignment"},
    {"arm_search", "confirm", "equal_cost"},
    {"search", "objective"},
    {"table"},
    {"replay"},
    {"reports"},
    {"console"},
    {"report"},
    {"profile"},
    {"status", "export"},
    {"predict", "options", "resume"},
    {"warm_start"},
    {"sitting"},
    {"tabulate", "contest"},
    {"session"},
    {"importing"},
    {"study"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


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
        ("harness.study", ("optuna", "pandas", "keras", "tensorflow", "numpy")),
        ("harness.cli", ("optuna", "pandas", "keras", "tensorflow")),
        ("harness.session", ("keras", "tensorflow", "seaborn")),
        ("harness.declarations", ("optuna", "keras", "tensorflow")),
        ("harness.search", ("keras", "tensorflow")),
        ("harness.profile", ("optuna", "pandas", "keras", "tensorflow", "numpy")),
        ("harness.profiler", ("keras", "tensorflow", "seaborn")),
        ("reports.page", ("keras", "tensorflow", "optuna")),
    ],
)
def test_heavy_imports_stay_out(module: str, absent: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([m for m in {absent!r} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE
    )
    assert found.stdout.strip() == "[]"

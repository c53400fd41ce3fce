"""Imports point one way, no circle anywhere, and what must be instant stays so."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Lowest first; a package may import from the rows before its own, and from itself.
ORDER = [
    {"core"},
    {"datasets", "samplers", "pruners"},
    {"spec"},
    {"training", "results"},
    {"analysis"},
    {"workers", "reports"},
    {"search", "profile", "report"},
    {"study"},
    {"contest", "integrations"},
    {"commands", "models"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
FACADE = "harness"  # `harness/__init__.py` offers what study files import, from any package
MAX_ENTRIES, MAX_LINES, MAX_PARAMETERS = 19, 400, 7

FILES = sorted([*ROOT.glob("harness/**/*.py"), *ROOT.glob("reports/**/*.py")])
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def _module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(file): tree for file, tree in TREES.items()}


def _package(module: str) -> str:
    """The first part below `harness`; `reports` is a package of its own."""
    first, *rest = module.split(".")
    return rest[0] if first == "harness" and rest else first


def imports(tree: ast.Module) -> set[str]:
    """Modules of ours that a file imports, lazily or not, by name or by `import_module("…")`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", None)) == "import_module"
            and isinstance(node.args[0], ast.Constant)
        ):
            names = [str(node.args[0].value)]
        else:
            continue
        for name in names:
            while name and name not in MODULES:  # a name in a module → the module
                name = name.rpartition(".")[0]
            if name and name != FACADE:
                found.add(name)
    return found


def test_the_imports_of_a_literal_are_seen() -> None:
    code = "import importlib\nimportlib.import_module('harness.search.coordinator')"
    assert imports(ast.parse(code)) == {"harness.search.coordinator"}
    code = "from harness.core import text\nfrom harness.core.text import duration"
    assert imports(ast.parse(code)) == {"harness.core.text"}


def test_imports_between_packages_point_one_way() -> None:
    wrong = []
    for module, tree in MODULES.items():
        if module == FACADE:
            continue
        own = _package(module)
        assert own in LEVEL, f"{own} has no place in the order yet: give it one in this test"
        others = {_package(other) for other in imports(tree)} - {own}
        wrong += [f"{module} imports {other}" for other in others if LEVEL[other] >= LEVEL[own]]
    assert wrong == []


def test_no_circle_between_modules() -> None:
    graph = {module: imports(tree) - {module} for module, tree in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")


def test_the_tree_stays_small() -> None:
    entries = [entry.name for entry in (ROOT / "harness").iterdir() if entry.name != "__pycache__"]
    assert len(entries) <= MAX_ENTRIES, sorted(entries)
    long = [
        f"{file.relative_to(ROOT)}: {len(lines)} lines"
        for file in FILES
        if len(lines := file.read_text(encoding="utf-8").splitlines()) > MAX_LINES
    ]
    assert long == []


def test_functions_take_few_parameters() -> None:
    """A command line is the exception: Typer makes an option of each parameter."""
    many = []
    for module, tree in MODULES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            taken = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            parameters = [each for each in taken if each.arg not in ("self", "cls")]
            command = any("typer." in ast.unparse(e.annotation) for e in taken if e.annotation)
            if len(parameters) > MAX_PARAMETERS and not command:
                many.append(f"{module}.{node.name}: {len(parameters)}")
    assert many == []


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
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.strip() == "[]"

"""The user's own code that a study's networks and data come from, by name, as hashes.

It begins with the study's `model` and the class of its dataset, and follows the names that they
use: other functions, classes and constants of the same file and of the user's other modules.
Comments, docstrings and whatever the networks and data do not use may change. Values that the
source does not show, such as an array that was read from a file, are hashed too.
"""

import ast
import functools
import hashlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.datasets.base.dataset import Dataset
from harness.spec import own_modules
from harness.spec.own_names import Import, Names, bound
from harness.spec.own_values import value_text

_IMPORTS = (ast.Import, ast.ImportFrom)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


def definitions(model: Callable[..., Any] | None, dataset: Dataset) -> dict[str, str]:
    """A hash by `module.name`; empty where nothing is the user's own.

    Fields of a dataset of the user's own class are named `module.Class.field`.
    """
    kind = type(dataset)
    found = dict(_of_objects(*([] if model is None else [model]), kind))
    if _file(kind.__module__) is not None:
        known = dataset.to_mapping()
        for each in fields(dataset):
            text = value_text(getattr(dataset, each.name), None)
            if each.name not in known and text is not None:
                name = f"{_display(kind.__module__)}.{kind.__qualname__}.{each.name}"
                found[name] = _digest(text)
    return found


@functools.lru_cache(maxsize=32)
def _of_objects(*objects: Any) -> Mapping[str, str]:
    """Computed once for each function and class: it describes the code as it was loaded."""
    walk = _Walk()
    for each in objects:
        walk.reach(each.__module__, each.__qualname__.partition(".")[0])
    return walk.found


@dataclass(frozen=True)
class _Module:
    """The top-level statements of a module, by each name that they bind or change."""

    name: str
    package: str
    statements: Mapping[str, list[ast.stmt]]

    def imports(self, name: str) -> list[Import]:
        """The imports at the top level that bind a name."""
        statements = self.statements.get(name, [])
        plain = [each for each in statements if not isinstance(each, _DEFINITIONS)]
        return [each for statement in plain for each in Names(statement).imports.get(name, [])]


class _Walk:
    """Follows names from definition to definition, each once."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._modules: dict[str, _Module | None] = {}
        self._left: list[tuple[str, str]] = []

    def reach(self, module: str, name: str) -> None:
        """Add a name of a module, and all that its definition uses."""
        self._left.append((module, name))
        while self._left:
            self._visit(*self._left.pop())

    def _visit(self, module_name: str, name: str) -> None:
        module = self._module(module_name)
        if module is None or (key := f"{_display(module_name)}.{name}") in self.found:
            return
        if name not in module.statements:
            for each in module.imports("*"):  # it may come from there
                self._follow(module, each, (name,))
            return
        for each in module.imports(name):
            self._follow(module, each, ())
        self.found[key] = ""  # not visited again from within its own definition
        self.found[key] = self._hash(module, name)

    def _hash(self, module: _Module, name: str) -> str:
        """The hash of a name's statements and value; what the statements use is left to visit."""
        statements = module.statements[name]
        texts = [f"{each.level} {each.module} {each.attribute}" for each in module.imports(name)]
        for statement in statements:
            if isinstance(statement, _IMPORTS):
                continue
            texts.append(ast.unparse(statement))
            names = Names(statement)
            for chain in names.loaded:
                self._use(module, names.imports.get(chain[0], []), chain)
            for each in names.anonymous:
                self._follow(module, each, ())
        loaded = sys.modules.get(module.name)
        if loaded and not all(isinstance(each, (*_FUNCTIONS, *_IMPORTS)) for each in statements):
            file = own_modules.file_of(loaded)
            texts.append(value_text(getattr(loaded, name, None), file) or "")
        return _digest("\n".join(texts))

    def _use(self, module: _Module, local: list[Import], chain: tuple[str, ...]) -> None:
        """`helpers.front`: follow what `helpers` is, in its statement or else in its module."""
        name, attributes = chain[0], chain[1:]
        for each in local or module.imports(name):
            self._follow(module, each, attributes)
        if local:
            return
        statements = module.statements.get(name, [])
        if statements and all(isinstance(each, _IMPORTS) for each in statements):
            self.found[f"{_display(module.name)}.{name}"] = self._hash(module, name)
        else:
            self._left.append((module.name, name))

    def _follow(self, module: _Module, each: Import, attributes: tuple[str, ...]) -> None:
        """Reach what an import names, and these attributes of it."""
        target = each.absolute(module.package)
        parts = (*([] if each.attribute is None else [each.attribute]), *attributes)
        while parts and self._module(f"{target}.{parts[0]}") is not None:
            target, parts = f"{target}.{parts[0]}", parts[1:]
        found = self._module(target)
        if found is not None:
            # A module that is passed on as a whole may be used as a whole.
            names = parts[:1] or [each for each in found.statements if each != "*"]
            self._left.extend((target, name) for name in names)

    def _module(self, name: str) -> _Module | None:
        """A module of the user's own; None for others."""
        if name not in self._modules:
            file = _file(name)
            self._modules[name] = None if file is None else _parsed(name, file)
        return self._modules[name]


def _parsed(name: str, file: Path) -> _Module | None:
    try:
        tree = ast.parse(own_modules.read(file))
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, _DEFINITIONS) and ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.Pass()
    statements: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for each in bound(statement):
            statements.setdefault(each, []).append(statement)
    package = name if file.stem == "__init__" else name.rpartition(".")[0]
    return _Module(name, package, statements)


def _file(module: str) -> Path | None:
    """The file of one of the user's own modules, also of one that is not loaded yet."""
    loaded = sys.modules.get(module)
    file = own_modules.find(module) if loaded is None else own_modules.file_of(loaded)
    return file if file is not None and own_modules.is_own(file) else None


def _display(module: str) -> str:
    return module.removeprefix("studies.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

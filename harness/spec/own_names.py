"""The names in a Python statement: what it binds or changes, what it imports, what it uses."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Import:
    """`from MODULE import ATTRIBUTE`, or `import MODULE` where the attribute is None.

    `level` counts the dots in front of the module.
    """

    module: str
    attribute: str | None
    level: int = 0

    def absolute(self, package: str) -> str:
        """The module's full name, for an import in a module of this package."""
        if not self.level:
            return self.module
        parts = package.split(".")
        base = parts[: len(parts) - self.level + 1]
        return ".".join([*base, *([self.module] if self.module else [])])


def bound(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement binds or may change; "*" for an import of all names.

    A call may change what it is given: `TABLE.append(4)` counts for TABLE. An assignment to an
    item or an attribute, `SIZES["wide"] = 4`, changes what it is assigned to.
    """
    found: set[str] = set()
    if isinstance(statement, ast.If) and ("__name__",) in Names(statement.test).loaded:
        return found  # what a file does as a program
    for node in _outside_functions(statement):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name):
                found.add(name)
            case ast.Import() | ast.ImportFrom():
                found.update(_imports_of(node))
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                found.update(_root(node))
            case ast.Expr():
                loaded = Names(node).loaded
                found.update(chain[0] for chain in loaded)
    return found


class Names(ast.NodeVisitor):
    """What a statement uses of the module that it stands in.

    `loaded` has dotted names (`helpers.front` as a tuple) that are not bound inside a function of
    the statement. `imports` has the imports in the statement, by the name that each binds;
    `anonymous` those of `import_module("…")`.
    """

    def __init__(self, statement: ast.AST) -> None:
        self.loaded: set[tuple[str, ...]] = set()
        self.imports: dict[str, list[Import]] = {}
        self.anonymous: list[Import] = []
        self._local: list[set[str]] = []
        self.visit(statement)

    def visit_Name(self, node: ast.Name) -> None:
        self._load((node.id,))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            chain.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self._load((inner.id, *chain))
        else:
            self.visit(inner)

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        if name in ("import_module", "__import__") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                self.anonymous.append(Import(first.value, None))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        for name, value in ast.iter_fields(node):
            if name != "body":  # decorators, defaults and annotations belong to the outside
                for each in value if isinstance(value, list) else [value]:
                    if isinstance(each, ast.AST):
                        self.visit(each)
        self._local.append(_locals(node))
        for part in body:
            self.visit(part)
        self._local.pop()

    def _load(self, chain: tuple[str, ...]) -> None:
        if not any(chain[0] in scope for scope in self._local):
            self.loaded.add(chain)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, each in _imports_of(node).items():
            self.imports.setdefault(name, []).extend(each)


def _imports_of(node: ast.Import | ast.ImportFrom) -> dict[str, list[Import]]:
    """By the name that each binds: `import a.b` binds `a`, `from m import *` stands under "*"."""
    found: dict[str, list[Import]] = {}
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            attribute = None if alias.name == "*" else alias.name
            each = Import(node.module or "", attribute, node.level)
            found.setdefault(alias.asname or alias.name, []).append(each)
        elif alias.asname:
            found.setdefault(alias.asname, []).append(Import(alias.name, None))
        else:
            first = alias.name.partition(".")[0]
            found.setdefault(first, []).append(Import(first, None))
    return found


def _locals(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Parameters and names that a function assigns; imports are not among them."""
    arguments = node.args
    taken = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    taken += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    found = {each.arg for each in taken}
    shared: set[str] = set()
    for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
        for inner in _outside_functions(part):
            match inner:
                case ast.Name(id=name, ctx=ast.Store()):
                    found.add(name)
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case ast.Global(names=names):
                    shared.update(names)
    return found - shared


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, without the insides of functions and classes."""
    yield node
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return
    for child in ast.iter_child_nodes(node):
        yield from _outside_functions(child)


def _root(node: ast.expr) -> set[str]:
    """`a` for `a.b["c"]`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()

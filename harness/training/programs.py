"""XLA programs that are traced and compiled once on a machine (TensorFlow).

Tracing a network in Python and compiling it with XLA takes two to five seconds. TensorFlow keeps
neither: its own persistent cache has the compiled code alone, and its keys hold the names that
tracing happened to give, so another process finds its own code only if it traced the same things
before. Here a traced program gets names of its own, and is kept together with its compiled code
(`harness.training.program_store`). Loaded again, it is the same code, and gives the same numbers.

A program reads and changes variables (weights, optimizer, metrics), which each process makes
again. So it keeps, for each variable that it uses, the place in a list of all of them (`State`).

This uses three private parts of TensorFlow, all in this file: adding a function by its definition,
calling it by its name, and the persistent cache of XLA, which is pointed at a folder of this
process to write the code to and read it from.
"""

import atexit
import contextlib
import functools
import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from harness.training import program_store

FLAG = "--tf_xla_persistent_cache_directory="
STRICT = "--tf_xla_disable_strict_signature_checks=true"
SCRATCH = "harness-programs-"
_ABOUT, _GRAPH, _CODE = "about.json", "graph/", "code/"

State = Sequence[Any]  # the tensors through which a program reaches its variables, in a fixed order


@dataclass(frozen=True)
class Graph:
    """A traced function: its definition and those that it calls, under names of their own.

    `captured` has the place in the state of each variable that it uses; `outputs` is the number of
    its results.
    """

    library: Any  # a FunctionDefLibrary; its first function is the program
    captured: tuple[int, ...]
    outputs: int


class Program:
    """A program bound to the variables of one model; called like the function that was traced."""

    def __init__(self, graph: Graph, state: State) -> None:
        self._definition = graph.library.function[0]
        self._outputs = graph.outputs
        self._captured = [state[place] for place in graph.captured]

    def __call__(self, *inputs: Any) -> Any:
        from tensorflow.python.eager import context, execute

        return execute.execute(
            self._definition.signature.name,
            self._outputs,
            inputs=[*inputs, *self._captured],
            attrs=None,
            ctx=context.context(),
        )

    @property
    def compiled_by_xla(self) -> bool:
        return bool(self._definition.attr["_XlaMustCompile"].b)


@dataclass(frozen=True)
class Compiled:
    """Programs by name, and the seconds that tracing and compiling them took once."""

    programs: Mapping[str, Program]
    fresh_s: float


@dataclass(frozen=True)
class _Known:
    """What this process has traced or loaded already: XLA keeps its code until the end."""

    graphs: Mapping[str, Graph]
    fresh_s: float

    def bound_to(self, state: State) -> Compiled:
        return Compiled({n: Program(g, state) for n, g in self.graphs.items()}, self.fresh_s)


_known: dict[str, _Known] = {}


def compiled(
    key: str,
    trace: Callable[[], Mapping[str, Any]],
    state: State,
    call: Callable[[str, Program], object],
) -> Compiled:
    """The programs of `key`, from this process, from the store, or traced and compiled now.

    `trace` returns concrete functions by name, `call` calls a program so that it does nothing but
    compile. Raises ValueError if a program uses a variable that is not in `state`.
    """
    if key not in _known:
        found = _loaded(key, state, call)
        if found is None:
            found = _fresh(key, trace, state, call)
        _known[key] = found
    return _known[key].bound_to(state)


def _loaded(key: str, state: State, call: Callable[[str, Program], object]) -> _Known | None:
    """The programs as the store has them; None if it has none that can be used."""
    cache = _cache()
    parts = cache.store.load(key) if cache else None
    if cache is None or parts is None:
        return None
    import tensorflow as tf
    from tensorflow.core.framework import function_pb2

    try:
        about = json.loads(parts[_ABOUT])
        graphs = {
            name: Graph(
                function_pb2.FunctionDefLibrary.FromString(parts[_GRAPH + name]),
                tuple(each["captured"]),
                each["outputs"],
            )
            for name, each in about["graphs"].items()
        }
        code = {n.removeprefix(_CODE): c for n, c in parts.items() if n.startswith(_CODE)}
        with cache.code(code):
            for name, graph in graphs.items():
                _register(graph)
                call(name, Program(graph, state))
        return _Known(graphs, float(about["fresh_s"]))
    except (tf.errors.OpError, ValueError, KeyError, IndexError, TypeError):
        # A file of the right hash that can't be used: made by a TensorFlow that was built otherwise
        # under the same version. The next process finds what is compiled now.
        cache.store.discard(key)
        return None


def _fresh(
    key: str,
    trace: Callable[[], Mapping[str, Any]],
    state: State,
    call: Callable[[str, Program], object],
) -> _Known:
    """Trace and compile, and keep the result in the store."""
    cache = _cache()
    started = time.perf_counter()
    graphs = {name: _graph(function, state) for name, function in trace().items()}
    with cache.code({}) if cache else contextlib.nullcontext(None) as folder:
        for name, graph in graphs.items():
            _register(graph)
            call(name, Program(graph, state))
        fresh_s = time.perf_counter() - started
        code = {} if folder is None else {f.name: f.read_bytes() for f in folder.glob("*.pb")}
    # Without a file for each program XLA did not write its code: another part of the process had
    # used it before the flag was set. Nothing is kept then.
    if cache and len(code) >= len(graphs):
        described = {n: {"captured": g.captured, "outputs": g.outputs} for n, g in graphs.items()}
        about = {"graphs": described, "fresh_s": fresh_s}
        parts = {_ABOUT: json.dumps(about).encode()}
        parts |= {_GRAPH + n: graph.library.SerializeToString() for n, graph in graphs.items()}
        parts |= {_CODE + name: content for name, content in code.items()}
        cache.store.save(key, parts)
    return _Known(graphs, fresh_s)


def _graph(function: Any, state: State) -> Graph:
    """A concrete function, with all that it calls under new names."""
    from tensorflow.core.framework import function_pb2

    places = {id(tensor): place for place, tensor in enumerate(state)}
    unknown = [str(t) for t in function.captured_inputs if id(t) not in places]
    if unknown:
        raise ValueError(f"the program uses variables that are not in its state: {unknown}")
    library = function_pb2.FunctionDefLibrary()
    library.function.append(function.function_def)
    library.function.extend(function.graph.as_graph_def().library.function)
    unique = uuid.uuid4().hex[:16]
    names = {
        each.signature.name: f"harness_{unique}_{number}"
        for number, each in enumerate(library.function)
    }
    for each in library.function:
        each.signature.name = names[each.signature.name]
        for attributes in (each.attr, *(node.attr for node in each.node_def)):
            _rename(attributes, names)
    return Graph(
        library,
        tuple(places[id(tensor)] for tensor in function.captured_inputs),
        len(function.outputs),
    )


def _rename(attributes: Any, names: Mapping[str, str]) -> None:
    for value in attributes.values():
        called = [value.func] if value.HasField("func") else value.list.func
        for each in called:
            each.name = names.get(each.name, each.name)


def _register(graph: Graph) -> None:
    """Make the functions of a graph known to TensorFlow: those that are called come first."""
    from tensorflow.python.eager import context

    for definition in reversed(graph.library.function):
        context.context().add_function_def(definition)


class _Cache:
    """The store, and the folder through which XLA reads and writes compiled code."""

    def __init__(self, store: program_store.ProgramStore) -> None:
        self.store = store
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{SCRATCH}{os.getpid()}-"))
        atexit.register(shutil.rmtree, self._scratch, ignore_errors=True)
        flags = [os.environ.get("TF_XLA_FLAGS", ""), f"{FLAG}{self._scratch}"]
        # The key of a file is the program's own hash. Another check would compare the programs
        # once more, names included.
        flags.append(STRICT)
        os.environ["TF_XLA_FLAGS"] = " ".join(flags).strip()

    @contextlib.contextmanager
    def code(self, files: Mapping[str, bytes]) -> Iterator[Path]:
        """The folder with these files alone; it is empty again afterwards."""
        try:
            for name, content in files.items():
                (self._scratch / Path(name).name).write_bytes(content)
            yield self._scratch
        finally:
            for file in self._scratch.glob("*"):
                file.unlink(missing_ok=True)


@functools.cache
def _store() -> program_store.ProgramStore | None:
    """The store of this process; None where it is switched off, or the user has one of XLA's."""
    _forget_inherited()
    return None if FLAG in os.environ.get("TF_XLA_FLAGS", "") else program_store.store()


@functools.cache
def _cache() -> _Cache | None:
    """The cache of this process; None where there is no store, or one that can't be used."""
    store = _store()
    _remove_left_behind()
    return None if store is None or store.fault else _Cache(store)


def _forget_inherited() -> None:
    """Remove from the flags what a process of ours that started this one has put there."""
    flags = os.environ.get("TF_XLA_FLAGS", "").split()
    if any(flag.startswith(FLAG) and SCRATCH in flag for flag in flags):
        own = [f for f in flags if f != STRICT and not (f.startswith(FLAG) and SCRATCH in f)]
        os.environ["TF_XLA_FLAGS"] = " ".join(own)


def use_store() -> str | None:
    """Open the store before XLA compiles anything; returns why it is not used, if for a fault.

    XLA reads its flags once, when it compiles for the first time in a process.
    """
    _cache()
    store = _store()
    return store.fault if store else None


def _remove_left_behind() -> None:
    """Remove the folders of processes that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        pid = folder.name.removeprefix(SCRATCH).partition("-")[0]
        with contextlib.suppress(OSError):
            if (
                pid.isdigit()
                and not psutil.pid_exists(int(pid))
                and folder.lstat().st_uid == os.getuid()
            ):
                shutil.rmtree(folder, ignore_errors=True)

"""Graphs whose machine code is on the disk are not rewritten again.

PyTensor rewrites a graph, converts each node, and knows then under which key Numba keeps its machine code: seconds for the
gradient of a loop, in each process anew, for the same result. Here that key is kept beside the machine code, under a digest of
all that it follows from: the graph as the user wrote it, the mode, settings, versions, the sources of symae
(`symae.compile.exact_description`). A function whose graph is known loads its machine code at once.

What else needs the rewritten graph gets it when it asks: ``function.maker.fgraph``, an error of a node, a copy, arguments of
another layout or dtype, or machine code that is no longer there. The graph is rewritten then, as it would have been before.

The environment variable ``SYMAE_KNOWN_GRAPHS=off`` switches this off.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import logging
import os
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytensor
from pytensor import config
from pytensor.compile.executor import Function
from pytensor.compile.maker import FunctionMaker
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Constant
from pytensor.link.numba.linker import NumbaLinker
from pytensor.link.utils import raise_with_op

from symae._runtime.memory import collect_young
from symae._runtime.versions import SYMAE
from symae.compile.exact_description import Describer, Indescribable, names_of_rewrites
from symae.errors import InputError

_log = logging.getLogger("symae.compile.known_graphs")
VARIABLE = "SYMAE_KNOWN_GRAPHS"
LEAST = 0.05  # seconds of rewriting and converting, from which on a graph is worth a file

# PyTensor's settings on which neither the rewritten graph nor its machine code depends; some take long to find out
_OTHER_SETTINGS = (
    *("DebugMode", "NanGuardMode", "base_compiledir", "blas", "cmodule", "compile_", "compiledir", "compiler_verbose", "cxx"),
    *(
        "exception",
        "gcc",
        "mode",
        "linker",
        "nocleanup",
        "on_unused_input",
        "print",
        "profil",
        "traceback",
        "unpickle",
        "warn__",
    ),
)
_OTHER_VARIABLES = (VARIABLE, "SYMAE_DATA", "SYMAE_SECOND_PROCESS", "NUMBA_CACHE_DIR")
# Where symae's rewrites, ops and conversions are, and what they are made of.
_SOURCES = ("_runtime", "compile", "geometry", "kernels", "nn", "ops", "patches", "rewrites", "theano")


def chosen() -> bool:
    """Return True unless the environment variable says that all graphs are to be rewritten.

    InputError is raised where it is neither ``on`` nor ``off``.
    """
    value = os.environ.get(VARIABLE, "").strip()
    if value not in ("", "on", "off"):
        raise InputError(VARIABLE, repr(value), "on or off")
    return value != "off"


def written_graph(function: Function) -> Any:
    """Return the graph of a function, rewritten or not yet: inputs, updates, and the kinds of outputs are the same."""
    return vars(function.maker)["fgraph"]


def looking_up(mode: Any, surroundings: Callable[[], AbstractContextManager[Any]], *more: Any) -> Any:
    """Return a mode that compiles as `mode` does, but looks first whether the graph is known.

    Whatever is rewritten later is so within `surroundings`. `more` are settings of symae's that the graph is rewritten with.
    """
    if not chosen() or type(mode) is not Mode or type(mode.linker) is not NumbaLinker or not config.numba__cache:
        return mode
    looking = _LookingUp.__new__(_LookingUp)
    looking.__dict__.update(vars(mode), original=mode, surroundings=surroundings, more=more)
    return looking


class _LookingUp(Mode):
    """Compile as `original` does, by a `_Maker`."""

    original: Mode
    surroundings: Callable[[], AbstractContextManager[Any]]
    more: tuple[Any, ...]

    @property
    def function_maker(self) -> type[FunctionMaker]:
        return _Maker


class _Known(NamedTuple):
    """Hold what is kept of a graph: the key of its machine code, and the name of the function that Numba compiled."""

    key: str
    name: str


class _Maker(FunctionMaker):
    """Make a function of PyTensor's, of a graph that is rewritten only when somebody needs it, if it is known.

    As soon as it is rewritten the maker is a plain `FunctionMaker`.
    """

    _made = False
    _known: _Known | None = None

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        looking: Any = self.__dict__["mode"]
        self._looking, self.mode = looking, looking.original
        linker = self.linker
        linker.__class__, linker.known, linker.found = _Linker, self._known, None

    @property
    def fgraph(self) -> Any:
        if self._made:
            self.rewrite()
        return self.__dict__["fgraph"]

    @fgraph.setter
    def fgraph(self, graph: Any) -> None:
        self.__dict__["fgraph"] = graph

    def prepare_fgraph(self, inputs: Any, outputs: Any, additional_outputs: Any, fgraph: Any, mode: Any, profile: Any) -> None:
        self._rewrite_with = (inputs, outputs, additional_outputs, fgraph, mode.original, profile)
        self._file = None if profile else _file(fgraph, inputs, [*outputs, *additional_outputs], mode)
        self._known = None if self._file is None else _read(self._file)
        if self._known is None:
            super().prepare_fgraph(*self._rewrite_with)

    def create(self, *arguments: Any, **named: Any) -> Any:
        function = super().create(*arguments, **named)
        linker, self._vm = self.linker, function.vm
        linker.__class__, found = NumbaLinker, linker.found
        del linker.known, linker.found
        if self._known is None:
            to_keep = self._file, found
            self._become_plain()
            self._to_keep = to_keep
        else:
            dispatcher = function.vm.jit_fn
            dispatcher._compiler = _Filling(dispatcher, self, self._known.key)
            self._vm.rewrite = self.rewrite
            self._made = True
        return function

    def _become_plain(self) -> None:
        self.__class__ = FunctionMaker
        for name in ("_looking", "_rewrite_with", "_vm", "_made", "_known", "_file"):
            self.__dict__.pop(name, None)

    def rewrite(self) -> None:
        """Rewrite the graph, as it would have been if it were not known."""
        if self.__class__ is not _Maker:
            return
        with collect_young(), self._looking.surroundings():
            self._made = False
            vm, graph = self._vm, self.fgraph
            outputs = [vm.storage_map[v] for v in graph.outputs]
            FunctionMaker.prepare_fgraph(*self._rewrite_with)
            before = dict(vm.storage_map)
            storage = {v: before.get(v, [v.data if isinstance(v, Constant) else None]) for v in graph.variables}
            vm.storage_map.clear()
            vm.storage_map.update(storage | dict(zip(graph.outputs, outputs, strict=True)))
            vm.rewrite = _nothing
            self._become_plain()

    def __reduce_ex__(self, protocol: Any) -> Any:
        self.rewrite()
        return self.__reduce_ex__(protocol)


class _Linker(NumbaLinker):
    """Link a graph that is `known` without converting it; note otherwise under which key its machine code is kept."""

    known: _Known | None
    found: _Known | None

    def fgraph_convert(self, fgraph: Any, **named: Any) -> Any:
        if self.known is not None:
            return _not_converted(self.known), self.known.key
        function, key = super().fgraph_convert(fgraph, **named)
        if key is not None:
            self.found = _Known(key, function.py_func.__name__)
        return function, key

    def create_jitable_thunk(self, *given: Any) -> Any:
        thunks, nodes, jitted = super().create_jitable_thunk(*given)
        if self.known is None:
            return thunks, nodes, jitted
        (stock,) = thunks
        inputs, outputs = stock.inputs, stock.outputs

        def thunk() -> None:
            try:
                results = jitted(*(x[0] for x in inputs))
            except Exception:
                thunk.rewrite()  # type: ignore[attr-defined]
                raise_with_op(self.fgraph, next(v.owner for v in self.fgraph.outputs if v.owner is not None), thunk)
            for storage, result in zip(outputs, results, strict=False):
                storage[0] = result

        thunk.__dict__.update(vars(stock))
        return [thunk], nodes, jitted


def _not_converted(known: _Known) -> Any:
    """Return what PyTensor makes of a converted graph, so that Numba finds its machine code, without what it would call."""
    from pytensor.link.numba.cache import compile_numba_function_src
    from pytensor.link.numba.dispatch import basic

    function = compile_numba_function_src(
        src=f"def {known.name}(*args): return jitable_func(*args)",
        function_name=known.name,
        global_env=dict(vars(basic)),
        cache_key=f"{known.key}_fastmath{int(config.numba__fastmath)}",
    )
    return types.SimpleNamespace(py_func=function)


class _Filling:
    """Stand for the compiler of a function of a known graph: what the function calls is made before it is compiled."""

    def __init__(self, dispatcher: Any, maker: _Maker, key: str):
        self._dispatcher, self._compiler = dispatcher, dispatcher._compiler
        self._maker, self._vm, self._surroundings, self._key = maker, maker._vm, maker._looking.surroundings, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiler, name)

    def compile(self, *given: Any) -> Any:
        from numba.core.caching import NullCache

        dispatcher, vm, linker = self._dispatcher, self._vm, self._maker.linker
        with collect_young(), self._surroundings():
            graph = self._maker.fgraph  # rewritten now
            function, key = linker.fgraph_convert(
                graph,
                order=graph.toposort(),
                input_storage=[vm.storage_map[v] for v in graph.inputs],
                output_storage=[vm.storage_map[v] for v in graph.outputs],
                storage_map=vm.storage_map,
            )
            called = function if key is None else function.py_func.__globals__["jitable_func"]
            dispatcher.py_func.__globals__["jitable_func"] = called
            if key != self._key:  # the disk has no name for what is compiled now
                dispatcher._cache = NullCache()
            dispatcher._compiler = self._compiler
            return self._compiler.compile(*given)


def _nothing() -> None:
    """Do nothing: the graph is rewritten."""


def _file(fgraph: Any, inputs: Sequence[Any], outputs: Sequence[Any], mode: _LookingUp) -> Path | None:
    """Return where the key of a graph's machine code is kept; None if it has to be rewritten in any case.

    That is so if something cannot be described, or if an output is an input, or there twice: such outputs are copied by what is
    inserted when the graph is rewritten.
    """
    if not outputs or len(set(fgraph.outputs)) < len(outputs) or any(v.owner is None for v in fgraph.outputs):
        return None
    describe = Describer()
    try:
        described = (
            _process(),
            describe.graph(fgraph.inputs, fgraph.outputs),
            [(i.mutable, i.borrow, i.shared, i.update is not None, i.value is None) for i in inputs],
            [o.borrow for o in outputs],
            sorted((fgraph.update_mapping or {}).items()),
            [(name, getattr(config, name)) for name in _settings()],
            describe.text(mode.original),
            names_of_rewrites(),
            mode.more,
        )
    except Indescribable as found:
        _log.debug("a graph is rewritten in any case, as it has %s", found)
        return None
    from symae.kernels.kept_code import kept_file

    return kept_file("symae_graph", repr(described))


@functools.cache
def _settings() -> tuple[str, ...]:
    return tuple(name for name in sorted(config._config_var_dict) if not name.startswith(_OTHER_SETTINGS))


@functools.cache
def _process() -> str:
    """Describe what does not change in this process: versions, sources, and the environment."""
    package = Path(__file__).parents[1]
    folders = [package, *(package / folder for folder in _SOURCES)]
    sources = sorted(itertools.chain.from_iterable(_files(str(folder), folder is not package) for folder in folders))
    environment = sorted(
        (k, v) for k, v in os.environ.items() if k.startswith(("SYMAE_", "NUMBA_")) and k not in _OTHER_VARIABLES
    )
    versions = sys.version, SYMAE, pytensor.__version__, np.__version__
    return hashlib.sha256(repr((versions, sources, environment)).encode()).hexdigest()


def _files(folder: str, with_folders: bool) -> Iterator[tuple[str, int, int]]:
    """Yield the path, the size and the time of each source in a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if with_folders:
                    yield from _files(entry.path, with_folders)
            elif entry.name.endswith((".py", ".h", ".c")):
                seen = entry.stat()
                yield entry.path, seen.st_size, seen.st_mtime_ns


def _read(file: Path) -> _Known | None:
    from symae.kernels.kept_code import read_kept

    kept = read_kept(file)
    try:
        return None if kept is None else _Known(**json.loads(kept))
    except (ValueError, TypeError):
        return None


def keep(function: Any, seconds: float) -> None:
    """Keep the key of the machine code of `function`, if rewriting and converting its graph took so many `seconds`."""
    file, found = function.maker.__dict__.pop("_to_keep", (None, None))
    if file is not None and found is not None and seconds >= LEAST:
        from symae.kernels import kept_code

        kept_code.keep(file, json.dumps(found._asdict()).encode())

"""Functions of graphs whose machine code is known: they are rewritten when somebody asks for what they became.

Whoever asks waits until the graph is rewritten, and gets all of it or an error: what is rewritten is a copy, which takes the
place of the graph as it was written in the end. After an interrupt the next one who asks has it rewritten again.

What is rewritten later is so with the settings that there were when the function was made. Threads take symae's lock first and
then Numba's, as `symae.function` does: one that calls a function of a known graph would have them in the other order.
"""

from __future__ import annotations

import copy
import functools
import keyword
import re
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pytensor import config
from pytensor.compile.aliasing import infer_reuse_pattern
from pytensor.compile.maker import FunctionMaker
from pytensor.graph.basic import Constant, clone_get_equiv
from pytensor.graph.fg import FunctionGraph
from pytensor.link.numba.linker import NumbaLinker
from pytensor.link.utils import raise_with_op

from symae._runtime.memory import collect_young


class Known(NamedTuple):
    """Hold what is kept of a graph: the key of its machine code, and the name of the function that Numba compiled."""

    key: str
    name: str

    def is_plain(self) -> bool:
        """Return True if these are words: they become part of a source."""
        words = isinstance(self.key, str) and isinstance(self.name, str) and f"{self.key}{self.name}".isascii()
        return words and self.name.isidentifier() and not keyword.iskeyword(self.name) and bool(re.fullmatch(r"\w+", self.key))


class Found(NamedTuple):
    """Hold where the key of a graph is kept, if it may be; the key, if it is known; and the settings there are."""

    file: Path | None
    known: Known | None
    settings: Mapping[str, Any]


class _Late(NamedTuple):
    """Hold all that a graph is rewritten with later, and what its function has already."""

    looking: Any  # the mode: its surroundings
    settings: Mapping[str, Any]
    inputs: Any
    outputs: Any
    updates: Any
    written: FunctionGraph
    profile: Any
    vm: Any
    storage: tuple[list[Any], list[Any]]  # of inputs and outputs

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Rewrite or compile within the block as when the function was made."""
        with collect_young(), self.looking.surroundings():
            other = {name: value for name, value in self.settings.items() if getattr(config, name) != value}
            with config.change_flags(**other):
                yield


class LateMaker(FunctionMaker):
    """Make a function of PyTensor's, of a graph that is rewritten only when somebody needs it, if it is known.

    As soon as it is rewritten the maker is a plain `FunctionMaker`.
    """

    _found = Found(None, None, {})

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._looking: Any = self.__dict__["mode"]
        self.mode = self._looking.original
        linker = self.linker
        linker.__class__, linker.known, linker.found = _Linker, self._found.known, None

    @property
    def fgraph(self) -> Any:
        self.rewrite()
        return self.__dict__["fgraph"]

    @fgraph.setter
    def fgraph(self, graph: Any) -> None:
        self.__dict__["fgraph"] = graph

    def prepare_fgraph(self, inputs: Any, outputs: Any, additional_outputs: Any, fgraph: Any, mode: Any, profile: Any) -> None:
        self._specified = inputs, outputs, additional_outputs
        if not profile:
            self._found = mode.look_up(fgraph, inputs, [*outputs, *additional_outputs])
        if self._found.known is None:
            super().prepare_fgraph(inputs, outputs, additional_outputs, fgraph, mode.original, profile)

    def create(self, *arguments: Any, **named: Any) -> Any:
        if "_late" in self.__dict__:  # another function of this maker
            self.rewrite()
            return self.create(*arguments, **named)
        function = super().create(*arguments, **named)
        linker, vm, found = self.linker, function.vm, self._found
        linker.__class__, noted = NumbaLinker, linker.found
        del linker.known, linker.found
        if found.known is None:
            self._become_plain()
            self._to_keep = found.file, noted
            return function
        graph, storage = self.__dict__["fgraph"], vm.storage_map
        late = _Late(
            self._looking,
            found.settings,
            *self._specified,
            graph,
            self.profile,
            vm,
            ([storage[v] for v in graph.inputs], [storage[v] for v in graph.outputs]),
        )
        vm.graph = functools.partial(_graph_of, self)
        _fill_later(vm.jit_fn, self, late, found.known.key)
        self._late = late
        return function

    def _become_plain(self) -> None:
        self.__class__ = FunctionMaker
        for name in ("_looking", "_specified", "_found", "_late"):
            self.__dict__.pop(name, None)

    def rewrite(self) -> None:
        """Rewrite the graph, as it would have been if it were not known, unless that is done."""
        late = self.__dict__.get("_late")
        if late is None:
            return
        with late.surroundings():
            if self.__class__ is LateMaker:  # no other thread has rewritten it meanwhile
                self._rewrite(late)

    def _rewrite(self, late: _Late) -> None:
        written, specified, mode = late.written, [*late.outputs, *late.updates], late.looking.original
        copies = clone_get_equiv(written.inputs, written.outputs, copy_inputs=False, copy_orphans=False)
        graph = FunctionGraph(
            written.inputs, [copies[v] for v in written.outputs], clone=False, update_mapping=written.update_mapping
        )
        graph.name, graph.profile = getattr(written, "name", None), written.profile
        self.create_fgraph(late.inputs, late.outputs, self.accept_inplace, fgraph=graph)
        FunctionMaker.prepare_fgraph(late.inputs, late.outputs, late.updates, graph, mode, late.profile)

        copied = [v for v, output in zip(graph.outputs, specified, strict=True) if not output.borrow]
        reused = infer_reuse_pattern(graph, copied) if copied else None
        linker = copy.copy(mode.linker).accept(graph, no_recycling=reused, profile=late.profile)
        inputs, outputs = (
            dict(zip(variables, storage, strict=True))
            for variables, storage in zip((graph.inputs, graph.outputs), late.storage, strict=True)
        )
        given = outputs | inputs
        # after an interrupt between these lines the graph is rewritten again
        late.vm.storage_map = {v: given.get(v, [v.data if isinstance(v, Constant) else None]) for v in graph.variables}
        self.__dict__.update(fgraph=graph, linker=linker)
        self._become_plain()

    def __reduce_ex__(self, protocol: Any) -> Any:
        self.rewrite()
        return self.__reduce_ex__(protocol)


def _graph_of(maker: FunctionMaker) -> Any:
    return maker.fgraph


class _Linker(NumbaLinker):
    """Link a graph that is `known` without converting it; note otherwise under which key its machine code is kept."""

    known: Known | None
    found: Known | None

    def fgraph_convert(self, fgraph: Any, **named: Any) -> Any:
        if self.known is not None:
            return _not_converted(self.known), self.known.key
        function, key = super().fgraph_convert(fgraph, **named)
        if key is not None:
            self.found = Known(key, function.py_func.__name__)
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
                graph = thunk.graph()  # type: ignore[attr-defined]
                raise_with_op(graph, next(v.owner for v in graph.outputs if v.owner is not None), thunk)
            for storage, result in zip(outputs, results, strict=False):
                storage[0] = result

        thunk.__dict__.update(vars(stock))
        return [thunk], nodes, jitted


def _not_converted(known: Known) -> Any:
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


def _fill_later(dispatcher: Any, maker: LateMaker, late: _Late, key: str) -> None:
    """Let Numba's function of a known graph be converted before it is compiled, for arguments that the disk has nothing for."""
    from numba.core.sigutils import normalize_signature

    stock = type(dispatcher).compile

    def compile_(signature: Any) -> Any:
        if tuple(normalize_signature(signature)[0]) in dispatcher.overloads:
            return stock(dispatcher, signature)
        with late.surroundings():  # before Numba's lock
            return stock(dispatcher, signature)

    dispatcher._compiler = _Filling(dispatcher, maker, late, key)
    dispatcher.compile = compile_


class _Filling:
    """Stand for the compiler of a function of a known graph: what the function calls is made before it is compiled."""

    def __init__(self, dispatcher: Any, maker: LateMaker, late: _Late, key: str):
        self._dispatcher, self._compiler = dispatcher, dispatcher._compiler
        self._maker, self._late, self._key = maker, late, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiler, name)

    def compile(self, *given: Any) -> Any:
        from numba.core.caching import NullCache

        dispatcher, maker = self._dispatcher, self._maker
        with self._late.surroundings():
            graph, storage = maker.fgraph, self._late.vm.storage_map  # rewritten now
            # an input that nothing is computed of has no storage
            inputs, outputs = ([storage.get(v, [None]) for v in variables] for variables in (graph.inputs, graph.outputs))
            function, key = maker.linker.fgraph_convert(
                graph, order=graph.toposort(), input_storage=inputs, output_storage=outputs, storage_map=storage
            )
            called = function if key is None else function.py_func.__globals__["jitable_func"]
            dispatcher.py_func.__globals__["jitable_func"] = called
            if key != self._key:  # the disk has no name for what is compiled now
                dispatcher._cache = NullCache()
            dispatcher._compiler = self._compiler
            vars(dispatcher).pop("compile", None)
            return self._compiler.compile(*given)

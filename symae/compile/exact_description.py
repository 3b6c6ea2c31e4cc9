"""A graph before it is rewritten, in words that say all that rewriting and compiling it depends on.

Two graphs of one description are compiled alike, so machine code of one is the other's. `symae.compile.graph_fingerprint` tells
trainings apart and may leave something out; what is here raises `Indescribable` where it finds anything that it does not know:
an operation, a function or a rewrite of neither PyTensor's nor symae's, whose source may change, or an object of a kind that is
not listed here.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

import numpy as np
from pytensor.compile.mode import Mode, optdb
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.fg import AbstractFunctionGraph
from pytensor.graph.op import HasInnerGraph, Op
from pytensor.graph.rewriting.db import RewriteDatabase
from pytensor.graph.type import Type
from pytensor.misc.frozendict import frozendict
from pytensor.misc.ordered_set import OrderedSet
from pytensor.tensor.type import TensorType

# of these the versions, or the sources, are part of the key
KNOWN = frozenset(("builtins", "collections", "functools", "numpy", "operator", "pytensor", "symae", "types", "typing"))
# What ops remember of what they have computed, and another form of what is described: of an inner graph, or of a function.
_DERIVED = frozenset(("fgraph", "inputs", "outputs", "prepare_node_called", "nfunc", "ufunc"))


_SIMPLE = (bool, int, str, bytes, complex)


class Indescribable(Exception):
    """Raised where something is found that no description is known of."""


class Describer:
    """Describe graphs and what they are made of; what was described once is remembered with its description."""

    def __init__(self) -> None:
        self._of_objects: dict[int, tuple[Any, str]] = {}
        self._of_types: dict[Type, str] = {}
        self._within: set[int] = set()

    def graph(self, inputs: Sequence[Variable], outputs: Sequence[Variable]) -> str:
        """Return a digest of the graph from `inputs` to `outputs`; no recursion, as graphs are deep."""
        known = {v: f"input {number}" for number, v in enumerate(inputs)}
        lines = [self._type(v.type) for v in inputs]
        for output in outputs:
            waiting = [output]
            while waiting:
                v = waiting[-1]
                if v in known:
                    waiting.pop()
                elif v.owner is None:
                    known[v] = self._constant(v)
                elif missing := [i for i in v.owner.inputs if i not in known]:
                    waiting += reversed(missing)
                else:
                    node, number = v.owner, len(lines)
                    # what a rewrite of symae has said of a node
                    said = bool(getattr(node.tag, "saturates", False))
                    types_ = [self._type(o.type) for o in node.outputs]
                    lines.append(f"{self._op(node.op)} {[known[i] for i in node.inputs]} {types_} {said}")
                    known |= {o: f"{number} {k}" for k, o in enumerate(node.outputs)}
        lines.append(str([known[v] for v in outputs]))
        return _digest("\n".join(lines))

    def _constant(self, v: Variable) -> str:
        if not isinstance(v, Constant):
            raise Indescribable(f"{v}, neither an input nor a constant")
        return f"{self._type(v.type)} {self.text(v.data)}"

    def _type(self, kind: Type) -> str:
        if kind not in self._of_types:
            if type(kind) is TensorType:
                self._of_types[kind] = f"{kind.dtype} {kind.shape}"
            else:
                self._known(type(kind))
                self._of_types[kind] = f"{type(kind)} {self.text(_without_private(vars(kind)))}"
        return self._of_types[kind]

    def _op(self, op: Op) -> str:
        return self._remembered(op, self._described_op)

    def _described_op(self, op: Op) -> str:
        self._known(type(op))
        props = {name: getattr(op, name) for name in getattr(op, "__props__", None) or ()}
        # what is private in PyTensor's ops follows from the rest
        private = type(op).__module__.partition(".")[0] != "pytensor"
        settings = vars(op) if private else _without_private(vars(op))
        settings = {k: v for k, v in (settings | props).items() if k not in _DERIVED and not k.startswith("__")}
        inner = ""
        if isinstance(op, HasInnerGraph):
            inner = self.graph(op.inner_inputs, op.inner_outputs)
        elif hasattr(op, "fgraph"):
            raise Indescribable(f"a graph in {type(op)}")
        return _digest(f"{type(op)} {self.text(settings)} {inner}")

    def _remembered(self, value: Any, describe: Any) -> str:
        if id(value) not in self._of_objects:
            with self._inside(value):
                self._of_objects[id(value)] = value, describe(value)
        return self._of_objects[id(value)][1]

    @contextmanager
    def _inside(self, value: Any) -> Iterator[None]:
        if id(value) in self._within:
            raise Indescribable(f"{type(value)} that is part of itself")
        self._within.add(id(value))
        try:
            yield
        finally:
            self._within.remove(id(value))

    def _known(self, found: Any) -> None:
        """Refuse a class or function that is not of the packages whose versions are known."""
        if str(found.__module__).partition(".")[0] not in KNOWN:
            raise Indescribable(f"{found.__module__}.{found.__qualname__}")

    def text(self, value: Any) -> str:
        """Describe any value that ops have among their settings."""
        if value is None or type(value) in _SIMPLE:
            return f"{type(value).__name__} {value!r}"
        if type(value) is float:
            return f"float {value.hex()}"
        if isinstance(value, np.ndarray | np.generic):
            return _of_array(np.asarray(value), type(value).__name__)
        if isinstance(value, np.dtype):
            return f"dtype {value.str} {value}"
        if isinstance(value, slice):
            return f"slice {self.text((value.start, value.stop, value.step))}"
        if isinstance(value, Op):
            return self._op(value)
        if isinstance(value, Type):
            return self._type(value)
        if isinstance(value, AbstractFunctionGraph):
            return self.graph(value.inputs, value.outputs)
        if isinstance(value, Variable):
            raise Indescribable(f"a variable, {value}, among settings")
        return self._remembered(value, self._described)

    def _described(self, value: Any) -> str:
        if isinstance(value, dict | types.MappingProxyType | frozendict):
            return f"{type(value)} {sorted((self.text(k), self.text(v)) for k, v in value.items())}"
        if isinstance(value, set | frozenset | OrderedSet):
            return f"{type(value)} {sorted(map(self.text, value))}"
        if isinstance(value, list | tuple):
            return f"{type(value)} {[self.text(v) for v in value]}"
        if isinstance(value, enum.Enum):
            return f"{type(value)} {value.name}"
        if isinstance(value, PurePath):
            return f"path {value}"
        if isinstance(value, np.ufunc):
            return f"ufunc {value.__name__}"
        if isinstance(value, type):
            self._known(value)
            return f"{value.__module__}.{value.__qualname__}"
        if isinstance(value, types.UnionType):
            return f"union {self.text(value.__args__)}"
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return f"method {self.text(value.__func__)} {self.text(value.__self__)}"
        if isinstance(value, types.BuiltinFunctionType):
            return f"builtin {value.__module__}.{value.__qualname__}"
        if isinstance(value, functools.partial):
            return f"partial {self.text((value.func, value.args, value.keywords))}"
        if type(value) is Mode:  # of a loop; its database is the one of all
            if value.optdb is not optdb:
                raise Indescribable("a mode with a database of its own")
            return f"mode {type(value.linker)} {self.text(value._optimizer)}"
        self._known(type(value))
        if not hasattr(value, "__dict__"):
            raise Indescribable(str(type(value)))
        return f"{type(value)} {self.text(vars(value))}"

    def _function(self, function: types.FunctionType) -> str:
        self._known(function)
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        described = self.text([cells, function.__defaults__, function.__kwdefaults__])
        return f"function {function.__module__}.{function.__qualname__} {function.__code__.co_code.hex()} {described}"


def _without_private(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if not name.startswith("_")}


def _of_array(array: np.ndarray, kind: str) -> str:
    if array.dtype.hasobject:
        raise Indescribable("an array of objects")
    order = array.flags.c_contiguous, array.flags.f_contiguous
    content = hashlib.sha256(array.tobytes()).hexdigest()
    return f"{kind} {array.dtype.str} {array.shape} {order} {content}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def names_of_rewrites(database: RewriteDatabase = optdb) -> list[str]:
    """Return the names of all rewrites in a database, by default PyTensor's, and in those within it.

    Raises
    ------
    Indescribable
        One is neither PyTensor's nor symae's.
    """
    found: list[str] = []
    for tag, rewriters in database.__db__.items():
        if tag not in database._names:
            continue
        for rewriter in rewriters:
            found.append(f"{tag} {rewriter.name}")
            if isinstance(rewriter, RewriteDatabase):
                found += names_of_rewrites(rewriter)
            for part in (type(rewriter), _function_in(rewriter)):
                if part is not None and str(part.__module__).partition(".")[0] not in KNOWN:
                    raise Indescribable(f"the rewrite {tag}, of {part.__module__}")
    return sorted(found)


def _function_in(rewriter: Any) -> Any:
    """Return the function that a rewriter calls, if it is one of those that are made of a function."""
    inside = getattr(rewriter, "node_rewriter", rewriter)
    found = getattr(inside, "fn", None)
    while isinstance(found, functools.partial):
        found = found.func
    return found if isinstance(found, types.FunctionType) else None

"""A graph before it is rewritten, in words that say all that rewriting and compiling it depends on.

Two graphs of one description are compiled alike, so machine code of one is the other's. `symae.compile.graph_fingerprint` tells
trainings apart and may leave something out; what is here raises `Indescribable` where it finds anything that it does not know:
an operation or a function of neither PyTensor's nor symae's, whose source may change, or an object of a kind that is not listed
here. `symae.compile.described_rewrites` says the same of what a graph is rewritten and converted by.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import marshal
import types
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from pytensor.compile.mode import Mode, optdb
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.fg import AbstractFunctionGraph
from pytensor.graph.op import HasInnerGraph, Op
from pytensor.graph.rewriting.basic import FromFunctionNodeRewriter, Rewriter
from pytensor.graph.type import Type
from pytensor.misc.frozendict import frozendict
from pytensor.misc.ordered_set import OrderedSet
from pytensor.tensor.type import TensorType

# of these the versions, or the sources, are part of the key
KNOWN = frozenset(("builtins", "collections", "functools", "numpy", "operator", "pytensor", "symae", "types", "typing"))
# What ops remember of what they have computed, and another form of what is described: of an inner graph, or of a function.
_DERIVED = frozenset(("fgraph", "inputs", "outputs", "prepare_node_called", "nfunc", "ufunc"))
_OFTEN = frozenset((dict, list, tuple, types.FunctionType))
_SIMPLE = frozenset((bool, int, str, bytes, complex))
_FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)
_ARRAYS = (np.ndarray, np.memmap)
# What rewrites have found out of the operations that they are for, and what they have counted.
_FOUND = ("_tracked_", "tracker", "node_tracker", "pre_profile", "time_", "process_count", "applied_true", "node_created")
# The attributes of most rewrites.
_OF_FUNCTION = {"fn", "name", "__name__", "requirements", "_tracks"}


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
        address = id(value)
        if address not in self._of_objects:
            if address in self._within:
                raise Indescribable(f"{type(value)} that is part of itself")
            self._within.add(address)
            try:
                self._of_objects[address] = value, describe(value)
            finally:
                self._within.remove(address)
        return self._of_objects[address][1]

    def _known(self, found: Any) -> None:
        """Refuse a class or function that is not of the packages whose versions are known."""
        if str(found.__module__).partition(".")[0] not in KNOWN:
            raise Indescribable(f"{found.__module__}.{found.__qualname__}")

    def class_of(self, value: Any) -> str:
        """Describe the class of a value, and nothing else of it."""
        self._known(type(value))
        return str(type(value))

    def text(self, value: Any) -> str:
        """Describe any value that ops have among their settings."""
        if value is None or type(value) in _SIMPLE:
            return f"{type(value).__name__} {value!r}"
        if type(value) is float:
            return f"float {value.hex()}"
        if type(value) in _OFTEN:
            return self._remembered(value, self._described)
        kind: Any = type(value)
        base = _base(kind)
        if base is np.ndarray or base is np.generic:
            return _of_array(value)
        if base is np.dtype:
            return f"dtype {value.str} {value}"
        if base is slice:
            return f"slice {self.text((value.start, value.stop, value.step))}"
        if base is Op:
            return self._op(value)
        if base is Type:
            return self._type(value)
        if base is AbstractFunctionGraph:
            return self.graph(value.inputs, value.outputs)
        if base is Variable:
            if not isinstance(value, Constant):
                raise Indescribable(f"a variable, {value}, among settings")
            return self._constant(value)
        return self._remembered(value, self._described)

    def _described(self, value: Any) -> str:
        kind: Any = type(value)
        if kind is list or kind is tuple:
            return f"{kind} {[self.text(v) for v in value]}"
        if kind is types.FunctionType:
            return self._function(value)
        if kind is FromFunctionNodeRewriter and _without_found(vars(value)).keys() <= _OF_FUNCTION:  # most rewrites are
            return " ".join(map(self.text, (value.fn, value._tracks, value.requirements or None)))
        base = _base(kind)
        if base in _MAPPINGS:
            return f"{kind} {sorted((self.text(k), self.text(v)) for k, v in value.items())}"
        if base in _SETS:
            return f"{kind} {sorted(map(self.text, value))}"
        if base is list or base is tuple:
            return f"{kind} {[self.text(v) for v in value]}"
        if base is enum.Enum:
            return f"{kind} {value.name}"
        if base is PurePath:
            return f"path {value}"
        if base is np.ufunc:
            return f"ufunc {value.__name__}"
        if base is type:
            self._known(value)
            return f"{value.__module__}.{value.__qualname__}"
        if base is types.UnionType:
            return f"union {self.text(value.__args__)}"
        if base is types.MethodType:
            return f"method {self.text(value.__func__)} {self.text(value.__self__)}"
        if base is types.BuiltinFunctionType:
            return f"builtin {value.__module__}.{value.__qualname__}"
        if base is functools.partial:
            return f"partial {self.text((value.func, value.args, value.keywords))}"
        if kind is Mode:  # of a loop; its database is the one of all
            if value.optdb is not optdb:
                raise Indescribable("a mode with a database of its own")
            return f"mode {type(value.linker)} {self.text(value._optimizer)}"
        if kind.__module__ == "etuples.core":  # part of a pattern
            return f"{kind} {[self.text(v) for v in value]}"
        if kind.__module__ != "unification.variable":
            self._known(kind)
        slots = [name for name in _slots(kind) if hasattr(value, name)]
        if not slots and not hasattr(value, "__dict__"):
            raise Indescribable(str(kind))
        settings = {name: getattr(value, name) for name in slots} | getattr(value, "__dict__", {})
        if base is Rewriter:
            settings = _without_found(settings)
        return f"{kind} {self.text(settings)}"

    def _function(self, function: types.FunctionType) -> str:
        self._known(function)
        if str(function.__globals__.get("__name__")).partition(".")[0] not in KNOWN:  # whatever `functools.wraps` calls it
            raise Indescribable(f"{function.__globals__.get('__name__')}.{function.__qualname__}")
        try:
            cells = [cell.cell_contents for cell in function.__closure__ or ()]
        except ValueError:
            raise Indescribable(f"{function}, of which something is missing") from None
        more = cells, function.__defaults__, function.__kwdefaults__
        described = self.text(more) if any(more) else ""
        return f"function {function.__module__}.{function.__qualname__} {_code(function.__code__)} {described}"


@functools.cache
def _code(code: types.CodeType) -> str:
    # in the second format, which does not depend on how often something is referred to
    return hashlib.sha256(marshal.dumps(code, 2)).hexdigest()


_MAPPINGS = (dict, types.MappingProxyType, frozendict)
_SETS = (set, frozenset, OrderedSet)
_BASES: tuple[Any, ...] = (
    *(np.ndarray, np.generic, np.dtype, slice, Op, Type, AbstractFunctionGraph, Variable, Rewriter),
    *(*_MAPPINGS, *_SETS, list, tuple, enum.Enum, PurePath, np.ufunc, type),
    *(types.UnionType, types.MethodType, types.BuiltinFunctionType, functools.partial),
)


@functools.cache
def _base(kind: Any) -> Any:
    """Return which of some base classes a class has; `isinstance` would go through all subclasses of an abstract one."""
    return next((base for base in _BASES if base in kind.__mro__), None)


@functools.cache
def _slots(kind: type) -> tuple[str, ...]:
    found: list[str] = []
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        found += (s for s in ([slots] if isinstance(slots, str) else slots) if not s.startswith("__"))
    return tuple(found)


def _without_found(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if not name.startswith(_FOUND)}


def _without_private(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is private, but for functions, such as the one that `as_op` makes an operation of."""
    return {name: value for name, value in settings.items() if not name.startswith("_") or isinstance(value, _FUNCTIONS)}


def _of_array(array: Any) -> str:
    kind = type(array)
    if not (isinstance(array, np.generic) or kind in _ARRAYS) or array.dtype.hasobject:
        raise Indescribable(f"an array of objects, or one of a class of its own, {kind}")
    order = array.flags.c_contiguous, array.flags.f_contiguous
    content: Any
    if kind in _ARRAYS and any(order) and array.nbytes:  # read where it lies
        content = array.reshape(-1, order="C" if order[0] else "F").view(np.uint8)
    else:
        content = array.tobytes()
    return f"{kind.__name__} {array.dtype.str} {array.dtype} {array.shape} {order} {hashlib.sha256(content).hexdigest()}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

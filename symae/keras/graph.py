"""The graph of a model as JSON: layers of `symae.nn` with their arguments, and a few operations between them, by name.

Nothing in such a description is executed. What stands in it are names from the two tables below, numbers, and places of what
was described before; from these the layers are made again as a program would make them.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import ancestors
from pytensor.tensor.basic import Join
from pytensor.tensor.elemwise import DimShuffle, Elemwise

from symae import nn
from symae.errors import InputError
from symae.random import RandomStreams

# function of symae.nn: its arguments beside the input, and whether it makes parameters
LAYERS: dict[str, tuple[set[str], bool]] = {
    "dense": ({"n_out", "activation"}, True),
    "conv": ({"maps", "kernel", "activation", "border_mode", "subsample"}, True),
    "deconv": ({"maps", "kernel", "activation", "border_mode", "subsample", "output_shape"}, True),
    "batch_norm": ({"momentum", "epsilon"}, True),
    "max_pool": ({"ws", "pad"}, False),
    "upsample": ({"ratio"}, False),
    "flatten": (set(), False),
    "reshape": ({"shape"}, False),
    "dropout": ({"rate"}, False),
}
ELEMENTWISE: dict[str, Callable[..., Any]] = {
    name: getattr(pt, name)
    for name in (
        *("abs", "add", "cos", "exp", "expm1", "log", "log1p", "maximum", "minimum", "mul", "neg", "pow", "reciprocal"),
        *("sigmoid", "sign", "sin", "softplus", "sqr", "sqrt", "sub", "switch", "tanh", "true_div"),
    )
}
# the same by what computes a number
_NAMES: dict[type, str] = {type(f.scalar_op): name for name, f in ELEMENTWISE.items() if isinstance(f, Elemwise)}
_IDENTITY = type(pt.tensor_copy.scalar_op)
DTYPES = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
LARGEST_CONSTANT = 10_000  # numbers
KINDS = {"layer": {"layer", "name", "input", "arguments"}, "operation": {"operation", "inputs", "name", "axes"}}
EXPECTED = f"layers of symae.nn, joined by concatenate, dimshuffle, or one of {', '.join(ELEMENTWISE)}"


def described_graph(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> dict[str, Any]:
    """Describe the graph from `inputs` to `outputs`, as JSON takes it.

    Raises
    ------
    InputError
        Something in it is neither a layer of `symae.nn` nor one of the operations that stand between them: names it.
    """
    places: dict[Variable, int] = {x: i for i, x in enumerate(inputs)}
    nodes: list[dict[str, Any]] = []
    waiting = list(outputs)[::-1]
    while waiting:
        v = waiting[-1]
        if v in places:
            waiting.pop()
            continue
        needed = _needed(v)
        if missing := [u for u in needed if u not in places]:
            waiting += missing[::-1]
            continue
        nodes.append(_node(v, [places[u] for u in needed]))
        places[v] = len(places)
        waiting.pop()
    return {
        "inputs": [{"name": str(x.name), "shape": list(x.type.shape[1:]), "dtype": x.type.dtype} for x in inputs],
        "nodes": nodes,
        "outputs": [places[v] for v in outputs],
    }


def _needed(v: Variable) -> list[Variable]:
    """Return what `v` is computed from, as the description has it."""
    layer = nn.layer_of(v)
    if layer is not None:
        if layer.function not in LAYERS or layer.input is None or layer.input not in ancestors([v]):
            raise InputError(layer.name, f"a layer, {layer.kind}, in a copy of a graph", "the layers that symae.nn has made")
        return [layer.input]
    if isinstance(v, Constant):
        return []
    if isinstance(v, SharedVariable) or v.owner is None:
        raise InputError("save", f"{v}, a variable that is no layer's", EXPECTED)
    if isinstance(v.owner.op, Join) and not hasattr(v.owner.op, "axis"):
        return list(v.owner.inputs[1:])  # PyTensor 3.0 has the axis before them
    return list(v.owner.inputs)


def _node(v: Variable, places: list[int]) -> dict[str, Any]:
    layer = nn.layer_of(v)
    if layer is not None:
        arguments = {name: _plain(f"{layer.name}: {name}", value) for name, value in layer.arguments.items()}
        return {"layer": layer.function, "name": layer.name, "input": places[0], "arguments": arguments}
    if isinstance(v, Constant):
        array = np.asarray(v.data)
        if array.size > LARGEST_CONSTANT or str(array.dtype) not in DTYPES:
            raise InputError(
                "save", f"a constant of {array.size} numbers, {array.dtype}", f"at most {LARGEST_CONSTANT} of them"
            )
        return {"constant": array.tolist(), "dtype": str(array.dtype)}
    op = v.owner.op
    named = {} if v.name is None else {"name": v.name}
    axis = getattr(op, "axis", getattr(v.owner.inputs[0], "data", None)) if isinstance(op, Join) else None
    if axis is not None:
        return {"operation": "concatenate", "inputs": places, "axes": [int(axis)], **named}
    if isinstance(op, DimShuffle):
        return {"operation": "dimshuffle", "inputs": places, "axes": list(op.new_order), **named}
    if isinstance(op, Elemwise) and isinstance(op.scalar_op, _IDENTITY):
        return {"operation": "copy", "inputs": places, **named}
    name = _NAMES.get(type(op.scalar_op)) if isinstance(op, Elemwise) else None
    if name is None:
        raise InputError("save", f"{op} between the layers", EXPECTED)
    return {"operation": name, "inputs": places, **named}


def _plain(where: str, value: Any) -> Any:
    """Return an argument of a layer as JSON takes it."""
    if callable(value):
        name = getattr(value, "__name__", "")
        if nn.ACTIVATIONS.get(name) is not value:
            raise InputError(where, f"the function {name or value}", f"one of {', '.join(nn.ACTIVATIONS)}")
        return name
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return [_plain(where, entry) for entry in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InputError(where, f"a {type(value).__name__}", "a number, a word, or a list of such")


def built_graph(
    path: str | Path, described: Any, arrays: Mapping[str, np.ndarray], make_input: Callable[..., Variable]
) -> tuple[list[Variable], list[Variable]]:
    """Build the graph that `described_graph` has described; `arrays` are the values of its parameters, by name.

    Raises
    ------
    InputError
        The description, of the model saved as `path`, is damaged, or of other parameters.
    """
    try:
        return _Builder(arrays).build(described, make_input)
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        ArithmeticError,
        NotImplementedError,
        RecursionError,
    ) as e:
        raise InputError(path, f"a damaged graph ({reprlib.repr(str(e))})", "the graph of a saved model") from e


class _Builder:
    """Make layers of a description, with parameters of the shapes that `arrays` have, so that none can be of any size."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self.arrays = arrays
        self.params = _Saved(arrays)
        self.streams = RandomStreams(0)
        self.values: list[Variable] = []
        self.fixed: set[Variable] = set()  # what depends on constants alone

    def build(self, described: Any, make_input: Callable[..., Variable]) -> tuple[list[Variable], list[Variable]]:
        _keys(described, {"inputs", "nodes", "outputs"})
        for entry in _list(described["inputs"]):
            _keys(entry, {"name", "shape", "dtype"})
            if entry["dtype"] not in DTYPES:
                raise ValueError(f"the dtype {entry['dtype']!r}")
            self.values.append(make_input(_list(entry["shape"]), name=_text(entry["name"]), dtype=entry["dtype"]))
        inputs = list(self.values)
        for entry in _list(described["nodes"]):
            self.values.append(self._made(entry))
        return inputs, [self._at(place) for place in _list(described["outputs"])]

    def _made(self, entry: Any) -> Variable:
        if "constant" in entry:
            _keys(entry, {"constant", "dtype"})
            if entry["dtype"] not in DTYPES:
                raise ValueError(f"the dtype {entry['dtype']!r}")
            constant = pt.constant(np.array(entry["constant"], entry["dtype"]))
            self.fixed.add(constant)
            return constant
        if "layer" in entry:
            return self._layer(entry)
        _keys(entry, KINDS["operation"], {"name", "axes"})
        values = [self._at(place) for place in _list(entry["inputs"])]
        made = self._operation(entry["operation"], values, entry.get("axes"))
        if self.fixed.issuperset(values):
            if entry["operation"] != "dimshuffle":  # others may make large arrays of small ones
                raise ValueError("an operation on constants alone")
            self.fixed.add(made)
        if "name" in entry:
            made.name = _text(entry["name"])
        return made

    def _operation(self, name: Any, values: list[Variable], axes: Any) -> Variable:
        if name == "concatenate":
            (axis,) = _list(axes)
            return pt.concatenate(values, axis=_whole(axis))
        if name == "dimshuffle":
            (v,) = values
            return v.dimshuffle(*(axis if axis == "x" else _whole(axis) for axis in _list(axes)))
        if axes is not None:
            raise ValueError(f"axes of {reprlib.repr(name)}")
        if name == "copy":
            (v,) = values
            return pt.tensor_copy(v)
        return ELEMENTWISE[name](*values)

    def _layer(self, entry: Any) -> Variable:
        _keys(entry, KINDS["layer"])
        function, name, x = entry["layer"], _text(entry["name"]), self._at(entry["input"])
        known, has_parameters = LAYERS[function]
        _keys(entry["arguments"], known)
        if x in self.fixed:
            raise ValueError(f"the layer {name} of a constant")
        arguments = {key: _as_given(value) for key, value in entry["arguments"].items()}
        if arguments.get("activation", "linear") not in nn.ACTIVATIONS:
            raise ValueError(f"the activation {reprlib.repr(arguments['activation'])}")
        if function == "dropout":
            return nn.dropout(name, x, streams=self.streams, **arguments)
        if not has_parameters:
            return getattr(nn, function)(name, x, **arguments)
        if function == "batch_norm":
            self._fits(f"{name}_gamma", x.type.shape[1:2])
        else:
            arguments["W"] = lambda rng, shape: self._weights(f"{name}_W", shape)
        return getattr(nn, function)(self.params, name, x, **arguments)

    def _weights(self, name: str, shape: Sequence[int]) -> np.ndarray:
        self._fits(name, shape)
        return np.array(self.arrays[name])

    def _fits(self, name: str, shape: Sequence[int | None]) -> None:
        found = self.arrays[name].shape
        if found != tuple(shape):
            raise ValueError(f"{name} of shape {tuple(shape)}, and {found} in the file of parameters")

    def _at(self, place: Any) -> Variable:
        index = _whole(place)
        if not 0 <= index < len(self.values):
            raise ValueError(f"place {index} of {len(self.values)}")
        return self.values[index]


class _Saved(nn.Parameters):
    """Make parameters of the dtypes that `arrays` have, by name: floatX may have been another where they were saved."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        super().__init__(0)
        self._arrays = arrays

    def _added(self, variables: dict[str, SharedVariable], name: str, value: np.ndarray) -> SharedVariable:
        dtype = self._arrays[name].dtype
        if dtype.kind != "f":
            raise ValueError(f"{name} of dtype {dtype}")
        return super()._added(variables, name, np.asarray(value, dtype))


def _keys(entry: Any, known: set[str], optional: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    if not isinstance(entry, dict) or not known - optional <= entry.keys() <= known:
        found = ", ".join(sorted(map(str, entry))) if isinstance(entry, dict) else f"a {type(entry).__name__}"
        raise ValueError(f"{reprlib.repr(found)} in the place of {', '.join(sorted(known))}")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{reprlib.repr(value)} is no list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 200:
        raise ValueError(f"the name {reprlib.repr(value)}")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{reprlib.repr(value)} is no integer")
    return value


def _as_given(value: Any) -> Any:
    """Return an argument as a layer takes it: lists are tuples."""
    if isinstance(value, list):
        return tuple(_as_given(entry) for entry in value)
    if isinstance(value, int | str | bool) or value is None or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise TypeError(f"{reprlib.repr(value)} is no argument")

"""A functional model of Keras, made node by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symae.errors import InputError
from symae.export.graph import Graph, Node

ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus"}
# Keras's functions of the same meaning, by their names in keras.ops
FUNCTIONS = {
    "Abs": "abs",
    "Acos": "arccos",
    "Acosh": "arccosh",
    "Add": "add",
    "And": "logical_and",
    "Asin": "arcsin",
    "Asinh": "arcsinh",
    "Atan": "arctan",
    "Atanh": "arctanh",
    "Ceil": "ceil",
    "Cos": "cos",
    "Cosh": "cosh",
    "Equal": "equal",
    "Erf": "erf",
    "Exp": "exp",
    "Floor": "floor",
    "Greater": "greater",
    "GreaterOrEqual": "greater_equal",
    "IsInf": "isinf",
    "IsNaN": "isnan",
    "Less": "less",
    "LessOrEqual": "less_equal",
    "Log": "log",
    "MatMul": "matmul",
    "Max": "maximum",
    "Min": "minimum",
    "Mod": "mod",
    "Mul": "multiply",
    "Neg": "negative",
    "Not": "logical_not",
    "Or": "logical_or",
    "Pow": "power",
    "Reciprocal": "reciprocal",
    "Round": "round",
    "Sign": "sign",
    "Sin": "sin",
    "Sinh": "sinh",
    "Sqrt": "sqrt",
    "Sub": "subtract",
    "Tan": "tan",
    "Where": "where",
    "Xor": "logical_xor",
}
LARGE = 1000  # entries: what is larger belongs to the weights, and is not written into the description of the layers
# what is done with a size, or a vector of sizes, and leaves sizes
OF_SIZES = {"Cast", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze"}


def python_slice(start: int, stop: int, step: int) -> slice:
    """Return Python's slice for ONNX's, whose ends may lie far outside: before the first, say, for steps backwards."""
    far = 2**31 - 1
    return slice(None if abs(start) >= far else start, None if abs(stop) >= far else stop, step)


class Builder:
    """Build a functional model; images have their channels last in it, and all other arrays are as in the graph."""

    def __init__(self, keras: Any, graph: Graph, floatX: str):
        self.keras, self.graph, self.floatX = keras, graph, floatX
        self.uses, self.producers = graph.uses(), graph.producers()
        self.users: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self.users.setdefault(name, []).append(node)
        self.tensors: dict[str, Any] = {}
        self.arrays: dict[str, np.ndarray] = {**graph.parameters, **graph.constants}
        self.scalars: dict[str, Any] = {}
        self.done: set[int] = set()
        self.weights: list[tuple[Any, list[np.ndarray]]] = []
        self._names: set[str] = set()

    def model(self, name: str, layers: Mapping[str, Callable[[Builder, Node], None]]) -> Any:
        """Return the model; `layers` are the functions that add layers, by ONNX's ops."""
        keras = self.keras
        inputs = []
        for value in self.graph.inputs:
            known = self.graph.values[value]
            if None in known.shape[1:] or not known.shape:
                raise InputError(value, f"shape {known.shape}", "only the first size free, for Keras")
            shape = known.shape[1:]
            shape = (*shape[1:], shape[0]) if len(shape) == 3 else shape
            layer = keras.Input(shape, name=self.free(value), dtype=known.dtype)
            inputs.append(layer)
            self.tensors[value] = layer
        for node in self.graph.nodes:
            if id(node) not in self.done:
                self._node(node, layers)
        outputs = [self.tensor(value) for value in self.graph.outputs]
        model = keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0], name=name)
        for layer, arrays in self.weights:
            layer.set_weights(arrays)
        return model

    def free(self, name: str) -> str:
        """Return a name for a layer: Keras takes no slash, and each name once."""
        plain, number = name.removesuffix("_output").replace("/", "_").replace(".", "_"), 1
        chosen = plain
        while chosen in self._names:
            number += 1
            chosen = f"{plain}_{number}"
        self._names.add(chosen)
        return chosen

    def refusal(self, node: Node, what: str) -> InputError:
        return InputError(node.name, f"{what}, for which Keras has no layer", "a graph without it, or --onnx")

    def tensor(self, name: str) -> Any:
        """Return a value as Keras knows it; arrays of the graph may be small numbers only."""
        if name in self.tensors:
            return self.tensors[name]
        if name not in self.arrays:
            if (sizes := self.sizes(name)) is not None and len(sizes) == 1 and sizes[0] is not None:
                return sizes[0]
            raise InputError(
                name, "sizes that depend on the input, for which Keras has no layer", "a graph without it, or --onnx"
            )
        array = self.arrays[name]
        if array.ndim == 0 or array.size == 1:
            return array.item()
        if array.size > LARGE:
            raise InputError(name, f"an array of shape {array.shape} within a function", "weights of a layer, for Keras")
        return array

    def sizes(self, value: str) -> list[int | None] | None:
        """Return the sizes that a value holds, None for the number of examples; None if it is not known to hold sizes."""
        array, node = self.arrays.get(value), self.producers.get(value)
        if array is not None:
            return [int(n) for n in np.ravel(array)] if array.dtype.kind in "iu" else None
        if node is None:
            return None
        if node.op == "Shape":
            of = self.graph.values.get(node.inputs[0])
            first, end = node.attributes.get("start", 0), node.attributes.get("end")
            return None if of is None or None in of.shape[1:] else list(of.shape)[first:end]
        if node.op == "Concat":
            parts = [self.sizes(name) for name in node.inputs]
            return None if None in parts else [size for part in parts for size in part or []]
        if node.op in OF_SIZES:
            rest = [self.arrays.get(name) for name in node.inputs[1:]]
            found = self.sizes(node.inputs[0])
            if found is None or any(array is None for array in rest):
                return None
            if node.op == "Gather":
                return [found[int(i)] for i in np.ravel(rest[0])]  # type: ignore[arg-type]
            if node.op == "Slice":
                return found[python_slice(*(int(rest[i].item()) for i in (0, 1, 3)))]  # type: ignore[union-attr]
            return found
        return None

    def arguments(self, node: Node) -> list[Any]:
        """Return the inputs of a function; what stands beside images has its channels last too."""
        found = [self.tensor(name) for name in node.inputs]
        axes = [len(getattr(v, "shape", ())) for v in found]
        last = [name in self.tensors and n == 4 for name, n in zip(node.inputs, axes, strict=True)]
        if max(axes) > 4 and any(last):
            raise self.refusal(node, "images beside an array of more axes")
        if max(axes) != 4:
            return found
        return [v if done or not n else self.channels_last(v) for v, done, n in zip(found, last, axes, strict=True)]

    def channels_last(self, x: Any) -> Any:
        """Return what is (n, c, h, w) in the graph, or broadcasts with that, as (n, h, w, c)."""
        if isinstance(x, np.ndarray):
            return np.transpose(x.reshape((1,) * (4 - x.ndim) + x.shape), (0, 2, 3, 1))
        for _ in range(4 - len(x.shape)):
            x = self.keras.ops.expand_dims(x, 0)
        return self.keras.ops.transpose(x, (0, 2, 3, 1))

    def flat_only(self, node: Node, x: Any) -> None:
        """Refuse images, whose axes are others here, to a function that goes by axes."""
        if len(getattr(x, "shape", ())) == 4:
            raise self.refusal(node, f"{node.op} of images")

    def made(self, node: Node, x: Any) -> None:
        """Keep what a function has made of arrays that are no images: if it has four axes, these are images from now on."""
        self.tensors[node.outputs[0]] = self.channels_last(x) if len(x.shape) == 4 else x

    def layer(self, kind: Any, value: str, x: Any, arrays: Sequence[np.ndarray] = (), **settings: Any) -> Any:
        """Apply a layer that is named after `value`; `arrays` are its weights."""
        made = kind(name=self.free(value), dtype=self.floatX, **settings)
        y = made(x)
        if arrays:
            self.weights.append((made, [np.ascontiguousarray(a) for a in arrays]))
        return y

    def _node(self, node: Node, layers: Mapping[str, Callable[[Builder, Node], None]]) -> None:
        try:
            self._build(node, layers)
        except InputError:
            raise
        except Exception as error:  # of whatever kind the backend has
            message = " ".join(str(error).split())
            raise InputError(node.name, f"what Keras refuses: {message}", "a graph without it, or --onnx") from error

    def _build(self, node: Node, layers: Mapping[str, Callable[[Builder, Node], None]]) -> None:
        given = {name for name in node.inputs if name}
        if node.op != "Expand" and given and not given & self.tensors.keys() and not given <= self.arrays.keys():
            return  # of sizes: who takes them says whether it can do without
        build = layers.get(node.op)
        if build is not None:
            build(self, node)
            return
        if node.op in ACTIVATIONS:
            x = self.tensor(node.inputs[0])
            activation = self.keras.layers.Activation
            self.tensors[node.outputs[0]] = self.layer(activation, node.outputs[0], x, activation=ACTIVATIONS[node.op])
            return
        if node.op not in FUNCTIONS:
            raise self.refusal(node, node.op)
        self.tensors[node.outputs[0]] = getattr(self.keras.ops, FUNCTIONS[node.op])(*self.arguments(node))

    def only_user(self, value: str, *ops: str) -> Node | None:
        """Return the one node that takes a value, if it is one of `ops` and people do not know the value by name."""
        users = self.users.get(value, [])
        return users[0] if self.uses[value] == 1 and len(users) == 1 and users[0].op in ops else None

    def activated(self, value: str) -> tuple[str, str | None]:
        """Return the value after the activation that a layer ends with, and its name in Keras."""
        node = self.only_user(value, *ACTIVATIONS, "Softmax")
        if node is None:
            return value, None
        known = self.graph.values.get(node.outputs[0])
        if node.op == "Softmax" and (known is None or known.ndim != 2 or node.attributes["axis"] != 1):
            return value, None
        self.done.add(id(node))
        return node.outputs[0], "softmax" if node.op == "Softmax" else ACTIVATIONS[node.op]

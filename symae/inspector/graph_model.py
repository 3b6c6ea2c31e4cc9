"""Any graph, shown as a model is: expressions by name, and Keras-style models."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors, graph_inputs
from pytensor.tensor.type import TensorType

from symae import nn
from symae._runtime.checks import finite
from symae.errors import InputError
from symae.inspector.found_layers import found_layers, sees_pixels
from symae.inspector.functions import Functions
from symae.inspector.layout import CHANNELS, LARGEST
from symae.models.description import FilterLayer, ModelDescription, named_layers
from symae.optimizers import Updates

CODES, DRAWINGS = ("code", "codes", "z", "latent"), ("reconstruction", "output", "drawn", "decoded")
LIKELY = 10**7  # numbers of an example, at most
MOST_GRAPHS = 50
Inputs: TypeAlias = Variable | Sequence[Variable] | Mapping[Variable, Any]


class GraphModel:
    """Describe expressions of one input as `symae.models.Model` describes itself.

    Parameters
    ----------
    title : str
    x : symbolic (n, ...)
        What sees the images; an expression counts as an input too.
    nodes : mapping of name to symbolic variable
    shape : tuple of int, optional
        Of one example, where neither the type of `x` nor the weights tell it.
    training : function () -> (cost, updates), and pairs of the targets that it needs and what should become of them, optional

    Attributes
    ----------
    example_shape : tuple of int or None
        Of what `x` has for each example; None where it is not known.
    """

    def __init__(
        self,
        title: str,
        x: Variable,
        nodes: Mapping[str, Variable],
        shape: Sequence[int] | None = None,
        training: tuple[Callable[[], tuple[Variable, Updates]], Sequence[tuple[Variable, Variable]]] | None = None,
    ):
        self.title, self.x = title, x
        self._targets = [] if training is None else list(training[1])
        self.targets: list[Variable] = [target for target, _ in self._targets]
        self.sizes: dict[str, tuple[int, ...]] = {}
        self._training_step = None if training is None else training[0]
        self._functions = Functions()
        self.nodes = {x.name or "input": x}
        self.nodes |= {name: v for name, v in nodes.items() if v is not x}
        if len(self.nodes) < 1 + sum(v is not x for v in nodes.values()):
            raise InputError("names", f"an expression called {x.name or 'input'}, as the input is", "another name for it")
        outputs = list(self.nodes.values())[1:]
        self._shared = _named_parameters(outputs)
        names = {v: name for name, v in self._shared.items()}
        layers = [
            replace(layer, sees_pixels=layer.sees_pixels and sees_pixels(x, layer.expression, self._shared[layer.name]))
            for layer in named_layers(x, self.nodes, outputs[-1].name if outputs else None)
            if layer.name in self._shared
        ]
        self._layers: list[FilterLayer] = layers + found_layers(
            x, outputs, names, [layer.name for layer in layers], {v: name for name, v in self.nodes.items()}
        )
        self.example_shape = self._find_shape(shape)
        if self.example_shape is not None:
            self._check_nodes()
        self._description = self._describe()

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the values of the shared variables of floats by name."""
        return {name: np.asarray(v.get_value(borrow=True)) for name, v in self._shared.items()}

    def configuration(self) -> dict[str, Any]:
        """Return nothing: a graph is built by code."""
        return {}

    def describe(self) -> ModelDescription:
        """Return what the page knows of all models."""
        return self._description

    def checked_input(self, name: str, X: Any) -> np.ndarray:
        """Return images or rows as `x` takes them, or raise InputError."""
        array = np.asarray(X)
        if self.example_shape is None:
            raise InputError(name, f"shape {array.shape}", f"nothing: how large an example of {self.x} is, is not known")
        if array.ndim < 1 or array.size != len(array) * math.prod(self.example_shape):
            raise InputError(name, f"shape {array.shape}", f"(n, {', '.join(map(str, self.example_shape))})")
        dtype = np.dtype(self.x.type.dtype)
        if dtype.kind == "f":
            finite(name, array)
        return array.reshape(len(array), *self.example_shape).astype(dtype)

    def _find_shape(self, told: Sequence[int] | None) -> tuple[int, ...] | None:
        sizes = self.x.type.shape[1:]
        if None not in sizes:
            return tuple(int(n) for n in sizes)
        if told is not None and len(told) == len(sizes) and all(n in (None, m) for n, m in zip(sizes, told, strict=True)):
            return tuple(int(n) for n in told)
        if told is not None and len(sizes) == 1:
            return (math.prod(told),)
        if told is not None and len(sizes) == 3 and len(told) == 2:
            return (1, *told)
        values = self.parameters()
        rows = [layer.weights(values[layer.name]) for layer in self._layers if layer.sees_pixels and layer.kind == "dense"]
        if len(sizes) == 1 and rows:
            return (rows[0].shape[1],)
        return None

    def _check_nodes(self) -> None:
        """Compute all nodes for two examples and for three: of those of which there are as many the page shows the values."""
        found = []
        for count in (2, 3):
            zeros = np.zeros((count, *(self.example_shape or ())), self.x.type.dtype)
            try:
                found.append(self._functions("nodes", lambda: ([self.x], list(self.nodes.values())), zeros))
            except InputError:
                raise
            except Exception as error:  # of whatever a user has written
                words = str(error).strip().splitlines() or [type(error).__name__]
                raise InputError(
                    f"graph, for examples of shape {self.example_shape}",
                    words[0][:200],
                    f"a function of {self.x} that can be computed",
                ) from error
        self.sizes = {
            name: two.shape[1:]
            for name, two, three in zip(self.nodes, *found, strict=True)
            if two.ndim and three.ndim and len(two) == 2 and len(three) == 3 and two.shape[1:] == three.shape[1:]
        }

    def _describe(self) -> ModelDescription:
        shape, nodes = self.example_shape, self.nodes
        if shape is not None:  # what is no array with an entry for each example is in the graph, and nowhere else
            nodes = {name: v for name, v in nodes.items() if name in self.sizes and _is_shown(v, self.sizes[name])}
        pixels = None if shape is None else math.prod(shape)
        output = code = None
        if pixels is not None:
            output = self._output(nodes, pixels)
            code = self._code(nodes, output)
        layers = [layer for layer in self._layers if layer.expression.type.ndim in (2, 4)]
        return ModelDescription(
            nodes,
            pixels=pixels,
            image_shape=shape if shape is not None and len(shape) in (2, 3) and max(shape) <= LARGEST else None,
            channels_first=shape is not None and len(shape) == 3 and (shape[0] in CHANNELS or shape[2] not in CHANNELS),
            layers=layers,
            code=code,
            output=output,
            code_size=None if code is None else math.prod(self.sizes[code]),
            training_step=self._training_step,
            graphs=self._graphs(),
        )

    def _graphs(self) -> dict[str, list[Variable]]:
        """Return the graph of all that nothing else is computed of, and that of each node."""
        nodes = dict(list(self.nodes.items())[1:])
        inner = {v for w in nodes.values() for v in ancestors([w]) if v is not w}
        last = [v for v in nodes.values() if v not in inner]
        each = {name: [v] for name, v in reversed(nodes.items()) if v.owner is not None}
        return ({"all": last} if len(last) > 1 else {}) | dict(list(each.items())[:MOST_GRAPHS])

    def probe(self, count: int) -> list[np.ndarray] | None:
        """Return random values for `count` examples of the input and of the targets; None where their size is not known."""
        if self.example_shape is None:
            return None
        rng = np.random.RandomState(0)
        sizes = [self.example_shape]
        for _, output in self._targets:
            name = next((name for name, v in self.nodes.items() if v is output), None)
            if name not in self.sizes:
                return None
            sizes.append(self.sizes[name])
        arrays = zip([self.x, *self.targets], sizes, strict=True)
        return [rng.uniform(size=(count, *size)).astype(v.type.dtype) for v, size in arrays]

    def _output(self, nodes: Mapping[str, Variable], pixels: int) -> str | None:
        """Return the last node that has as many numbers as an image, one of `DRAWINGS` before others."""
        likely = [n for n, v in list(nodes.items())[1:] if math.prod(self.sizes[n]) == pixels and v.type.dtype.startswith("f")]
        return next((n for n in likely if n.lower() in DRAWINGS), likely[-1] if likely else None)

    def _code(self, nodes: Mapping[str, Variable], output: str | None) -> str | None:
        """Return the node of a name in `CODES`, or the one of fewest numbers, on the way to the output if there is one."""
        inner = [n for n in list(nodes)[1:] if n != output and math.prod(self.sizes[n]) > 1]
        inner = [n for n in inner if nodes[n].type.dtype.startswith("f")]
        if named := next((n for n in inner if n.lower() in CODES), None):
            return named
        if output is not None:
            before = set(ancestors([nodes[output]]))
            inner = [n for n in inner if nodes[n] in before]
        return min(inner, key=lambda n: math.prod(self.sizes[n]), default=None)


def graph_of(
    expressions: Mapping[str, Variable] | Variable, inputs: Inputs | None = None, shape: Sequence[int] | None = None
) -> GraphModel:
    """Build what `symae.inspect` shows of expressions by name; the errors are those it names."""
    given = {str(expressions.name or "output"): expressions} if isinstance(expressions, Variable) else dict(expressions)
    if not given:
        raise InputError("expressions", "none", 'expressions by name: {"hidden": hidden}')
    for name, v in given.items():
        if not isinstance(name, str) or not name:
            raise InputError("expressions", f"the name {name!r}", "texts for names")
        if not isinstance(v, Variable) or not isinstance(v.type, TensorType):
            raise InputError(f"expressions, {name}", f"a {type(v).__name__}", "a symbolic array")
    return _bound("graph", given, *_chosen_input(given, inputs), shape)


def keras_graph(model: Any, inputs: Inputs | None = None, shape: Sequence[int] | None = None) -> GraphModel:
    """Build what `symae.inspect` shows of a Keras-style model: its layers by name, and its outputs."""
    nodes: dict[str, Variable] = {layer.name: v for layer, v in nn.layers_of(model.inputs, nn.deterministic(model.outputs))}
    for i, v in enumerate(model.outputs):
        if not any(v is other for other in nodes.values()):
            nodes[v.name or f"output {i + 1}"] = v
    if inputs is None and len(model.inputs) > 1:
        raise InputError(
            "inputs",
            f"a model of {len(model.inputs)} inputs, {', '.join(map(str, model.inputs))}",
            "values of all but the one that sees images: inputs={variable: value}",
        )
    nothing: dict[Variable, Any] = {}
    x, held = (model.inputs[0], nothing) if inputs is None else _chosen_input(nodes, inputs, model.inputs)
    compiled = model.training_graph()
    training = None
    if compiled is not None:
        cost, updates, targets = compiled
        training = cost, updates, list(zip(targets, model.outputs, strict=True))
    return _bound("keras.Model", nodes, x, held, shape, training)


def _chosen_input(
    nodes: Mapping[str, Variable], inputs: Inputs | None, known: Sequence[Variable] = ()
) -> tuple[Variable, dict[Variable, Any]]:
    """Return the variable that sees images, and values of other inputs."""
    held: dict[Variable, Any] = dict(inputs) if isinstance(inputs, Mapping) else {}
    listed = [inputs] if isinstance(inputs, Variable) else [] if inputs is None or held else list(inputs)
    for v in [*listed, *held]:
        if not isinstance(v, Variable) or not isinstance(v.type, TensorType) or isinstance(v, SharedVariable | Constant):
            raise InputError("inputs", f"a {type(v).__name__}", "symbolic variables that are not shared")
    if len(listed) > 1:
        raise InputError("inputs", f"{len(listed)} variables that see the images", "one")
    free = [
        v
        for v in graph_inputs(list(nodes.values()), blockers=[*listed, *held, *known])
        if v not in held and not isinstance(v, SharedVariable | Constant)
    ]
    for v in listed:
        if v not in free and v not in ancestors(list(nodes.values())):
            raise InputError("inputs", f"{v}, on which no expression depends", "one on which they do")
    left = [v for v in free if v not in listed]
    if len(listed) == 1 and not left:
        return listed[0], held
    if not listed and len(free) == 1:
        return free[0], held
    names = ", ".join(map(str, free)) or "none"
    if not free:
        raise InputError("inputs", "no free variable in the graph", "one that sees images, of shape (n, ...)")
    raise InputError(
        "inputs", f"several free variables, {names}", "values of all but one, which sees images: inputs={variable: value}"
    )


def _bound(
    title: str,
    nodes: Mapping[str, Variable],
    x: Variable,
    held: Mapping[Variable, Any],
    shape: Sequence[int] | None,
    training: tuple[Variable, Any, Sequence[tuple[Variable, Variable]]] | None = None,
) -> GraphModel:
    """Put values in the place of the inputs `held`, and a free variable in that of an input that is an expression."""
    if x.type.ndim < 2:
        raise InputError("inputs", f"{x} of {x.type.ndim} dimensions", "one with an entry for each image: (n, ...)")
    free = x if x.owner is None else x.type(name=x.name or "input")
    replaced: dict[Variable, Variable] = {} if free is x else {x: free}
    replaced |= {v: _held(v, value, free) for v, value in held.items()}
    step = None
    if replaced:
        names, variables = list(nodes), list(nodes.values())
        nodes = dict(zip(names, clone_replace(variables, replaced, rebuild_strict=False), strict=True))
    elif training is not None:
        cost, updates, targets = training
        step = (lambda: (cost, updates), targets)
    return GraphModel(title, free, nodes, shape, step)


def _held(variable: Variable, value: Any, x: Variable) -> Variable:
    """Return a value for all examples of `x`: of one example, or of as many dimensions as the variable has."""
    try:
        array = np.asarray(value).astype(variable.type.dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"inputs, {variable}", f"a {type(value).__name__}", f"numbers of {variable.type.dtype}") from error
    ndim = variable.type.ndim
    if ndim and array.ndim == ndim - 1:
        array = array[None]
    sizes = variable.type.shape
    fits = array.ndim == ndim and all(n in (None, m) for n, m in zip(sizes[1:], array.shape[1:], strict=True))
    if not fits or (ndim and len(array) != 1):
        raise InputError(f"inputs, {variable}", f"shape {array.shape}", "one example's value, which all images get")
    if not ndim:
        return pt.constant(array)
    return pt.specify_shape(pt.repeat(pt.constant(array), x.shape[0], axis=0), sizes).astype(variable.type.dtype)


def _named_parameters(outputs: Sequence[Variable]) -> dict[str, SharedVariable]:
    """Return the shared arrays of floats that outputs depend on, each with a name of its own."""
    found: dict[str, SharedVariable] = {}
    for v in graph_inputs(outputs):
        if isinstance(v, SharedVariable) and isinstance(v.type, TensorType) and v.type.dtype.startswith("f"):
            name, number = v.name or "weights", 2
            while name in found:
                name, number = f"{v.name or 'weights'} {number}", number + 1
            found[name] = v
    return found


def _is_shown(v: Variable, shape: tuple[int, ...]) -> bool:
    return v.type.dtype.startswith(("f", "i", "u", "b")) and len(shape) <= 3 and 0 < math.prod(shape) <= LIKELY

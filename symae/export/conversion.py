"""From a graph of PyTensor to one that other libraries take: one function for each kind of op, which `converts` registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pytensor
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import Mode
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import io_toposort
from pytensor.scalar.basic import ScalarType
from pytensor.tensor.basic import get_underlying_scalar_constant_value
from pytensor.tensor.exceptions import NotScalarConstantError
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.type import TensorType
from pytensor.tensor.type_other import NoneConst

from symae._runtime.quiet import without_warnings
from symae.errors import InputError
from symae.export.graph import Graph, Value

# a whole number of at most so many entries is looked for among what PyTensor knows of shapes
SMALL = 64

Converter = Callable[["Conversion", Apply, Any], Any]
F = TypeVar("F", bound=Callable[..., Any])

_CONVERTERS: dict[type, Converter] = {}


def converts(*kinds: type) -> Callable[[F], F]:
    """Register what converts nodes of these kinds of op, and of those derived from them.

    The function is called as ``convert(to, node, *inputs)``. `to` is the `Conversion`, whose ``to.graph.add(op, *inputs,
    **attributes)`` adds a node of ONNX's; `inputs` are the names of the values that the inputs of `node` have become. It
    returns the name of the output's value, or a list of names where there are several.

    Examples
    --------
    >>> from pytensor.tensor.basic import AllocDiag
    >>> @converts(AllocDiag)
    ... def diagonal(to, node, x):
    ...     raise to.refusal(node, "a new matrix of a diagonal")
    """

    def register(function: F) -> F:
        for kind in kinds:
            _CONVERTERS[kind] = function
        return function

    return register


class Conversion:
    """Convert nodes of PyTensor's one after the other into `graph`; every float becomes `floatX`."""

    def __init__(self, floatX: str = "float32"):
        self.graph = Graph()
        self.floatX = floatX
        self._values: dict[Variable, str] = {}
        self._done: dict[Any, list[str]] = {}
        self._goals: Mapping[Variable, str] = {}

    def dtype(self, variable: Variable) -> str:
        """Return the dtype that the values of a variable have in `graph`."""
        dtype = str(variable.type.dtype)
        return self.floatX if dtype.startswith("float") else dtype

    def __contains__(self, variable: Variable) -> bool:
        """Return True if `variable` has been converted."""
        return variable in self._values

    def known(self, variable: Variable) -> np.ndarray | None:
        """Return what a variable is in every call, if it can be told."""
        name = self._values.get(variable)
        return None if name is None else self.graph.constants.get(name)

    def integers(self, variable: Variable) -> list[int | None] | None:
        """Return the entries of a vector of whole numbers, None for each that is not known; None if nothing is."""
        array = self.known(variable)
        if array is not None:
            return [int(n) for n in np.atleast_1d(array)]
        node, length = variable.owner, variable.type.shape[0]
        if node is None or length is None or length > SMALL:
            return None
        if isinstance(node.op, Shape):
            return list(node.inputs[0].type.shape)
        return [_integer(variable[i]) for i in range(length)]

    def size(self, variable: Variable) -> int | None:
        """Return a whole number, None if it is not the same in every call."""
        array = self.known(variable)
        return int(array.item()) if array is not None and array.size == 1 else _integer(variable)

    def number(self, variable: Variable, where: str, what: str) -> int:
        """Return a whole number that has to be known, or raise InputError."""
        found = self.size(variable)
        if found is None:
            raise InputError(where, f"{what} that depends on the input", "one that is a number")
        return found

    def input(self, variable: Variable, name: str) -> str:
        """Let `variable` be an input of the graph."""
        value = self._value(variable)
        self.graph.inputs.append(value)
        self.graph.wanted[value] = name
        return value

    def parameter(self, variable: Variable, array: np.ndarray, name: str) -> str:
        """Let `variable` be an array that training has made."""
        value = self._value(variable)
        self.graph.parameters[value] = self.cast_array(array)
        self.graph.values[value] = Value(self.dtype(variable), array.shape)
        self.graph.wanted[value] = name
        return value

    def _value(self, variable: Variable) -> str:
        value = self._values[variable] = self.graph.fresh()
        self.graph.values[value] = Value(self.dtype(variable), _shape(variable))
        return value

    def cast_array(self, array: Any) -> np.ndarray:
        """Return an array in the dtype it has in `graph`; no number becomes zero or infinite by that."""
        array = np.asarray(array)
        if array.dtype.kind != "f" or array.dtype == self.floatX:
            return array
        limits = np.finfo(self.floatX)
        with np.errstate(over="ignore", under="ignore"):
            cast = array.astype(self.floatX)
        finite = np.isfinite(array)
        cast = np.where(finite & ~np.isfinite(cast), np.copysign(limits.max, cast), cast)
        return np.where(finite & (array != 0) & (cast == 0), np.copysign(limits.tiny, array), cast).astype(self.floatX)

    def constant(self, array: Any, like: Variable | None = None) -> str:
        """Return the name of a constant, in the dtype that values of `like` have if it is given."""
        return self.graph.constant(self.cast_array(np.asarray(array)), None if like is None else self.dtype(like))

    def cast(self, value: str, dtype: str) -> str:
        """Return `value` in another dtype."""
        known = self.graph.values.get(value)
        if known is not None and known.dtype == dtype:
            return value
        array = self.graph.constants.get(value)
        if array is not None:
            return self.graph.constant(self.cast_array(array).astype(dtype))
        cast: str = self.graph.add("Cast", value, to=dtype)
        if known is not None:
            self.graph.values[cast] = Value(dtype, known.shape)
        return cast

    def __call__(self, variable: Variable) -> str:
        """Return the name of the value that `variable` has become."""
        if variable not in self._values and isinstance(variable, Constant):
            if variable is NoneConst or variable.data is None:
                return ""
            self._values[variable] = self.constant(variable.data)
        if variable not in self._values:
            found = f"{variable}, an input that is not listed" if variable.owner is None else f"{variable}"
            raise InputError(self.on_the_way(variable), found, "an expression of the inputs")
        return self._values[variable]

    def run(self, inputs: Sequence[Variable], outputs: Sequence[Variable], goals: Mapping[Variable, str]) -> None:
        """Convert what leads from `inputs` to `outputs`; `goals` names variables, for errors and for `Graph.wanted`."""
        self._goals = {v: name for v, name in goals.items() if v.owner is not None}
        for node in io_toposort(list(inputs), list(outputs)):
            self._convert_once(node)
            for output in node.outputs:
                if output in goals and output in self._values:
                    self.graph.wanted.setdefault(self._values[output], goals[output])
        self.graph.outputs = [self(output) for output in outputs]

    def inline(self, inputs: Sequence[Variable], values: Sequence[str], outputs: Sequence[Variable]) -> list[str]:
        """Convert a graph within the graph: `values` take the place of its inputs."""
        self._values |= dict(zip(inputs, values, strict=True))
        for node in io_toposort(list(inputs), list(outputs)):
            self._convert_once(node)
        return [self(output) for output in outputs]

    def _convert_once(self, node: Apply) -> None:
        """Convert a node, or find that another one computes the same."""
        if self._fold(node):
            return
        convert = self._converter(node)
        inputs = [self._input_of(v) for v in node.inputs]
        try:
            key: Any = (node.op, tuple(inputs))
            outputs = self._done.get(key)
        except TypeError:  # an op that cannot be compared
            key, outputs = None, None
        if outputs is None:
            made = convert(self, node, *inputs)
            outputs = [made] if isinstance(made, str) else list(made)
            if key is not None:
                self._done[key] = outputs
        for variable, value in zip(node.outputs, outputs, strict=True):
            if value:
                self._values[variable] = value
                if hasattr(variable.type, "shape"):
                    self.graph.values.setdefault(value, Value(self.dtype(variable), _shape(variable)))

    def _input_of(self, variable: Variable) -> str:
        if isinstance(variable.type, TensorType | ScalarType) or isinstance(variable, Constant):
            return self(variable)
        # a generator's state, or a value of another kind: whether it matters, the op's conversion says
        return self._values.get(variable, "")

    def _fold(self, node: Apply) -> bool:
        """Compute `node` now, if what it gives is the same in every call."""
        (output, *others) = node.outputs
        if others or not isinstance(output.type, TensorType | ScalarType):
            return False
        array: Any = None
        if isinstance(node.op, Shape) and None not in node.inputs[0].type.shape:
            array = np.array(node.inputs[0].type.shape, "int64")
        elif isinstance(node.op, Shape_i):
            array = node.inputs[0].type.shape[node.op.i]
        elif node.inputs and all(isinstance(v, Constant) or self.known(v) is not None for v in node.inputs):
            array = _evaluated(node, [v.data if isinstance(v, Constant) else self.known(v) for v in node.inputs])
        elif output.type.dtype.startswith(("int", "uint")) and _ndim(output) == 0:
            array = _integer(output)
        if array is None:
            return False
        self._values[output] = self.constant(np.asarray(array), output)
        return True

    def _converter(self, node: Apply) -> Converter:
        for kind in type(node.op).__mro__:
            if kind in _CONVERTERS:
                return _CONVERTERS[kind]
        raise self.refusal(node)

    def refusal(self, node: Apply, found: str | None = None, expected: str = "ops that ONNX has") -> InputError:
        """Return the error that says that `node` has no counterpart, and where it is."""
        what = f"{found or type(node.op).__name__}, which has no counterpart"
        return InputError(self.on_the_way(node.outputs[0]), what, expected)

    def on_the_way(self, variable: Variable) -> str:
        """Return, for errors, where in the graph a variable is."""
        if variable in self._goals:
            return self._goals[variable]
        for goal, name in self._goals.items():
            if any(variable in node.outputs or variable in node.inputs for node in io_toposort([], [goal])):
                return f"on the way to {name}"
        return str(variable)


@converts(OpFromGraph)
def _of_graph(to: Conversion, node: Apply, *inputs: str) -> list[str]:
    return to.inline(node.op.inner_inputs, inputs, node.op.inner_outputs)


def retyped(
    new: Mapping[Variable, Variable], outputs: Sequence[Variable], extra: Sequence[Variable] = ()
) -> dict[Variable, Variable]:
    """Put inputs that know more of their shapes in the place of those of a graph; returns what each variable has become.

    PyTensor's own replacement forgets the names of variables.
    """
    become: dict[Variable, Variable] = dict(new)
    for node in io_toposort(list(new), [*outputs, *extra]):
        inputs = [become.get(v, v) for v in node.inputs]
        if all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
            continue
        made = node.op.make_node(*inputs)
        for old, fresh in zip(node.outputs, made.outputs, strict=True):
            fresh.name = old.name
            fresh.tag.__dict__.update(old.tag.__dict__)
            become[old] = fresh
    return become


def shared_arrays(outputs: Sequence[Variable], inputs: Sequence[Variable]) -> dict[SharedVariable, np.ndarray]:
    """Return the shared variables that outputs depend on other than through `inputs`, with their arrays."""
    found: dict[SharedVariable, np.ndarray] = {}
    given = set(inputs)
    for v in [v for node in io_toposort(list(inputs), list(outputs)) for v in node.inputs] + list(outputs):
        if isinstance(v, SharedVariable) and v not in given and isinstance(v.type, TensorType) and v not in found:
            found[v] = np.asarray(v.get_value(borrow=True))
    return found


def _shape(variable: Variable) -> tuple[int | None, ...]:
    return tuple(getattr(variable.type, "shape", ()))


def _ndim(variable: Variable) -> int:
    return len(_shape(variable))


def _integer(variable: Variable) -> int | None:
    try:
        return int(get_underlying_scalar_constant_value(variable))
    except (NotScalarConstantError, TypeError, ValueError):
        return None


def _evaluated(node: Apply, arrays: Sequence[Any]) -> Any:
    """Return what `node` makes of constants, by its own definition."""
    constants = [
        v if isinstance(v, Constant) else v.type.make_constant(np.asarray(array, v.type.dtype))
        for v, array in zip(node.inputs, arrays, strict=True)
    ]
    output = node.op.make_node(*constants).outputs[0]
    with without_warnings(".*"):
        return pytensor.function([], output, mode=Mode(linker="py", optimizer=None))()

"""Training data in shared variables, checked, and compiled functions that go over all of it in minibatches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.executor import Function
from pytensor.compile.mode import Mode
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.graph.utils import MissingInputError
from pytensor.tensor.type import TensorType

from symae._runtime.checks import as_numbers, finite, is_finite
from symae.compile.loops import Figures, Loop, Rows, loop_over, run_in_bursts
from symae.errors import InputError


class Examples:
    """Hold the values of symbolic inputs, one array for each, whose first axes count the same examples.

    Arrays become shared variables of the dtype of their input; a shared variable that has it already is used as it is. An
    expression of shared variables, such as the labels that `symae.load_data` gives, is computed once. InputError, which calls
    them `name`, is raised where shapes, lengths or values do not fit their input, or where shapes are not as in `like`, others
    for the same inputs.

    `variables` has the shared variable of each symbolic input, `arrays` their values, `shapes` those of an example.
    """

    def __init__(self, name: str, data: Mapping[Variable, Any], like: Examples | None = None):
        check_inputs(name, data, like)
        self.name: str = name
        self.variables: dict[Variable, SharedVariable] = {x: _shared(f"{name}[{x}]", x, values) for x, values in data.items()}
        self.arrays: dict[Variable, np.ndarray] = {x: variable.get_value(borrow=True) for x, variable in self.variables.items()}
        self.shapes: dict[Variable, tuple[int, ...]] = {x: array.shape[1:] for x, array in self.arrays.items()}
        self._check({x: len(array) for x, array in self.arrays.items()}, like)

    def _check(self, counts: Mapping[Variable, int], like: Examples | None) -> None:
        name, (first, count) = self.name, next(iter(counts.items()))
        for x, found in counts.items():
            if found != count:
                raise InputError(f"{name}[{x}]", f"{found} examples", f"{count}, as many as {name}[{first}] has")
            if like is not None and self.shapes[x] != like.shapes[x]:
                shape = (found, *self.shapes[x])
                raise InputError(f"{name}[{x}]", f"shape {shape}", f"examples of shape {like.shapes[x]}")
        if not count:
            raise InputError(name, "no examples", "at least one")

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def givens(
        self, start: Variable, length: int, order: Variable | None, static: bool = True
    ) -> list[tuple[Variable, Variable]]:
        """Return each input with its minibatch of `length` examples from `start`: of positions in `order` if there is one.

        Minibatches have a static shape, unless `static` is False. An input whose first axis has another fixed length is
        refused.
        """
        places = slice(start, start + length)
        rows = places if order is None else order[places]
        check_minibatch_length(self, length)
        minibatches = {x: variable[rows] for x, variable in self.variables.items()}
        if not static:
            return list(minibatches.items())
        return [(x, minibatch.reshape((length, *self.shapes[x]))) for x, minibatch in minibatches.items()]

    def read(self, places: np.ndarray) -> dict[Variable, np.ndarray]:
        """Return the examples at `places` of each input."""
        return {x: array[places] for x, array in self.arrays.items()}

    @property
    def bytes_each(self) -> int:
        """How many bytes an example has, in the types of the inputs."""
        return sum(np.dtype(x.type.dtype).itemsize * math.prod(shape) for x, shape in self.shapes.items())

    def fingerprint(self) -> str:
        """Describe the inputs with the dtypes and shapes of their arrays, and a SHA-256 of these and of all values."""
        arrays = sorted(self.arrays.items(), key=lambda item: item[0].name or "")
        described = ", ".join(f"{x.name} {array.dtype} {array.shape}" for x, array in arrays)
        digest = hashlib.sha256(described.encode())
        for _, array in arrays:
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return f"{described}, SHA-256 {digest.hexdigest()}"


def check_minibatch_length(examples: Examples, length: int) -> None:
    """Refuse minibatches of another length than one that an input is declared with."""
    for x in examples.variables:
        if x.type.shape[0] not in (None, length):
            expected = f"{x.type.shape[0]}, the fixed length of {x}"
            raise InputError(f"{examples.name}[{x}]", f"minibatches of {length}", expected)


def check_inputs(name: str, data: Mapping[Variable, Any], like: Examples | None) -> None:
    """Refuse data that is no mapping, or has other inputs than `like`, with an InputError that calls it `name`."""
    if not isinstance(data, Mapping) or not data:
        found = "nothing" if isinstance(data, Mapping) else f"a {type(data).__name__}"
        raise InputError(name, found, "a mapping from each symbolic input to its array")
    if like is not None and data.keys() != like.variables.keys():
        expected = f"those of {like.name}: {', '.join(map(str, like.variables))}"
        raise InputError(name, f"the inputs {', '.join(map(str, data))}", expected)


class Pass:
    """Call a function for each minibatch of all examples: with the number of a minibatch it gives a list of the outputs.

    It is a `symae.compile.loops.base.Loop` too: ``run`` makes the calls of several minibatches within compiled code where that
    can be had. What remains after the last full minibatch is a smaller one, with a compiled function of its own; with
    `drop_last` it is left out, unless it is all. `lengths` are those of the minibatches.

    The function is made by ``function([index], outputs, updates=…, givens=…)``, as `symae.function` makes it. `order`, a shared
    vector of int64, says where the examples are taken from; otherwise they come in their own order. Unless `static` is False,
    compiled code knows the length of a minibatch; with False the graph is that of an input of any length, to the last bit.
    `compiled` has functions by the number of examples that they take, from another pass over the same shared variables with the
    same `length`, and gets the others. `loop` is as in `symae.training.train_epochs`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        examples: Examples,
        length: int,
        outputs: Sequence[Variable],
        updates: Sequence[tuple[SharedVariable, Variable]] = (),
        *,
        order: SharedVariable | None = None,
        drop_last: bool = False,
        loop: str = "compiled",
        static: bool = True,
        compiled: dict[int, Any] | None = None,
    ):
        self.lengths = minibatch_lengths(len(examples), length, drop_last)
        index = pt.lscalar("index")
        compiled = {} if compiled is None else compiled
        for size in dict.fromkeys(self.lengths):
            if size in compiled:
                continue
            givens = examples.givens(index * length, size, order, static)
            compiled[size] = function([index], list(outputs), updates=list(updates), givens=givens)
            if isinstance(compiled[size], Function):
                compiled[size].trust_input = True  # halves what a call costs beside its work; the index is of the right type
        self._compiled, self._full, self._loop = compiled, len(examples) // length, loop
        self._calls = [(compiled[size], np.array(i, "int64")) for i, size in enumerate(self.lengths)]

    def __len__(self) -> int:
        return len(self.lengths)

    def __call__(self, index: int) -> Any:
        call, position = self._calls[index]
        return call(position)

    def run(self, first: int, count: int) -> Rows:
        """Run at most `count` minibatches of the same length from number `first` on, as a `symae.compile.loops.Loop` does."""
        last = self._full if first < self._full else len(self)
        return self._loops[self.lengths[first]].run(first, min(count, last - first))

    def close(self) -> None:
        """Let go of what the next steps would have needed: nothing is read any more."""

    @cached_property
    def _loops(self) -> dict[int, Loop]:
        return {size: loop_over(compiled, self._loop) for size, compiled in self._compiled.items()}

    def means(self) -> list[float]:
        """Return the means of the outputs over all examples, of outputs that are means over a minibatch."""
        return means_over(self, self.lengths)


def means_over(loop: Loop, lengths: Sequence[int]) -> list[float]:
    """Return the means over all examples of what a loop over minibatches of those `lengths` gives, means over a minibatch."""
    figures = Figures()
    for burst in run_in_bursts(loop, len(lengths)):
        figures += burst
    return [float(np.average(column, weights=lengths)) for column in figures.columns()]


def minibatch_lengths(examples: int, length: int, drop_last: bool) -> list[int]:
    """Return how many examples each minibatch has: `length`, and what remains, if it is not left out."""
    full, rest = divmod(examples, length)
    return [length] * full + ([rest] if rest and not (drop_last and full) else [])


def places_in_order(order: SharedVariable | None, begin: int, end: int) -> np.ndarray:
    """Return which examples come from `begin` to `end`: as `order` says, or in their own order."""
    return np.arange(begin, end) if order is None else order.get_value(borrow=True)[begin:end].copy()


def evaluation_batch_size(examples: int, batch_size: int, devices: int = 1) -> int:
    """Return the size of the batches in which means over `examples` are computed: without a remainder if that can be had.

    The largest divisor of `examples` of at most 2 `batch_size`, unless that is less than half of `batch_size`; else
    2 `batch_size`, or all examples if there are fewer. Of several `devices` it is a multiple, if there are as many examples.
    """
    most = min(2 * batch_size, examples)
    divisor = next(length for length in range(most, 0, -1) if examples % length == 0)
    length = divisor if 2 * divisor >= batch_size else most
    return length // devices * devices or length


def _shared(where: str, x: Any, values: Any) -> SharedVariable:
    """Make a shared variable of `values`, of the type of `x`, but with any number of examples."""
    check_input(where, x)
    array = array_of(where, x, values)
    check_shape(where, x, array.shape)
    if array.dtype.kind == "f":
        finite(where, array)
    if isinstance(values, SharedVariable) and array.dtype == x.type.dtype and array.flags.c_contiguous:
        return values
    # writable: Numba compiles other machine code for read-only arrays
    with np.errstate(over="ignore"):
        converted = np.require(array, x.type.dtype, ["C", "W"])
    if array.dtype != converted.dtype and array.size:
        check_held(where, array, converted)
    return pytensor.shared(converted, name=None if x.name is None else f"{x.name}_data", borrow=True)


def check_input(where: str, x: Any) -> None:
    """Refuse what is no symbolic array of examples."""
    if not isinstance(x, Variable) or not isinstance(x.type, TensorType) or not x.type.ndim:
        found = f"a {x.type}" if isinstance(x, Variable) else f"a {type(x).__name__}"
        raise InputError(where, f"{found} as the input", "a symbolic array, whose first axis counts examples")


def check_shape(where: str, x: Variable, found: tuple[int, ...]) -> None:
    """Refuse a shape of data that is not that of the input `x`, but for the number of examples."""
    shape = (None, *x.type.shape[1:])
    if len(found) != len(shape) or any(n not in (None, m) for n, m in zip(shape, found, strict=True)):
        expected = ", ".join("n" if n is None else str(n) for n in shape)
        raise InputError(where, f"shape {found}", f"({expected}{',' * (len(shape) == 1)}), n for any number")


def array_of(where: str, x: Variable, values: Any) -> np.ndarray:
    """Return the numbers that `values` hold, a shared variable, an expression of such ones, or what NumPy makes an array of."""
    expected = f"an array of numbers for {x}, or a shared variable"
    if isinstance(values, SharedVariable):
        values = values.get_value(borrow=True)
    elif isinstance(values, Variable):
        try:
            values = pytensor.function([], values, mode=Mode("py", None))()
        except MissingInputError as error:
            raise InputError(where, f"the expression {values} with inputs of its own", expected) from error
    if isinstance(values, Iterable) and not hasattr(values, "__len__") and not hasattr(values, "__array__"):
        raise InputError(where, f"{type(values).__name__} without a length", f"{expected}, or examples with a length")
    array = as_numbers(where, values, expected)
    if array.dtype.kind not in "buif":
        raise InputError(where, f"dtype {array.dtype}", expected)
    return array


def check_held(where: str, array: np.ndarray, converted: np.ndarray) -> None:
    """Check that everything is held exactly, except floats, which may be rounded."""
    dtype = converted.dtype
    if array.dtype.kind == "f":
        if dtype.kind != "f":
            raise InputError(where, f"dtype {array.dtype}", f"{dtype}, or whole numbers of another dtype")
        if not is_finite(converted):
            raise InputError(where, f"values up to {np.abs(array).max():g}", f"what {dtype} can hold")
        return
    if dtype.kind == "f":
        exact = min(2 ** (np.finfo(dtype).nmant + 1), int(np.finfo(dtype).max))
        least, most = -exact, exact
    elif dtype.kind == "b":
        least, most = 0, 1
    else:
        least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if int(array.min()) < least or int(array.max()) > most:
        raise InputError(where, f"values from {array.min()} to {array.max()}", f"what {dtype} can hold: {least} to {most}")

"""``theano.tensor.raw_random``: draws as functions of a random state, (state, …) -> (new state, draws).

The state is a shared variable, ``theano.shared(numpy.random.RandomState(seed))``, an input of a function,
``random_state_type()``, or what another draw gave. Other distributions than those here are drawn by a `RandomFunction`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import grad_undefined
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.basic import get_scalar_constant_value
from pytensor.tensor.exceptions import ShapeError
from pytensor.tensor.type import TensorType

from symae import random
from symae.ops.random.draws import SAMPLERS, STATE_TYPE, random_state, state_words
from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.theano.gof.op import Op
from symae.theano.tensor.shared_randomstreams import RandomStreams as RandomStreamsBase

__all__ = [
    "RandomFunction",
    "RandomStateType",
    "RandomStreamsBase",
    "binomial",
    "choice",
    "choice_helper",
    "multinomial",
    "multinomial_helper",
    "normal",
    "permutation",
    "permutation_helper",
    "poisson",
    "random_integers",
    "random_integers_helper",
    "random_state_type",
    "uniform",
]

Draw = tuple[Variable, Variable]


class RandomStateType(TensorType):
    """Describe random states that are inputs of functions: as their value they take a ``RandomState``.

    Inside of graphs, and where a function returns one, a state is an array of 628 uint32.
    """

    def __init__(self, dtype: Any = STATE_TYPE.dtype, shape: Any = STATE_TYPE.shape, name: str | None = None):
        super().__init__(dtype, shape, name)

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        if isinstance(data, np.random.RandomState):
            data = state_words(data)
        return super().filter(data, strict, allow_downcast)

    @staticmethod
    def values_eq(a: Any, b: Any, force_same_dtype: bool = True) -> bool:
        words = [state_words(x) if isinstance(x, np.random.RandomState) else x for x in (a, b)]
        return bool(TensorType.values_eq(*words, force_same_dtype))


random_state_type = RandomStateType()


class RandomFunction(Op):
    """Draw by a method of ``RandomState`` or a function like one: ``(state, shape, *args) -> (new state, draws)``.

    Parameters
    ----------
    fn : str or callable
        The name of a method, or what is called as ``fn(generator, *args, shape)``: `shape` is a tuple, or None if empty.
    outtype : type
        The type of the draws.
    inplace : bool
        Functions may overwrite the state that they are given.
    ndim_added : int
        How many dimensions the draws have after those of `shape`.

    Raises
    ------
    ValueError
        When it is computed: the draws are of another shape than `shape` and `ndim_added` say.
    """

    __props__ = ("fn", "outtype", "inplace", "ndim_added")

    def __init__(self, fn: str | Callable[..., Any], outtype: Any, inplace: bool = False, ndim_added: int = 0):
        self.fn, self.outtype, self.inplace, self.ndim_added = fn, outtype, inplace, ndim_added
        if inplace:
            self.destroy_map = {0: [0]}

    @property
    def exec_fn(self) -> Callable[..., Any]:
        """What draws."""
        return getattr(np.random.RandomState, self.fn) if isinstance(self.fn, str) else self.fn

    def __str__(self) -> str:
        return f"RandomFunction{{{self.exec_fn.__name__}}}"

    def make_node(self, r: Any, shape: Any, *args: Any) -> Apply:
        shape = pt.as_tensor_variable(shape, ndim=1)
        if isinstance(shape, Constant) and not shape.data.size:
            shape = pt.constant(np.empty(0, np.int64))
        if shape.type.dtype not in ("int32", "int64"):
            raise TypeError(f"{self}: shape has dtype {shape.type.dtype}, expected int32 or int64")
        r = pt.as_tensor_variable(r)
        return Apply(self, [r, shape, *map(pt.as_tensor_variable, args)], [r.type(), self.outtype()])

    def infer_shape(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        shape = node.inputs[1]
        if self.ndim_added or (isinstance(shape, Constant) and not shape.data.size):
            raise ShapeError  # known when it is computed
        return [shapes[0], [shape[i] for i in range(node.outputs[1].type.ndim)]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        words, given, *args = inputs
        generator, kind = random_state(words), node.outputs[1].type
        shape = tuple(map(int, given)) or None
        if shape is not None and len(shape) + self.ndim_added != kind.ndim:
            raise ValueError(f"{self}: found {len(shape)} + {self.ndim_added} dimensions, expected the {kind.ndim} of {kind}")
        draws = np.asarray(self.exec_fn(generator, *args, shape), kind.dtype)
        if shape is None and not draws.ndim:
            draws = draws.reshape((1,) * kind.ndim)
        if draws.ndim != kind.ndim or (shape is not None and draws.shape[: draws.ndim - self.ndim_added] != shape):
            raise ValueError(f"{self}: found draws of shape {draws.shape}, expected {shape} + {self.ndim_added} dimensions")
        output_storage[0][0], output_storage[1][0] = state_words(generator), draws

    def grad(self, inputs: Sequence[Variable], output_grads: Sequence[Any]) -> list[Variable]:
        return [grad_undefined(self, i, x, "random draws have no gradient") for i, x in enumerate(inputs)]

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> list[None]:
        return [None, None]


def random_integers_helper(random_state: np.random.RandomState, low: np.ndarray, high: np.ndarray, size: Any) -> np.ndarray:
    """Draw integers between `low` and `high` by NumPy."""
    return SAMPLERS["random_integers"](random_state, _size(size, low, high), low, high)


def choice_helper(random_state: np.random.RandomState, a: np.ndarray, replace: Any, p: np.ndarray, size: Any) -> np.ndarray:
    """Draw elements of `a` by NumPy; all are as likely where `p` is empty."""
    return SAMPLERS["choice"](random_state, size, a, replace, p)


def permutation_helper(random_state: np.random.RandomState, n: np.ndarray, shape: Any) -> np.ndarray:
    """Draw permutations by NumPy, one for each element of `shape`."""
    return SAMPLERS["permutation"](random_state, _size(shape), n)


def multinomial_helper(random_state: np.random.RandomState, n: np.ndarray, pvals: np.ndarray, size: Any) -> np.ndarray:
    """Draw counts of categories by NumPy."""
    return SAMPLERS["multinomial"](random_state, _size(size, n, pvals[..., 0]), n, pvals)


def _size(size: Any, *parameters: np.ndarray) -> tuple[int, ...]:
    return np.broadcast_shapes(*(p.shape for p in parameters)) if size is None else tuple(size)


def _infer_ndim_bcast(ndim: int | None, shape: Any, *args: Any) -> tuple[int, Variable, tuple[bool, ...]]:
    """Return the number of dimensions of a draw, their lengths, and which are known to be 1."""
    dims = random._dims(shape, ndim, *map(pt.as_tensor_variable, args))
    lengths = pt.stack(dims).astype("int64") if dims else pt.constant(np.empty(0, np.int64))
    ones = [get_scalar_constant_value(d, raise_not_constant=False) for d in dims]
    return len(dims), lengths, tuple(not isinstance(one, Variable) and int(one) == 1 for one in ones)


@as_theano
def uniform(
    random_state: Any, size: Any = None, low: Any = 0.0, high: Any = 1.0, ndim: int | None = None, dtype: str | None = None
) -> Draw:
    """Draw `RandomStreams.uniform` from that state."""
    return random._uniform(random_state, size, low, high, ndim, dtype)


@as_theano
def normal(
    random_state: Any, size: Any = None, avg: Any = 0.0, std: Any = 1.0, ndim: int | None = None, dtype: str | None = None
) -> Draw:
    """Draw `RandomStreams.normal` from that state."""
    return random._normal(random_state, size, avg, std, ndim, dtype)


@as_theano
def binomial(
    random_state: Any,
    size: Any = None,
    n: Any = 1,
    p: Any = 0.5,
    ndim: int | None = None,
    dtype: str = "int64",
    prob: Any = None,
) -> Draw:
    """Draw `RandomStreams.binomial` from that state."""
    return random._binomial(random_state, size, n, p if prob is None else prob, ndim, dtype)


@as_theano
def random_integers(
    random_state: Any, size: Any = None, low: Any = 0, high: Any = 1, ndim: int | None = None, dtype: str = "int64"
) -> Draw:
    """Draw `RandomStreams.random_integers` from that state."""
    return random._random_integers(random_state, size, low, high, ndim, dtype)


@as_theano
def choice(
    random_state: Any,
    size: Any = None,
    a: Any = 2,
    replace: Any = True,
    p: Any = None,
    ndim: int | None = None,
    dtype: str = "int64",
) -> Draw:
    """Draw `RandomStreams.choice` from that state."""
    return random._choice(random_state, size, a, replace, p, ndim, dtype)


@as_theano
def poisson(random_state: Any, size: Any = None, lam: Any = 1.0, ndim: int | None = None, dtype: str = "int64") -> Draw:
    """Draw `RandomStreams.poisson` from that state."""
    return random._poisson(random_state, size, lam, ndim, dtype)


@as_theano
def permutation(random_state: Any, size: Any = None, n: Any = 1, ndim: int | None = None, dtype: str = "int64") -> Draw:
    """Draw `RandomStreams.permutation` from that state."""
    return random._permutation(random_state, size, n, ndim, dtype)


@as_theano
def multinomial(
    random_state: Any,
    size: Any = None,
    n: Any = 1,
    pvals: Any = (0.5, 0.5),
    ndim: int | None = None,
    dtype: str = "int64",
) -> Draw:
    """Draw `RandomStreams.multinomial` from that state."""
    return random._multinomial(random_state, size, n, pvals, ndim, dtype)


__getattr__ = getter(__name__, pytensor=["pytensor.tensor.random.basic"])

"""Random draws as ops: Theano's streams, which are numpy's legacy ``RandomState``, bit for bit.

A draw takes the state of a generator and gives the state after it and the numbers drawn: (state, *dims, *parameters) ->
(new state, draws of shape dims). The state is an array of 628 uint32 rather than an object, so every backend can carry it, a
checkpoint can store it and two machines can exchange it.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, grad_undefined
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.basic import get_scalar_constant_value

from symae.ops.base import BackendOp
from symae.ops.jax_on_host import call_on_host

STATE_SIZE = 628  # 624 words of key, the position in it, whether a Gaussian is cached, and its 64 bits
STATE_TYPE = pt.TensorType("uint32", shape=(STATE_SIZE,))


def state_words(generator: np.random.RandomState) -> np.ndarray:
    """Return the state of `generator` as an array of 628 uint32."""
    state = generator.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise TypeError(f"the generator is a {state['bit_generator']}, expected MT19937, the one of Theano's streams")
    words = np.empty(STATE_SIZE, np.uint32)
    words[:624] = state["state"]["key"]
    words[624:626] = state["state"]["pos"], state["has_gauss"]
    words[626:] = np.array([state["gauss"]], np.float64).view(np.uint32)
    return words


def random_state(words: np.ndarray, generator: np.random.RandomState | None = None) -> np.random.RandomState:
    """Return a ``RandomState``, `generator` or a new one, that goes on from `words`, an array of 628 uint32."""
    words = _checked(words)
    generator = np.random.RandomState() if generator is None else generator
    generator.set_state(("MT19937", words[:624], int(words[624]), int(words[625]), float(words[626:].view(np.float64)[0])))
    return generator


def _checked(words: np.ndarray) -> np.ndarray:
    words = np.ascontiguousarray(words, np.uint32)
    if words.shape != (STATE_SIZE,) or words[624] > 624:
        raise ValueError(f"a random state has shape {words.shape}, expected ({STATE_SIZE},) with a position of at most 624")
    return words


class _Thread(threading.local):
    """Keep a generator for each thread, and its key and position where they lie; None if they are not found."""

    def __init__(self) -> None:
        bits = np.random.MT19937()
        self.generator, self.memory = np.random.RandomState(bits), _key_and_position(bits)


def _key_and_position(bits: np.random.MT19937) -> np.ndarray | None:
    words = np.ctypeslib.as_array((ctypes.c_uint32 * 625).from_address(int(bits.ctypes.state_address)))
    for position in 7, 300:  # nothing is written until it is known what lies there
        state = bits.state
        state["state"]["pos"] = position
        bits.state = state
        if not np.array_equal(words[:624], state["state"]["key"]) or words[624] != position:
            return None
    return words


_thread = _Thread()


def _dim(size: Any) -> Variable:
    return pt.constant(size, dtype="int64") if isinstance(size, int | np.integer) else pt.cast(pt.as_tensor(size), "int64")


def _static(size: Variable) -> int | None:
    value = get_scalar_constant_value(size, raise_not_constant=False)
    return None if isinstance(value, Variable) else int(value)


class Draw(BackendOp):
    """Hold what all draws share. `ndim` counts the dims given; `dtype` is that of the draws."""

    __props__: tuple[str, ...] = ("dtype", "ndim")

    state_type = STATE_TYPE
    gaussian = False  # whether it takes, or leaves, the cached number of the state
    parameter_dtypes: tuple[str, ...]

    def __init__(self, dtype: str, ndim: int):
        self.dtype = str(np.dtype(dtype))
        self.ndim = ndim

    def make_node(self, state: Any, *inputs: Any) -> Apply:
        state = self.state_type.filter_variable(pt.as_tensor(state))
        dims = [_dim(d) for d in inputs[: self.ndim]]
        parameters = self.checked_parameters(inputs[self.ndim :])
        draws = pt.TensorType(self.dtype, shape=(*map(_static, dims), *self.static_tail(parameters)))
        return Apply(self, [state, *dims, *parameters], [state.type(), draws()])

    def checked_parameters(self, parameters: Sequence[Any]) -> list[Variable]:
        """Return the parameters in the dtypes of the distribution; they are broadcast to the shape of the draws."""
        given = []
        for parameter, dtype in zip(map(pt.as_tensor, parameters), self.parameter_dtypes, strict=True):
            if parameter.type.ndim > self.ndim:
                raise ValueError(f"{self}: a parameter has {parameter.type.ndim} dimensions, expected at most {self.ndim}")
            if dtype.startswith("int") and parameter.type.dtype.startswith(("float", "complex")):
                raise TypeError(f"{self}: a parameter has dtype {parameter.type.dtype}, expected integers")
            given.append(pt.cast(parameter, dtype))
        return given

    def static_tail(self, parameters: Sequence[Variable]) -> tuple[int | None, ...]:
        """Return static sizes of the dimensions that a distribution adds to the given ones."""
        return ()

    def output_tail(self, parameters: Sequence[Variable], shapes: Sequence[Any]) -> list[Any]:
        """Return symbolic sizes of the dimensions that a distribution adds to the given ones."""
        return []

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        first = 1 + self.ndim
        return [shapes[0], (*node.inputs[1:first], *self.output_tail(node.inputs[first:], shapes[first:]))]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        # Parameters stay connected, so that a gradient through them is refused and not silently zero.
        return [[False, False]] * (1 + self.ndim) + [[False, True]] * (len(node.inputs) - 1 - self.ndim)

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        first = 1 + self.ndim
        undefined = [
            grad_undefined(self, i, x, "random draws have no gradient with respect to their parameters")
            for i, x in enumerate(inputs[first:], first)
        ]
        return [*(DisconnectedType()() for _ in inputs[:first]), *undefined]

    def sample(self, generator: np.random.RandomState, size: tuple[int, ...], *parameters: Any) -> Any:
        """Draw by numpy: the definition of the draw."""
        raise NotImplementedError

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        first = 1 + self.ndim
        generator, memory = _thread.generator, _thread.memory  # a new one costs as much as a small draw
        size = tuple(int(d) for d in inputs[1:first])
        parameters = [np.asarray(p) for p in inputs[first:]]
        if memory is None or self.gaussian:
            draws = self.sample(random_state(inputs[0], generator), size, *parameters)
            after = state_words(generator)
        else:  # RandomState takes as long as a minibatch's mask to set and to get a state
            after = _checked(inputs[0]).copy()
            memory[:] = after[:625]
            draws = self.sample(generator, size, *parameters)
            after[:625] = memory
        output_storage[0][0] = after
        output_storage[1][0] = np.asarray(draws, self.dtype)

    def _on_host(self, *inputs: Any) -> tuple[Any, Any]:
        outputs: list[list[Any]] = [[None], [None]]
        self.perform(None, [np.asarray(x) for x in inputs], outputs)
        return outputs[0][0], outputs[1][0]

    def jax(self, node: Apply) -> Callable[..., Any]:
        import jax

        # JAX's keys give other numbers, and a search or a rejection by logarithms has to take libm's: the host draws, so that
        # the streams are Theano's here too. Draws of whose words that is not true are computed on the device, by methods of
        # their own.
        first = 1 + self.ndim
        dtype = jax.dtypes.canonicalize_dtype(self.dtype)

        def draw(*inputs: Any) -> Sequence[Any]:
            shape = self._traced_shape(node, inputs)
            result = (jax.ShapeDtypeStruct(inputs[0].shape, inputs[0].dtype), jax.ShapeDtypeStruct(shape, dtype))
            return call_on_host(self._on_host, result, inputs[0], *map(np.int64, shape[: self.ndim]), *inputs[first:])

        return draw

    def _traced_shape(self, node: Apply, inputs: Sequence[Any]) -> tuple[int, ...]:
        """Return the shape of the draws where JAX traces the node; it has to be known then."""
        import jax

        first = 1 + self.ndim
        try:
            sizes = [int(d) for d in inputs[1:first]]
            shapes = [p.shape for p in map(jax.numpy.asarray, inputs[first:])]
            return (*sizes, *(int(d) for d in self.output_tail(inputs[first:], shapes)))
        except (TypeError, jax.errors.ConcretizationTypeError):
            static = node.outputs[1].type.shape
            raise NotImplementedError(f"{self}: JAX needs the size of a random draw to be known, found {static}") from None

    def pytorch(self, node: Apply) -> Callable[..., Any]:
        import torch

        @torch.compiler.disable
        def draw(*inputs: Any) -> tuple[Any, Any]:
            state, draws = self._on_host(*(x.cpu().numpy() if isinstance(x, torch.Tensor) else x for x in inputs))
            return torch.from_numpy(state), torch.from_numpy(np.asarray(draws))

        return draw

    def mlx(self, node: Apply) -> Callable[..., Any]:
        import mlx.core as mx

        # MLX would round constants in double precision, and with them p=0.7.
        constants = [v.data if isinstance(v, Constant) else None for v in node.inputs]

        def draw(*inputs: Any) -> tuple[Any, Any]:
            # Only where symae links is the function not compiled, so that the host may look at the inputs.
            given = (np.asarray(x) if c is None else c for x, c in zip(inputs, constants, strict=True))
            state, draws = self._on_host(*given)
            return mx.array(state), mx.array(np.asarray(draws))

        return draw


class NumpyDraw(Draw):
    """Draw from the distributions that only ``RandomState`` itself has: NumPy is called, on every backend.

    In Numba this is object mode, and the function it stands in is compiled again in each process.
    """

    __props__ = ("distribution", "dtype", "ndim")

    def __init__(self, distribution: str, dtype: str, ndim: int):
        super().__init__(dtype, ndim)
        self.distribution = distribution

    def checked_parameters(self, parameters: Sequence[Any]) -> list[Variable]:
        return [pt.as_tensor(p) for p in parameters]

    def static_tail(self, parameters: Sequence[Variable]) -> tuple[int | None, ...]:
        if self.distribution == "permutation":
            return (_static(parameters[0]),)
        return (parameters[1].type.shape[-1],) if self.distribution == "multinomial" else ()

    def output_tail(self, parameters: Sequence[Variable], shapes: Sequence[Any]) -> list[Any]:
        if self.distribution == "permutation":
            return [parameters[0]]
        return [shapes[1][-1]] if self.distribution == "multinomial" else []

    def sample(self, generator: np.random.RandomState, size: tuple[int, ...], *parameters: Any) -> Any:
        return SAMPLERS[self.distribution](generator, size, *parameters)


def _random_integers(generator: np.random.RandomState, size: tuple[int, ...], low: Any, high: Any) -> Any:
    # Theano collects the draws in an array of doubles; integers above 2^53 are rounded, here too.
    return np.asarray(generator.randint(low, high + np.int64(1), size), np.float64)


def _choice(generator: np.random.RandomState, size: tuple[int, ...], a: Any, replace: Any, p: Any) -> Any:
    # Theano took a number for `p` too, and any number meant that all are as likely
    return generator.choice(a, size, bool(replace), p if p.ndim and p.size else None)


def _permutation(generator: np.random.RandomState, size: tuple[int, ...], n: Any) -> Any:
    out = np.empty((*size, int(n)), np.int64)
    for i in np.ndindex(*size):
        out[i] = generator.permutation(int(n))
    return out


def _multinomial(generator: np.random.RandomState, size: tuple[int, ...], n: Any, pvals: Any) -> Any:
    if np.any(pvals < 0):
        raise ValueError("multinomial: pvals holds a negative probability, expected numbers in [0, 1]")
    n = np.broadcast_to(n, size)
    pvals = np.broadcast_to(pvals, (*size, pvals.shape[-1]))
    out = np.empty(pvals.shape, np.float64)
    for i in np.ndindex(*size):
        p = pvals[i]
        # Rounding can carry the sum above 1, which numpy refuses; Theano shrinks all of them a little, and so do we.
        if 1.0 < p.sum() < 1.0 + 1e-5 or p[-1] < 5e-5:
            p = p * p.dtype.type(1.0 - 5e-5)
        if p.sum() > 1.0:
            raise ValueError(f"multinomial: pvals sum to {p.sum()}, expected at most 1")
        out[i] = generator.multinomial(n[i], p.astype(np.float64))
    return out


# (generator, size, *parameters) -> draws
SAMPLERS: dict[str, Callable[..., Any]] = {
    "poisson": lambda generator, size, lam: generator.poisson(lam, size),
    "random_integers": _random_integers,
    "choice": _choice,
    "permutation": _permutation,
    "multinomial": _multinomial,
}

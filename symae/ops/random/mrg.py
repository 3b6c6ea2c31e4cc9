"""Draws from MRG31k3p, the generator of Theano's ``MRG_RandomStreams``, as ops.

The state is an array (streams, 6) of int32 that all streams of a draw share. The kernels are in `symae.kernels.random.mrg`, and
for JAX those of uniform numbers in (0, 1), of which masks are made, and of normal numbers of float64 around 0 in
``mrg_jax.py``; where a backend has none of its own, ``perform`` calls the same machine code, so all give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable

from symae.ops.base import BackendOp
from symae.ops.random.compiled_draws import CompiledDraw, known_number
from symae.ops.random.draws import Draw

MRG_STATE_TYPE = pt.TensorType("int32", shape=(None, 6))


class MRGDraw(Draw):
    """Hold what the draws from MRG31k3p share: `sample` changes the state, an array, in place."""

    state_type = MRG_STATE_TYPE

    def numba_key(self, node: Apply) -> Any:
        return [(v.type.dtype, v.type.ndim) for v in node.inputs]  # sizes are looked up when the kernel runs

    def sample(self, state: Any, size: tuple[int, ...], *parameters: Any) -> Any:
        raise NotImplementedError

    def perform(self, node: Apply | None, inputs: Sequence[Any], output_storage: Any) -> None:
        first = 1 + self.ndim
        state = np.array(inputs[0], np.int32, order="C")
        size = tuple(int(d) for d in inputs[1:first])
        output_storage[1][0] = self.sample(state, size, *(np.asarray(p) for p in inputs[first:]))
        output_storage[0][0] = state


class _FloatDraw(MRGDraw, CompiledDraw):
    """Draw floats from two scalar or elementwise parameters, which are in the dtype of the draws."""

    def __init__(self, dtype: str, ndim: int):
        super().__init__(dtype, ndim)
        self.parameter_dtypes = (self.dtype, self.dtype)

    c_code = BackendOp.c_code  # none: in C the machine code of Numba runs, which advances many streams at once

    def sample(self, state: Any, size: tuple[int, ...], *parameters: Any) -> np.ndarray:
        out = np.empty(size, self.dtype)
        scalar, elementwise = self.numba_loops()
        if all(p.ndim == 0 for p in parameters):
            scalar(state, *(p[()] for p in parameters), out.reshape(-1))
        else:
            elementwise(
                state, *(np.ascontiguousarray(np.broadcast_to(p, size)).reshape(-1) for p in parameters), out.reshape(-1)
            )
        return out


class MRGUniform(_FloatDraw):
    """Draw low + (high - low) * u with u uniform in (0, 1), rounded once."""

    def numba_loops(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        from symae.kernels.random.mrg import uniforms, uniforms_elementwise

        return uniforms, uniforms_elementwise

    def jax(self, node: Apply) -> Callable[..., Any]:
        import jax

        if [known_number(p) for p in node.inputs[-2:]] != [0.0, 1.0]:
            return super().jax(node)  # other limits take a product and a sum with one rounding, which XLA does not promise
        from symae.kernels.random.mrg_jax import uniforms

        dtype = jax.dtypes.canonicalize_dtype(self.dtype)
        return lambda state, *inputs: uniforms(state, self._traced_shape(node, (state, *inputs)), dtype)


class MRGNormal(_FloatDraw):
    """Draw avg + std * g with g of the standard normal distribution, by Box and Muller's transform."""

    def numba_loops(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        from symae.kernels.random.mrg import normals, normals_elementwise

        return normals, normals_elementwise

    def jax(self, node: Apply) -> Callable[..., Any]:
        import jax

        dtype = jax.dtypes.canonicalize_dtype(self.dtype)
        if dtype != np.float64 or known_number(node.inputs[-2]) != 0.0:
            # XLA's logarithm of float32 is another, and a mean takes a product and a sum with one rounding
            return super().jax(node)
        from symae.kernels.random.mrg_jax import normals

        def draw(state: Any, *inputs: Any) -> Any:
            return normals(state, inputs[-1], self._traced_shape(node, (state, *inputs)))

        return draw


class MRGTruncatedNormal(MRGDraw):
    """Draw (state, size, u, avg, std) -> a vector avg + std * g, g standard normal within 2 standard deviations.

    `u` are the uniform numbers of a separate draw, as many as `size` and one more if that is odd; the state given here draws
    only those again that are outside. `avg` and `std` are scalars or vectors.
    """

    def __init__(self, dtype: str):
        super().__init__(dtype, 1)

    __props__ = ("dtype",)

    def checked_parameters(self, parameters: Sequence[Any]) -> list[Variable]:
        return [pt.cast(p, self.dtype) for p in parameters]

    def sample(self, state: Any, size: tuple[int, ...], *parameters: Any) -> np.ndarray:
        from symae.kernels.random.mrg import truncated

        u, avg, std = parameters
        out = np.empty(size, self.dtype)
        truncated(state, np.ascontiguousarray(u), *(np.array(np.broadcast_to(p, size)) for p in (avg, std)), out)
        return out

    def numba(self, node: Apply) -> Callable[..., Any]:
        from pytensor.link.numba.dispatch.basic import numba_njit

        from symae.kernels.random.mrg import truncated

        dtype = np.dtype(self.dtype)

        @numba_njit(error_model="numpy", fastmath=False)
        def draw(state: Any, size: Any, u: Any, avg: Any, std: Any) -> Any:
            after, out = state.copy(), np.empty(size.item(), dtype)
            truncated(after, u, np.broadcast_to(avg, out.shape).copy(), np.broadcast_to(std, out.shape).copy(), out)
            return after, out

        return draw


class _FromRows(MRGDraw):
    """Draw from the rows of a matrix of probabilities, by uniform numbers of `uniform_dtype`."""

    __props__ = ("dtype", "uniform_dtype")
    ndim_given: int

    def __init__(self, dtype: str, uniform_dtype: str):
        super().__init__(dtype, self.ndim_given)
        self.uniform_dtype = str(np.dtype(uniform_dtype))


class MRGMultinomial(_FromRows):
    """Draw (state, rows, n, pvals (rows, categories)) -> counts (rows, categories) of n trials for each row."""

    ndim_given = 1

    def checked_parameters(self, parameters: Sequence[Any]) -> list[Variable]:
        n, pvals = parameters
        return [pt.cast(n, "int64"), pvals]

    def static_tail(self, parameters: Sequence[Variable]) -> tuple[int | None, ...]:
        return (parameters[1].type.shape[1],)

    def output_tail(self, parameters: Sequence[Variable], shapes: Sequence[Any]) -> list[Any]:
        return [shapes[1][1]]

    def sample(self, state: Any, size: tuple[int, ...], *parameters: Any) -> np.ndarray:
        from symae.kernels.random.mrg import multinomial

        n, pvals = int(parameters[0]), np.ascontiguousarray(parameters[1])
        out = np.empty(pvals.shape, self.dtype)
        multinomial(state, n, pvals, np.empty(max(n, 0) * len(pvals), self.uniform_dtype), out)
        return out

    def numba(self, node: Apply) -> Callable[..., Any]:
        from pytensor.link.numba.dispatch.basic import numba_njit

        from symae.kernels.random.mrg import multinomial

        dtype, uniform_dtype = np.dtype(self.dtype), np.dtype(self.uniform_dtype)

        @numba_njit(error_model="numpy", fastmath=False)
        def draw(state: Any, rows: Any, n: Any, pvals: Any) -> Any:
            after, out = state.copy(), np.empty(pvals.shape, dtype)
            multinomial(after, n.item(), pvals, np.empty(max(n.item(), 0) * len(pvals), uniform_dtype), out)
            return after, out

        return draw


class MRGChoice(_FromRows):
    """Draw (state, rows, size, pvals (rows, categories)) -> (rows, size): categories of each row, none twice."""

    ndim_given = 2

    def checked_parameters(self, parameters: Sequence[Any]) -> list[Variable]:
        return list(parameters)

    def sample(self, state: Any, size: tuple[int, ...], *parameters: Any) -> np.ndarray:
        from symae.kernels.random.mrg import choice

        pvals, out = np.ascontiguousarray(parameters[0]), np.empty(size, self.dtype)
        choice(state, pvals, np.empty(out.size, self.uniform_dtype), out)
        return out

    def numba(self, node: Apply) -> Callable[..., Any]:
        from pytensor.link.numba.dispatch.basic import numba_njit

        from symae.kernels.random.mrg import choice

        dtype, uniform_dtype = np.dtype(self.dtype), np.dtype(self.uniform_dtype)

        @numba_njit(error_model="numpy", fastmath=False)
        def draw(state: Any, rows: Any, size: Any, pvals: Any) -> Any:
            after, out = state.copy(), np.empty((rows.item(), size.item()), dtype)
            choice(after, pvals, np.empty(out.size, uniform_dtype), out)
            return after, out

        return draw

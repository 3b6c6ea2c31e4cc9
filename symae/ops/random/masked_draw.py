"""A binomial mask that is drawn and multiplied with what it masks in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply

from symae.errors import InputError, ShapeError
from symae.ops.base import BackendOp
from symae.ops.random.compiled_draws import BinomialDraw, jit
from symae.ops.random.draws import Draw

MASK, ARRAY = "a mask of shape {}", "{}, that of the array"


class MaskedDraw(BackendOp):
    """Compute (state, dims…, n, p, x) -> (state, mask * x); the mask is BinomialDraw's of these dims, which x has too.

    The rewrite `masked_draw` makes it, after all gradients were taken.
    """

    __props__ = ("dtype", "ndim")

    def __init__(self, dtype: str, ndim: int):
        self.dtype, self.ndim = dtype, ndim
        self.mask = BinomialDraw(dtype, ndim)

    def make_node(self, state: Any, *inputs: Any) -> Apply:
        *drawn, x = inputs
        node, x = self.mask.make_node(state, *drawn), pt.as_tensor(x)
        if x.type.ndim != self.ndim or x.type.dtype != self.dtype:
            raise InputError("MaskedDraw", f"x of type {x.type}", f"{self.dtype} of {self.ndim} dimensions")
        n, p = node.inputs[-2:]
        if n.type.ndim or p.type.ndim:
            raise InputError("MaskedDraw", "n or p for each element", "one of each")
        return Apply(self, [*node.inputs, x], [node.outputs[0].type(), x.type()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0], shapes[-1]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        *drawn, x = inputs
        Draw.perform(self.mask, node, drawn, output_storage)
        mask = output_storage[1][0]
        if mask.shape != x.shape:
            raise InputError("product with a mask", MASK.format(mask.shape), ARRAY.format(x.shape))
        output_storage[1][0] = mask * x

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.compiled_once import ask
        from symae.kernels.random.masks import masked

        n, p = (v.type.dtype for v in node.inputs[-3:-1])
        state, vector = (node.inputs[0].type.dtype, 1), (self.dtype, 1)
        ask(masked, state, n, p, vector, state, vector)
        dtype = np.dtype(self.dtype)

        @jit
        def draw(state: Any, dims: Any, n: Any, p: Any, x: Any) -> Any:
            if dims != x.shape:
                raise ShapeError("product with a mask", MASK, ARRAY, dims, x.shape)
            after, out = np.empty_like(state), np.empty(dims, dtype)
            masked(state, n.item(), p.item(), np.ascontiguousarray(x).reshape(-1), after, out.reshape(-1))
            return after, out

        return self.mask.unpacked(draw, "n, p, x")

"""Log-likelihoods of labels under a softmax, and their gradient, in one pass over the scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply

from symae.errors import InputError
from symae.ops.arguments import FLOATS
from symae.ops.base import BackendOp


class LogLikelihoods(BackendOp):
    """Compute (a, rows, labels[, g]) -> log(softmax(a))[rows, labels], and the gradient of its sum with weights g.

    a is (n, k), float32 or float64, and the softmax is that of each row. The others are vectors of one length, or of length 1;
    g is of a's dtype. With g there is a second output, (n, k): z - sum(z) softmax(a) in each row, where z has g at the labels
    and is 0 elsewhere.

    The rewrite `log_likelihoods` makes it, after all gradients were taken.
    """

    __props__ = ()

    def make_node(self, a: Any, rows: Any, labels: Any, *g: Any) -> Apply:
        a, rows, labels, *weights = (pt.as_tensor(v) for v in (a, rows, labels, *g))
        if a.type.ndim != 2 or a.type.dtype not in FLOATS:
            raise InputError("LogLikelihoods", f"scores of type {a.type}", f"a matrix of {' or '.join(FLOATS)}")
        for v in (rows, labels):
            if v.type.ndim != 1 or not v.type.dtype.startswith(("int", "uint")):
                raise InputError("LogLikelihoods", f"indices of type {v.type}", "a vector of whole numbers")
        for v in weights:
            if v.type.ndim != 1 or v.type.dtype != a.type.dtype:
                raise InputError("LogLikelihoods", f"weights of type {v.type}", f"a vector of {a.type.dtype}")
        return Apply(self, [a, rows, labels, *weights], [pt.vector(dtype=a.type.dtype), *(a.type() for _ in weights)])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        (rows,), (labels,) = shapes[1:3]
        return [(pt.switch(pt.eq(rows, 1), labels, rows),), *(shapes[0] for _ in node.outputs[1:])]

    def numba_key(self, node: Apply) -> Any:
        return [v.type.dtype for v in node.inputs]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        a, rows, labels, *g = inputs
        with np.errstate(all="ignore"):
            x = a - a.max(axis=1, keepdims=True)
            powers = np.exp(x)
            total = powers.sum(axis=1, keepdims=True, dtype="float64").astype(a.dtype)
            output_storage[0][0] = (x - np.log(total))[rows, labels]
            if g:
                spread = np.zeros_like(a)
                np.add.at(spread, (rows, labels), g[0])
                share = spread.sum(axis=1, keepdims=True, dtype="float64").astype(a.dtype)
                output_storage[1][0] = spread - share * (powers / total)

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.compiled_once import ask
        from symae.kernels.log_likelihoods import log_likelihoods, of_labels

        dtype = node.inputs[0].type.dtype
        ask(log_likelihoods, (dtype, 2), *[("int64", 1)] * 2, *[(dtype, 1)] * 2, (dtype, 2))
        rows, labels = (v.type.dtype.startswith("uint") for v in node.inputs[1:3])
        return of_labels(rows, labels)[len(node.inputs) - 3]

"""``theano.sparse.sandbox.sp2``: sparse matrices of random numbers, drawn by NumPy's own generator.

``numpy.random.seed`` is what makes the draws come again, as in Theano; each call of a function draws anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
import scipy.sparse
from pytensor.gradient import disconnected_type, grad_undefined
from pytensor.graph.basic import Apply, Variable
from pytensor.sparse.basic import as_sparse_variable
from pytensor.sparse.type import SparseTensorType

from symae.theano import sparse
from symae.theano.gof.op import Op

__all__ = [
    "Binomial",
    "EliminateZeros",
    "Multinomial",
    "Poisson",
    "csc_dbinomial",
    "csc_fbinomial",
    "csr_dbinomial",
    "csr_fbinomial",
    "eliminate_zeros",
    "multinomial",
    "poisson",
]

EliminateZeros = sparse.Remove0
eliminate_zeros = sparse.remove0


class _Draw(Op):
    """Draw a sparse matrix; there is no derivative by what it is drawn from."""

    __props__: tuple[str, ...] = ()

    def do_constant_folding(self, fgraph: Any, node: Apply) -> bool:
        return False  # PyTensor would keep one draw of constants for all calls

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], output_grads: Any) -> list[Variable]:
        return [grad_undefined(self, i, x, "what is drawn has no derivative") for i, x in enumerate(inputs)]


class Poisson(_Draw):
    """Draw from Poisson distributions whose means are the entries of a sparse matrix."""

    def make_node(self, x: Any) -> Apply:
        x = as_sparse_variable(x)
        return Apply(self, [x], [x.type()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        drawn = inputs[0].copy()
        drawn.data = np.asarray(np.random.poisson(drawn.data), dtype=drawn.dtype)
        drawn.eliminate_zeros()
        output_storage[0][0] = drawn

    def infer_shape(self, node: Apply, shapes: Any) -> Any:
        return shapes


class Binomial(_Draw):
    """Draw a matrix of the given shape from the binomial distribution of `n` trials with probability `p`.

    Parameters
    ----------
    format : {"csr", "csc"}
    dtype : str
        Of the result.
    """

    __props__ = ("format", "dtype")

    def __init__(self, format: str, dtype: str):
        self.format, self.dtype = format, dtype

    def make_node(self, n: Any, p: Any, shape: Any) -> Apply:
        n, p, shape = (pt.as_tensor_variable(v) for v in (n, p, shape))
        for name, variable, kinds in (("n", n, "iu"), ("p", p, "f"), ("shape", shape, "iu")):
            if np.dtype(variable.dtype).kind not in kinds:
                wanted = "floating point" if kinds == "f" else "whole"
                raise AssertionError(f"{name} of Binomial: found {variable.dtype}, expected {wanted} numbers")
        return Apply(self, [n, p, shape], [SparseTensorType(self.format, self.dtype)()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        n, p, shape = inputs
        as_sparse = getattr(scipy.sparse, f"{self.format}_matrix")
        output_storage[0][0] = as_sparse(np.random.binomial(n, p, size=tuple(shape)), dtype=self.dtype)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True], [True], [False]]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], output_grads: Any) -> list[Variable]:
        return [*super().pullback(inputs[:2], outputs, output_grads), disconnected_type()]

    def infer_shape(self, node: Apply, shapes: Any) -> Any:
        return [(node.inputs[2][0], node.inputs[2][1])]


class Multinomial(_Draw):
    """Draw each row from the multinomial distribution of `n` trials, one number or one for each row.

    The probabilities are the entries of the rows of a sparse matrix `p` in format csr.
    """

    def make_node(self, n: Any, p: Any) -> Apply:
        n, p = pt.as_tensor_variable(n), as_sparse_variable(p)
        return Apply(self, [n, p], [p.type()])

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        n, p = inputs
        if p.format != "csr":
            raise NotImplementedError(f"p of Multinomial: found a matrix in format {p.format}, expected csr")
        if n.ndim == 1 and len(n) != p.shape[0]:
            raise ValueError(f"n of Multinomial: found {len(n)} numbers, expected {p.shape[0]}, one for each row of p")
        drawn = p.copy()
        for trials, start, stop in zip(np.broadcast_to(n, p.shape[:1]), p.indptr[:-1], p.indptr[1:], strict=True):
            drawn.data[start:stop] = np.random.multinomial(trials, p.data[start:stop])
        output_storage[0][0] = drawn

    def infer_shape(self, node: Apply, shapes: Any) -> Any:
        return [shapes[1]]


poisson = Poisson()
multinomial = Multinomial()
csr_fbinomial, csc_fbinomial = Binomial("csr", "float32"), Binomial("csc", "float32")
csr_dbinomial, csc_dbinomial = Binomial("csr", "float64"), Binomial("csc", "float64")


def __getattr__(name: str) -> Any:
    return getattr(sparse, name)

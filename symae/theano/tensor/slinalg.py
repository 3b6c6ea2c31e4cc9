"""``theano.tensor.slinalg``: linear algebra that Theano took from SciPy."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor import linalg
from pytensor.tensor.type_other import NoneConst
from scipy import linalg as scipys

from symae.errors import InputError
from symae.theano._impl.absent import getter
from symae.theano._impl.checked import CheckedBothWays
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = [
    "Cholesky",
    "Solve",
    "cholesky",
    "eigvalsh",
    "expm",
    "kron",
    "solve",
    "solve_lower_triangular",
    "solve_symmetric",
    "solve_upper_triangular",
]

expm = as_theano(linalg.expm, "expm", __name__)


class Cholesky:
    """Compute the triangular L with L L' = x, or with ``lower=False`` the U with U' U = x.

    Where `x` is not positive definite, there is an error, or with ``on_error="nan"`` NaN.
    """

    def __init__(self, lower: bool = True, on_error: str = "raise"):
        self.lower, self.on_error = lower, on_error

    @as_theano
    def __call__(self, x: TensorLike) -> Variable:
        factor = linalg.cholesky(x, lower=self.lower)
        if self.on_error != "raise":
            return factor
        definite = CheckedBothWays(np.linalg.LinAlgError, "Cholesky: found a matrix that is not positive definite")
        return definite(factor, pt.invert(pt.any(pt.isnan(factor))))


_STRUCTURES = {"general": "gen", "symmetric": "sym"}


class Solve:
    """Solve (A, b) -> x with A x = b, for a vector or a matrix b.

    `A_structure` is "general", "symmetric", "lower_triangular" or "upper_triangular".
    """

    def __init__(self, A_structure: str = "general", lower: bool = False, overwrite_A: bool = False, overwrite_b: bool = False):
        if A_structure not in (*_STRUCTURES, "lower_triangular", "upper_triangular"):
            raise InputError(
                "Solve: A_structure", repr(A_structure), "general, symmetric, lower_triangular or upper_triangular"
            )
        self.A_structure = A_structure

    @as_theano
    def __call__(self, A: TensorLike, b: TensorLike) -> Variable:
        A, b = pt.as_tensor(A), pt.as_tensor(b)
        if A.type.ndim != 2 or b.type.ndim not in (1, 2):
            raise InputError("Solve", f"{A.type.ndim} and {b.type.ndim} dimensions", "a matrix, and a vector or a matrix")
        dtype = scipys.solve(np.eye(1, dtype=A.type.dtype), np.ones(1, b.type.dtype)).dtype.name  # float64 of whole numbers
        A, b = pt.cast(A, dtype), pt.cast(b, dtype)
        if self.A_structure in _STRUCTURES:
            return linalg.solve(A, b, assume_a=_STRUCTURES[self.A_structure], b_ndim=b.type.ndim)
        return linalg.solve_triangular(A, b, lower=self.A_structure == "lower_triangular", b_ndim=b.type.ndim)


cholesky = Cholesky()
solve = Solve()
solve_lower_triangular = Solve("lower_triangular", lower=True)
solve_upper_triangular = Solve("upper_triangular", lower=False)
solve_symmetric = Solve("symmetric")


@as_theano
def eigvalsh(a: TensorLike, b: TensorLike, lower: bool = True) -> Variable:
    """Compute the eigenvalues of a symmetric matrix, with `b` not None those of a v = w b v."""
    return linalg.eigvalsh(a, None if b is NoneConst else b, lower=lower)


@as_theano
def kron(a: TensorLike, b: TensorLike) -> Variable:
    """Compute the Kronecker product of two arrays of at least 3 dimensions together.

    As SciPy's of then: of a vector and a matrix it is a vector, and of more than two matrices' dimensions the first two of each
    are multiplied, the others follow.
    """
    a, b = pt.as_tensor(a), pt.as_tensor(b)
    if a.type.ndim + b.type.ndim <= 2:
        raise TypeError(f"kron: found {a.type.ndim} and {b.type.ndim} dimensions, expected 3 or more together; see T.outer")
    product = a.dimshuffle(*range(a.type.ndim), *("x" for _ in range(b.type.ndim))) * b
    if product.type.ndim == 3:
        return product.dimshuffle(1, 0, 2).flatten()
    lengths = [product.shape[i] for i in range(product.type.ndim)]
    moved = product.dimshuffle(0, 2, 1, *range(3, product.type.ndim))
    return moved.reshape((lengths[0] * lengths[2], lengths[1] * lengths[3], *lengths[4:]), ndim=product.type.ndim - 2)


__getattr__ = getter(__name__, pytensor=["pytensor.tensor.linalg"], ops="tensor.slinalg")

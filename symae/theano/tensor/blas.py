"""``theano.tensor.blas``: products with factors, as expressions; rewrites put them into BLAS by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.blas import Dot22

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = [
    "Dot22",
    "gemm",
    "gemm_inplace",
    "gemm_no_inplace",
    "gemv",
    "gemv_inplace",
    "gemv_no_inplace",
    "ger",
    "ger_destructive",
]

_dot22 = as_theano(Dot22(), "_dot22", __name__)


@as_theano
def gemm(z: TensorLike, a: TensorLike, x: TensorLike, y: TensorLike, b: TensorLike) -> Variable:
    """Return ``b * z + a * dot(x, y)`` of matrices and scalars of one dtype; `z` does not matter where `b` is 0.

    Raises
    ------
    TypeError
        One has another number of dimensions or another dtype than the others, or integers.
    """
    z, a, x, y, b = _checked("gemm", "z a x y b", (2, 0, 2, 2, 0), (z, a, x, y, b))
    return _scaled(b, z) + a * pt.dot(x, y)


@as_theano
def gemv(y: TensorLike, alpha: TensorLike, A: TensorLike, x: TensorLike, beta: TensorLike) -> Variable:
    """Return ``beta * y + alpha * dot(A, x)`` of a matrix `A` and vectors; dtypes and errors are those of `gemm`."""
    y, alpha, A, x, beta = _checked("gemv", "y alpha A x beta", (1, 0, 2, 1, 0), (y, alpha, A, x, beta))
    return _scaled(beta, y) + alpha * pt.dot(A, x)


@as_theano
def ger(A: TensorLike, alpha: TensorLike, x: TensorLike, y: TensorLike) -> Variable:
    """Return ``A + alpha * outer(x, y)`` of a matrix `A` and vectors; dtypes and errors are those of `gemm`."""
    A, alpha, x, y = _checked("ger", "A alpha x y", (2, 0, 1, 1), (A, alpha, x, y))
    return A + alpha * pt.outer(x, y)


@as_theano
def _dot22scalar(x: TensorLike, y: TensorLike, a: TensorLike) -> Variable:
    x, y, a = _checked("_dot22scalar", "x y a", (2, 2, 0), (x, y, a))
    return a * pt.dot(x, y)


# Overwriting an argument is a rewrite's affair here: the values are the same.
gemm_no_inplace = gemm_inplace = gemm
gemv_no_inplace = gemv_inplace = gemv
ger_destructive = ger


def _checked(where: str, names: str, dimensions: Sequence[int], given: Sequence[Any]) -> list[Variable]:
    arguments = [pt.as_tensor_variable(v) for v in given]
    dtype = arguments[0].type.dtype
    for name, ndim, v in zip(names.split(), dimensions, arguments, strict=True):
        if v.type.ndim != ndim:
            raise TypeError(f"{where}: {name} has {v.type.ndim} dimensions, expected {ndim}")
        if v.type.dtype != dtype or not dtype.startswith(("float", "complex")):
            raise TypeError(f"{where}: {name} has dtype {v.type.dtype}, expected one float or complex dtype for all")
    return arguments


def _scaled(factor: Variable, array: Variable) -> Variable:
    return pt.switch(pt.eq(factor, 0), pt.zeros_like(array), factor * array)  # as BLAS: NaN is not looked at


__getattr__ = getter(
    __name__,
    elsewhere={"batched_dot": "tensor", "batched_tensordot": "tensor"},
    pytensor=["pytensor.tensor.blas"],
    ops="tensor.blas",
)

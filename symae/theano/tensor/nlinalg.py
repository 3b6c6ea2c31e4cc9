"""``theano.tensor.nlinalg``: linear algebra of matrices. What is an Op there is a function here.

As NumPy, which Theano called, it computes in double precision, and rounds what it finds for matrices of single precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce, wraps
from inspect import signature
from typing import Any

import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.compile.ops import ViewOp
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor import linalg
from pytensor.tensor.linalg.solvers import lstsq as solvers

from symae.theano._impl.absent import getter
from symae.theano._impl.op_class import UnboundOp
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = [
    "alloc_diag",
    "det",
    "diag",
    "eig",
    "eigh",
    "extract_diag",
    "matrix_dot",
    "matrix_inverse",
    "matrix_power",
    "norm",
    "pinv",
    "qr",
    "svd",
    "tensorinv",
    "tensorsolve",
    "trace",
]

_DOUBLE = {"float32": "float64", "complex64": "complex128"}
_SINGLE = {double: single for single, double in _DOUBLE.items()}


def in_double(function: Callable[..., Any], n_arrays: int = 1) -> Callable[..., Any]:
    """Let `function` compute in double precision, and round its results where its first `n_arrays` arguments are single."""

    names = list(signature(function).parameters)[:n_arrays]

    @wraps(function)
    def computed(*args: Any, **kwargs: Any) -> Any:
        args = (*args, *(kwargs.pop(name) for name in names[len(args) :] if name in kwargs))
        arrays = [pt.as_tensor(x) for x in args[:n_arrays]]
        double = _DOUBLE.get(ps.upcast(*(x.type.dtype for x in arrays)))
        if double is None:
            return function(*args, **kwargs)
        results = function(*(pt.cast(_of_its_dtype(x), double) for x in arrays), *args[n_arrays:], **kwargs)
        return [_single(x) for x in results] if isinstance(results, list | tuple) else _single(results)

    return computed


class _GradientOfItsDtype(ViewOp):
    """Return x, whose gradient, and the gradient of that, has the dtype of x, also where it is handed on as one of another."""

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [pt.cast(self(cotangents[0]), inputs[0].type.dtype)]


_of_its_dtype = _GradientOfItsDtype()


def _single(x: Variable) -> Variable:
    single = _SINGLE.get(x.type.dtype)
    return x if single is None else _of_its_dtype(pt.cast(x, single))


matrix_inverse = UnboundOp(as_theano(in_double(linalg.inv), "matrix_inverse", __name__))
pinv = UnboundOp(as_theano(in_double(linalg.pinv), "pinv", __name__))
det = UnboundOp(as_theano(in_double(linalg.det), "det", __name__))
matrix_power = as_theano(linalg.matrix_power, "matrix_power", __name__)
tensorinv = as_theano(in_double(linalg.tensorinv), "tensorinv", __name__)


class _TensorSolve(solvers.TensorSolve):
    """Solve a x = b, where x has the dimensions of `a` that are left; PyTensor's has two always, and Numba reads so."""

    def make_node(self, a: Any, b: Any) -> Apply:
        inputs = a, b = pt.as_tensor(a), pt.as_tensor(b)
        ndim = a.type.ndim - b.type.ndim
        if ndim < 0:
            raise TypeError(f"tensorsolve: found {b.type.ndim} dimensions of b, expected at most the {a.type.ndim} of a")
        return Apply(self, inputs, [pt.tensor(dtype=ps.upcast(a.type.dtype, b.type.dtype), shape=(None,) * ndim)])


_TensorSolve.__name__ = "TensorSolve"  # what is printed


def _tensorsolve(a: TensorLike, b: TensorLike, axes: Any = None) -> Variable:
    return _TensorSolve(axes if axes is None else tuple(axes))(a, b)


tensorsolve = as_theano(in_double(wraps(linalg.tensorsolve)(_tensorsolve), 2), "tensorsolve", __name__)


@as_theano
def matrix_dot(*args: Any) -> Variable:
    """Multiply all the matrices."""
    return reduce(pt.dot, args)


@as_theano
def diag(x: TensorLike) -> Variable:
    """Return the matrix that has the vector `x` on its diagonal, or the diagonal of the matrix `x`."""
    x = pt.as_tensor(x)
    if x.type.ndim not in (1, 2):
        raise TypeError(f"diag: found {x.type.ndim} dimensions, expected 1 or 2")
    return pt.diag(x)


def _of_dimensions(count: int, name: str, x: TensorLike) -> Variable:
    x = pt.as_tensor(x)
    if x.type.ndim != count:
        raise TypeError(f"{name}: found {x.type.ndim} dimensions, expected {count}")
    return x


@UnboundOp
@as_theano
def alloc_diag(diag: TensorLike) -> Variable:
    """Return the matrix that has the vector `diag` on its diagonal."""
    return pt.diag(_of_dimensions(1, "alloc_diag", diag))


@UnboundOp
@as_theano
def extract_diag(x: TensorLike) -> Variable:
    """Return the diagonal of the matrix `x`."""
    return pt.diagonal(_of_dimensions(2, "extract_diag", x))


@as_theano
def trace(X: TensorLike) -> Variable:
    """Sum the diagonal of a matrix."""
    return pt.sum(pt.diagonal(pt.as_tensor(X)))


@UnboundOp
@as_theano
@in_double
def eig(a: TensorLike) -> Any:
    """Compute eigenvalues and eigenvectors of a square matrix, in its dtype.

    As in Theano those of a real matrix are real: where they are not, their imaginary parts are left out.
    """
    a = pt.as_tensor(a)
    values, vectors = linalg.eig(a)
    if a.type.dtype.startswith("complex"):
        return [values, vectors]
    dtype = a.type.dtype if a.type.dtype.startswith("float") else "float64"
    return [pt.cast(pt.real(x), dtype) for x in (values, vectors)]


@as_theano
@in_double
def eigh(a: TensorLike, UPLO: str = "L") -> Any:
    """Compute eigenvalues and eigenvectors of a symmetric matrix, of which only the lower or the upper ("U") half is read."""
    if UPLO not in ("L", "U"):
        raise ValueError(f"eigh: UPLO is {UPLO!r}, expected L or U")
    return linalg.eigh(a, lower=UPLO == "L", driver="evd")  # NumPy's, which gives eigenvectors their signs


@as_theano
@in_double
def qr(a: TensorLike, mode: str = "reduced") -> Any:
    """Compute the factors [q, r] of a matrix, or with `mode` "r" the second; "complete" gives square q.

    With "raw" it is [h, tau], the reflections that q is made of, as LAPACK returns them to NumPy.
    """
    if mode not in ("reduced", "complete", "r", "raw"):
        raise ValueError(f"qr: mode is {mode!r}, expected reduced, complete, r or raw")
    if mode == "raw":
        h, tau, _ = linalg.qr(a, mode="raw")
        return [h.T, tau]
    return linalg.qr(a, mode="reduced")[1] if mode == "r" else linalg.qr(a, mode=mode)


@as_theano
@in_double
def svd(a: TensorLike, full_matrices: Any = 1, compute_uv: Any = 1) -> Any:
    """Compute [u, s, v] of a matrix, with u diag(s) v = a, or with ``compute_uv=0`` s alone."""
    return linalg.svd(a, bool(full_matrices), bool(compute_uv))


@as_theano
def norm(x: TensorLike, ord: Any) -> Variable:
    """Compute a vector's or matrix's norm; `ord` is ``numpy.linalg.norm``'s, None for the root of the sum of squares."""
    x = pt.as_tensor(x)
    if x.type.ndim == 0:
        raise ValueError("norm: found a scalar, expected a vector or a matrix")
    if x.type.ndim > 2:
        raise NotImplementedError(f"norm: found {x.type.ndim} dimensions, expected a vector or a matrix")
    if ord is None:
        return pt.sqrt(pt.sum(pt.sqr(pt.abs(x))))
    return linalg.norm(x, ord)


__getattr__ = getter(
    __name__, elsewhere={"kron": "tensor.slinalg:kron"}, pytensor=["pytensor.tensor.linalg"], ops="tensor.nlinalg"
)

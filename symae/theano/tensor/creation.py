"""Constants, arrays that are made, and what is read from graphs."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.subtensor import inc_subtensor as _inc_subtensor
from pytensor.tensor.subtensor import set_subtensor as _set_subtensor

from symae.ops.unbroadcast import Addbroadcast
from symae.theano._impl.op_class import UnboundOp
from symae.theano._impl.variables import as_theano
from symae.theano.shared import shared
from symae.typing import TensorLike

__all__ = ["CREATION"]

_MODULE = "symae.theano.tensor"
_SAME = [
    "zeros",
    "ones",
    "zeros_like",
    "ones_like",
    "alloc",
    "eye",
    "identity_like",
    "tensor_from_scalar",
    "scalar_from_tensor",
    "get_vector_length",
    "tensor_copy",
    "arange",
    "empty",
    "empty_like",
    "full",
    "full_like",
]


@as_theano
def constant(x: TensorLike, name: str | None = None, ndim: int | None = None, dtype: Any = None) -> Variable:
    """Make a constant; Python's numbers get the smallest dtype that holds them."""
    return pt.constant(np.int8(x) if isinstance(x, bool) and dtype is None else x, name, ndim, dtype)


@as_theano
def as_tensor_variable(x: TensorLike, name: str | None = None, ndim: int | None = None) -> Variable:
    """Return `x`, a variable, array, number or list of them, as a variable; of `ndim` dimensions if that is given."""
    if isinstance(x, Apply) and x.op.default_output not in (None, *range(len(x.outputs))):
        raise AttributeError(f"{x.op}.default_output is {x.op.default_output}, expected the number of an output")
    if isinstance(x, bool):
        raise AsTensorError(f"as_tensor_variable: found {x}, expected a number, or numpy.array({x}) for a constant of bool")
    return pt.as_tensor_variable(x, name, ndim)


class AsTensorError(TypeError):
    """Raised when something cannot be made a tensor variable."""


@as_theano
def set_subtensor(x: TensorLike, y: TensorLike, inplace: bool = False, tolerate_inplace_aliasing: bool = False) -> Variable:
    """Return the whole of which `x` is a part, with that part replaced by `y`.

    `tolerate_inplace_aliasing` would save a copy; it is ignored, as PyTensor cannot compile what it makes with it.
    """
    return _set_subtensor(x, _like(x, y), inplace)


def _like(x: TensorLike, y: TensorLike) -> TensorLike:
    """Return `y` with the length 1 where the part `x` has it; another is a ValueError when it is computed."""
    x, y = pt.as_tensor_variable(x), pt.as_tensor_variable(y)
    more = x.type.ndim - y.type.ndim
    axes = [i for i, one in enumerate(y.type.broadcastable) if more >= 0 and x.type.broadcastable[i + more] and not one]
    return Addbroadcast(*axes)(y) if axes else y


@as_theano
def inc_subtensor(
    x: TensorLike,
    y: TensorLike,
    inplace: bool = False,
    set_instead_of_inc: bool = False,
    tolerate_inplace_aliasing: bool = False,
) -> Variable:
    """Return the whole of which `x` is a part, with `y` added to that part; `tolerate_inplace_aliasing` is ignored."""
    y = _like(x, y)
    return _set_subtensor(x, y, inplace) if set_instead_of_inc else _inc_subtensor(x, y, inplace=inplace)


@as_theano
def dot(a: TensorLike, b: TensorLike) -> Variable:
    """Multiply matrices and vectors; arrays of more dimensions over the last of `a` and the last but one of `b`."""
    return pt.dot(a, b)


@UnboundOp
@as_theano
def _dot(x: TensorLike, y: TensorLike) -> Variable:
    """Multiply matrices and vectors, as `dot` does, and nothing else."""
    x, y = pt.as_tensor_variable(x), pt.as_tensor_variable(y)
    if x.type.ndim not in (1, 2) or y.type.ndim not in (1, 2):
        raise TypeError(f"dot: found {x.type.ndim} and {y.type.ndim} dimensions, expected vectors or matrices")
    return pt.dot(x, y)


@as_theano
def tensordot(a: TensorLike, b: TensorLike, axes: Any = 2) -> Variable:
    """Sum products over `axes`: a number of them, or lists of those of `a` and of `b`."""
    if isinstance(axes, np.ndarray):
        axes = axes.tolist()
    return pt.tensordot(pt.as_tensor_variable(a), pt.as_tensor_variable(b), axes)


@as_theano
def batched_dot(a: TensorLike, b: TensorLike) -> Variable:
    """Compute `dot` of each pair along the first dimension."""
    a, b = pt.as_tensor_variable(a), pt.as_tensor_variable(b)
    if 0 in (a.type.ndim, b.type.ndim):
        raise TypeError("batched_dot: found a scalar, expected arrays whose first dimensions are equally long")
    if a.type.ndim == 1:
        return a.dimshuffle(0, *("x" for _ in range(b.type.ndim - 1))) * b
    if b.type.ndim == 1:
        return a * b.dimshuffle(0, *("x" for _ in range(a.type.ndim - 1)))
    left = a.dimshuffle(0, "x", 1) if a.type.ndim == 2 else a
    right = b.dimshuffle(0, 1, "x") if b.type.ndim == 2 else b
    if left.type.ndim > 3 or right.type.ndim > 3:
        return _batched(a, b, [[a.type.ndim - 1], [builtins.max(b.type.ndim - 2, 1)]])
    product = pt.matmul(left, right)
    if b.type.ndim == 2:
        product = product[..., 0]
    return product[:, 0] if a.type.ndim == 2 else product


@as_theano
def batched_tensordot(x: TensorLike, y: TensorLike, axes: Any = 2) -> Variable:
    """Compute `tensordot` of each pair along the first dimension."""
    return _batched(pt.as_tensor_variable(x), pt.as_tensor_variable(y), axes)


def _batched(x: Variable, y: Variable, axes: Any) -> Variable:
    if isinstance(axes, int | np.integer):
        axes = [list(range(x.type.ndim - axes, x.type.ndim)), list(range(1, 1 + axes))]
    summed = [list(a) if isinstance(a, list | tuple) else [a] for a in axes]
    kept = [[i for i in range(1, v.type.ndim) if i not in s] for v, s in zip((x, y), summed, strict=True)]
    shape = [x.shape[0], *(x.shape[i] for i in kept[0]), *(y.shape[i] for i in kept[1])]
    one = x.transpose(0, *kept[0], *summed[0]).reshape(
        (x.shape[0], pt.prod([x.shape[i] for i in kept[0]], dtype="int64") if kept[0] else 1, -1), ndim=3
    )
    other = y.transpose(0, *summed[1], *kept[1]).reshape(
        (y.shape[0], -1, pt.prod([y.shape[i] for i in kept[1]], dtype="int64") if kept[1] else 1), ndim=3
    )
    return pt.matmul(one, other).reshape(shape, ndim=len(shape))


@as_theano
def get_scalar_constant_value(
    v: TensorLike, elemwise: bool = True, only_process_constants: bool = False, max_recur: int = 10
) -> Any:
    """Return the number that `v` always is.

    Raises
    ------
    NotScalarConstantError
        It depends on an input, or is an array of different numbers.
    EmptyConstantError
        It is an array without elements.
    """
    if 0 in np.shape(getattr(v, "data", v) if isinstance(v, Constant | np.ndarray) else 0):
        raise EmptyConstantError()
    return pt.get_underlying_scalar_constant_value(
        v, elemwise=elemwise, only_process_constants=only_process_constants, max_recur=max_recur
    )


class EmptyConstantError(pytensor.tensor.exceptions.NotScalarConstantError):
    """Raised where the value of an array without elements is asked for."""


def extract_constant(x: TensorLike, elemwise: bool = True, only_process_constants: bool = False) -> Any:
    """Return the number that `x` always is, or `x`."""
    try:
        return get_scalar_constant_value(x, elemwise, only_process_constants)
    except pytensor.tensor.exceptions.NotScalarConstantError:
        return x


def stacklists(arg: Any) -> Variable:
    """Stack nested lists of variables to one array."""
    if isinstance(arg, list | tuple):
        return as_theano(pt.stack)([stacklists(part) for part in arg])
    return arg


@as_theano
def cov(
    m: TensorLike, y: TensorLike | None = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, **kwargs: Any
) -> Variable:
    """Compute the covariances of the rows of `m`, or of its columns if not `rowvar`."""
    m = pt.atleast_2d(pt.as_tensor_variable(m))
    m = m.T if not rowvar and m.type.shape[0] != 1 else m
    if y is not None:
        y = pt.atleast_2d(pt.as_tensor_variable(y))
        m = pt.concatenate([m, y.T if not rowvar and y.type.shape[0] != 1 else y], axis=0)
    freedom = m.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    centred = m - m.mean(axis=1, keepdims=True)
    return pt.dot(centred, centred.conj().T) / freedom


@as_theano
def transfer(var: Variable, target: str) -> Variable:
    """Return `var`: there is one device, the CPU."""
    return var


class _Grid:
    """Make numpy's ``mgrid`` and ``ogrid`` of numbers and variables."""

    def __init__(self, grid: Any):
        self._grid = grid

    def __getitem__(self, *slices: Any) -> Any:
        return as_theano(lambda: list(self._grid.__getitem__(*slices)))()


def _shared(value: Any, name: str | None = None, strict: bool = False, allow_downcast: Any = None, **kwargs: Any) -> Any:
    """Make a shared variable by `shared`."""
    return shared(value, name, strict, allow_downcast, **kwargs)


_OWN = (
    constant,
    as_tensor_variable,
    set_subtensor,
    inc_subtensor,
    dot,
    _dot,
    tensordot,
    batched_dot,
    batched_tensordot,
    get_scalar_constant_value,
    extract_constant,
    stacklists,
    cov,
    transfer,
    _shared,
)


def _all() -> dict[str, Any]:
    made = {name: as_theano(getattr(pt, name), name, _MODULE) for name in _SAME if hasattr(pt, name)}
    made["alloc"] = as_theano(pt.alloc, "alloc", _MODULE)
    grids = {"mgrid": _Grid(pt.mgrid), "ogrid": _Grid(pt.ogrid)}
    python = {"python_complex": builtins.complex, "python_any": builtins.any, "python_all": builtins.all}
    own = {f.__name__: f for f in (*_OWN, AsTensorError, EmptyConstantError)}
    return made | own | grids | python | {"as_tensor": as_tensor_variable}


CREATION = _all()

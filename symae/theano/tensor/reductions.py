"""Sums, means, extremes and products, with Theano's dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.math import Max
from pytensor.tensor.type_other import NoneTypeT

from symae.theano._impl.variables import as_theano, logical
from symae.typing import TensorLike

__all__ = ["REDUCTIONS", "makeKeepDims"]


def _axes(axis: Any) -> Any:
    """Return `axis` as PyTensor takes it: Theano took arrays, constants and empty lists too."""
    if isinstance(getattr(axis, "type", None), NoneTypeT):
        axis = None
    if isinstance(axis, Variable):
        axis = pt.get_scalar_constant_value(axis) if axis.type.ndim == 0 else axis.data
    if isinstance(axis, np.ndarray):
        axis = axis.tolist()
    return tuple(int(a) for a in axis) if isinstance(axis, list | tuple) else None if axis is None else int(axis)


@as_theano
def sum(input: TensorLike, axis: Any = None, dtype: Any = None, keepdims: bool = False, acc_dtype: Any = None) -> Variable:
    """Sum over `axis`, a number, a list or None for all; small whole numbers in int64."""
    return pt.sum(input, _axes(axis), dtype, keepdims, acc_dtype)


@as_theano
def prod(
    input: TensorLike,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    acc_dtype: Any = None,
    no_zeros_in_input: bool = False,
) -> Variable:
    """Multiply over `axis`."""
    return pt.prod(input, _axes(axis), dtype, keepdims, acc_dtype)


@as_theano
def mean(
    input: TensorLike, axis: Any = None, dtype: Any = None, op: bool = False, keepdims: bool = False, acc_dtype: Any = None
) -> Variable:
    """Compute the mean over `axis`; of whole numbers in float64."""
    return pt.mean(input, _axes(axis), dtype, keepdims, acc_dtype)


@as_theano
def var(input: TensorLike, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False) -> Variable:
    """Compute the variance over `axis`; with `ddof`, squares over the product of each length less `ddof`, as Theano did."""
    return _variance(pt.as_tensor_variable(input), _axes(axis), ddof, keepdims, corrected)


def _variance(x: Variable, axis: Any, ddof: int, keepdims: bool, corrected: bool) -> Variable:
    if ddof == 0:
        return pt.var(x, axis, ddof, keepdims, corrected)
    axes = range(x.type.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    centred = x - pt.mean(x, axis, keepdims=True)
    variance = pt.sum(centred**2, axis, keepdims=keepdims)
    error = pt.sum(centred, axis, keepdims=keepdims)
    for a in axes:
        variance, error = variance / (x.shape[a] - ddof), error / (x.shape[a] - ddof)
    return variance - error**2 if corrected else variance


@as_theano
def std(input: TensorLike, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False) -> Variable:
    """Compute the standard deviation over `axis`."""
    deviation = pt.sqrt(_variance(pt.as_tensor_variable(input), _axes(axis), ddof, keepdims, corrected))
    deviation.name = "std"
    return deviation


@as_theano
def max(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Variable:
    """Return the largest element over `axis`."""
    largest = pt.max(x, _axes(axis), keepdims)
    if not keepdims:
        largest.name = "max"
    return largest


@as_theano
def min(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Variable:
    """Return the smallest element over `axis`."""
    smallest = pt.min(x, _axes(axis), keepdims)
    largest = smallest.owner.inputs[0]  # of -x
    if largest.owner is not None and isinstance(largest.owner.op, Max):
        largest.name = "max"
    return smallest


@as_theano
def argmax(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Variable:
    """Return where the largest element over `axis` is, in int64."""
    return _argument(pt.argmax, x, _axes(axis), keepdims)


@as_theano
def argmin(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Variable:
    """Return where the smallest element over `axis` is, in int64."""
    return _argument(pt.argmin, x, _axes(axis), keepdims)


def _argument(function: Any, x: Any, axis: Any, keepdims: bool) -> Variable:
    x = pt.as_tensor_variable(x)
    if not isinstance(axis, tuple):
        return function(x, axis, keepdims)
    axes = tuple(a % x.type.ndim for a in axis)
    rest = [i for i in range(x.type.ndim) if i not in axes]
    shape = [*(x.shape[i] for i in rest), -1]
    position = function(x.transpose(*rest, *sorted(axes)).reshape(shape, ndim=len(shape)), -1)
    if keepdims:
        return position.dimshuffle(*(rest.index(i) if i in rest else "x" for i in range(x.type.ndim)))
    return position


def max_and_argmax(a: TensorLike, axis: Any = None, keepdims: bool = False) -> list[Variable]:
    """Return `max` and `argmax`."""
    axis = _axes(axis)
    if isinstance(axis, tuple):  # the one reduction that took an axis twice
        ndim = pt.as_tensor_variable(a).type.ndim
        axis = tuple({i + ndim if i < 0 else i: None for i in axis})
    return [max(a, axis, keepdims), argmax(a, axis, keepdims)]


def any(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Variable:
    """Tell if any element over `axis` is not 0: 1 or 0 in int8."""
    return _any(x, _axes(axis), keepdims)


def all(x: TensorLike, axis: Any = None, keepdims: bool = False) -> Variable:
    """Tell if no element over `axis` is 0: 1 or 0 in int8."""
    return _all(x, _axes(axis), keepdims)


_any, _all = logical(pt.any), logical(pt.all)


@as_theano
def ptp(a: TensorLike, axis: Any = None) -> Variable:
    """Return the largest element less the smallest."""
    return pt.ptp(a, _axes(axis))


@as_theano
def makeKeepDims(x: TensorLike, y: TensorLike, axis: Any) -> Variable:
    """Return `y`, a reduction of `x` over `axis`, with the dimensions that it lost, of length 1."""
    x, axis = pt.as_tensor_variable(x), _axes(axis)
    lost = range(x.type.ndim) if axis is None else [a % x.type.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    kept = iter(range(pt.as_tensor_variable(y).type.ndim))
    return pt.as_tensor_variable(y).dimshuffle(*("x" if i in lost else next(kept) for i in range(x.type.ndim)))


_OWN = (sum, prod, mean, var, std, max, min, argmax, argmin, max_and_argmax, any, all, ptp)
REDUCTIONS = {f.__name__: f for f in (*_OWN, makeKeepDims)}

"""``theano.tensor.sort``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["argsort", "argtopk", "sort", "topk", "topk_and_argtopk"]

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.sort"], ops="tensor.sort")


@as_theano
def sort(a: TensorLike, axis: Any = -1, kind: str = "quicksort", order: Any = None) -> Variable:
    """Sort `a` in increasing order along `axis`, which may be symbolic; all elements if it is None."""
    return _along(pt.sort, pt.as_tensor_variable(a), axis, kind)


@as_theano
def argsort(a: TensorLike, axis: Any = -1, kind: str = "quicksort", order: Any = None) -> Variable:
    """Return the positions that put `a` in increasing order along `axis`."""
    return _along(pt.argsort, pt.as_tensor_variable(a), axis, kind)


def _along(function: Callable[..., Any], a: Variable, axis: Any, kind: str) -> Variable:
    if axis is None:
        return function(a.flatten(), -1, kind)
    if not isinstance(axis, Variable):
        return function(a, int(axis), kind)
    ndim = a.type.ndim
    result = function(a, 0, kind)
    for d in range(1, ndim):
        result = pt.switch(pt.eq(axis % ndim, d), function(a, d, kind), result)
    return result


def topk(x: TensorLike, kth: TensorLike, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64") -> Variable:
    """Return the `kth` largest elements along `axis`, in increasing order; the smallest if `kth` is negative."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[0]


def argtopk(x: TensorLike, kth: TensorLike, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64") -> Variable:
    """Return where the `kth` largest elements along `axis` are."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[1]


@as_theano
def topk_and_argtopk(
    x: TensorLike, kth: TensorLike, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64"
) -> list[Variable]:
    """Return `topk` and `argtopk`."""
    x = pt.as_tensor_variable(x)
    x, axis = (x.flatten(), 0) if axis is None else (x, axis % x.type.ndim)
    order = pt.argsort(x, axis)
    largest = pt.gt(kth, 0)
    count = pt.abs(pt.as_tensor_variable(kth))
    length = x.shape[axis]
    start = pt.switch(largest, pt.maximum(length - count, 0), 0)
    stop = pt.switch(largest, length, pt.minimum(count, length))
    chosen = order[(*(slice(None),) * axis, slice(start, stop))]
    return [pt.take_along_axis(x, chosen, axis), pt.cast(chosen, idx_dtype)]

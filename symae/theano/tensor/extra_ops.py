"""``theano.tensor.extra_ops``."""

from __future__ import annotations

from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor import extra_ops

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = [
    "bartlett",
    "bincount",
    "compress",
    "cpu_contiguous",
    "cumprod",
    "cumsum",
    "diff",
    "fill_diagonal",
    "fill_diagonal_offset",
    "ravel_multi_index",
    "repeat",
    "searchsorted",
    "squeeze",
    "to_one_hot",
    "unravel_index",
]

searchsorted = as_theano(extra_ops.searchsorted, "searchsorted", __name__)
diff = as_theano(extra_ops.diff, "diff", __name__)
bincount = as_theano(extra_ops.bincount, "bincount", __name__)
compress = as_theano(extra_ops.compress, "compress", __name__)
bartlett = as_theano(extra_ops.bartlett, "bartlett", __name__)
fill_diagonal = as_theano(extra_ops.fill_diagonal, "fill_diagonal", __name__)
fill_diagonal_offset = as_theano(extra_ops.fill_diagonal_offset, "fill_diagonal_offset", __name__)
ravel_multi_index = as_theano(extra_ops.ravel_multi_index, "ravel_multi_index", __name__)
cpu_contiguous = as_theano(extra_ops.cpu_contiguous, "cpu_contiguous", __name__)


@as_theano
def cumsum(x: TensorLike, axis: int | None = None) -> Variable:
    """Sum the first 1, 2, … elements along `axis`, without one of the flattened array, in the dtype of `x`."""
    return _cumulated(extra_ops.cumsum, pt.as_tensor(x), axis)


@as_theano
def cumprod(x: TensorLike, axis: int | None = None) -> Variable:
    """Multiply the first 1, 2, … elements along `axis`, without one of the flattened array, in the dtype of `x`."""
    return _cumulated(extra_ops.cumprod, pt.as_tensor(x), axis)


def _cumulated(op: Any, x: Variable, axis: int | None) -> Variable:
    # of small integers PyTensor's op says that it gives the same, and gives int64
    wide = pt.cast(x, "int64") if x.type.dtype in ("int8", "int16", "int32", "uint8", "uint16", "uint32", "bool") else x
    return pt.cast(op(wide, axis), x.type.dtype)


@as_theano
def squeeze(x: TensorLike) -> Variable:
    """Return `x` without its dimensions that broadcast."""
    x = pt.as_tensor(x)
    return x.dimshuffle([i for i in range(x.type.ndim) if not x.type.broadcastable[i]])


@as_theano
def repeat(x: TensorLike, repeats: TensorLike, axis: int | None = None) -> Variable:
    """Repeat each element of `x` along `axis` `repeats` times; without an axis, `x` is flattened first."""
    return pt.repeat(x, repeats, axis)


@as_theano
def to_one_hot(y: TensorLike, nb_class: int, dtype: str | None = None) -> Variable:
    """Encode (n,) integers as (n, nb_class): 1 at the named column and 0 elsewhere, in floatX unless `dtype` is given."""
    return extra_ops.to_one_hot(y, nb_class, dtype or pytensor.config.floatX)


@as_theano
def unravel_index(indices: TensorLike, dims: Any, order: str = "C", ndim: int | None = None) -> Any:
    """Return positions in a flat array as positions in one of shape `dims`, a vector for each dimension.

    The last dimension varies fastest, with `order` "F" too: Theano 1.0.5 takes that word and does not look at it.
    """
    if order not in ("C", "F"):
        raise ValueError(f"unravel_index: order is {order!r}, expected C or F")
    if ndim is not None:
        if not isinstance(ndim, int) or ndim < 1:
            raise ValueError(f"unravel_index: ndim is {ndim!r}, expected a positive int")
        dims = [pt.as_tensor(dims)[i] for i in range(ndim)]
    return extra_ops.unravel_index(indices, dims)


@as_theano
def _unique(x: TensorLike, index: bool, inverse: bool, counts: bool, axis: int | None) -> Any:
    results = pt.unique(pt.as_tensor(x), index, inverse, counts, axis)
    if inverse and axis is None:  # a vector, as before NumPy 2
        results[1 + index] = results[1 + index].flatten()
    return results


__getattr__ = getter(__name__, pytensor=["pytensor.tensor.extra_ops", "pytensor.tensor"], ops="tensor.extra_ops")

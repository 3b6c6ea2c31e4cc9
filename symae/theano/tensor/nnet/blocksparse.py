"""Products with blocks of a matrix that are chosen for each example."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = [
    "sparse_block_dot",
    "sparse_block_gemv",
    "sparse_block_gemv_inplace",
    "sparse_block_outer",
    "sparse_block_outer_inplace",
]


@as_theano
def sparse_block_dot(W: TensorLike, h: TensorLike, inputIdx: TensorLike, b: TensorLike, outputIdx: TensorLike) -> Variable:
    """Compute chosen blocks of h W + b for each example.

    Parameters
    ----------
    W : (in_blocks, out_blocks, in_size, out_size)
    h : (n, p, in_size) or (p, in_size)
        The blocks of the input that are not zero.
    inputIdx : (n, p) or (p,), integers
        Which blocks of the input they are.
    b : (out_blocks, out_size)
    outputIdx : (n, q) or (q,), integers
        Which blocks of the output are wanted.

    Returns
    -------
    (n, q, out_size) or (q, out_size)
    """
    h, b, rows, columns = map(pt.as_tensor, (h, b, inputIdx, outputIdx))
    if rows.type.ndim != h.type.ndim - 1 or columns.type.ndim != rows.type.ndim:
        found = f"h, inputIdx and outputIdx of {h.type.ndim}, {rows.type.ndim} and {columns.type.ndim} dimensions"
        raise AssertionError(f"sparse_block_dot: found {found}, expected 3, 2 and 2, or 2, 1 and 1")
    single = h.type.ndim == 2
    if single:
        h, rows, columns = (v.dimshuffle("x", *range(v.type.ndim)) for v in (h, rows, columns))
    y: Any = _gemv(b[columns], W, h, rows, columns)
    return y[0] if single else y


def _gemv(o: TensorLike, W: TensorLike, h: TensorLike, inputIdx: TensorLike, outputIdx: TensorLike) -> Variable:
    o, W, h, rows, columns = map(pt.as_tensor, (o, W, h, inputIdx, outputIdx))
    for name, variable, ndim in (("o", o, 3), ("W", W, 4), ("h", h, 3), ("inputIdx", rows, 2), ("outputIdx", columns, 2)):
        if variable.type.ndim != ndim:
            raise TypeError(f"{name} of sparse_block_gemv: found {variable.type.ndim} dimensions, expected {ndim}")
        if ndim == 2 and not variable.type.dtype.startswith(("int", "uint")):
            raise AssertionError(f"{name} of sparse_block_gemv: found {variable.type.dtype}, expected whole numbers")
    blocks = W[rows[:, None, :], columns[:, :, None]]  # (n, q, p, in_size, out_size)
    return pt.cast(o + pt.sum(h[:, None, :, :, None] * blocks, axis=(2, 3)), o.type.dtype)


@as_theano
def sparse_block_gemv(o: TensorLike, W: TensorLike, h: TensorLike, inputIdx: TensorLike, outputIdx: TensorLike) -> Variable:
    """Add chosen blocks of h W to `o`, (n, q, out_size): `sparse_block_dot` with batches only, and `o` for the bias.

    Raises
    ------
    TypeError
        One of the inputs has another number of dimensions.
    AssertionError
        The indices are not whole numbers.
    """
    return _gemv(o, W, h, inputIdx, outputIdx)


@as_theano
def sparse_block_outer(
    o: TensorLike, x: TensorLike, y: TensorLike, xIdx: TensorLike, yIdx: TensorLike, alpha: TensorLike | None = None
) -> Variable:
    """Add outer products of chosen blocks of `x` and `y` to blocks of `o`, those of a block that is there several times too.

    Parameters
    ----------
    o : (x_blocks, y_blocks, x_size, y_size)
    x : (n, p, x_size)
    y : (n, q, y_size)
    xIdx : (n, p), integers
    yIdx : (n, q), integers
    alpha
        Accepted and, as in Theano on the CPU, without effect.

    Returns
    -------
    (x_blocks, y_blocks, x_size, y_size)
    """
    o, x, y, rows, columns = map(pt.as_tensor, (o, x, y, xIdx, yIdx))
    products = x[:, :, None, :, None] * y[:, None, :, None, :]
    changed: Variable = pt.inc_subtensor(o[rows[:, :, None], columns[:, None, :]], pt.cast(products, o.type.dtype))
    return changed


sparse_block_gemv_inplace, sparse_block_outer_inplace = sparse_block_gemv, sparse_block_outer

__getattr__ = getter(__name__, ops="tensor.nnet.blocksparse")

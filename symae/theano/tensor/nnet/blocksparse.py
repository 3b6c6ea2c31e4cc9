"""Products with blocks of a matrix that are chosen for each example."""

from __future__ import annotations

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["sparse_block_dot"]


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
    W, h, b, rows, columns = map(pt.as_tensor, (W, h, b, inputIdx, outputIdx))
    single = h.type.ndim == 2
    if single:
        h, rows, columns = (v.dimshuffle("x", *range(v.type.ndim)) for v in (h, rows, columns))
    blocks = W[rows[:, None, :], columns[:, :, None]]  # (n, q, p, in_size, out_size)
    y = b[columns] + pt.sum(h[:, None, :, :, None] * blocks, axis=(2, 3))
    return y[0] if single else y


__getattr__ = getter(__name__, instead={"sparse_block_gemv": "use the function sparse_block_dot"})

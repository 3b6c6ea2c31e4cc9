"""Convolution of videos with the time in second position, as Theano had it before `conv3d`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.theano._impl.absent import getter
from symae.theano._impl.conv3d_frames import convolved
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["conv3d", "diagonal_subtensor", "get_diagonal_subtensor_view", "inc_diagonal_subtensor"]


@as_theano
def conv3d(
    signals: TensorLike, filters: TensorLike, signals_shape: Any = None, filters_shape: Any = None, border_mode: Any = "valid"
) -> Variable:
    """Convolve videos with filters, which are flipped.

    Parameters
    ----------
    signals : (n, t, c, h, w)
    filters : (m, kt, c, kh, kw)
    signals_shape, filters_shape : ignored
    border_mode : "valid", "full" or "half", or three of them, for time, rows and columns
        Time may have another one than rows and columns.

    Returns
    -------
    (n, i, m, j, k)
    """
    film, W = (pt.as_tensor(v).dimshuffle(0, 2, 1, 3, 4) for v in (signals, filters))
    return convolved(film, W, border_mode, (1, 1, 1), True, (1, 1, 1), 1).dimshuffle(0, 2, 1, 3, 4)


def get_diagonal_subtensor_view(x: np.ndarray, i0: int, i1: int) -> np.ndarray:
    """Return the view of an array whose entry (k, j) of the axes `i0` and `i1` is the array's (k + n - 1 - j, j).

    `n` is the length of the axis `i1`; k goes from 0 as far as there are such entries.

    Raises
    ------
    NotImplementedError
        The axis `i0` is shorter than `i1`.
    """
    i0, i1 = int(i0), int(i1)
    _, n = lengths = x.shape[i0], x.shape[i1]
    if lengths[0] < n:
        raise NotImplementedError(f"get_diagonal_subtensor_view: axis {i0} has length {lengths[0]}, expected at least {n}")
    first = x[tuple(slice(n - 1, None) if axis == i0 else slice(None) for axis in range(x.ndim))]
    strides = [step - x.strides[i0] if axis == i1 and n > 1 else step for axis, step in enumerate(first.strides)]
    return np.lib.stride_tricks.as_strided(first, first.shape, strides)


@as_theano
def diagonal_subtensor(x: TensorLike, i0: int, i1: int) -> Variable:
    """Compute `get_diagonal_subtensor_view` of a symbolic array."""
    front, back = _axes_in_front(x, i0, i1)
    taken: Any = front[_places(front)]
    return taken.dimshuffle(back)


@as_theano
def inc_diagonal_subtensor(x: TensorLike, i0: int, i1: int, amt: TensorLike) -> Variable:
    """Return `x` with `amt` added to its `diagonal_subtensor`."""
    front, back = _axes_in_front(x, i0, i1)
    more, _ = _axes_in_front(amt, i0, i1)
    changed: Any = pt.inc_subtensor(front[_places(front)], more)
    return changed.dimshuffle(back)


def _axes_in_front(x: TensorLike, i0: int, i1: int) -> tuple[Any, list[int]]:
    """Return the array with its axes `i0` and `i1` first, and the order of axes that puts them back."""
    variable = pt.as_tensor(x)
    order = [int(i0), int(i1), *(axis for axis in range(variable.type.ndim) if axis not in (i0, i1))]
    return variable.dimshuffle(order), [order.index(axis) for axis in range(len(order))]


def _places(front: Any) -> tuple[Variable, Variable]:
    n0, n1 = front.shape[0], front.shape[1]
    columns = pt.arange(n1)[None, :]
    return pt.arange(n0 - n1 + 1)[:, None] + n1 - 1 - columns, columns


__getattr__ = getter(__name__, pytensor=["symae.ops"], ops="tensor.nnet.conv3d2d")

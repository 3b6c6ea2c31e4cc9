"""Convolution of videos with the time in second position, as Theano had it before `conv3d`."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.theano._impl.absent import getter
from symae.theano._impl.conv3d_frames import convolved
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["conv3d"]


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


__getattr__ = getter(__name__, pytensor=["symae.ops"])

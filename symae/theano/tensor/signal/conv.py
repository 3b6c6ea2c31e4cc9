"""Convolution of one image or many with one filter or many, each with each."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae import ops
from symae.errors import InputError
from symae.theano._impl.absent import getter
from symae.theano._impl.shape_arguments import in_floats, numbers
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["conv2d"]


@as_theano
def conv2d(
    input: TensorLike,
    filters: TensorLike,
    image_shape: Any = None,
    filter_shape: Any = None,
    border_mode: str = "valid",
    subsample: Any = (1, 1),
    **kargs: Any,
) -> Variable:
    """Convolve each image with each filter, which is flipped, as ``scipy.signal.convolve2d`` does.

    Parameters
    ----------
    input : (n, h, w) or (h, w)
    filters : (m, kh, kw) or (kh, kw)
    image_shape, filter_shape, kargs : ignored
    border_mode : "valid" or "full"
    subsample : (int, int)

    Returns
    -------
    (n, m, i, j), without the dimensions that the arguments have not
    """
    x, W = pt.as_tensor(input), pt.as_tensor(filters)
    if x.type.ndim not in (2, 3) or W.type.ndim not in (2, 3):
        raise InputError("signal.conv.conv2d", f"{x.type.ndim} and {W.type.ndim} dimensions", "2 or 3 of each")
    if border_mode not in ("valid", "full"):
        raise InputError("signal.conv.conv2d: border_mode", repr(border_mode), "valid or full")
    step = numbers("signal.conv.conv2d: subsample", subsample, 2)
    images, kernels = (v.dimshuffle(*(["x", "x", 0, 1] if v.type.ndim == 2 else [0, "x", 1, 2])) for v in (x, W))
    y = in_floats(lambda v: ops.conv2d(v, pt.cast(kernels, v.type.dtype), border_mode, step), images)
    kept = [axis for axis, v in ((0, x), (1, W)) if v.type.ndim == 3]
    return y.dimshuffle(*kept, 2, 3)


__getattr__ = getter(__name__, pytensor=["symae.ops"])

"""Pooling: one number for each window of an image, its maximum, its sum or its average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import grad
from pytensor.graph.basic import Variable

from symae import ops
from symae.errors import InputError
from symae.geometry.windows import Axis, Windows
from symae.ops.arguments import pooling_windows
from symae.ops.pooling.tied_maxima import EqualMaxPool, SpreadToMaxima
from symae.theano._impl.absent import getter
from symae.theano._impl.shape_arguments import in_floats, numbers
from symae.theano._impl.symbolic_windows import are_symbolic, pooled, sizes
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = [
    "AveragePoolGrad",
    "DownsampleFactorMaxGradGrad",
    "MaxPoolGrad",
    "Pool",
    "max_pool_2d_same_size",
    "pool_2d",
    "pool_3d",
]


@as_theano
def pool_2d(
    input: TensorLike,
    ws: Any = None,
    ignore_border: bool | None = None,
    stride: Any = None,
    pad: Any = (0, 0),
    mode: str = "max",
    ds: Any = None,
    st: Any = None,
    padding: Any = None,
) -> Variable:
    """Pool over windows of the last two dimensions.

    Parameters
    ----------
    input : (..., h, w), at least two dimensions
    ws : two integers
        Height and width of the windows. These and the other sizes may be symbolic; the value of a shared variable is that of
        the call.
    ignore_border : bool, optional
        False, also if not given: windows may reach out of the image at the bottom and the right. True: they may not.
    stride : two integers, optional
        Rows and columns from one window to the next, `ws` if not given.
    pad : two integers
        Rows above and below and columns left and right, only with ``ignore_border=True``.
    mode : {"max", "sum", "average_inc_pad", "average_exc_pad"}
    ds, st, padding : older names of `ws`, `stride` and `pad`

    Returns
    -------
    (..., i, j)
        `symae.ops.pool2d` says how many there are. The gradient of a maximum goes to all pixels that equal it.

    Raises
    ------
    InputError
        Both an old and a new name, an unknown mode, padding with ``ignore_border=False``, sizes out of their range.
    """
    ws, stride, pad = _renamed(ws, stride, pad, ds, st, padding)
    return _pooled("pool_2d", input, 2, (ws, stride, pad), bool(ignore_border), mode)


@as_theano
def pool_3d(
    input: TensorLike,
    ws: Any = None,
    ignore_border: bool | None = None,
    stride: Any = None,
    pad: Any = (0, 0, 0),
    mode: str = "max",
    ds: Any = None,
    st: Any = None,
    padding: Any = None,
) -> Variable:
    """Pool as `pool_2d` over windows of the last three dimensions, with three integers instead of two."""
    ws, stride, pad = _renamed(ws, stride, pad, ds, st, padding)
    return _pooled("pool_3d", input, 3, (ws, stride, pad), bool(ignore_border), mode)


@as_theano
def max_pool_2d_same_size(input: TensorLike, patch_size: Any) -> Variable:
    """Return images of which only the maxima of their patches are left, zero elsewhere.

    Parameters
    ----------
    input : (n, c, h, w)
    patch_size : two integers
        Patches at the bottom and the right that are not whole are all zero. Equal maxima of a patch are all left.

    Returns
    -------
    (n, c, h, w)
    """
    windows = pooling_windows("max_pool_2d_same_size", numbers("patch_size", patch_size, 2), None, (0, 0), True)
    images = pt.as_tensor(input)
    maxima = EqualMaxPool(windows)(images)[0]
    return SpreadToMaxima(windows)(images, maxima, maxima)


class Pool:
    """Call `pool_2d`, or its kind over `ndim` dimensions, with its settings given before its arguments."""

    def __init__(self, ignore_border: bool = False, mode: str = "max", ndim: int = 2, openmp: Any = None):
        if ndim < 1:
            raise InputError("Pool: ndim", repr(ndim), "at least 1")
        self.ignore_border, self.mode, self.ndim = ignore_border, mode, ndim

    @as_theano
    def __call__(self, x: TensorLike, ws: Any, stride: Any = None, pad: Any = None) -> Variable:
        return _pooled("Pool", x, self.ndim, (ws, stride, pad), bool(self.ignore_border), self.mode)

    @staticmethod
    def out_shape(
        imgshape: Sequence[int], ws: Any, ignore_border: bool = False, stride: Any = None, pad: Any = None, ndim: int = 2
    ) -> list[Any]:
        """Return the shape that images of shape `imgshape` get."""
        settings = [numbers("Pool", tuple(values), ndim) for values in _settings("Pool", ndim, ws, stride, pad)]
        axes = [_axis(size, step, before, ignore_border) for size, step, before in zip(*settings, strict=True)]
        lead = len(imgshape) - ndim
        lengths = zip(axes, imgshape[lead:], strict=True)
        return [*imgshape[:lead], *(axis.count(n, pt.maximum if isinstance(n, Variable) else max) for axis, n in lengths)]


def _axis(size: int, stride: int, pad: int, ignore_border: bool) -> Axis:
    return Axis.whole(size, stride, pad) if ignore_border else Axis.partial(size, stride)


def _renamed(ws: Any, stride: Any, pad: Any, ds: Any, st: Any, padding: Any) -> tuple[Any, Any, Any]:
    for new, old, value, older in (("ws", "ds", ws, ds), ("stride", "st", stride, st)):
        if value is not None and older is not None:
            raise InputError("pool_2d", f"{new} and {old}", "one of the two")
    if padding is not None and pad is not None and any(pad):
        raise InputError("pool_2d", "pad and padding", "one of the two")
    return ws if ds is None else ds, stride if st is None else st, pad if padding is None else padding


def _settings(where: str, ndim: int, ws: Any, stride: Any, pad: Any) -> list[tuple[Any, ...]]:
    if ws is None:
        raise InputError(f"{where}: ws", "None", f"{ndim} sizes of a window")
    given = (("ws", ws), ("stride", ws if stride is None else stride), ("pad", (0,) * ndim if pad is None else pad))
    return [sizes(f"{where}: {name}", value, ndim) for name, value in given]


def _pooled(where: str, input: Any, ndim: int, settings: Any, ignore_border: bool, mode: str) -> Variable:
    # an average of averages of whole numbers is rounded once
    return in_floats(lambda x: _pooled_floats(where, x, ndim, settings, ignore_border, mode), input)


def _pooled_floats(where: str, x: Variable, ndim: int, settings: Any, ignore_border: bool, mode: str) -> Variable:
    if x.type.ndim < ndim:
        raise InputError(where, f"{x.type.ndim} dimensions", f"at least {ndim}")
    windows, strides, pads = _settings(where, ndim, *settings)
    if ndim == 1:
        row = ((1, *windows), (1, *strides), (0, *pads))
        return pt.squeeze(_pooled_floats(where, pt.expand_dims(x, -2), 2, row, ignore_border, mode), -2)
    first, lead = x.type.ndim - ndim, [x.shape[i] for i in range(x.type.ndim - ndim)]
    if ndim > 3:
        y = _pooled_floats(where, x, 2, (windows[-2:], strides[-2:], pads[-2:]), ignore_border, mode)
        order = [*range(first), x.type.ndim - 2, x.type.ndim - 1, *range(first, x.type.ndim - 2)]
        rest = (windows[:-2], strides[:-2], pads[:-2])
        y = _pooled_floats(where, y.dimshuffle(order), ndim - 2, rest, ignore_border, mode)
        return y.dimshuffle(np.argsort(order).tolist())

    def pool(images: Variable, axes: slice) -> Variable:
        return _pool_maps(images, windows[axes], strides[axes], pads[axes], ignore_border, mode)

    if ndim == 2:
        return _with_four(x, lambda maps: pool(maps, slice(0, 2)))
    flat = x.reshape((-1, *(x.shape[i] for i in range(-3, 0)))) if len(lead) != 1 else x
    y = pool(flat, slice(1, 3))
    # all modes can be had axis by axis: a maximum of maxima, an average of averages
    n, depth, i, j = (y.shape[k] for k in range(4))
    tall = y.reshape((n, 1, depth, i * j))
    windows, strides, pads = ((v[0], one) for v, one in ((windows, 1), (strides, 1), (pads, 0)))
    z = pool(tall, slice(0, 2))
    return z.reshape((*lead, z.shape[2], i, j))


def _with_four(x: Variable, pool: Any) -> Variable:
    """Apply `pool`, which takes (n, c, h, w), to images with any other number of dimensions in front."""
    ndim = x.type.ndim
    if ndim == 4:
        return pool(x)
    if ndim < 4:
        y = pool(x.dimshuffle(*["x"] * (4 - ndim), *range(ndim)))
        return y.dimshuffle(*range(4 - ndim, 4))
    lead = [x.shape[i] for i in range(ndim - 2)]
    y = pool(x.reshape((-1, *(x.shape[i] for i in range(-3, 0)))))
    return y.reshape((*lead, y.shape[2], y.shape[3]))


def _pool_maps(maps: Variable, ws: Any, stride: Any, pad: Any, ignore_border: bool, mode: str) -> Variable:
    if are_symbolic(ws, stride, pad):
        return pooled(maps, ws, stride, pad, ignore_border, mode)
    if mode == "max":
        windows: Windows = pooling_windows("pool_2d", ws, stride, pad, ignore_border)
        return EqualMaxPool(windows)(maps)[0]
    return ops.pool2d(maps, ws, stride, pad, mode, ignore_border)


class MaxPoolGrad(Pool):
    """Compute the gradient by `x` of pooled maxima, of which `gz` is the gradient; settings and sizes are `Pool`'s."""

    def __init__(self, ignore_border: bool, ndim: int = 2, openmp: Any = None):
        super().__init__(ignore_border, "max", ndim)

    @as_theano
    def __call__(
        self, x: TensorLike, maxout: TensorLike, gz: TensorLike, ws: Any, stride: Any = None, pad: Any = None
    ) -> Variable:
        return _gradient(self, x, gz, ws, stride, pad)


class AveragePoolGrad(Pool):
    """Compute the gradient by `x` of pooled sums or averages, of which `gz` is the gradient; sizes are `Pool`'s."""

    def __init__(self, ignore_border: bool, mode: str = "average_inc_pad", ndim: int = 2):
        super().__init__(ignore_border, mode, ndim)

    @as_theano
    def __call__(
        self, x: TensorLike, gz: TensorLike, ws: Any, stride: Any = None, pad: Any = None, dummy: Any = None
    ) -> Variable:
        return _gradient(self, x, gz, ws, stride, pad)


class DownsampleFactorMaxGradGrad(Pool):
    """Compute for each window the sum of what `gz`, of the shape of `x`, has at its maxima: `MaxPoolGrad` turned round."""

    @as_theano
    def __call__(
        self, x: TensorLike, maxout: TensorLike, gz: TensorLike, ws: Any, stride: Any = None, pad: Any = None
    ) -> Variable:
        maxima = pt.as_tensor(maxout)
        spread = _gradient(self, x, maxima, ws, stride, pad)
        return _pulled_back(spread, maxima, gz)


def _gradient(settings: Pool, x: TensorLike, gz: TensorLike, *sizes: Any) -> Variable:
    images = pt.as_tensor(x)
    y = _pooled(type(settings).__name__, images, settings.ndim, sizes, bool(settings.ignore_border), settings.mode)
    return _pulled_back(y, images, gz)


def _pulled_back(y: Variable, x: Variable, gz: TensorLike) -> Variable:
    gradient: Any = grad(None, x, known_grads={y: pt.cast(gz, y.type.dtype)})
    return gradient


__getattr__ = getter(
    __name__,
    instead={"PoolGrad": "use MaxPoolGrad or AveragePoolGrad"},
    pytensor=["symae.ops"],
)

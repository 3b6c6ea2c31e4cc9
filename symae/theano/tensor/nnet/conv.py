"""The convolution that Theano had first: two border modes, and hints for its code that mean nothing here."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Variable
from pytensor.tensor.basic import get_scalar_constant_value

from symae.errors import InputError
from symae.theano._impl.absent import getter
from symae.theano._impl.conv_shapes import get_conv_shape_1axis
from symae.theano.tensor.nnet.abstract_conv import AbstractConv2d

__all__ = ["ConvOp", "conv2d"]

# How Theano was to unroll its loops, and other advice of that kind.
_HINTS = frozenset({"openmp", "unroll_batch", "unroll_kern", "unroll_patch", "verbose", "version", "direction_hint"})
_LOGICAL = ("imshp_logical", "kshp_logical")


class ConvOp(AbstractConv2d):
    """Convolve (images, filters) -> maps, with settings given before the arrays; the shapes among them are ignored."""

    def __init__(
        self,
        imshp: Any = None,
        kshp: Any = None,
        nkern: Any = None,
        bsize: Any = None,
        dx: int = 1,
        dy: int = 1,
        output_mode: str = "valid",
        **hints: Any,
    ):
        for name, value in hints.items():
            if name in _LOGICAL and value is not None:
                raise InputError(f"conv2d: {name}", str(value), "None: enlarge the images first, by T.repeat or upsampling")
            if name not in {*_HINTS, *_LOGICAL, "kshp_logical_top_aligned"}:
                raise TypeError(f"conv2d got an unexpected keyword argument {name!r}")
        if output_mode not in ("valid", "full"):
            raise InputError("conv2d: border_mode", repr(output_mode), "valid or full; T.nnet.conv2d has more")
        super().__init__(None, None, output_mode, (dx, dy))

    @staticmethod
    def getOutputShape(inshp: Any, kshp: Any, stride: Any = (1, 1), mode: str = "valid") -> tuple[Any, ...]:
        """Return (rows, columns) of the maps of images of shape `inshp` with kernels of shape `kshp`."""
        return tuple(get_conv_shape_1axis(i, k, mode, s) for i, k, s in zip(inshp, kshp, stride, strict=True))


def conv2d(
    input: Any,
    filters: Any,
    image_shape: Any = None,
    filter_shape: Any = None,
    border_mode: str = "valid",
    subsample: Any = (1, 1),
    **kargs: Any,
) -> Variable:
    """Convolve images with filters, which are flipped.

    Parameters
    ----------
    input : (n, c, h, w)
    filters : (m, c, kh, kw)
    image_shape, filter_shape : optional, four numbers, constants or None
        Nothing depends on them, and what they say of a minibatch is not compared with it.
    border_mode : "valid" or "full"
    subsample : (int, int)
    kargs : ``unroll_batch``, ``unroll_kern``, ``openmp`` and other hints, ignored

    Returns
    -------
    (n, m, i, j)

    Raises
    ------
    InputError
        Another border mode, or ``imshp_logical``.
    NotScalarConstantError
        A size among the shapes that only a run would tell.
    AssertionError
        Shapes with unequal numbers of channels.
    """
    dx, dy = subsample
    images, kernels = _numbers(image_shape), _numbers(filter_shape)
    if None not in (images[1], kernels[1]) and images[1] != kernels[1]:
        raise AssertionError(f"conv2d: found {images[1]} channels in image_shape, expected {kernels[1]} as in filter_shape")
    return ConvOp(dx=dx, dy=dy, output_mode=border_mode, **kargs)(input, filters)


def _numbers(shape: Any) -> list[Any]:
    sizes = [None] * 4 if shape is None else list(shape)
    return [None if size is None else get_scalar_constant_value(size) for size in sizes]


__getattr__ = getter(__name__, pytensor=["symae.ops"])

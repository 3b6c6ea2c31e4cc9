"""Convolutions of images, their gradients as functions, and bilinear upsampling, with Theano's names.

The shapes that Theano takes beside its arguments (``input_shape``, ``filter_shape``) made its code faster. Here, as in Theano
1.0, nothing depends on them, and wrong ones do no harm, unless ``config.conv.assert_shape`` is set, with which they are an
AssertionError of the call; only the two functions that go backwards need one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.errors import InputError
from symae.geometry.convolution import normalised_border_mode
from symae.ops.conv import Convolution, FilterGradient, InputGradient
from symae.theano._impl import conv3d_frames, conv_shapes
from symae.theano._impl.absent import getter
from symae.theano._impl.shape_arguments import last_sizes, numbers
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = [
    "AbstractConv2d",
    "AbstractConv2d_gradInputs",
    "AbstractConv2d_gradWeights",
    "bilinear_kernel_1D",
    "bilinear_kernel_2D",
    "bilinear_upsampling",
    "causal_conv1d",
    "conv2d",
    "conv2d_grad_wrt_inputs",
    "conv2d_grad_wrt_weights",
    "frac_bilinear_upsampling",
    "separable_conv2d",
]


class ConvolutionSettings:
    """Hold what a convolution is given beside its two arrays; base of the three ops of Theano's that are called with arrays."""

    def __init__(
        self,
        imshp: Any = None,
        kshp: Any = None,
        border_mode: Any = "valid",
        subsample: Any = (1, 1),
        filter_flip: bool = True,
        filter_dilation: Any = (1, 1),
        num_groups: int = 1,
        unshared: bool = False,
    ):
        if unshared:
            raise InputError("conv2d: unshared", "True", "False: separate filters for each position are not in symae.theano")
        self.imshp = conv_shapes.constants("conv2d: the images' shape", imshp)
        self.kshp = conv_shapes.constants("conv2d: the filters' shape", kshp)
        self.border_mode = _border_mode(border_mode)
        self.subsample = numbers("conv2d: subsample", subsample, 2)
        self.filter_flip = bool(filter_flip)
        self.filter_dilation = numbers("conv2d: filter_dilation", filter_dilation, 2)
        self.num_groups = int(num_groups)

    def images(self, img: TensorLike) -> Variable:
        return conv_shapes.compared(pt.as_tensor(img), self.imshp, "conv2d: the shape of the images is not the one given")

    def filters(self, kern: TensorLike) -> Variable:
        return conv_shapes.compared(pt.as_tensor(kern), self.kshp, "conv2d: the shape of the filters is not the one given")

    def op(self, kind: Any) -> Any:
        return kind(self.border_mode, self.subsample, self.filter_flip, self.filter_dilation, self.num_groups)


def _border_mode(border_mode: Any) -> Any:
    if isinstance(border_mode, list | np.ndarray):
        border_mode = tuple(border_mode)
    if isinstance(border_mode, tuple):
        border_mode = tuple(tuple(map(int, b)) if np.ndim(b) else int(b) for b in border_mode)
    return normalised_border_mode(border_mode)


class AbstractConv2d(ConvolutionSettings):
    """Convolve (images, filters) -> maps: `conv2d` with its settings given before its arrays."""

    @as_theano
    def __call__(self, img: TensorLike, kern: TensorLike) -> Variable:
        maps: Variable = self.op(Convolution)(self.images(img), self.filters(kern))
        return maps


class AbstractConv2d_gradInputs(ConvolutionSettings):
    """Compute (filters, gradient of the maps, (rows, columns)) -> gradient of the images."""

    @as_theano
    def __call__(self, kern: TensorLike, topgrad: TensorLike, shape: Any, add_assert_shape: bool = True) -> Variable:
        images: Variable = self.op(InputGradient)(
            self.filters(kern) if add_assert_shape else kern, topgrad, *last_sizes(shape, 2)
        )
        return images


class AbstractConv2d_gradWeights(ConvolutionSettings):
    """Compute (images, gradient of the maps, (rows, columns)) -> gradient of the filters."""

    @as_theano
    def __call__(self, img: TensorLike, topgrad: TensorLike, shape: Any, add_assert_shape: bool = True) -> Variable:
        filters: Variable = self.op(FilterGradient)(
            self.images(img) if add_assert_shape else img, topgrad, *last_sizes(shape, 2)
        )
        return filters


def conv2d(
    input: TensorLike,
    filters: TensorLike,
    input_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Convolve images with filters: `symae.theano.tensor.nnet.conv2d` without its hints for Theano's code."""
    op = AbstractConv2d(input_shape, filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared)
    return op(input, filters)


def conv2d_grad_wrt_inputs(
    output_grad: TensorLike,
    filters: TensorLike,
    input_shape: Any,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Compute the gradient of `conv2d` with respect to its images, where `output_grad` is that of the maps.

    `input_shape` is (n, c, h, w), of which only h and w are looked at; they may be symbolic.
    """
    known = conv_shapes.known_sizes(input_shape)
    op = AbstractConv2d_gradInputs(
        known, filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared
    )
    return op(filters, output_grad, input_shape)


def conv2d_grad_wrt_weights(
    input: TensorLike,
    output_grad: TensorLike,
    filter_shape: Any,
    input_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Compute the gradient of `conv2d` with respect to its filters, where `output_grad` is that of the maps.

    `filter_shape` is (m, c / num_groups, kh, kw), of which only kh and kw are looked at; they may be symbolic.
    """
    known = conv_shapes.known_sizes(filter_shape)
    op = AbstractConv2d_gradWeights(
        input_shape, known, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared
    )
    return op(input, output_grad, filter_shape)


def separable_conv2d(
    input: TensorLike,
    depthwise_filters: TensorLike,
    pointwise_filters: TensorLike,
    num_channels: int,
    input_shape: Any = None,
    depthwise_filter_shape: Any = None,
    pointwise_filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
) -> Variable:
    """Convolve each channel by `conv2d` with its separate filters, then all channels with filters of one pixel.

    Parameters
    ----------
    input : (n, num_channels, h, w)
    depthwise_filters : (num_channels * k, 1, kh, kw)
    pointwise_filters : (m, num_channels * k, 1, 1)
    """
    maps = conv2d(input, depthwise_filters, None, None, border_mode, subsample, filter_flip, filter_dilation, num_channels)
    return conv2d(maps, pointwise_filters, filter_flip=filter_flip)


def causal_conv1d(
    input: TensorLike,
    filters: TensorLike,
    filter_shape: Any,
    input_shape: Any = None,
    subsample: int = 1,
    filter_flip: bool = True,
    filter_dilation: int = 1,
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Convolve along time without looking at later times: (n, c, t) and (m, c / num_groups, k) -> (n, m, t).

    `filter_shape` is (m, c, k): k says how many zeros go before the first time.
    """
    before = (int(filter_shape[2]) - 1) * filter_dilation
    op = AbstractConv2d(
        None, None, ((before, 0), (0, 0)), (subsample, 1), filter_flip, (filter_dilation, 1), num_groups, unshared
    )
    return _as_images(op, input, filters)


@as_theano
def _as_images(op: ConvolutionSettings, input: Any, filters: Any) -> Variable:
    maps = op.op(Convolution)(pt.shape_padright(pt.as_tensor(input)), pt.shape_padright(pt.as_tensor(filters)))
    return maps[:, :, :, 0]


def _triangle(ratio: Any, normalize: bool) -> Variable:
    ratio = pt.cast(pt.as_tensor(ratio), "float64")
    kernel = ratio - abs(pt.arange(1.0 - ratio, ratio))
    return kernel / ratio if normalize else kernel


@as_theano
def bilinear_kernel_1D(ratio: Any, normalize: bool = True) -> Variable:
    """Return 1, 2, …, ratio, …, 2, 1, divided by `ratio` with `normalize`: weights of linear interpolation, in floatX."""
    return pt.cast(_triangle(ratio, normalize), "floatX")


@as_theano
def bilinear_kernel_2D(ratio: Any, normalize: bool = True) -> Variable:
    """Return the outer product of `bilinear_kernel_1D` with itself, or of two for two ratios, of rows and columns."""
    rows, columns = (_triangle(r, normalize) for r in (ratio if isinstance(ratio, tuple) else (ratio, ratio)))
    return pt.cast(pt.outer(rows, columns), "floatX")


@as_theano
def bilinear_upsampling(
    input: TensorLike,
    ratio: int | None = None,
    frac_ratio: Any = None,
    batch_size: Any = None,
    num_input_channels: Any = None,
    use_1D_kernel: bool = True,
) -> Variable:
    """Enlarge images with bilinear interpolation.

    Parameters
    ----------
    input : (n, c, h, w)
    ratio : int
        Row i of the result lies at row (i - (ratio - 1) // 2) / ratio of the image, whose outermost rows go on for ever; so
        for the columns. (`symae.ops.upsample2d` centres the rows, as other frameworks do.)
    frac_ratio : (int, int) or ((int, int), (int, int)), instead of `ratio`
        Numerator and denominator, for rows and columns alike or for each: the images are enlarged by the numerator, and of
        the result every row (column) is taken whose number is a multiple of the denominator.
    batch_size, num_input_channels, use_1D_kernel : ignored

    Returns
    -------
    (n, c, h * ratio, w * ratio), rounded up

    Raises
    ------
    InputError
        A `ratio` that is not a whole number, both ratios or none.
    """
    if (ratio is None) == (frac_ratio is None):
        found = "neither ratio nor frac_ratio" if ratio is None else "ratio and frac_ratio"
        raise InputError("bilinear_upsampling", found, "one of them")
    if frac_ratio is None:
        fractions = [(*numbers("bilinear_upsampling: ratio", ratio, 1), 1)] * 2
    else:
        fractions = [frac_ratio] * 2 if np.ndim(frac_ratio) == 1 else list(frac_ratio)
    x = pt.as_tensor(input)
    for axis, (p, q) in zip((2, 3), fractions, strict=True):
        p, q = Fraction(int(p), int(q)).as_integer_ratio()
        x = _stretched(x, axis, p)
        x = x if q == 1 else x[(*[slice(None)] * axis, slice(None, None, q))]
    return x


def frac_bilinear_upsampling(input: TensorLike, frac_ratio: Any) -> Variable:
    """Upsample by fractions as `bilinear_upsampling`."""
    return bilinear_upsampling(input, None, frac_ratio)


def _stretched(x: Variable, axis: int, ratio: int) -> Variable:
    """Interpolate along an axis: each of the `ratio` rows that follow from one is a mean of it and a neighbour."""
    whole: list[Any] = [slice(None)] * 4

    def part(start: int | None, stop: int | None) -> Variable:
        return x[(*whole[:axis], slice(start, stop))]

    before, after = (pt.concatenate(rows, axis) for rows in ([part(0, 1), part(0, -1)], [part(1, None), part(-1, None)]))
    phases = []
    for k in range(ratio):
        share = (k - (ratio - 1) // 2) / ratio
        weight = pt.constant(abs(share), dtype=x.type.dtype)
        phases.append(x + weight * ((before if share < 0 else after) - x) if share else x)
    shape = [ratio * x.shape[i] if i == axis else x.shape[i] for i in range(4)]
    return pt.stack(phases, axis=axis + 1).reshape(shape)


__getattr__ = getter(
    __name__,
    elsewhere={
        name: f"{module.__name__.removeprefix('symae.theano.')}:{name}"
        for module in (conv_shapes, conv3d_frames)
        for name in module.__all__
    },
    instead={"AbstractConv": "use AbstractConv2d or AbstractConv3d"},
    pytensor=["symae.ops"],
)

"""Convolution of videos, (n, c, depth, h, w), by convolution of images: the frames that a kernel sees become channels."""

from __future__ import annotations

from typing import Any

import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.geometry.convolution import Geometry
from symae.ops.conv import conv2d
from symae.theano._impl.conv_shapes import borders_of, compared
from symae.theano._impl.shape_arguments import last_sizes, numbers
from symae.theano._impl.variables import as_theano

__all__ = [
    "AbstractConv3d",
    "AbstractConv3d_gradInputs",
    "AbstractConv3d_gradWeights",
    "conv3d",
    "conv3d_grad_wrt_inputs",
    "conv3d_grad_wrt_weights",
    "separable_conv3d",
]


def convolved(
    input: Any, filters: Any, border_mode: Any, subsample: Any, filter_flip: bool, filter_dilation: Any, num_groups: int
) -> Variable:
    x, W = pt.as_tensor(input), pt.as_tensor(filters)
    (s, *steps), (d, *dilations) = (
        numbers(f"conv3d: {name}", v, 3) for name, v in (("subsample", subsample), ("filter_dilation", filter_dilation))
    )
    depth_border, *borders = borders_of(border_mode, 3)
    axis = Geometry(depth_border, s, d)
    n, c, depth, h, w = (x.shape[i] for i in range(5))
    m, channels, kernel, rows, columns = (W.shape[i] for i in range(5))
    before, after = axis.padding(depth, kernel)
    n_positions = axis.length(depth, kernel)

    def zeros(frames: Any) -> Variable:
        return pt.zeros((n, c, frames, h, w), dtype=x.type.dtype)

    padded = x if (before, after) == (0, 0) else pt.concatenate([zeros(before), x, zeros(after)], axis=2)
    frames = pt.arange(n_positions)[:, None] * s + pt.arange(kernel) * d
    seen = padded[:, :, frames].dimshuffle(0, 2, 1, 3, 4, 5).reshape((n * n_positions, c * kernel, h, w))
    flat = (W[:, :, ::-1] if filter_flip else W).reshape((m, channels * kernel, rows, columns))
    # the border of the two axes that conv2d knows, as a name where it is one
    border = borders[0] if isinstance(borders[0], str) else tuple(borders)
    y = conv2d(seen, flat, border, tuple(steps), filter_flip, tuple(dilations), num_groups)
    return y.reshape((n, n_positions, m, y.shape[2], y.shape[3])).dimshuffle(0, 2, 1, 3, 4)


@as_theano
def conv3d(
    input: Any,
    filters: Any,
    input_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """Convolve videos with filters.

    Parameters
    ----------
    input : (n, c, depth, h, w)
    filters : (m, c / num_groups, kd, kh, kw)
    input_shape, filter_shape : optional
        Compared when the graph runs, with ``config.conv.assert_shape``.
    border_mode : "valid", "full", "half", int, or three of int and (int, int)
    subsample, filter_dilation : (int, int, int)
    filter_flip : bool
    num_groups : int

    Returns
    -------
    (n, m, i, j, k)
        It takes kd times the memory of the input while it computes.
    """
    videos, filters = _compared(input, input_shape, "videos"), _compared(filters, filter_shape, "filters")
    return convolved(videos, filters, border_mode, subsample, filter_flip, filter_dilation, num_groups)


@as_theano
def conv3d_grad_wrt_inputs(
    output_grad: Any,
    filters: Any,
    input_shape: Any,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """Compute the gradient of `conv3d` for its videos, of shape `input_shape`; `output_grad` is the gradient for the maps."""
    filters, output_grad = _compared(filters, filter_shape, "filters"), pt.as_tensor(output_grad)
    channels = filters.shape[1] * num_groups
    x = pt.zeros((output_grad.shape[0], channels, *last_sizes(input_shape, 3)), dtype=output_grad.type.dtype)
    return _pulled_back(convolved(x, filters, border_mode, subsample, filter_flip, filter_dilation, num_groups), x, output_grad)


@as_theano
def conv3d_grad_wrt_weights(
    input: Any,
    output_grad: Any,
    filter_shape: Any,
    input_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1, 1),
    num_groups: int = 1,
) -> Variable:
    """Compute the gradient of `conv3d` with respect to its filters, of shape `filter_shape`."""
    input, output_grad = _compared(input, input_shape, "videos"), pt.as_tensor(output_grad)
    channels = input.shape[1] // num_groups
    W = pt.zeros((output_grad.shape[1], channels, *last_sizes(filter_shape, 3)), dtype=output_grad.type.dtype)
    return _pulled_back(convolved(input, W, border_mode, subsample, filter_flip, filter_dilation, num_groups), W, output_grad)


def separable_conv3d(
    input: Any,
    depthwise_filters: Any,
    pointwise_filters: Any,
    num_channels: int,
    input_shape: Any = None,
    depthwise_filter_shape: Any = None,
    pointwise_filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1, 1),
) -> Variable:
    """Convolve each channel by `conv3d` with its separate filters, then all channels with filters of one pixel."""
    maps = conv3d(input, depthwise_filters, None, None, border_mode, subsample, filter_flip, filter_dilation, num_channels)
    return conv3d(maps, pointwise_filters, filter_flip=filter_flip)


class VideoSettings:
    """Hold what `conv3d` is given beside its two arrays."""

    def __init__(
        self,
        imshp: Any = None,
        kshp: Any = None,
        border_mode: Any = "valid",
        subsample: Any = (1, 1, 1),
        filter_flip: bool = True,
        filter_dilation: Any = (1, 1, 1),
        num_groups: int = 1,
    ):
        self.imshp, self.kshp = imshp, kshp
        self.border_mode, self.subsample, self.filter_flip = border_mode, subsample, filter_flip
        self.filter_dilation, self.num_groups = filter_dilation, num_groups

    @property
    def settings(self) -> tuple[Any, ...]:
        return self.border_mode, self.subsample, self.filter_flip, self.filter_dilation, self.num_groups


class AbstractConv3d(VideoSettings):
    """Convolve (videos, filters) -> maps: `conv3d` with its settings given before its arrays."""

    def __call__(self, img: Any, kern: Any) -> Variable:
        return conv3d(img, kern, None, None, *self.settings)


class AbstractConv3d_gradInputs(VideoSettings):
    """Compute (filters, gradient of the maps, (depth, rows, columns)) -> gradient of the videos."""

    def __call__(self, kern: Any, topgrad: Any, shape: Any) -> Variable:
        return conv3d_grad_wrt_inputs(topgrad, kern, shape, None, *self.settings)


class AbstractConv3d_gradWeights(VideoSettings):
    """Compute (videos, gradient of the maps, (depth, rows, columns)) -> gradient of the filters."""

    def __call__(self, img: Any, topgrad: Any, shape: Any) -> Variable:
        return conv3d_grad_wrt_weights(img, topgrad, shape, None, *self.settings)


def _compared(x: Any, shape: Any, name: str) -> Variable:
    return compared(pt.as_tensor(x), shape, f"conv3d: the shape of the {name} is not the one given")


def _pulled_back(y: Variable, x: Variable, g: Variable) -> Variable:
    return pytensor.grad(pt.sum(y * g), x, consider_constant=[g])

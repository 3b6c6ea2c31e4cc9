"""Shapes of convolutions and of their gradients, as functions of the other shapes: `symae.theano.tensor.nnet.abstract_conv`.

Shapes are (n, c, *image) of images, (m, c, *kernel) of filters and (n, m, *positions) of maps, with as many axes of an image as
`subsample` has entries. None stands for a size that is not known, in arguments and in results.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import Assert

from symae.errors import InputError
from symae.geometry.convolution import Geometry
from symae.theano._impl.configuration import config
from symae.theano._impl.shape_arguments import size
from symae.theano._impl.variables import as_theano

__all__ = [
    "assert_conv_shape",
    "assert_shape",
    "border_mode_to_pad",
    "check_conv_gradinputs_shape",
    "get_conv_gradinputs_shape",
    "get_conv_gradinputs_shape_1axis",
    "get_conv_gradweights_shape",
    "get_conv_gradweights_shape_1axis",
    "get_conv_output_shape",
    "get_conv_shape_1axis",
]


def border_mode_to_pad(mode: Any, convdim: int, kshp: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return (before, after) of zeros for each of the `convdim` axes, of a kernel of shape `kshp`."""
    return tuple(
        Geometry(border, 1, 1).padding(None, kernel) for border, kernel in zip(borders_of(mode, convdim), kshp, strict=True)
    )


def get_conv_shape_1axis(image_shape: Any, kernel_shape: Any, border_mode: Any, subsample: Any, dilation: Any = 1) -> Any:
    """Return the number of positions of a kernel on one axis."""
    if None in (image_shape, kernel_shape, border_mode, subsample, dilation):
        return None
    return Geometry(_border(border_mode), subsample, dilation).length(image_shape, kernel_shape)


def get_conv_gradweights_shape_1axis(image_shape: Any, top_shape: Any, border_mode: Any, subsample: Any, dilation: Any) -> Any:
    """Return the length of the kernel on one axis, None where several would do."""
    if None in (image_shape, top_shape, border_mode, subsample, dilation) or subsample != 1 or border_mode == "half":
        return None
    if border_mode == "full":
        return (top_shape - image_shape) // dilation + 1
    before, after = Geometry(_border(border_mode), 1, 1).padding(None, 1)
    return (image_shape + before + after - top_shape) // dilation + 1


def get_conv_gradinputs_shape_1axis(kernel_shape: Any, top_shape: Any, border_mode: Any, subsample: Any, dilation: Any) -> Any:
    """Return the length of the image on one axis, None where several would do."""
    if None in (kernel_shape, top_shape, border_mode, subsample, dilation) or subsample != 1:
        return None
    return Geometry(_border(border_mode), subsample, dilation).transposed_length(top_shape, kernel_shape, 0)


def get_conv_output_shape(
    image_shape: Any, kernel_shape: Any, border_mode: Any, subsample: Any, filter_dilation: Any = None
) -> tuple[Any, ...]:
    """Return the shape of maps."""
    image, kernel = _sizes(image_shape), _sizes(kernel_shape)
    return image[0], kernel[0], *_axes(get_conv_shape_1axis, image, kernel, border_mode, subsample, filter_dilation)


def get_conv_gradweights_shape(
    image_shape: Any,
    top_shape: Any,
    border_mode: Any,
    subsample: Any,
    filter_dilation: Any = None,
    num_groups: int = 1,
    unshared: bool = False,
) -> tuple[Any, ...]:
    """Return the shape of filters."""
    if unshared:
        raise InputError("get_conv_gradweights_shape: unshared", "True", "False")
    image, top = _sizes(image_shape), _sizes(top_shape)
    channels = None if image[1] is None else image[1] // num_groups
    return top[1], channels, *_axes(get_conv_gradweights_shape_1axis, image, top, border_mode, subsample, filter_dilation)


def get_conv_gradinputs_shape(
    kernel_shape: Any, top_shape: Any, border_mode: Any, subsample: Any, filter_dilation: Any = None, num_groups: int = 1
) -> tuple[Any, ...]:
    """Return the shape of images."""
    kernel, top = _sizes(kernel_shape), _sizes(top_shape)
    channels = None if kernel[1] is None else kernel[1] * num_groups
    return top[0], channels, *_axes(get_conv_gradinputs_shape_1axis, kernel, top, border_mode, subsample, filter_dilation)


def check_conv_gradinputs_shape(
    image_shape: Any, kernel_shape: Any, output_shape: Any, border_mode: Any, subsample: Any, filter_dilation: Any = None
) -> bool:
    """Return True if images and filters of these shapes have maps of that one, as far as sizes are known."""
    image, kernel, maps = map(_sizes, (image_shape, kernel_shape, output_shape))
    dilation = subsample if filter_dilation is None else filter_dilation
    if {len(image), len(kernel), len(maps)} != {2 + len(subsample)} or len(dilation) != len(subsample):
        return False
    expected = get_conv_output_shape(image, kernel, border_mode, subsample, filter_dilation)
    pairs = zip(expected, maps, strict=True)
    return all(a == b for a, b in pairs if isinstance(a, int) and isinstance(b, int))


def assert_conv_shape(shape: Sequence[Any]) -> tuple[Any, ...]:
    """Return `shape`, of images or maps that have a pixel at least; symbolic sizes are checked when the graph runs."""
    return tuple(_at_least(0 if i < 2 else 1, i, s) for i, s in enumerate(shape))


def _at_least(least: int, axis: int, length: Any) -> Any:
    text = f"the convolution would produce an invalid shape: axis {axis}"
    known = size(length)
    if isinstance(known, Variable):
        return _at_run_time(known, least, text)
    if known is not None and known < least:
        raise ValueError(f"{text} has size {known}, expected at least {least}")
    return length


@as_theano
def _at_run_time(length: Variable, least: int, text: str) -> Variable:
    return Assert(text)(length, pt.ge(length, least))


def compared(x: Variable, expected_shape: Sequence[Any] | None, msg: str = "Unexpected shape.") -> Variable:
    """Return `x`, whose shape is compared with `expected_shape` when the graph runs, if ``config.conv.assert_shape`` is set.

    None stands for any size.
    """
    if expected_shape is None or not config.conv.assert_shape:
        return x
    conditions = [pt.eq(x.shape[i], s) for i, s in enumerate(expected_shape) if s is not None]
    return Assert(msg)(x, *conditions) if conditions else x


def constants(name: str, shape: Any) -> list[Any] | None:
    """Return the sizes of a shape that is given beside arrays, numbers or None; symbolic ones have to be constants."""
    if shape is None:
        return None
    sizes = [shape] if isinstance(shape, Variable) else list(_sizes(shape))
    if any(isinstance(s, Variable) for s in sizes):
        raise InputError(name, str(shape), "None, or sizes that are known when the graph is built")
    return sizes


def known_sizes(shape: Any) -> list[Any] | None:
    """Return the sizes of a shape, or of a symbolic vector, and None for those that are not known yet."""
    if shape is None or isinstance(shape, Variable):
        return None
    return [None if isinstance(s, Variable) else s for s in _sizes(shape)]


assert_shape = as_theano(compared, "assert_shape", __name__)


def _border(border_mode: Any) -> Any:
    """Return the border mode of one axis: a name, or (before, after)."""
    if isinstance(border_mode, str):
        return border_mode
    return tuple(border_mode) if isinstance(border_mode, tuple | list) else (int(border_mode), int(border_mode))


def borders_of(border_mode: Any, ndim: int) -> list[Any]:
    modes = [border_mode] * ndim if isinstance(border_mode, str | int) else list(border_mode)
    if len(modes) != ndim:
        raise InputError("border_mode", str(border_mode), f"one of valid, full, half, a number, or {ndim} of them")
    return [_border(mode) for mode in modes]


def _sizes(shape: Any) -> tuple[Any, ...]:
    return tuple(None if entry is None else size(entry) for entry in shape)


def _axes(
    one: Callable[..., Any], first: Sequence[Any], second: Sequence[Any], border_mode: Any, subsample: Any, dilation: Any
) -> list[Any]:
    ndim = len(subsample)
    dilation = (1,) * ndim if dilation is None else dilation
    columns = zip(first[2:], second[2:], borders_of(border_mode, ndim), subsample, dilation, strict=True)
    return [one(*column) for column in columns]

"""Images laid out like tiles on a floor, as the lisa-lab Deep Learning Tutorials did it (``code/utils.py``).

The arrays are the same bit for bit, so that pictures of today compare with those of the Theano years.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from symae.errors import InputError

Array = np.ndarray[Any, np.dtype[Any]]


def scale_to_unit_interval(ndar: Any, eps: float = 1e-8) -> Array:
    """Shift and stretch all values of an array into [0, 1].

    ``(ndar - min) * (1 / (max - min + eps))``; `eps` keeps a constant array at 0 instead of dividing by zero.

    Parameters
    ----------
    ndar : array of float16, float32 or float64, any shape, at least one value
    eps : float

    Returns
    -------
    array
        New, of the shape and dtype of `ndar`. One NaN makes everything NaN; an infinity becomes NaN and the finite values 0.

    Raises
    ------
    InputError
        `ndar` is empty or does not hold floating-point numbers.

    Notes
    -----
    The factor is computed in float64 and rounded once to the dtype of `ndar`, as NumPy 1 did with the tutorials' code. Under
    NumPy 2 that code computes it in float32 for float32 arrays, and the last bits differ.

    Source: lisa-lab Deep Learning Tutorials, ``code/utils.py``.
    """
    values = np.asarray(ndar)
    _check_floating("ndar", values, "an array of float16, float32 or float64")
    if not values.size:
        raise InputError("ndar", f"an empty array of shape {values.shape}", "at least one value")
    return _to_unit_interval(values, tuple(range(values.ndim)), eps)


def tile_raster_images(
    X: Any,
    img_shape: Sequence[int],
    tile_shape: Sequence[int],
    tile_spacing: Sequence[int] = (0, 0),
    scale_rows_to_unit_interval: bool = True,
    output_pixel_vals: bool = True,
) -> Array:
    """Lay images out like tiles on a floor, row by row, and return the floor as one array.

    Places beyond the last image stay 0, and so does the space between tiles; images beyond the last place are left out.

    Parameters
    ----------
    X : array (n, h*w) or (n, c*h*w), or tuple of four arrays (n, h*w) or None
        One flattened image a row: digits, or the columns of a weight matrix as ``W.T``. A tuple holds the channels red, green,
        blue and alpha; a channel that is None is 0, and an alpha that is None is opaque.
    img_shape : (h, w) or (c, h, w)
        One channel is grey; three, one after the other in a row of `X`, are red, green and blue.
    tile_shape : (rows, columns)
    tile_spacing : (int, int)
        Pixels between tiles, down and across.
    scale_rows_to_unit_interval : bool
        Stretch each image to [0, 1] by itself (`scale_to_unit_interval`). Needs floating-point images. The channels of a tuple
        are stretched each by itself, as in the tutorials; those of an `img_shape` (3, h, w) together, so that hues stay.
    output_pixel_vals : bool
        Multiply by 255 and cut to uint8. Otherwise values and dtype stay as they are.

    Returns
    -------
    array (rows*(h+spacing) - spacing, columns*(w+spacing) - spacing), with a last axis of 4 if `X` is a tuple, of 3 for three
        channels
        uint8, or without `output_pixel_vals` the dtype of `X`.

    Raises
    ------
    InputError
        An argument has a wrong shape or dtype; the message names it.

    Notes
    -----
    Pixel values are cut, not rounded, and wrap modulo 256 outside [0, 255]; NaN, infinities and values beyond 32-bit integers
    are 0. Integers are multiplied by 255 like everything else, so uint8 pixels usually want ``output_pixel_vals=False``.

    A tuple without `output_pixel_vals` ended in an AttributeError in the tutorials. Here the floor has the channels' common
    dtype (float64 if all four are None) and an opaque alpha is 1.

    Source: lisa-lab Deep Learning Tutorials, ``code/utils.py``.
    """
    colours = isinstance(img_shape, Sequence) and len(img_shape) == 3 and img_shape[0] in (1, 3)
    n_channels = img_shape[0] if colours and not isinstance(X, tuple) else 1
    size = _two_integers("img_shape", img_shape[1:] if colours else img_shape, least=1)
    tiles = _two_integers("tile_shape", tile_shape, least=1)
    spacing = _two_integers("tile_spacing", tile_spacing, least=0)
    if isinstance(X, tuple):
        channels = _channels(X, size, scale_rows_to_unit_interval)
    elif n_channels == 3:
        return _coloured(
            _rows("X", X, size, scale_rows_to_unit_interval, 3),
            size,
            tiles,
            spacing,
            scale_rows_to_unit_interval,
            output_pixel_vals,
        )
    else:
        channels = [_rows("X", X, size, scale_rows_to_unit_interval)]

    dtype = np.dtype(np.uint8) if output_pixel_vals else _common_dtype(channels)
    height, width = ((side + gap) * count - gap for side, gap, count in zip(size, spacing, tiles, strict=True))
    floor = np.zeros((height, width, len(channels)), dtype)
    for index, channel in enumerate(channels):
        if channel is not None:
            images = channel[: tiles[0] * tiles[1]].reshape(-1, *size)
            if scale_rows_to_unit_interval:
                images = _to_unit_interval(images, (1, 2), eps=1e-8)
            floor[:, :, index] = lay_out(_pixels(images) if output_pixel_vals else images, tiles, spacing)
        elif index == 3:
            floor[:, :, index] = 255 if output_pixel_vals else 1
    return floor if isinstance(X, tuple) else floor[:, :, 0]


def _coloured(
    rows: Array, size: tuple[int, int], tiles: tuple[int, int], spacing: tuple[int, int], stretched: bool, pixels: bool
) -> Array:
    """Lay images of three channels out, (rows, columns, 3)."""
    images = rows[: tiles[0] * tiles[1]].reshape(-1, 3, *size)
    if stretched:
        images = _to_unit_interval(images, (1, 2, 3), eps=1e-8)
    return lay_out(np.moveaxis(_pixels(images) if pixels else images, 1, 3), tiles, spacing)


def _to_unit_interval(values: Array, axis: tuple[int, ...], eps: float) -> Array:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        values = values - values.min(axis=axis, keepdims=True)
        factor = 1.0 / (values.max(axis=axis, keepdims=True).astype(np.float64) + eps)
        if values.dtype == np.float16:
            # NumPy 1 looked at the factor's value and multiplied in float32 where float16 overflows: a constant row stays 0.
            factor = np.where(factor < 65000, factor.astype(np.float16), factor.astype(np.float32))
            return (values * factor).astype(np.float16)
        return values * factor.astype(values.dtype)


def _pixels(images: Array) -> Array:
    if images.dtype.kind in "biu":
        return images.astype(np.uint8) * np.uint8(255)
    # C leaves the conversion of a float that does not fit undefined. The tutorials' pictures were made on x86, which goes
    # through a 32-bit integer and keeps its lowest byte; written out, it is the same on every machine and under every NumPy.
    with np.errstate(over="ignore", invalid="ignore"):
        levels = (images * images.dtype.type(255)).astype(np.float64)
    return np.where(np.abs(levels) < 2.0**31, levels, 0.0).astype(np.int64).astype(np.uint8)


def lay_out(images: Array, tiles: tuple[int, int], spacing: tuple[int, int] = (0, 0)) -> Array:
    """Lay images (n, h, w[, channels]) on a floor of tiles (rows, columns), zeros between them and where there are none."""
    (rows, columns), (down, across) = tiles, spacing
    count, height, width, *channels = images.shape
    floor = np.zeros((rows * columns, height + down, width + across, *channels), images.dtype)
    floor[:count, :height, :width] = images
    floor = floor.reshape(rows, columns, *floor.shape[1:]).swapaxes(1, 2)
    floor = floor.reshape(rows * (height + down), columns * (width + across), *channels)
    return floor[: len(floor) - down, : floor.shape[1] - across]


def _channels(X: tuple[Any, ...], size: tuple[int, int], floating: bool) -> list[Array | None]:
    if len(X) != 4:
        raise InputError("X", f"a tuple of {len(X)}", "four channels: red, green, blue, alpha (each an array or None)")
    channels = [None if channel is None else _rows(f"X[{i}]", channel, size, floating) for i, channel in enumerate(X)]
    shapes = [None if channel is None else channel.shape for channel in channels]
    if len(set(shapes) - {None}) > 1:
        raise InputError("X", f"channels of shapes {', '.join(map(str, shapes))}", "channels of one shape")
    return channels


def _common_dtype(channels: list[Array | None]) -> np.dtype[Any]:
    dtypes = [channel.dtype for channel in channels if channel is not None]
    if not dtypes:
        return np.dtype(np.float64)
    # result_type would turn a foreign byte order into this machine's.
    return dtypes[0] if len(dtypes) == 1 else np.result_type(*dtypes)


def _rows(name: str, X: Any, size: tuple[int, int], floating: bool, channels: int = 1) -> Array:
    n_pixels, of = channels * size[0] * size[1], f"{channels}x" if channels > 1 else ""
    expected = f"an array (n, {n_pixels}) of images {of}{size[0]}x{size[1]}, one a row"
    if isinstance(X, list | tuple):
        raise InputError(name, f"a {type(X).__name__}", expected)
    rows = np.asarray(X)
    if rows.ndim != 2 or rows.shape[1] != n_pixels:
        raise InputError(name, f"shape {rows.shape}", expected)
    if floating:
        _check_floating(name, rows, "floating-point images, or scale_rows_to_unit_interval=False")
    elif rows.dtype.kind not in "biuf":
        raise InputError(name, f"dtype {rows.dtype}", "numbers")
    return rows


def _check_floating(name: str, values: Array, expected: str) -> None:
    if values.dtype.kind != "f" or values.dtype.itemsize > 8:
        raise InputError(name, f"dtype {values.dtype}", expected)


def _two_integers(name: str, pair: Any, least: int) -> tuple[int, int]:
    try:
        first, second = (operator.index(number) for number in pair)
    except (TypeError, ValueError):
        first = second = least - 1
    if first < least or second < least:
        raise InputError(name, repr(pair), f"two integers, each at least {least}")
    return first, second

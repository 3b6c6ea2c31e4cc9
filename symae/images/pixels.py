"""Images as models take them: numbers from 0 to 1; and how near one image is to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor

from symae.datasets.pixel_scale import KERAS, scaled
from symae.errors import InputError


def unit_images(rows: Any, image_shape: Sequence[int] = (1, 28, 28)) -> np.ndarray:
    """Return rows of pixels as images of floatX from 0 to 1, scaled as by Keras: bytes are divided by 255.

    `symae.load_data` divides by 256, as the Deep Learning Tutorials did.

    Parameters
    ----------
    rows : array (n, c * h * w)
        uint8, or floats from 0 to 1, which stay as they are.
    image_shape : (c, h, w)

    Returns
    -------
    array (n, c, h, w), a new one

    Raises
    ------
    InputError
        Another shape, or values that are neither bytes nor from 0 to 1.
    """
    pixels = np.asarray(rows)
    size = int(np.prod(image_shape))
    if pixels.ndim != 2 or pixels.shape[1] != size:
        raise InputError("rows", f"shape {pixels.shape}", f"(n, {size})")
    if pixels.dtype != np.uint8 and pixels.dtype.kind != "f":
        raise InputError("rows", f"dtype {pixels.dtype}", "uint8 pixels, or floats from 0 to 1")
    images = scaled(pixels, KERAS, pytensor.config.floatX)
    if pixels.dtype != np.uint8 and pixels.size and not (pixels.min() >= 0 and pixels.max() <= 1):  # NaN fails both
        raise InputError("rows", f"values from {pixels.min()} to {pixels.max()}", "uint8 pixels, or floats from 0 to 1")
    return images.reshape((len(images), *image_shape))


def psnr(images: Any, clean: Any, peak: float = 1.0) -> np.ndarray:
    """Compute each image's peak signal-to-noise ratio against the one that it should be, in decibels; more is better.

    .. math:: 10 \\log_{10} (p^2 / m)

    where p is the peak and m the mean squared error over the pixels of an image.

    Parameters
    ----------
    images, clean : arrays (n, ...) of one shape
    peak : float
        The largest value that a pixel can have.

    Returns
    -------
    array (n,) of float64
        Infinite where an image is met exactly.

    Raises
    ------
    InputError
        The shapes differ, or there are no pixels.
    """
    x, y = np.asarray(images), np.asarray(clean)
    if x.shape != y.shape or x.ndim < 2 or not x.size:
        raise InputError("psnr", f"shapes {x.shape} and {y.shape}", "images (n, ...) of one shape")
    axes = tuple(range(1, x.ndim))
    square = np.mean(np.square(x.astype(np.float64) - y), axis=axes)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(peak**2 / square)

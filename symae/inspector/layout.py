"""How the pixels of an image lie in a row of them: height, width, colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symae.datasets.dataset import square
from symae.errors import InputError
from symae.inspector.pixels import vector_shape
from symae.models.description import ModelDescription

LARGEST = 4096  # pixels a side
CHANNELS = (1, 3, 4)  # of a pixel, where they may come last
LEAST_COLOURED = 8  # pixels a side of what may be images in colours, where nobody says so


@dataclass(frozen=True)
class ImageLayout:
    """Describe the height and width of an image, and where its channels are in a row of its pixels."""

    channels: int
    height: int
    width: int
    # the channels of a pixel lie beside one another, (h, w, c), as Pillow and Keras have them; otherwise (c, h, w)
    interleaved: bool = False
    known: bool = True  # it was told; otherwise it is a guess from the number of pixels

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)"""
        return self.channels, self.height, self.width

    @property
    def size(self) -> int:
        """How many numbers an image has."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        sizes = (self.height, self.width, self.channels) if self.interleaved else self.shape
        return "x".join(str(n) for n in (sizes if self.channels > 1 else (self.height, self.width)))

    @property
    def coloured(self) -> bool:
        """Whether the channels are taken for red, green and blue."""
        return self.channels == 3

    def pictures(self, rows: Any) -> np.ndarray:
        """Return rows of pixels as pictures: (n, h, w), or (n, h, w, 3) if they are coloured.

        Of another number of channels the mean is shown.
        """
        array = np.asarray(rows)
        if self.interleaved:
            array = array.reshape(-1, self.height, self.width, self.channels)
        else:
            array = np.moveaxis(array.reshape(-1, *self.shape), 1, 3)
        if self.coloured:
            return np.ascontiguousarray(array)
        return array[..., 0] if self.channels == 1 else array.mean(axis=3)

    def row(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture (h, w), the same in all channels, or (h, w, channels) as a row of pixels."""
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, None], self.channels, axis=2)
        return (picture if self.interleaved else np.moveaxis(picture, 2, 0)).reshape(-1)


def layout_of(name: str, shape: Sequence[int]) -> ImageLayout:
    """Return the layout of images (h, w), (channels, h, w) or, of 1, 3 or 4 channels, (h, w, channels), or raise InputError."""
    sizes = tuple(shape)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and 1 <= n <= LARGEST for n in sizes)
    if whole and len(sizes) == 2:
        return ImageLayout(1, int(sizes[0]), int(sizes[1]))
    if whole and len(sizes) == 3 and (sizes[0] in CHANNELS or sizes[2] not in CHANNELS):
        return ImageLayout(int(sizes[0]), int(sizes[1]), int(sizes[2]))
    if whole and len(sizes) == 3:
        return ImageLayout(int(sizes[2]), int(sizes[0]), int(sizes[1]), interleaved=True)
    expected = f"(h, w), (channels, h, w) or, with 1, 3 or 4 channels, (h, w, channels), at most {LARGEST} pixels a side"
    raise InputError(name, str(sizes)[:80], expected)


def parsed_layout(name: str, text: str) -> ImageLayout:
    """Return the layout that a text such as ``28x28``, ``8x8x3`` or ``3x8x8`` names; the errors are those of `layout_of`."""
    parts = text.lower().replace("×", "x").split("x")
    if not all(part.isdecimal() and part.isascii() and len(part) < 9 for part in parts):
        raise InputError(name, repr(text)[:80], "numbers such as 28x28, or 8x8x3 for colours")
    return layout_of(name, [int(part) for part in parts])


def guessed_layout(pixels: int) -> ImageLayout:
    """Return a square of so many pixels, of three channels if not of grey; without one the rectangle that is nearest to one."""
    channels, side, width = square(pixels)
    if side == width and (channels == 1 or side >= LEAST_COLOURED):
        return ImageLayout(channels, side, side, known=channels == 1)
    height, width = vector_shape(pixels)
    return ImageLayout(1, height, width, known=False)


def image_layout(model: ModelDescription, *told: ImageLayout | None) -> ImageLayout:
    """Return how the pixels lie in what a model sees: as it says itself, as the first of `told` that fits says, or a guess."""
    shape = model.image_shape
    if model.channels_first and shape is not None:
        channels, height, width = shape
        return ImageLayout(channels, height, width)
    own = None if shape is None else layout_of("image_shape", shape)
    pixels = model.pixels or 1
    return next((layout for layout in (own, *told) if layout is not None and layout.size == pixels), guessed_layout(pixels))

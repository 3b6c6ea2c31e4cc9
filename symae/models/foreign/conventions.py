"""How the axes of weights lie in the files of other libraries. docs/weights.md has the same as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from symae.errors import InputError

# to (maps, channels, kh, kw), or for a transposed convolution (channels, maps, kh, kw)
AS_THEY_ARE, FROM_LAST = (0, 1, 2, 3), (3, 2, 0, 1)


@dataclass(frozen=True)
class Convention:
    """What a library's weights mean.

    Attributes
    ----------
    library : str
    out_first : bool
        Matrices are (n_out, n_in); symae's are (n_in, n_out).
    kernels : four integers
        The axes of filters in symae's order, for convolutions and for transposed ones.
    flips : bool
        Filters are turned round before they are laid on an image, as a convolution does; False is correlation.
    rows_last, columns_last : bool
        Images are (h, w, channels) where they become rows for a matrix, and where they are made of such rows.
    layout_given : bool
        The file itself says how images lie.
    unclear : str
        Why matrices may be either way round, in words.
    """

    library: str
    out_first: bool = False
    kernels: tuple[int, int, int, int] = AS_THEY_ARE
    flips: bool = False
    rows_last: bool = False
    columns_last: bool = False
    layout_given: bool = False
    unclear: str = ""

    def said(self, channels_last: bool | None) -> Convention:
        """Return the convention with what a caller says of a network, or a layer, whose file does not say it.

        Raises
        ------
        InputError
            The file says the contrary.
        """
        if channels_last is None:
            return self
        if self.layout_given:
            if channels_last != self.columns_last:
                last = "last" if self.columns_last else "first"
                raise InputError("channels_last", str(channels_last), f"None, as the file says of its layers: channels_{last}")
            return self
        return replace(self, rows_last=channels_last, columns_last=channels_last)

    def axes(self, ndim: int) -> tuple[int, ...]:
        """Return which axes of an array, in which order, are symae's."""
        if ndim == 4:
            return self.kernels
        return (1, 0) if ndim == 2 and self.out_first else tuple(range(ndim))

    def shape_there(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that an array has in the library whose shape here is `shape`."""
        there = [0] * len(shape)
        for size, axis in zip(shape, self.axes(len(shape)), strict=True):
            there[axis] = size
        return tuple(there)


SYMAE = Convention("symae")
PYTORCH = Convention("PyTorch", out_first=True)
# a matrix that is not called weight is no nn.Linear's but the program's own, taken for one that stands right in a product
PYTORCH_OWN = Convention("PyTorch")
KERAS = Convention("Keras", kernels=FROM_LAST, rows_last=True, columns_last=True)
CHAINER = Convention("Chainer", out_first=True)
LASAGNE = Convention("Lasagne", flips=True)
THEANO = Convention("Theano", flips=True)
# W and b without a layer's name, as of a single link of Chainer's, or of a model of symae's, and as many rows as columns
UNCLEAR = Convention("symae", unclear="a square W, which Chainer and symae transpose to one another, and no layer's name")


def channels_to_front(array: np.ndarray, axis: int, layout: Sequence[Sequence[int]]) -> np.ndarray:
    """Bring the numbers of images along an axis from the order (h, w, channels) into (channels, h, w).

    `layout` has the pieces of the axis: images, as (channels, h, w), and what is not of images, as (n,).
    """
    ends = np.cumsum([math.prod(piece) for piece in layout])[:-1]
    pieces = []
    for values, piece in zip(np.split(array, ends, axis), layout, strict=True):
        if len(piece) == 3:
            channels, height, width = piece
            images = values.reshape(*array.shape[:axis], height, width, channels, *array.shape[axis + 1 :])
            values = np.moveaxis(images, axis + 2, axis).reshape(values.shape)
        pieces.append(values)
    return np.concatenate(pieces, axis)

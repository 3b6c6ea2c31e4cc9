"""How the axes of weights lie in the files of other libraries. docs/weights.md has the same as a table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

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
    """

    library: str
    out_first: bool = False
    kernels: tuple[int, int, int, int] = AS_THEY_ARE
    flips: bool = False
    rows_last: bool = False
    columns_last: bool = False

    def said(self, flips: bool | None, channels_last: bool | None) -> Convention:
        """Return the convention with what a caller says of a network; Keras flattens to (h, w, channels) in any case."""
        changed = self if flips is None else replace(self, flips=flips)
        if channels_last is not None:
            changed = replace(changed, rows_last=channels_last or self.library == "Keras", columns_last=channels_last)
        return changed

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


def channels_to_front(array: np.ndarray, axis: int, maps: tuple[int, int, int]) -> np.ndarray:
    """Bring the numbers of images along an axis from the order (h, w, channels) into (channels, h, w), which is `maps`."""
    channels, height, width = maps
    before, after = array.shape[:axis], array.shape[axis + 1 :]
    images = array.reshape(*before, height, width, channels, *after)
    return np.moveaxis(images, axis + 2, axis).reshape(array.shape)

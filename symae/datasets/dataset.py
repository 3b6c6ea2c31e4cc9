"""What every reader hands over: three splits of images and labels, checked."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np

from symae.errors import InputError

IMAGE_SHAPE = (28, 28)
N_PIXELS = 784
N_CLASSES = 10
PARTS = ("training", "validation", "test")

Pairs = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Split:
    """Hold images with their labels.

    Attributes
    ----------
    x : array (n, 784)
        uint8 in [0, 255], or floating in [0, 1]; one image a row, its pixels row by row.
    y : array (n,), int64
        Labels in [0, 9].
    """

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Hold training, validation and test images.

    Attributes
    ----------
    name : str
        Which data it is, in words, for the first line of a result.
    train, valid, test : Split
        Their `x` share one dtype.
    image_shape : tuple of int
        Rows and columns of an image, (28, 28).
    """

    name: str
    train: Split
    valid: Split
    test: Split
    image_shape: tuple[int, int] = IMAGE_SHAPE


def checked_split(where: str | PathLike[str], x: np.ndarray, y: np.ndarray) -> Split:
    """Bring images and labels from `where` to a `Split`, or raise an InputError that names `where` and what is wrong.

    `x` is (n, 784), (n, 28, 28), (n, 28, 28, 1) or (n, 1, 28, 28): uint8, other integers in [0, 255], or floats in [0, 1]; `y`
    is (n,), integers in [0, 9].
    """
    if x.ndim == 0 or x.shape[1:] not in [(N_PIXELS,), IMAGE_SHAPE, (*IMAGE_SHAPE, 1), (1, *IMAGE_SHAPE)]:
        raise InputError(where, f"images of shape {x.shape}", "shape (n, 784) or (n, 28, 28)")
    if y.ndim != 1:
        raise InputError(where, f"labels of shape {y.shape}", "shape (n,)")
    if len(x) != len(y):
        raise InputError(where, f"{len(x)} images and {len(y)} labels", "as many labels as images")
    if len(x) == 0:
        raise InputError(where, "no images", "at least one")
    return Split(_checked_pixels(where, x.reshape(len(x), N_PIXELS)), _checked_labels(where, y))


def checked_dataset(name: str, where: str | PathLike[str], pairs: Pairs) -> Dataset:
    """Make a `Dataset` of three pairs (x, y), training, validation, test, as for `checked_split`; all bytes or floats."""
    train, valid, test = (checked_split(f"{where}, {part}", *pair) for part, pair in zip(PARTS, pairs, strict=True))
    kinds = [split.x.dtype for split in (train, valid, test)]
    if len(set(kinds)) > 1:
        raise InputError(where, f"pixels of {', '.join(map(str, kinds))} in {', '.join(PARTS)}", "one type of pixel")
    return Dataset(name, train, valid, test)


def fraction(where: str | PathLike[str], pair: tuple[np.ndarray, np.ndarray], share: int) -> Pairs:
    """Cut off the last 1/`share` of the images, at least one: [(first part), (last part)].

    MNIST's 60000 training images give the tutorials' 50000 and 10000 with a share of 6. Fewer than two images, or another
    number of labels, are an InputError.
    """
    x, y = pair
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y):
        raise InputError(where, f"images of shape {x.shape} and labels of shape {y.shape}", "as many labels as images")
    if len(x) < 2:
        raise InputError(where, f"{len(x)} images", "at least two, because the last ones become the validation images")
    cut = len(x) - max(len(x) // share, 1)
    return [(x[:cut], y[:cut]), (x[cut:], y[cut:])]


def natural(array: np.ndarray) -> np.ndarray:
    """Return a copy of `array` in this machine's byte order, contiguous and writable, unlike a view of a file's bytes."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def _checked_pixels(where: str | PathLike[str], x: np.ndarray) -> np.ndarray:
    if x.dtype.kind in "iu":
        if x.dtype != np.uint8 and (x.min() < 0 or x.max() > 255):
            raise InputError(where, f"integer pixels from {x.min()} to {x.max()}", "0 to 255")
        return natural(x.astype(np.uint8, copy=False))
    if x.dtype.kind != "f" or x.dtype.itemsize > 8:
        raise InputError(where, f"pixels of type {x.dtype}", "uint8 or floating point")
    # NaN fails every comparison, so this asks for what must hold.
    if not (x.min() >= 0 and x.max() <= 1):
        image, pixel = np.argwhere(~((x >= 0) & (x <= 1)))[0]
        raise InputError(where, f"{x[image, pixel]} at pixel {pixel} of image {image}", "values in [0, 1]")
    return natural(x)


def _checked_labels(where: str | PathLike[str], y: np.ndarray) -> np.ndarray:
    if y.dtype.kind not in "iu":
        raise InputError(where, f"labels of type {y.dtype}", "integers")
    if y.min() < 0 or y.max() >= N_CLASSES:
        image = int(np.argmax((y < 0) | (y >= N_CLASSES)))
        raise InputError(where, f"label {y[image]} at image {image}", "labels 0 to 9")
    return y.astype(np.int64)

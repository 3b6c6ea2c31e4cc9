"""What every reader hands over: three parts of images, of any shape and with any labels or none, checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from symae.errors import InputError

PARTS = ("training", "validation", "test")
CHANNELS = (1, 3, 4)  # by which an axis of images is known for that of their channels
LARGEST_LABEL = 65535
LUMA = (0.299, 0.587, 0.114)  # ITU-R 601-2, as Pillow has it

Pair = tuple[np.ndarray, np.ndarray | None]
Pairs = Sequence[Pair]
ImageShape = tuple[int, int, int]
Where = str | PathLike[str]


@dataclass(frozen=True, eq=False)
class Split:
    """Hold images with their labels.

    Attributes
    ----------
    x : array (n, c * h * w)
        uint8 in [0, 255], or floating in [0, 1]; one image a row: channel after channel, each row by row.
    y : array (n,), int64, or None
        Labels from 0 on; None of images without.
    """

    x: np.ndarray
    y: np.ndarray | None

    @property
    def labels(self) -> np.ndarray:
        """The labels, for what cannot do without; InputError where there are none."""
        if self.y is None:
            raise InputError("labels", "images without labels", "labelled images")
        return self.y


@dataclass(frozen=True, eq=False)
class Dataset:
    """Hold training, validation and test images.

    Attributes
    ----------
    name : str
        Which data it is, in words, for the first line of a result.
    train, test : Split
    valid : Split or None
        All `x` share one dtype and one shape of images; all have labels, or none but of training images.
    image_shape : (c, h, w)
        Of an image: ``x.reshape(-1, *image_shape)`` are images as `symae.conv2d` takes them.
    class_names : tuple of str
        What the labels 0, 1, … stand for, where the source says it.
    notes : tuple of str
        What was done to the images, a line each: cropped, left out.
    """

    name: str
    train: Split
    valid: Split | None
    test: Split
    image_shape: ImageShape = (1, 28, 28)
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Split, ...]:
        """Training, validation if there is one, and test."""
        return tuple(part for part in (self.train, self.valid, self.test) if part is not None)

    @property
    def n_classes(self) -> int:
        """The largest label plus one, or as many as `class_names`; 0 without labels."""
        labels = [part.y for part in self.parts if part.y is not None]
        return max([len(self.class_names), *(int(y.max()) + 1 for y in labels)])

    def training_images(self) -> np.ndarray:
        """Return the training images followed by those of validation, for who has no other use for them."""
        return self.train.x if self.valid is None else _joined(self.train.x, self.valid.x)


@dataclass(frozen=True, eq=False)
class Found:
    """Hold what a reader has found, not checked yet.

    `pairs` are images and labels: of one part, of training and test, or of training, validation and test. Images are (n,
    pixels), (n, h, w), (n, c, h, w) or (n, h, w, c); `image_shape` says how a row of pixels is laid out, if the source does.
    `class_names` and `notes` are those of `Dataset`.
    """

    pairs: Pairs
    image_shape: ImageShape | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def from_arrays(
    x: Any,
    y: Any = None,
    *,
    valid: tuple[Any, Any] | None = None,
    test: tuple[Any, Any] | None = None,
    image_shape: Sequence[int] | None = None,
    name: str = "arrays",
) -> Dataset:
    """Make a `Dataset` of arrays, for worksheets, `symae.load_data` and the inspector.

    Parameters
    ----------
    x : array (n, pixels), (n, h, w), (n, c, h, w) or (n, h, w, c)
        uint8, other integers in [0, 255], or floats in [0, 1].
    y : array (n,) of integers from 0 on, optional
    valid, test : pair (x, y), optional
        Without test images the last seventh of `x` becomes that, and the last sixth of what remains validation.
    image_shape : (c, h, w), optional
        How rows of pixels are laid out: by default a square, of grey or of three channels one after the other. Images of three
        channels become grey where it says one.
    name : str

    Raises
    ------
    InputError
        The arrays are not as above, or do not fit one another.
    """
    pairs = [(x, y), *([] if valid is None else [valid]), *([] if test is None else [test])]
    arrays = [(np.asarray(x), None if y is None else np.asarray(y)) for x, y in pairs]
    if valid is not None and test is None:
        raise InputError("from_arrays", "validation images and no test images", "test images too")
    if valid is None and test is not None:
        return checked_dataset(name, name, [arrays[0], None, arrays[1]], Found([], checked_shape(image_shape)), copy=True)
    found = Found(arrays, checked_shape(image_shape))
    return checked_dataset(name, name, three_parts(name, found.pairs), found, copy=True)


def checked_shape(image_shape: Sequence[int] | None) -> ImageShape | None:
    """Return (c, h, w) as integers, of (h, w) with one channel before them, or raise InputError."""
    if image_shape is None:
        return None
    sizes = (1, *image_shape) if len(image_shape) == 2 else tuple(image_shape)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and 1 <= n <= 65536 for n in sizes)
    if len(sizes) != 3 or not whole:
        raise InputError("image_shape", repr(image_shape)[:80], "(c, h, w), numbers from 1 to 65536")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def three_parts(where: Where, pairs: Pairs) -> list[Pair | None]:
    """Bring the pairs of `Found` to training, validation and test.

    Of training and test the last sixth of training becomes validation: MNIST's 60000 give the tutorials' 50000 and 10000. One
    part is cut 5 : 1 : 1. What is to be cut and sorted by its labels is shuffled before, always in the same way.
    """
    if len(pairs) > 1:
        x, y = pairs[-1]
        if y is not None and y.size and np.all(y == -1):
            pairs = [*pairs[:-1], (x, None)]  # how Hugging Face's hub and others say that there are none
    if len(pairs) == 3:
        return list(pairs)
    if len(pairs) == 2:
        least, why = 2, "at least two, because the last ones become the validation images"
        shares = [6]
    else:
        least, why = 3, "at least three, for training, validation and test"
        shares = [7, 6]
    x, y = first = pairs[0]
    if x.ndim == 0 or (y is not None and (y.ndim == 0 or len(x) != len(y))):
        labels = "no labels" if y is None else f"labels of shape {y.shape}"
        raise InputError(where, f"images of shape {x.shape} and {labels}", "as many labels as images")
    if len(x) < least:
        raise InputError(where, f"{len(x)} images", why)
    if y is not None and _sorted_by_class(y):
        order = np.random.RandomState(0).permutation(len(x))
        first = x[order], y[order]
    parts = [first]
    for share in shares:
        parts[:1] = _cut(*parts[0], share)
    return [*parts, *pairs[1:]]


def checked_dataset(
    name: str, where: Where, pairs: Sequence[Pair | None], found: Found | None = None, *, copy: bool = False
) -> Dataset:
    """Make a `Dataset` of pairs (x, y), training, validation or None, and test, or raise an InputError that names `where`.

    Images are all bytes or floats, and of one shape. Unless they are to be a `copy`, they stay in the arrays of `pairs` where
    these can be written to.
    """
    found = found or Found([])
    splits: list[Split | None] = []
    shape = own = None
    for part, pair in zip(PARTS, pairs, strict=True):
        if pair is None:
            splits.append(None)
            continue
        split, shape, own = _checked(f"{where}, {part}", pair, found.image_shape, own, natural if copy else writable)
        splits.append(split)
    train, valid, test = splits
    assert train is not None
    assert test is not None
    assert shape is not None
    kinds = [split.x.dtype for split in splits if split is not None]
    if len(set(kinds)) > 1:
        raise InputError(where, f"pixels of {', '.join(map(str, kinds))} in {', '.join(PARTS)}", "one type of pixel")
    # what files say goes to terminals, which take some characters as commands
    texts = [
        tuple("".join(c if c.isprintable() else "?" for c in t) for t in told) for told in (found.class_names, found.notes)
    ]
    return Dataset(name, train, valid, test, shape, *texts)


def checked_split(where: Where, x: np.ndarray, y: np.ndarray | None) -> Split:
    """Bring images and labels from `where` to a `Split`, or raise an InputError that names `where` and what is wrong.

    `x` is (n, pixels), (n, h, w), (n, c, h, w) or (n, h, w, c): uint8, other integers in [0, 255], or floats in [0, 1]; `y` is
    (n,), integers from 0 on, or None.
    """
    return _checked(where, (x, y), None)[0]


def natural(array: np.ndarray) -> np.ndarray:
    """Return a copy of `array` in this machine's byte order, contiguous and writable, unlike a view of a file's bytes."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def writable(array: np.ndarray) -> np.ndarray:
    """Return `array` in this machine's byte order, contiguous and writable: itself if it is so, else a copy."""
    return np.require(array, array.dtype.newbyteorder("="), ["C", "W"])


def square(pixels: int) -> ImageShape:
    """Return the shape of a square of so many pixels, grey or in three channels; a single row where there is none."""
    for channels in (1, 3):
        side = math.isqrt(pixels // channels)
        if channels * side * side == pixels:
            return channels, side, side
    return 1, 1, pixels


def _checked(
    where: Where,
    pair: Pair,
    wanted: ImageShape | None,
    like: ImageShape | None = None,
    kept: Callable[[np.ndarray], np.ndarray] = writable,
) -> tuple[Split, ImageShape, ImageShape]:
    """Return a split, the shape of its images, and the shape that they came in, which has to be `like` that of others."""
    x, y = pair
    if x.ndim not in (2, 3, 4) or 0 in x.shape[1:]:
        raise InputError(where, f"images of shape {x.shape}", "shape (n, pixels), (n, h, w), (n, c, h, w) or (n, h, w, c)")
    if y is not None and y.ndim != 1:
        raise InputError(where, f"labels of shape {y.shape}", "shape (n,)")
    if y is not None and len(x) != len(y):
        raise InputError(where, f"{len(x)} images and {len(y)} labels", "as many labels as images")
    if len(x) == 0:
        raise InputError(where, "no images", "at least one")
    rows, own = _rows(x, like or wanted)
    if like not in (None, own):
        raise InputError(where, f"images of shape {own}", f"{like}, as the training images have")
    pixels, shape = _wanted(where, kept(_checked_pixels(where, rows)), own, wanted)
    return Split(pixels, None if y is None else _checked_labels(where, y)), shape, own


def _rows(x: np.ndarray, known: ImageShape | None) -> tuple[np.ndarray, ImageShape]:
    """Return images as rows of pixels, channel after channel, and the shape of an image."""
    if x.ndim == 2:
        return x, known if known is not None and math.prod(known) == x.shape[1] else square(x.shape[1])
    if x.ndim == 3:
        x = x[:, None]
    elif x.shape[1] not in (1, 3) and x.shape[3] in CHANNELS:
        x = np.moveaxis(x, 3, 1)
    return x.reshape(len(x), -1), (x.shape[1], x.shape[2], x.shape[3])


def _wanted(where: Where, x: np.ndarray, own: ImageShape, wanted: ImageShape | None) -> tuple[np.ndarray, ImageShape]:
    """Return rows of pixels in the channels that are wanted: grey of three, or three of grey."""
    if wanted is None or wanted == own:
        return x, own
    channels = own[0], wanted[0]
    if own[1:] != wanted[1:] or channels not in ((3, 1), (1, 3)):
        raise InputError(where, f"images of shape {own}", f"{wanted}, as image_shape says")
    planes = x.reshape(len(x), own[0], -1)
    if channels == (1, 3):
        return np.repeat(planes, 3, axis=1).reshape(len(x), -1), wanted
    grey = np.empty((len(x), planes.shape[2]), x.dtype)
    for begin in range(0, len(x), 1000):  # floats of all would be many times the bytes
        mixed = np.tensordot(planes[begin : begin + 1000], LUMA, axes=(1, 0))
        grey[begin : begin + 1000] = np.rint(mixed) if x.dtype == np.uint8 else np.clip(mixed, 0, 1)
    return grey, wanted


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rows of both: where they lie if `second` begins where `first` ends, as parts that were cut do, else a copy."""
    whole = first.base
    if isinstance(whole, np.ndarray) and whole is second.base and whole.flags.c_contiguous and whole.dtype == first.dtype:
        begin, end = (array.__array_interface__["data"][0] for array in (first, second))
        rows = whole.reshape(-1)[(begin - whole.__array_interface__["data"][0]) // whole.itemsize :]
        if first.flags.c_contiguous and second.flags.c_contiguous and begin + first.nbytes == end:
            return rows[: first.size + second.size].reshape(-1, first.shape[1])
    return np.concatenate([first, second])


def _sorted_by_class(y: np.ndarray) -> bool:
    return y.ndim == 1 and bool(np.all(y[1:] >= y[:-1])) and 2 <= len(np.unique(y)) <= len(y) // 2


def _cut(x: np.ndarray, y: np.ndarray | None, share: int) -> list[Pair]:
    """Cut off the last 1/`share` of the images, at least one."""
    cut = len(x) - max(len(x) // share, 1)
    return [(x[part], None if y is None else y[part]) for part in (slice(None, cut), slice(cut, None))]


def _checked_pixels(where: Where, x: np.ndarray) -> np.ndarray:
    if x.dtype.kind in "iu":
        if x.dtype != np.uint8 and (x.min() < 0 or x.max() > 255):
            raise InputError(where, f"integer pixels from {x.min()} to {x.max()}", "0 to 255")
        return x.astype(np.uint8, copy=False)
    if x.dtype.kind != "f" or x.dtype.itemsize > 8:
        raise InputError(where, f"pixels of type {x.dtype}", "uint8 or floating point")
    # NaN fails every comparison, so this asks for what must hold.
    if not (x.min() >= 0 and x.max() <= 1):
        image, pixel = np.argwhere(~((x >= 0) & (x <= 1)))[0]
        raise InputError(where, f"{x[image, pixel]} at pixel {pixel} of image {image}", "values in [0, 1]")
    return x


def _checked_labels(where: Where, y: np.ndarray) -> np.ndarray:
    if y.dtype.kind not in "iu":
        raise InputError(where, f"labels of type {y.dtype}", "integers")
    if y.min() < 0 or y.max() > LARGEST_LABEL:
        image = int(np.argmax((y < 0) | (y > LARGEST_LABEL)))
        raise InputError(where, f"label {y[image]} at image {image}", f"labels from 0 to {LARGEST_LABEL}")
    return y.astype(np.int64)

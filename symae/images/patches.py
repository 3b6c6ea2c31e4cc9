"""Patches of natural images, as models of simple cells learn from them: drawn at random, their contrast made equal, whitened.

Sources: Olshausen and Field (1996), "Emergence of simple-cell receptive field properties by learning a sparse code for natural
images"; Bell and Sejnowski (1997), "The 'independent components' of natural scenes are edge filters" (ZCA); Coates, Lee and Ng
(2011), "An analysis of single-layer networks in unsupervised feature learning" (the constants).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np

from symae._runtime.atomic_files import open_regular
from symae._runtime.checks import as_numbers, finite, integer
from symae.datasets.contents import is_file, is_folder
from symae.datasets.dataset import LUMA
from symae.datasets.pictures import ENDINGS, Header, decoded_picture, header
from symae.datasets.pixel_scale import KERAS, scaled
from symae.errors import InputError, MissingFileError

CONTRAST = 10 / 255**2  # added to a patch's variance, pixels from 0 to 1: that of noise
ZCA_EPSILON = 0.1  # added to the variances of the directions, of patches of unit variance

ImageShape = tuple[int, int, int]


def random_patches(
    source: str | PathLike[str] | Any, size: int = 8, count: int = 10000, *, seed: int = 0, colours: bool | None = None
) -> tuple[np.ndarray, ImageShape]:
    """Draw patches at random places of pictures; each place is as likely as any other.

    Parameters
    ----------
    source : path, sequence of paths, array (n, h, w), (h, w, 3), (n, h, w, 3) or (n, 3, h, w), sequence of (h, w) or (h, w, 3)
        A folder of pictures, of any sizes, and folders in it; files; or images: bytes, or numbers from 0 to 1. Pictures that
        are smaller than a patch, or cannot be decoded, are passed over.
    size, count : int >= 1
        Pixels a side, and how many.
    seed : int in [0, 2**32)
        The same seed draws the same patches.
    colours : bool, optional
        By default patches are coloured if one picture is; False makes all grey.

    Returns
    -------
    patches : array (count, c * size * size) of float64 from 0 to 1
        In a random order.
    image_shape : (c, size, size)

    Raises
    ------
    MissingFileError
        There is no such folder or file.
    InputError
        An argument is not as above, or there is no picture of at least `size` x `size` pixels.
    """
    integer("size", size)
    integer("count", count)
    integer("seed", seed, 0, 2**32 - 1)
    pictures = _opened(source)
    sizes = pictures.sizes()
    positions = np.array([max(h - size + 1, 0) * max(w - size + 1, 0) for h, w in sizes], np.float64)
    if not positions.sum():
        found = f"{len(sizes)} pictures of at most {max((min(side) for side in sizes), default=0)} pixels a side"
        raise InputError(pictures.where, found, f"one of at least {size} x {size}")
    channels = 3 if (pictures.coloured() if colours is None else colours) else 1
    rng = np.random.RandomState(seed)
    patches = np.empty((count, channels, size, size))
    done = 0
    while done < count and positions.any():
        for i, wanted in enumerate(rng.multinomial(count - done, positions / positions.sum())):
            picture = pictures.picture(i, channels) if wanted else None
            if picture is None:
                positions[i] *= not wanted  # it is broken: others have its share
                continue
            top, left = (rng.randint(0, side - size + 1, wanted) for side in picture.shape[1:])
            windows = np.lib.stride_tricks.sliding_window_view(picture, (size, size), axis=(1, 2))
            patches[done : done + wanted] = windows[:, top, left].transpose(1, 0, 2, 3)
            done += wanted
    if done < count:
        raise InputError(pictures.where, "no picture that can be decoded", f"one of at least {size} x {size} pixels")
    rng.shuffle(patches)
    return patches.reshape(count, -1), (channels, size, size)


def normalise_contrast(patches: Any, epsilon: float = CONTRAST) -> np.ndarray:
    """Subtract each patch's mean, and divide by the root of its variance plus `epsilon`.

    .. math:: (x - \\bar x) / \\sqrt{\\mathrm{var}(x) + \\epsilon}

    Parameters
    ----------
    patches : array (n, pixels)
    epsilon : float > 0
        Of the variance of pixels from 0 to 1, 10 / 255² by default: patches of the sky stay faint.

    Returns
    -------
    array (n, pixels) of float64

    Raises
    ------
    InputError
        An argument is not as above, or `patches` are not finite.
    """
    if not _number(epsilon) > 0:
        raise InputError("epsilon", repr(epsilon), "a number above 0")
    rows = _rows("patches", patches)
    centred = rows - rows.mean(axis=1, keepdims=True)
    return centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + epsilon)


class ZCA:
    """Whiten patches: make pixels uncorrelated and of unit variance, and change the patches as little as that allows.

    .. math:: (x - \\mu) U (\\Lambda + \\epsilon)^{-1/2} U^T

    where U and Λ are the eigenvectors and eigenvalues of the covariance of the patches.

    Parameters
    ----------
    epsilon : float >= 0
        Added to each variance; directions with less, which are noise, stay small. 0.1 by default, for patches of
        `normalise_contrast`.

    Attributes
    ----------
    mean_ : array (pixels,)
    whitening_, colouring_ : array (pixels, pixels)
        The matrix above, and its inverse.

    Raises
    ------
    InputError
        `epsilon` is not as above. In `fit`: there are fewer than two patches, or a direction has no variance and no `epsilon`.
        In `transform` and `inverse_transform`: nothing was learned yet, or of patches of another size.
    """

    def __init__(self, epsilon: float = ZCA_EPSILON):
        if not _number(epsilon) >= 0:
            raise InputError("epsilon", repr(epsilon), "a number of at least 0")
        self.epsilon = epsilon

    def fit(self, patches: Any) -> Self:
        """Learn from `patches`, (n, pixels), at least two; returns the object itself."""
        rows = _rows("patches", patches)
        if len(rows) < 2:
            raise InputError("patches", f"{len(rows)}", "at least two")
        self.mean_ = rows.mean(axis=0)
        centred = rows - self.mean_
        variances, directions = np.linalg.eigh(centred.T @ centred / len(rows))
        scale = np.sqrt(np.maximum(variances, 0) + self.epsilon)
        if not scale.min() > 1e-7 * scale.max():
            raise InputError("epsilon", f"{self.epsilon} and patches with directions of no variance", "a larger epsilon")
        self.whitening_ = (directions / scale) @ directions.T
        self.colouring_ = (directions * scale) @ directions.T
        return self

    def transform(self, patches: Any) -> np.ndarray:
        """Return whitened patches, (n, pixels)."""
        return (self._checked("patches", patches) - self.mean_) @ self.whitening_

    def inverse_transform(self, whitened: Any) -> np.ndarray:
        """Return patches of which `transform` makes `whitened`, (n, pixels)."""
        return self._checked("whitened", whitened) @ self.colouring_ + self.mean_

    def _checked(self, name: str, patches: Any) -> np.ndarray:
        if not hasattr(self, "mean_"):
            raise InputError("ZCA", "one that has learned from no patches", "fit before")
        rows = _rows(name, patches)
        if rows.shape[1] != len(self.mean_):
            raise InputError(name, f"shape {rows.shape}", f"(n, {len(self.mean_)}), as those that were learned from")
        return rows


def _number(value: Any) -> float:
    """Return a finite real number as it is, and NaN for everything else."""
    return float(value) if isinstance(value, Real) and np.isfinite(float(value)) else np.nan


def _rows(name: str, patches: Any) -> np.ndarray:
    rows = as_numbers(name, patches, "patches (n, pixels)").astype(np.float64)
    if rows.ndim != 2 or not rows.size:
        raise InputError(name, f"shape {rows.shape}", "patches (n, pixels), at least one")
    return finite(name, rows)


def _opened(source: Any) -> _Files | _Arrays:
    if isinstance(source, str | PathLike):
        folder = Path(source)
        if is_file(folder):
            return _Files(str(folder), [folder])
        if not is_folder(folder):
            raise MissingFileError(folder, "no such folder or file", "a folder of pictures, or one")
        paths = (path for path in sorted(folder.rglob("*")) if path.name.lower().endswith(ENDINGS) and is_file(path))
        return _Files(str(folder), list(paths))
    if isinstance(source, Sequence) and source and all(isinstance(path, str | PathLike) for path in source):
        return _Files("source", [Path(path) for path in source])
    return _Arrays(source)


class _Files:
    """Pictures in files, decoded one at a time."""

    def __init__(self, where: str, paths: Sequence[Path]):
        self.where = where
        self._files = [partial(open_regular, path) for path in paths]
        self._headers = [header(file) or Header(0, 0, False) for file in self._files]

    def sizes(self) -> list[tuple[int, int]]:
        return [(found.height, found.width) for found in self._headers]

    def coloured(self) -> bool:
        return any(found.coloured for found in self._headers)

    def picture(self, i: int, channels: int) -> np.ndarray | None:
        shape = (channels, self._headers[i].height, self._headers[i].width)
        pixels = decoded_picture(self._files[i], shape, "crop")
        return None if pixels is None else scaled(pixels, KERAS, np.float64)


class _Arrays:
    """Images in arrays, of one size or of several."""

    where = "source"

    def __init__(self, source: Any):
        expected = "a folder of pictures, images (n, h, w), (h, w, 3), (n, h, w, 3) or (n, 3, h, w), or a sequence of pictures"
        pictures = source if isinstance(source, Sequence) else as_numbers("source", source, expected)
        if isinstance(pictures, np.ndarray):
            if pictures.ndim not in (3, 4):
                raise InputError("source", f"shape {pictures.shape}", expected)
            pictures = pictures[None] if pictures.ndim == 3 and pictures.shape[2] == 3 else pictures
        self._pictures = [as_numbers("source", picture, expected) for picture in pictures]
        for picture in self._pictures:
            if picture.ndim not in (2, 3) or (picture.ndim == 3 and 3 not in (picture.shape[0], picture.shape[2])):
                raise InputError("source", f"a picture of shape {picture.shape}", expected)
            if picture.dtype != np.uint8 and not (picture.size and picture.min() >= 0 and picture.max() <= 1):  # NaN fails both
                raise InputError("source", f"a picture of {picture.dtype}", "bytes, or numbers from 0 to 1")

    def sizes(self) -> list[tuple[int, int]]:
        return [_planes(picture).shape[1:] for picture in self._pictures]

    def coloured(self) -> bool:
        return any(picture.ndim == 3 for picture in self._pictures)

    def picture(self, i: int, channels: int) -> np.ndarray:
        planes = _planes(self._pictures[i])
        planes = scaled(planes, KERAS, np.float64)
        if len(planes) == channels:
            return planes
        return np.repeat(planes, 3, axis=0) if channels == 3 else np.tensordot(LUMA, planes, 1)[None]


def _planes(picture: np.ndarray) -> np.ndarray:
    """Return a picture as (c, h, w)."""
    if picture.ndim == 2:
        return picture[None]
    return picture if picture.shape[0] == 3 else np.moveaxis(picture, 2, 0)

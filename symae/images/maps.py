"""Feature maps as pictures: what a node of a network computes for some images, one column an image, one row a map."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from PIL import Image

from symae._runtime.checks import finite
from symae.errors import InputError
from symae.images.pictures import side_by_side

CELL = 112  # pixels of the picture that the longer side of a map gets, as nearly as whole zooms allow
GAP = 4  # white, between maps


def feature_maps(values: Any, cell: int = CELL, *, colours: bool = False) -> np.ndarray:
    """Draw maps (n, c, h, w) as a tile of n columns and c rows, pixels enlarged by repetition.

    Black is 0 and below, white the largest value of all, as CNTK's visualiser has it.

    Parameters
    ----------
    values : array (n, c, h, w), (n, k) or (n,)
        Vectors of a square number of values are drawn as squares, others as rows.
    cell : int
        About how many pixels each map gets in the picture.
    colours : bool
        Three maps are red, green and blue, and an image one picture: (h, w, 3).

    Returns
    -------
    array of numbers from 0 to 1

    Raises
    ------
    InputError
        Another shape, nothing to draw, or values that are not finite.
    """
    maps = np.asarray(values, dtype=np.float64)
    if maps.ndim == 1:
        maps = maps[:, None]
    if maps.ndim == 2:
        side = math.isqrt(maps.shape[1])
        maps = maps.reshape((len(maps), 1, *((side, side) if side * side == maps.shape[1] else (1, maps.shape[1]))))
    if maps.ndim != 4 or not maps.size:
        raise InputError("feature maps", f"shape {np.shape(values)}", "(n, c, h, w), (n, k) or (n,), at least one of each")
    finite("feature maps", maps)
    return _tile(np.clip(maps, 0, None) / max(maps.max(), np.finfo(np.float64).tiny), cell, colours)


def filter_maps(filters: Any, cell: int = CELL, *, colours: bool = False) -> np.ndarray:
    """Draw the filters of a convolution, (m, c, kh, kw), as a tile of m columns and c rows.

    Grey is zero; each filter has its own contrast, its largest weight, by magnitude, being white or black. With `colours` three
    maps are red, green and blue: a filter on the pixels of coloured images is one coloured picture, and there is one row.

    Raises
    ------
    InputError
        Another shape, nothing to draw, or weights that are not finite.
    """
    maps = np.asarray(filters, dtype=np.float64)
    if maps.ndim != 4 or not maps.size:
        raise InputError("filters", f"shape {np.shape(filters)}", "(m, c, kh, kw), at least one of each")
    finite("filters", maps)
    largest = np.abs(maps).max(axis=(1, 2, 3) if colours and maps.shape[1] == 3 else (2, 3), keepdims=True)
    return _tile(maps / np.where(largest == 0, 1, largest) / 2 + 0.5, cell, colours)


def _tile(maps: np.ndarray, cell: int, colours: bool) -> np.ndarray:
    """Arrange maps (n, c, h, w) of numbers from 0 to 1 in n columns and c rows, white between; three are one in colours."""
    if colours and maps.shape[1] == 3:
        return np.stack([_tile(maps[:, i : i + 1], cell, False) for i in range(3)], axis=-1)
    n, c, h, w = maps.shape
    zoom = max(1, round(cell / max(h, w)))
    h, w = h * zoom, w * zoom
    tile = np.ones((c, h + GAP, n, w + GAP))
    tile[:, :h, :, :w] = maps.repeat(zoom, axis=2).repeat(zoom, axis=3).transpose(1, 2, 0, 3)
    return tile.reshape(c * (h + GAP), -1)[:-GAP, :-GAP]


def node_picture(nodes: Sequence[tuple[str, Any]], cell: int = CELL, coloured: Collection[str] = ()) -> Image.Image:
    """Put the maps of several nodes over one another, each under its name: image, code, reconstruction.

    Parameters
    ----------
    nodes : sequence of (label, array (n, c, h, w) or (n, k))
    coloured : collection of str
        The labels of those whose three maps are red, green and blue.
    """
    maps = [(label, feature_maps(values, cell, colours=label in coloured)) for label, values in nodes]
    return side_by_side(maps, columns=1)

"""All filters of a layer: their pictures, what is known of each, orders, and tiles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symae.errors import InputError
from symae.images.pictures import to_image
from symae.images.tiles import lay_out
from symae.inspector.figure import RGB, Figure, coloured
from symae.inspector.layout import ImageLayout
from symae.inspector.pixels import largest_magnitude, mosaic, quantised, vector_shape
from symae.models.description import FilterLayer

SPRITE = 1024  # filters in one picture for the page, 32 in a row
SORTS = ("index", "norm", "active", "similarity")
SCALINGS = ("each", "zero", "common")
LARGEST = 1e30  # beyond, float32 holds neither the numbers nor what is computed of them
DIRECTIONS = 32  # principal directions in which filters are compared


class Filters:
    """Hold the filters of one layer.

    `pictures` (n, h, w), or (n, h, w, 3) for images in colours, are the weights of each unit, 0 where they are not finite, in
    float32, or in float64 where that does not hold them. `holes`, of this shape, or None, are where weights are not finite, and
    `broken` (n,) says which units have such. `norms` are the weights' Euclidean norms, `low` and `high` the least and the
    largest of each unit.
    """

    def __init__(self, pictures: Any):
        array = np.asarray(pictures)
        finite = np.isfinite(array)
        self.broken = ~finite.reshape(len(array), -1).all(axis=1)
        self.holes = ~finite if self.broken.any() else None
        array = array if self.holes is None else np.where(finite, array, 0)
        reach = largest_magnitude(array)
        self.pictures = np.ascontiguousarray(array, dtype=np.float64 if reach > LARGEST else np.float32)
        flat = self._flat
        if reach > LARGEST:  # of a training that has diverged: the squares are infinite
            largest = np.abs(flat).max(axis=1)
            with np.errstate(over="ignore"):
                self.norms = largest * np.linalg.norm(flat / np.where(largest > 0, largest, 1)[:, None], axis=1)
        else:
            self.norms = np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=np.float64))
        self.low, self.high = flat.min(axis=1), flat.max(axis=1)

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def _flat(self) -> np.ndarray:
        return self.pictures.reshape(len(self.pictures), -1)

    def picture(self, unit: int) -> np.ndarray:
        """Return the weights of a unit, (h, w[, 3]), NaN where they are not finite."""
        shown = self.pictures[unit]
        return shown if self.holes is None else np.where(self.holes[unit], np.nan, shown)

    @property
    def sprites(self) -> int:
        """How many pictures of `SPRITE` filters there are."""
        return -(-len(self) // SPRITE)

    def sprite(self, number: int) -> np.ndarray:
        """Draw filters from ``number * SPRITE`` on as one picture of bytes, 32 in a row, no space between.

        Each has a scale of its own, zero at 127.5 and the largest weight, by magnitude, at 0 or 255: with `low` and `high` the
        page makes every other scale of it.
        """
        if not 0 <= number < self.sprites:
            raise InputError("sprite", str(number), f"a number from 0 to {self.sprites - 1}")
        part = self.pictures[number * SPRITE : (number + 1) * SPRITE]
        largest = np.abs(part).max(axis=_all_but_first(part), keepdims=True)
        return lay_out(quantised(part / np.where(largest > 0, largest, 1), -1, 1), (-(-len(part) // 32), 32))

    def order(self, sort: str, active: np.ndarray | None = None) -> np.ndarray:
        """Return the units' numbers, sorted.

        Parameters
        ----------
        sort : {"index", "norm", "active", "similarity"}
            By number; largest norm first; most often active first, for which `active` has a number for each unit; or so that
            neighbours look alike.

        Raises
        ------
        InputError
            There is no such order, or nothing is known of what is active.
        """
        if sort == "norm":
            return np.argsort(-self.norms, kind="stable")
        if sort == "active" and active is not None:
            return np.argsort(-active, kind="stable")
        if sort == "similarity":
            return chain(self._flat)
        if sort != "index":
            expected = f"one of {', '.join(SORTS)}" + ("; active needs test images" if sort == "active" else "")
            raise InputError("sort", repr(sort), expected)
        return np.arange(len(self))

    def alike(self, unit: int) -> np.ndarray:
        """Return the units in the order of their filters' likeness to that of `unit`, which comes first."""
        cosines = similarities(self._flat, unit)
        cosines[unit] = np.inf
        return np.argsort(-cosines, kind="stable")

    def figure(
        self,
        *,
        order: np.ndarray | None = None,
        tile_shape: tuple[int, int] | None = None,
        spacing: tuple[int, int] = (1, 1),
        scaling: str = "each",
        colours: str = "grey",
        zoom: int = 1,
        title: str = "filters",
    ) -> Figure:
        """Lay the filters out like tiles.

        Parameters
        ----------
        order : array of int, optional
            Which filters, in their order; as they are numbered if not given.
        tile_shape : (rows, columns), optional
            About a square if not given.
        spacing : (int, int)
            Pixels between tiles, down and across.
        scaling : {"each", "zero", "common"}
            Each filter from its least to its largest weight, as `symae.tile_raster_images` has it; each with zero in the
            middle; or all on one scale with zero in the middle.
        colours : {"grey", "inverse", "diverging", "viridis"}
            Filters of images in colours have their own. Weights that are not finite are magenta.
        zoom : int
            Pixels for a weight.
        """
        units = np.arange(len(self)) if order is None else np.asarray(order, dtype=np.intp)
        chosen = self.pictures[units]
        columns = math.ceil(math.sqrt(len(chosen)))
        rows, columns = tile_shape or (math.ceil(len(chosen) / columns), columns)
        scaled = scale(chosen, scaling)[: rows * columns]
        if self.holes is not None:
            scaled = np.where(self.holes[units][: rows * columns], np.nan, scaled)
        pixels = coloured(scaled, RGB if chosen.ndim == 4 else colours)
        picture = to_image(lay_out(pixels, (rows, columns), spacing))
        if zoom > 1:
            picture = picture.resize((picture.width * zoom, picture.height * zoom), 0)
        return Figure(picture, title)


def filter_pictures(layer: FilterLayer, values: np.ndarray, layout: ImageLayout) -> np.ndarray:
    """Return the weights of each unit as a picture, (units, h, w), or (units, h, w, 3) for the pixels of coloured images.

    Weights of several maps stand beside one another.
    """
    weights = layer.weights(np.asarray(values))
    if weights.ndim == 4:
        if layout.coloured and (layer.sees_pixels or layer.draws_pixels):
            return np.ascontiguousarray(np.moveaxis(weights, 1, 3))
        return np.stack([mosaic(maps) for maps in weights])
    if weights.shape[1] == layout.size:
        return layout.pictures(weights)
    rows, columns = vector_shape(weights.shape[1])
    padded = np.zeros((len(weights), rows * columns), weights.dtype)
    padded[:, : weights.shape[1]] = weights
    return padded.reshape(-1, rows, columns)


def scale(pictures: np.ndarray, scaling: str) -> np.ndarray:
    """Return weights (n, h, w[, 3]) as numbers from 0 to 1; see `Filters.figure`."""
    if (reach := largest_magnitude(pictures)) > 1e30:  # the span of the largest numbers is infinite
        pictures = pictures / reach
    axes = _all_but_first(pictures)
    if scaling == "each":
        low = pictures.min(axis=axes, keepdims=True)
        span = pictures.max(axis=axes, keepdims=True) - low
        return (pictures - low) / np.where(span > 0, span, 1)
    if scaling not in SCALINGS:
        raise InputError("scaling", repr(scaling), f"one of {', '.join(SCALINGS)}")
    largest = np.abs(pictures).max(axis=axes if scaling == "zero" else None, keepdims=True)
    return pictures / np.where(largest > 0, largest, 1) / 2 + 0.5


def _all_but_first(array: np.ndarray) -> tuple[int, ...]:
    return tuple(range(1, array.ndim))


def similarities(rows: np.ndarray, unit: int) -> np.ndarray:
    """Compute the cosine of the angle between each row and row `unit`; that of a row of zeros is 0."""
    units = _unit_rows(rows)
    return units @ units[unit]


def chain(rows: np.ndarray) -> np.ndarray:
    """Return an order of the rows in which neighbours point into similar directions.

    It begins with the longest row and goes on with the nearest one that is left. Rows are compared along the principal
    directions of all, so that ten thousand take a second and no matrix of all pairs.
    """
    if len(rows) < 3:
        return np.arange(len(rows))
    units = _unit_rows(rows)
    if units.shape[1] > DIRECTIONS:
        _, vectors = np.linalg.eigh(units.T @ units)
        units = np.ascontiguousarray(units @ vectors[:, -DIRECTIONS:])
    left = np.arange(len(rows))
    place = int(np.argmax(np.linalg.norm(rows / (largest_magnitude(rows) or 1.0), axis=1)))
    found = []
    for _ in range(len(rows)):
        found.append(left[place])
        current = units[place].copy()
        # the last row takes the place of the one that goes
        last = len(left) - 1
        left[place], units[place] = left[last], units[last]
        left, units = left[:last], units[:last]
        if last:
            place = int(np.argmax(units @ current))
    return np.array(found)


def _unit_rows(rows: np.ndarray) -> np.ndarray:
    largest = np.abs(rows).max(axis=1, initial=0, keepdims=True)
    if largest.max(initial=0) > 1e15:  # the square of what is larger still is infinite in float32
        rows = rows / np.where(largest > 0, largest, 1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.nan_to_num(rows / np.where(lengths > 0, lengths, 1))

"""Small pictures on their way to the page: bytes in base64, which the page colours."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from symae.images.tiles import lay_out


def quantised(values: Any, low: float, high: float) -> np.ndarray:
    """Return numbers as bytes: `low` is 0 and `high` 255; NaN is 0 too."""
    reach = max(abs(low), abs(high)) or 1.0
    if reach < 1e300:  # beyond, the span of two numbers is infinite
        reach = 1.0
    low, high = low / reach, high / reach
    span = high - low
    numbers = np.nan_to_num(np.asarray(values, dtype=np.float64) / reach, nan=low, posinf=high, neginf=low)
    return np.rint(np.clip((numbers - low) * (255 / span if span > 0 else 0), 0, 255)).astype(np.uint8)


def largest_magnitude(values: Any) -> float:
    """Return the largest of the finite numbers, by magnitude; 0 if there is none."""
    array = np.abs(np.asarray(values))
    return float(array.max(initial=0, where=np.isfinite(array)))


def least_finite(values: Any) -> float:
    """Return the least of the finite numbers; 0 if there is none."""
    array = np.asarray(values)
    finite = array[np.isfinite(array)]
    return float(finite.min()) if finite.size else 0.0


def stacked_pictures(pictures: np.ndarray) -> np.ndarray:
    """Stack pictures (n, h, w[, 3]) over one another in one."""
    return pictures.reshape(-1, *pictures.shape[2:])


def reduced(pictures: np.ndarray, side: int) -> np.ndarray:
    """Return pictures (n, h, w[, 3]) of at most `side` pixels a side, each pixel the mean of a block."""
    n, h, w = pictures.shape[:3]
    factor = -(-max(h, w) // side)
    if factor <= 1:
        return pictures
    rows, columns = -(-h // factor), -(-w // factor)
    padding = [(0, 0), (0, rows * factor - h), (0, columns * factor - w), *[(0, 0)] * (pictures.ndim - 3)]
    blocks = np.pad(pictures, padding, mode="edge").reshape(n, rows, factor, columns, factor, *pictures.shape[3:])
    return np.asarray(blocks.mean(axis=(2, 4)))


def pixels_json(picture: Any, *, signed: bool = False, low: float = 0.0, high: float | None = None) -> dict[str, Any]:
    """Return a picture (h, w), or (h, w, 3) in colours, as JSON: width, height, bytes, and what bytes 0 and 255 are.

    Where pixels are not finite, ``holes`` has a bit for each pixel, set there: the page marks them. Byte 255 is `high`, or the
    largest number. Where numbers are `signed`, zero is in the middle instead, and the largest, by magnitude, at one of the
    ends.
    """
    array = np.asarray(picture, dtype=np.float64)
    finite = array[np.isfinite(array)]
    if signed:
        high = float(np.abs(finite).max()) if finite.size else 0.0
        low = -high
    elif high is None:
        high = float(finite.max()) if finite.size else 0.0
    data = base64.b64encode(quantised(array, low, high).tobytes()).decode()
    found = {"w": array.shape[1], "h": array.shape[0], "data": data, "low": low, "high": high, "signed": signed}
    if array.ndim == 3:
        found["channels"] = 3
    if finite.size < array.size:
        holes = ~np.isfinite(array if array.ndim == 2 else array.sum(axis=2))
        found["holes"] = base64.b64encode(np.packbits(holes).tobytes()).decode()
    return found


def vector_shape(size: int) -> tuple[int, int]:
    """Return (rows, columns) that hold `size` numbers, as near to a square as whole numbers allow; few stand in a row."""
    if size <= 16:
        return 1, size
    rows = next(rows for rows in range(math.isqrt(size), 0, -1) if size % rows == 0)
    return (rows, size // rows) if size <= 4 * rows * rows else (math.isqrt(size - 1) + 1,) * 2


def mosaic(maps: Any, gap: int = 1) -> np.ndarray:
    """Lay maps (c, h, w) beside one another in one picture, with zeros between them; one map is itself."""
    array = np.asarray(maps)
    count, h, w = array.shape
    columns = math.ceil(math.sqrt(count * h / w)) if count > 1 else 1
    rows = math.ceil(count / columns)
    return lay_out(array, (rows, columns), (gap, gap) if count > 1 else (0, 0))


def code_picture(values: Any, shape: tuple[int, int] | None = None) -> np.ndarray:
    """Draw what a node computes of one image, (c, h, w) or (k,), as one picture; `shape` is that of vectors that are images."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 3:
        return mosaic(array)
    if array.ndim == 2:
        return array
    flat = array.reshape(-1)
    rows, columns = shape if shape is not None and math.prod(shape) == flat.size else vector_shape(flat.size)
    padded = np.zeros(rows * columns)
    padded[: flat.size] = flat
    return padded.reshape(rows, columns)

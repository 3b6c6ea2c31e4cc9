"""Windows over images: how many there are along an axis, and which pixels each one covers.

All ops that look at an image through windows (pooling, unpooling, neighbourhoods) share this arithmetic, and so do their
kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Axis:
    """Describe windows of `size` pixels, a `stride` apart, along an axis of n pixels.

    There are ``max(least, (n + offset) // stride + extra)`` of them, and window i covers the pixels from ``i * stride -
    before`` to ``i * stride - before + size``, of which some may lie outside of the image. `before` is `pad`; with `pad` None
    it is half (rounded down) of the pixels that the windows cover in excess of n.
    """

    size: int
    stride: int
    offset: int
    extra: int
    least: int
    pad: int | None

    @classmethod
    def whole(cls, size: int, stride: int, pad: int = 0) -> Axis:
        """Make an axis of the windows that lie in the image padded by `pad` on both sides (Theano's ``ignore_border=True``)."""
        return cls(size, stride, 2 * pad - size, 1, 0, pad)

    @classmethod
    def partial(cls, size: int, stride: int) -> Axis:
        """Make an axis of as many windows as it takes to cover the image (Theano's ``ignore_border=False``)."""
        return cls(size, stride, -1, 1, 0, 0) if stride >= size else cls(size, stride, -1 - size, 2, 1, 0)

    @classmethod
    def same(cls, size: int, stride: int) -> Axis:
        """Make an axis of ceil(n / stride) windows; both ends share what is missing (TensorFlow's ``SAME``)."""
        return cls(size, stride, -1, 1, 0, None)

    def count(self, n: Any, maximum: Callable[[Any, Any], Any] = max) -> Any:
        """Return the number of windows; `n` may be symbolic if `maximum` is."""
        return maximum((n + self.offset) // self.stride + self.extra, self.least)

    def before(self, n: int) -> int:
        """Return how far window 0 reaches out of the image."""
        if self.pad is not None:
            return self.pad
        return max((self.count(n) - 1) * self.stride + self.size - n, 0) // 2

    def positions(self, n: int) -> np.ndarray:
        """Return the pixels of each window, (count, size); those below 0 or not below `n` lie outside of the image."""
        starts = np.arange(self.count(n)) * self.stride - self.before(n)
        return starts[:, None] + np.arange(self.size)

    def covered(self, n: int) -> list[int]:
        """Return how many pixels of the image each window covers."""
        starts = [i * self.stride - self.before(n) for i in range(self.count(n))]
        return [min(start + self.size, n) - max(start, 0) for start in starts]


@dataclass(frozen=True)
class Windows:
    """Describe windows over the rows and the columns of an image."""

    rows: Axis
    columns: Axis

    def counts(self, h: Any, w: Any, maximum: Callable[[Any, Any], Any] = max) -> tuple[Any, Any]:
        return self.rows.count(h, maximum), self.columns.count(w, maximum)

    def known_counts(self, h: int | None, w: int | None) -> tuple[int | None, int | None]:
        """Return `counts` for static sizes, None along an axis whose size is unknown."""
        return None if h is None else self.rows.count(h), None if w is None else self.columns.count(w)

    @property
    def overlap(self) -> bool:
        """Return True if a pixel can lie in two windows."""
        return any(axis.stride < axis.size for axis in (self.rows, self.columns))

    def __str__(self) -> str:
        (p, s), (q, t) = ((axis.size, axis.stride) for axis in (self.rows, self.columns))
        return f"{p} x {q} every {s} x {t}"

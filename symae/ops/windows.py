"""Windows over images: how many there are along an axis, and which pixels each one covers.

All ops that look at an image through windows (pooling, unpooling, neighbourhoods) share this arithmetic, and what they accept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.basic import get_scalar_constant_value
from pytensor.tensor.type import integer_dtypes

from symae.errors import InputError, ShapeError

__all__ = [
    "FLOATS",
    "Axis",
    "ShapeError",
    "Windows",
    "as_array",
    "as_images",
    "as_size",
    "as_sizes",
    "extent",
    "flag",
    "known",
    "pair",
    "pooling_windows",
    "require_pixels",
]

FLOATS = ("float32", "float64")


@dataclass(frozen=True)
class Axis:
    """Windows of `size` pixels, a `stride` apart, along an axis of n pixels.

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
        """Only windows that lie in the image padded by `pad` on both sides (Theano's ``ignore_border=True``)."""
        return cls(size, stride, 2 * pad - size, 1, 0, pad)

    @classmethod
    def partial(cls, size: int, stride: int) -> Axis:
        """As many windows as it takes to cover the image (Theano's ``ignore_border=False``)."""
        return cls(size, stride, -1, 1, 0, 0) if stride >= size else cls(size, stride, -1 - size, 2, 1, 0)

    @classmethod
    def same(cls, size: int, stride: int) -> Axis:
        """ceil(n / stride) windows, what is missing shared between both ends (TensorFlow's ``SAME``)."""
        return cls(size, stride, -1, 1, 0, None)

    def count(self, n: Any, maximum: Callable[[Any, Any], Any] = max) -> Any:
        """The number of windows; `n` may be symbolic if `maximum` is."""
        return maximum((n + self.offset) // self.stride + self.extra, self.least)

    def before(self, n: int) -> int:
        """How far window 0 reaches out of the image."""
        if self.pad is not None:
            return self.pad
        return max((self.count(n) - 1) * self.stride + self.size - n, 0) // 2

    def positions(self, n: int) -> np.ndarray:
        """The pixels of each window, (count, size); those below 0 or not below `n` lie outside of the image."""
        starts = np.arange(self.count(n)) * self.stride - self.before(n)
        return starts[:, None] + np.arange(self.size)

    def covered(self, n: int) -> list[int]:
        """How many pixels of the image each window covers."""
        starts = [i * self.stride - self.before(n) for i in range(self.count(n))]
        return [min(start + self.size, n) - max(start, 0) for start in starts]


@dataclass(frozen=True)
class Windows:
    """Windows over the rows and the columns of an image."""

    rows: Axis
    columns: Axis

    def counts(self, h: Any, w: Any, maximum: Callable[[Any, Any], Any] = max) -> tuple[Any, Any]:
        return self.rows.count(h, maximum), self.columns.count(w, maximum)

    def known_counts(self, h: int | None, w: int | None) -> tuple[int | None, int | None]:
        """The same for static sizes, of which some may be unknown."""
        return None if h is None else self.rows.count(h), None if w is None else self.columns.count(w)

    @property
    def overlap(self) -> bool:
        """Whether a pixel can lie in two windows."""
        return any(axis.stride < axis.size for axis in (self.rows, self.columns))

    def __str__(self) -> str:
        (p, s), (q, t) = ((axis.size, axis.stride) for axis in (self.rows, self.columns))
        return f"{p} x {q} every {s} x {t}"


def pair(place: str, value: Any, least: int = 1) -> tuple[int, int]:
    """`value`, an integer or two of them, as two integers of at least `least`."""
    try:
        entries = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else (value, value)
        first, second = entries
        result = operator.index(first), operator.index(second)
    except (TypeError, ValueError):
        entries, result = (), (least - 1, least - 1)
    if min(result) < least or any(isinstance(entry, bool) for entry in entries):
        raise InputError(place, repr(value), f"an integer of at least {least}, or two of them")
    return result


def flag(place: str, value: Any) -> bool:
    """`value`, True or False, and nothing that only counts as one of them."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(place, repr(value), "True or False")
    return bool(value)


def pooling_windows(place: str, ws: Any, stride: Any, pad: Any, ignore_border: bool) -> Windows:
    """The windows that the arguments of a pooling function describe."""
    sizes = pair(f"{place}: ws", ws)
    strides = sizes if stride is None else pair(f"{place}: stride", stride)
    if isinstance(pad, str):
        if pad not in ("same", "valid"):
            raise InputError(f"{place}: pad", repr(pad), '"same", "valid", an integer or two of them')
        kind = Axis.same if pad == "same" else Axis.whole
        rows, columns = map(kind, sizes, strides)
        return Windows(rows, columns)
    pads = pair(f"{place}: pad", pad, 0)
    if flag(f"{place}: ignore_border", ignore_border):
        if any(p >= size for p, size in zip(pads, sizes, strict=True)):
            raise InputError(f"{place}: pad", str(pads), f"less than the window, {sizes}: a window needs a pixel to look at")
        rows, columns = map(Axis.whole, sizes, strides, pads)
    else:
        if any(pads):
            raise InputError(f"{place}: pad", f"{pads} with ignore_border=False", "padding only with ignore_border=True")
        rows, columns = map(Axis.partial, sizes, strides)
    return Windows(rows, columns)


def as_array(place: str, value: Any) -> Variable:
    """`value` as a symbolic array."""
    try:
        return pt.as_tensor(value)
    except (NotImplementedError, TypeError, ValueError) as error:
        raise TypeError(f"{place}: found {value!r}, expected an array or a symbolic one") from error


def as_images(place: str, images: Any, *, pixels: bool = True) -> Variable:
    """`images` as a symbolic array of floats (n, c, h, w); with `pixels`, h and w are not 0."""
    variable = as_array(place, images)
    if variable.type.ndim != 4:
        raise InputError(place, f"{variable.type.ndim} dimensions", "4: (n, c, h, w)")
    if variable.type.dtype not in FLOATS:
        raise TypeError(f"{place}: found dtype {variable.type.dtype}, expected {' or '.join(FLOATS)}")
    if pixels:
        require_pixels(place, variable.type.shape)
    return variable


def require_pixels(place: str, shape: Sequence[int | None]) -> None:
    """Refuse images without a row or without a column; there may be no images at all."""
    if 0 in shape[2:]:
        raise InputError(place, f"shape {tuple(shape)}", "at least one row and one column")


def as_size(place: str, size: Any, *, checked: bool = True) -> Variable:
    """`size`, an integer or a symbolic one, as a symbolic scalar; if it is `checked` here, it cannot be negative."""
    if isinstance(size, int | np.integer) and not isinstance(size, bool):
        if checked and size < 0:
            raise InputError(place, str(size), "a size of at least 0")
        return pt.constant(size, dtype="int64")
    variable = as_array(place, size) if isinstance(size, Variable | np.ndarray) else None
    if variable is None or variable.type.ndim != 0 or variable.type.dtype not in integer_dtypes:
        raise TypeError(f"{place}: found {size!r}, expected an integer")
    return pt.cast(variable, "int64")


def as_sizes(place: str, shape: Any, lengths: Sequence[int]) -> Sequence[Any]:
    """`shape`, a sequence or a symbolic vector, as a sequence that has one of these lengths."""
    if isinstance(shape, Variable):
        known_length = shape.type.shape[0] if shape.type.ndim == 1 else None
        sizes: Sequence[Any] = [shape[i] for i in range(known_length or 0)]
    else:
        sizes = list(shape) if isinstance(shape, Sequence | np.ndarray) and not isinstance(shape, str) else []
    if len(sizes) not in lengths:
        raise InputError(place, str(shape), " or ".join(("", "", "(h, w)", "", "(n, c, h, w)")[length] for length in lengths))
    return sizes


def extent(array: Variable, axis: int) -> Any:
    """The size of an axis: an int where it is known, else symbolic."""
    size = array.type.shape[axis]
    return array.shape[axis] if size is None else size


def known(size: Variable) -> int | None:
    """The value of a symbolic scalar, where it is constant."""
    value = get_scalar_constant_value(size, raise_not_constant=False)
    return None if isinstance(value, Variable) else int(value)

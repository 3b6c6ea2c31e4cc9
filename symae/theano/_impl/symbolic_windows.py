"""Pooling and neighbourhoods whose sizes are known only when the graph runs, from PyTensor's own operations.

symae's kernels are made for windows of one size. Here the pixels of all windows are picked by an index, which takes as much
memory as they have pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae.errors import InputError
from symae.ops.neighbours import MODES as NEIGHBOUR_MODES
from symae.ops.pooling.pool import MODES as POOL_MODES
from symae.theano._impl.checked import CheckedBothWays
from symae.theano._impl.shape_arguments import numbers, size
from symae.theano._impl.variables import known_type

__all__ = ["are_symbolic", "images_of_neighbours", "neighbours", "pooled", "sizes"]


def sizes(where: str, value: Any, length: int) -> tuple[Any, ...]:
    """Return `length` sizes: ints where they are known, else symbolic scalars.

    Parameters
    ----------
    where : str
        The argument's name, for errors.
    value : number, sequence of numbers and symbolic scalars, or symbolic vector
        The elements of a shared variable are symbolic, because functions see the value that it has when they are called.
    length : int
    """
    if isinstance(value, Variable) and value.type.ndim == 1 and known_type(value).shape[0] in (None, length):
        entries = [value[i] for i in range(length)]
    elif isinstance(value, list | tuple) and any(isinstance(entry, Variable) for entry in value):
        entries = list(value)
    else:
        entries = [value] * length if isinstance(value, Variable) else list(numbers(where, value, length))
    entries = [entry if isinstance(entry, SharedVariable) else size(entry) for entry in entries]
    scalars = [entry for entry in entries if isinstance(entry, Variable)]
    if len(entries) != length or any(v.type.ndim or v.type.dtype not in pt.type.integer_dtypes for v in scalars):
        raise InputError(where, str(value), f"{length} integers, in numbers or symbolic")
    return tuple(pt.cast(entry, "int64") if isinstance(entry, Variable) else int(entry) for entry in entries)


def are_symbolic(*values: Sequence[Any]) -> bool:
    """Return True if any of the sizes is known only when the graph runs."""
    return any(isinstance(entry, Variable) for entries in values for entry in entries)


def pooled(
    images: Variable, ws: Sequence[Any], stride: Sequence[Any], pad: Sequence[Any], ignore_border: bool, mode: str
) -> Variable:
    """Return the maximum, sum or average of each window, as `symae.ops.pool2d` says, of (n, c, h, w)."""
    if mode not in POOL_MODES:
        raise InputError("pool_2d: mode", repr(mode), f"one of {', '.join(POOL_MODES)}")
    if not ignore_border:
        if any(isinstance(p, int) and p for p in pad):
            raise InputError("pool_2d: pad", str(tuple(pad)), "no padding with ignore_border=False")
        images = _checked(
            "pool_2d: pad is 0 with ignore_border=False", images, [pt.eq(p, 0) for p in pad if not isinstance(p, int)]
        )
        pad = (0, 0)
    padded = not all(isinstance(p, int) and p == 0 for p in pad)
    images = _checked("pool_2d: ws and stride are at least 1", images, [pt.ge(n, 1) for n in (*ws, *stride)])
    images = _checked("pool_2d: pad is at least 0 and less than ws", images, _inside(pad, ws) if padded else [])
    counts = [
        _whole(n, *settings) if ignore_border else _partial(n, *settings[:2])
        for n, settings in zip((images.shape[2], images.shape[3]), zip(ws, stride, pad, strict=True), strict=True)
    ]
    seen, is_inside = _windows(images, ws, stride, pad, counts)
    if mode == "max":
        return pt.switch(is_inside, seen, np.array(-np.inf, images.type.dtype)).max(axis=-1)
    total = pt.switch(is_inside, seen, np.array(0, images.type.dtype)).sum(axis=-1)
    if mode == "sum":
        return total
    divisor = ws[0] * ws[1] if mode == "average_inc_pad" and padded else is_inside.sum(axis=-1)
    return total / pt.cast(divisor, images.type.dtype)


def neighbours(images: Variable, shape: Sequence[Any], step: Sequence[Any], mode: str) -> Variable:
    """Return the neighbourhoods in (n, c, h, w) as rows of a matrix, as `symae.ops.images2neibs` says."""
    if mode not in NEIGHBOUR_MODES:
        raise InputError("images2neibs: mode", repr(mode), f"one of {', '.join(NEIGHBOUR_MODES)}")
    images = _checked("images2neibs: neib_shape and neib_step are at least 1", images, [pt.ge(n, 1) for n in (*shape, *step)])
    extents = images.shape[2], images.shape[3]
    if mode == "wrap_centered":
        odd = [pt.eq(pt.as_tensor(n) % 2, 1) for n in shape]
        images = _checked("images2neibs: neib_shape is odd with mode wrap_centered", images, odd, TypeError)
        pad = [n // 2 for n in shape]
        counts = [(n - 1) // s + 1 for n, s in zip(extents, step, strict=True)]
        fits = [pt.ge(n, r) for n, r in zip(extents, shape, strict=True)]
    else:
        pad = [n // 2 if mode == "half" else n - 1 if mode == "full" else 0 for n in shape]
        counts = [_whole(n, *settings) for n, settings in zip(extents, zip(shape, step, pad, strict=True), strict=True)]
        over = [n + 2 * p - r for n, r, p in zip(extents, shape, pad, strict=True)]
        fits = [pt.and_(pt.ge(n, r), pt.eq(o % s, 0)) for n, r, o, s in zip(extents, shape, over, step, strict=True)]
    images = _checked(
        f"images2neibs: images are as large as a neighbourhood, and steps end at their borders with mode {mode}",
        images,
        [] if mode == "ignore_borders" else fits,
        TypeError,
    )
    seen, is_inside = _windows(images, shape, step, pad, counts, wraps=mode == "wrap_centered")
    kept = pt.switch(is_inside, seen, np.array(0, images.type.dtype))
    return kept.reshape((kept.shape[0] * kept.shape[1] * kept.shape[2] * kept.shape[3], kept.shape[4]))


def images_of_neighbours(neibs: Variable, shape: Sequence[Any], sizes_of_images: Sequence[Any], mode: str) -> Variable:
    """Return the images that neighbourhoods were laid out from, as `symae.ops.neibs2images` says."""
    if mode not in ("valid", "ignore_borders"):
        raise InputError("neibs2images: mode", repr(mode), "one of valid, ignore_borders")
    (n, c, h, w), (r, s) = (pt.as_tensor(size) for size in sizes_of_images), shape
    i, j = h // r, w // s
    fits = [pt.eq(i * r, h), pt.eq(j * s, w)] if mode == "valid" else []
    neibs = _checked("neibs2images: neighbourhoods cover the images with mode valid", neibs, fits)
    covered = neibs.reshape((n, c, i, j, r, s)).dimshuffle(0, 1, 2, 4, 3, 5).reshape((n, c, i * r, j * s))
    if mode == "valid":
        return covered
    return pt.set_subtensor(pt.zeros((n, c, h, w), neibs.type.dtype)[:, :, : i * r, : j * s], covered)


def _windows(
    images: Variable, ws: Sequence[Any], stride: Sequence[Any], pad: Sequence[Any], counts: Sequence[Any], wraps: bool = False
) -> tuple[Variable, Variable]:
    """Return the pixels of each window, (n, c, i, j, p * q), and which of them lie in the image, (i, j, p * q)."""
    n, c, h, w = (images.shape[axis] for axis in range(4))
    rows, columns = (
        pt.arange(count).dimshuffle(0, "x") * s - p + pt.arange(size)
        for count, s, p, size in zip(counts, stride, pad, ws, strict=True)
    )
    row, column = rows.dimshuffle(0, "x", 1, "x"), columns.dimshuffle("x", 0, "x", 1)
    shape = (counts[0], counts[1], ws[0] * ws[1])
    is_inside = (pt.ge(row, 0) & pt.lt(row, h) & pt.ge(column, 0) & pt.lt(column, w)).reshape(shape)
    if wraps:
        row, column, is_inside = row % h, column % w, pt.ones_like(is_inside)
    at = pt.clip(row, 0, h - 1) * w + pt.clip(column, 0, w - 1)
    seen = images.reshape((n * c, h * w))[:, at.flatten()]
    return seen.reshape((n, c, *shape)), is_inside


def _whole(n: Any, size: Any, stride: Any, pad: Any) -> Any:
    """Return the number of windows that lie in the padded image, as `symae.geometry.windows.Axis.whole` has it."""
    return pt.maximum((n + 2 * pad - size) // stride + 1, 0)


def _partial(n: Any, size: Any, stride: Any) -> Any:
    """Return the number of windows that it takes to cover the image, as `symae.geometry.windows.Axis.partial` has it."""
    return pt.switch(pt.ge(stride, size), (n - 1) // stride + 1, pt.maximum((n - 1 - size) // stride + 2, 1))


def _inside(pad: Sequence[Any], ws: Sequence[Any]) -> list[Variable]:
    return [pt.and_(pt.ge(p, 0), pt.lt(p, size)) for p, size in zip(pad, ws, strict=True)]


def _checked(expected: str, images: Variable, conditions: Sequence[Any], error: type[Exception] = ValueError) -> Variable:
    """Return `images`, which raise `error`, as their gradient does, if a condition does not hold when the graph runs."""
    return CheckedBothWays(error, f"expected: {expected}")(images, *conditions) if conditions else images

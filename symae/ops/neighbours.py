"""Neighbourhoods: a matrix with a row for each window of an image, and the way back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import pair
from symae.errors import InputError, WindowError
from symae.geometry.windows import Axis, Windows
from symae.ops.arguments import FLOATS, as_images, as_size, as_sizes, extent, known, require_pixels
from symae.ops.traced import Arrays, TracedOp, concrete, padded, strided
from symae.typing import TensorLike

MODES = ("valid", "ignore_borders", "wrap_centered", "half", "full")


def images2neibs(ten4: TensorLike, neib_shape: Any, neib_step: Any = None, mode: str = "valid") -> TensorVariable:
    """Lay out the neighbourhoods in images as rows of a matrix.

    Parameters
    ----------
    ten4 : (n, c, h, w), float32 or float64
        Images; h and w at least 1.
    neib_shape : int or (int, int)
        Height r and width s of a neighbourhood, at least 1.
    neib_step : int or (int, int), optional
        Rows and columns from one neighbourhood to the next, at least 1; `neib_shape` if not given.
    mode : {"valid", "ignore_borders", "wrap_centered", "half", "full"}
        "valid": the steps must end exactly at the borders, h = r + a whole number of steps. "ignore_borders": what is over at
        the bottom and the right is left out. "half", "full": "valid" on images with r // 2 or r - 1 rows of zeros above and
        below, and so for the columns. "wrap_centered": neighbourhoods of odd height and width are centred on the pixels
        (0, 0), (0, step), …, and where they reach out of the image they go on at the opposite border.

    Returns
    -------
    (n * c * i * j, r * s), of the dtype of `ten4`
        Neighbourhoods in the order of images, channels, i rows and j columns; each is flattened row by row. Linear in `ten4`.

    Raises
    ------
    WindowError
        Neighbourhoods larger than the image (except with "ignore_borders", which then finds none) or steps that do not end at
        the borders; even sizes with "wrap_centered". It is an InputError.
    InputError
        A number out of its range, an unknown mode, not 4 dimensions.
    TypeError
        `ten4` does not hold floats.

    Notes
    -----
    Meaning and shapes are those of Theano 1.0.5, ``theano.tensor.nnet.neighbours.images2neibs``; here all modes have gradients.
    """
    size = pair("images2neibs: neib_shape", neib_shape)
    step = size if neib_step is None else pair("images2neibs: neib_step", neib_step)
    return Images2Neibs(size, step, mode)(ten4)


def neibs2images(neibs: TensorLike, neib_shape: Any, original_shape: Any, mode: str = "valid") -> TensorVariable:
    """Put the neighbourhoods that `images2neibs` laid out, without a step of its own, together again.

    Parameters
    ----------
    neibs : (n * c * i * j, r * s), float32 or float64
        A neighbourhood in each row.
    neib_shape : int or (int, int)
        Height r and width s of a neighbourhood.
    original_shape : (n, c, h, w)
        Shape of the images, ints or symbolic.
    mode : {"valid", "ignore_borders"}
        Whether the neighbourhoods cover the images; if not, the rest is zero.

    Returns
    -------
    (n, c, h, w), of the dtype of `neibs`
        Linear in `neibs`.

    Raises
    ------
    InputError
        `neibs` does not have the shape of the neighbourhoods of such images, or another argument is not as above.
    TypeError
        `neibs` does not hold floats.

    Notes
    -----
    Meaning of Theano 1.0.5, ``theano.tensor.nnet.neighbours.neibs2images``.
    """
    size = pair("neibs2images: neib_shape", neib_shape)
    if mode not in ("valid", "ignore_borders"):
        raise InputError("neibs2images: mode", repr(mode), "one of valid, ignore_borders")
    sizes = as_sizes("neibs2images: original_shape", original_shape, (4,))
    return Neibs2Images(size, size, mode)(neibs, *sizes)


class _Neighbours(TracedOp):
    __props__ = ("neib_shape", "neib_step", "mode")

    where: str

    def __init__(self, neib_shape: tuple[int, int], neib_step: tuple[int, int], mode: str):
        if mode not in MODES:
            raise InputError(f"{self.where}: mode", repr(mode), f"one of {', '.join(MODES)}")
        if mode == "wrap_centered" and not all(size % 2 for size in neib_shape):
            raise WindowError(f"{self.where}: neib_shape", str(neib_shape), "odd numbers with mode wrap_centered")
        self.neib_shape = neib_shape
        self.neib_step = neib_step
        self.mode = mode

    @property
    def windows(self) -> Windows:
        rows, columns = (self.axis(size, step) for size, step in zip(self.neib_shape, self.neib_step, strict=True))
        return Windows(rows, columns)

    def axis(self, size: int, step: int) -> Axis:
        if self.mode == "wrap_centered":
            return Axis(size, step, offset=-1, extra=1, least=0, pad=size // 2)  # ceil(n / step) of them
        return Axis.whole(size, step, {"half": size // 2, "full": size - 1}.get(self.mode, 0))

    @property
    def expected(self) -> str:
        """What images have to be like, for messages."""
        (r, s), (a, b) = self.neib_shape, self.neib_step
        what = f"images of at least {r} x {s} pixels"
        return what if self.mode == "wrap_centered" else f"{what}, into which steps of {a} x {b} fit with mode {self.mode}"

    def pixel_arrays(self, h: int, w: int) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = self.windows.rows, self.windows.columns
        return (
            np.array(self.pixels(rows, h), np.int64).reshape((-1, rows.size)),
            np.array(self.pixels(columns, w), np.int64).reshape((-1, columns.size)),
        )

    def check_images(self, where: str, shape: Sequence[int | None]) -> None:
        require_pixels(where, shape)
        if self.mode == "ignore_borders":
            return
        for axis, n in zip((self.windows.rows, self.windows.columns), shape[2:], strict=True):
            steps_fit = self.mode == "wrap_centered" or n is None or (n + axis.offset) % axis.stride == 0
            if n is not None and (n < axis.size or not steps_fit):
                raise WindowError(where, f"shape {tuple(shape)}", self.expected)

    def pixels(self, axis: Axis, n: int) -> list[list[int]]:
        """Return the pixels of each window along an axis, -1 outside of the image."""
        starts = [i * axis.stride - axis.before(n) for i in range(axis.count(n))]
        at = [[start + k for k in range(axis.size)] for start in starts]
        if self.mode == "wrap_centered":
            return [[k % n for k in row] for row in at]
        return [[k if 0 <= k < n else -1 for k in row] for row in at]


class Images2Neibs(_Neighbours):
    """Lay each window out in a row, (n, c, h, w) -> (n * c * i * j, r * s): linear, with `Neibs2Images` for its transpose."""

    where = "images2neibs"

    def make_node(self, images: Any) -> Apply:
        images = as_images(f"{self.where}: ten4", images)
        self.check_images(f"{self.where}: ten4", images.type.shape)
        n, c, h, w = images.type.shape
        sizes = (n, c, *self.windows.known_counts(h, w))
        count = None if None in sizes else math.prod(sizes)
        shape = (count, self.neib_shape[0] * self.neib_shape[1])
        return Apply(self, [images], [pt.tensor(dtype=images.type.dtype, shape=shape)])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        n, c, h, w = shapes[0]
        i, j = self.windows.counts(h, w, pt.maximum)
        return [(n * c * i * j, self.neib_shape[0] * self.neib_shape[1])]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        transpose = Neibs2Images(self.neib_shape, self.neib_step, self.mode)
        return [transpose(cotangents[0], *(extent(inputs[0], axis) for axis in range(4)))]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        (images,) = inputs
        self.check_images(f"{self.where}: ten4", images.shape)
        n, c, h, w = images.shape
        rows, columns = self.pixel_arrays(h, w)
        framed = np.pad(images, ((0, 0), (0, 0), (0, 1), (0, 1)))  # index -1 is a zero now
        seen = framed[:, :, rows[:, None, :, None], columns[None, :, None, :]]
        output_storage[0][0] = seen.reshape((n * c * len(rows) * len(columns), rows.shape[1] * columns.shape[1]))

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.neighbours import gather

        return gather(self.windows, self.mode, f"{self.where}: ten4", self.expected)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        (x,) = inputs
        self.check_images(f"{self.where}: ten4", tuple(x.shape))
        n, c, h, w = x.shape
        (p, q), (i, j) = self.neib_shape, self.windows.counts(h, w)
        for axis, dimension, size in ((self.windows.rows, 2, h), (self.windows.columns, 3, w)):
            pixels = [size if at < 0 else at for row in self.pixels(axis, size) for at in row]
            x = xp.take(padded(xp, x, dimension, 0, 1, edge=False), pixels, dimension)
        return xp.transpose(x.reshape((n, c, i, p, j, q)), (0, 1, 2, 4, 3, 5)).reshape((n * c * i * j, p * q))


class Neibs2Images(_Neighbours):
    """Add rows up to images, (neibs (n * c * i * j, r * s), n, c, h, w) -> (n, c, h, w), where neighbourhoods may overlap."""

    where = "neibs2images"
    connected = 1

    def make_node(self, neibs: Any, *sizes: Any) -> Apply:
        neibs = pt.as_tensor(neibs)
        if neibs.type.ndim != 2:
            raise InputError(f"{self.where}: neibs", f"{neibs.type.ndim} dimensions", "2: a neighbourhood in each row")
        if neibs.type.dtype not in FLOATS:
            raise TypeError(f"{self.where}: neibs: found dtype {neibs.type.dtype}, expected {' or '.join(FLOATS)}")
        n, c, h, w = (as_size(f"{self.where}: original_shape", size) for size in sizes)
        shape = (known(n), known(c), known(h), known(w))
        self.check_shapes(neibs.type.shape, shape)
        return Apply(self, [neibs, n, c, h, w], [pt.tensor(dtype=neibs.type.dtype, shape=shape)])

    def check_shapes(self, neibs: Sequence[int | None], images: Sequence[int | None]) -> None:
        self.check_images(f"{self.where}: original_shape", images)
        sizes = (*images[:2], *self.windows.known_counts(images[2], images[3]))
        count = math.prod(size for size in sizes if size is not None) if None not in sizes else None
        wanted = (count, self.neib_shape[0] * self.neib_shape[1])
        if any(a != b for a, b in zip(neibs, wanted, strict=True) if a is not None and b is not None):
            expected = f"{wanted}, the neighbourhoods of images {tuple(images)}"
            raise InputError(f"{self.where}: neibs", f"shape {tuple(neibs)}", expected)

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [tuple(node.inputs[1:])]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        gradient = Images2Neibs(self.neib_shape, self.neib_step, self.mode)(cotangents[0])
        return [gradient, *(DisconnectedType()() for _ in range(4))]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        neibs, shape = inputs[0], tuple(int(size) for size in inputs[1:])
        self.check_shapes(neibs.shape, shape)
        n, c, h, w = shape
        rows, columns = self.pixel_arrays(h, w)
        framed = np.zeros((n, c, h + 1, w + 1), neibs.dtype)  # index -1 is left out at the end
        values = neibs.reshape((n, c, len(rows), len(columns), rows.shape[1], columns.shape[1]))
        index: Any = (slice(None), slice(None), rows[:, None, :, None], columns[None, :, None, :])
        np.add.at(framed, index, values)
        output_storage[0][0] = np.ascontiguousarray(framed[:, :, :h, :w])

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.neighbours import scatter
        from symae.kernels.pooling import jit

        put_back = scatter(self.windows, self.mode, self.where, self.expected)

        @jit
        def neibs2images(neibs: Any, n: Any, c: Any, h: Any, w: Any) -> Any:
            return put_back(neibs, n.item(), c.item(), h.item(), w.item())

        return neibs2images

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        x = inputs[0]
        n, c, h, w = (concrete(self, size, value) for size, value in zip(node.inputs[1:], inputs[1:], strict=True))
        self.check_shapes(tuple(x.shape), (n, c, h, w))
        (p, q), (i, j) = self.neib_shape, self.windows.counts(h, w)
        x = xp.transpose(x.reshape((n, c, i, j, p, q)), (0, 1, 2, 4, 3, 5)).reshape((n, c, i * p, j * q))
        for axis, dimension, size in ((self.windows.rows, 2, h), (self.windows.columns, 3, w)):
            pixels = [size if at < 0 else at for row in self.pixels(axis, size) for at in row]
            x = strided(xp.add_at(x, pixels, dimension, size + 1), dimension, 0, 1, size)
        return x

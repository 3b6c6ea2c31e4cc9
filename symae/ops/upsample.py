"""Upsampling: larger images from small ones, by repeating pixels or by bilinear interpolation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.variable import TensorVariable

from symae._runtime.checks import pair
from symae.errors import InputError
from symae.geometry.windows import Axis, Windows
from symae.ops.arguments import as_images, require_pixels
from symae.ops.pooling.sum_pool import SumPool
from symae.ops.traced import Arrays, TracedOp, spread_along, strided
from symae.typing import TensorLike

MODES = ("nearest", "bilinear")


def upsample2d(input: TensorLike, factor: Any, mode: str = "nearest") -> TensorVariable:
    """Enlarge images by a whole factor.

    Parameters
    ----------
    input : (n, c, h, w), float32 or float64
        Images; h and w at least 1.
    factor : int or (int, int)
        How many rows become of one, and how many columns; at least 1.
    mode : {"nearest", "bilinear"}
        "nearest": each pixel is repeated, y[n, c, i, j] = x[n, c, i // f, j // g]. "bilinear": pixels are little squares with
        their value at the centre, so y[n, c, i, j] is interpolated at row (i + 1/2) / f - 1/2 and column (j + 1/2) / g - 1/2,
        and beyond the outermost centres it is constant. That is PyTorch's
        ``interpolate(mode="bilinear", align_corners=False)``, and what Keras's ``UpSampling2D`` does.

    Returns
    -------
    (n, c, h * f, w * g), of the dtype of `input`
        Linear in `input`.

    Raises
    ------
    InputError
        A factor below 1, an unknown mode, not 4 dimensions, images without a pixel.
    TypeError
        `input` does not hold floats.
    """
    factors = pair("upsample2d: factor", factor)
    if mode not in MODES:
        raise InputError("upsample2d: mode", repr(mode), f"one of {', '.join(MODES)}")
    op = NearestUpsample(factors) if mode == "nearest" else BilinearUpsample(factors)
    return op(input)


class _Upsample(TracedOp):
    """Hold what the ops of upsampling share; `factor` is (rows, columns)."""

    __props__ = ("factor",)
    where = "upsample2d: input"

    def __init__(self, factor: tuple[int, int]):
        self.factor = factor

    def sizes(self, h: Any, w: Any) -> tuple[Any, Any]:
        """Return rows and columns of the output."""
        return h * self.factor[0], w * self.factor[1]

    def make_node(self, images: Any) -> Apply:
        images = as_images(self.where, images)
        n, c, h, w = images.type.shape
        rows, columns = self.sizes(1 if h is None else h, 1 if w is None else w)
        shape = (n, c, None if h is None else rows, None if w is None else columns)
        return Apply(self, [images], [pt.tensor(dtype=images.type.dtype, shape=shape)])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        n, c, h, w = shapes[0]
        return [(n, c, *self.sizes(h, w))]


class NearestUpsample(_Upsample):
    """Repeat each pixel f times g times, (n, c, h, w) -> (n, c, h * f, w * g): the transpose of a sum over windows."""

    @property
    def windows(self) -> Windows:
        f, g = self.factor
        return Windows(Axis.whole(f, f), Axis.whole(g, g))

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [SumPool(self.windows)(cotangents[0])]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        f, g = self.factor
        require_pixels(self.where, inputs[0].shape)
        output_storage[0][0] = inputs[0].repeat(f, axis=2).repeat(g, axis=3)

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.pooling import threads_for_pixels
        from symae.kernels.upsampling import repeat

        images = node.outputs[0].type
        return repeat(self.windows, self.where, threads_for_pixels(images.shape), images.dtype)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        (x,) = inputs
        require_pixels(self.where, x.shape)
        h, w = self.sizes(*x.shape[2:])
        return spread_along(xp, spread_along(xp, x, self.windows.rows, h, 2), self.windows.columns, w, 3)

    def eagerly(self, xp: Any, node: Apply, *inputs: Any) -> Any:
        (x,) = inputs
        require_pixels(self.where, x.shape)
        return x.repeat_interleave(self.factor[1], 3).repeat_interleave(self.factor[0], 2)


def taps(factor: int) -> tuple[tuple[float, float, float], ...]:
    """Return for each of the `factor` pixels that are made of pixel i the weights of i - 1, i and i + 1 in it."""
    shifts = [(r + 0.5) / factor - 0.5 for r in range(factor)]
    return tuple((max(-shift, 0.0), 1 - abs(shift), max(shift, 0.0)) for shift in shifts)


class BilinearUpsample(_Upsample):
    """Interpolate along rows and then along columns, (n, c, h, w) -> (n, c, h * f, w * g)."""

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [BilinearUpsampleTranspose(self.factor)(cotangents[0])]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        (x,) = inputs
        require_pixels(self.where, x.shape)
        for axis, factor in ((2, self.factor[0]), (3, self.factor[1])):
            left, right, t = interpolation(x.shape[axis], factor)
            x = np.moveaxis(x, axis, -1)
            x = np.moveaxis(((1 - t) * x[..., left] + t * x[..., right]).astype(x.dtype), -1, axis)
        output_storage[0][0] = np.ascontiguousarray(x)

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.pooling import threads_for_pixels
        from symae.kernels.upsampling import interpolate

        rows, columns = map(taps, self.factor)
        threads = threads_for_pixels(node.outputs[0].type.shape)
        return interpolate(rows, columns, node.inputs[0].type.dtype, self.where, threads)

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        (x,) = inputs
        require_pixels(self.where, x.shape)
        for dimension, factor in ((2, self.factor[0]), (3, self.factor[1])):
            n, shape = x.shape[dimension], list(x.shape)
            shape[dimension] = n * factor
            first, last = strided(x, dimension, 0, 1, 1), strided(x, dimension, n - 1, 1, 1)
            before = xp.concatenate([first, strided(x, dimension, 0, 1, n - 1)], dimension) if n > 1 else first
            after = xp.concatenate([strided(x, dimension, 1, 1, n - 1), last], dimension) if n > 1 else last
            phases = [a * before + b * x + c * after for a, b, c in taps(factor)]
            x = xp.stack(phases, dimension + 1).reshape(shape)
        return x


class BilinearUpsampleTranspose(_Upsample):
    """Transpose `BilinearUpsample`, (n, c, h * f, w * g) -> (n, c, h, w)."""

    where = "upsample2d: gradient"

    def sizes(self, h: Any, w: Any) -> tuple[Any, Any]:
        return h // self.factor[0], w // self.factor[1]

    def pullback(self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list[Any]:
        return [BilinearUpsample(self.factor)(cotangents[0])]

    def check_shape(self, shape: Sequence[int]) -> None:
        if shape[2] % self.factor[0] or shape[3] % self.factor[1]:
            raise InputError(self.where, f"shape {tuple(shape)}", f"multiples of {self.factor} rows and columns")

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        (x,) = inputs
        self.check_shape(x.shape)
        for axis, factor in ((2, self.factor[0]), (3, self.factor[1])):
            n = x.shape[axis] // factor
            left, right, t = interpolation(n, factor)
            fine = np.moveaxis(x, axis, -1)
            coarse = np.zeros((*fine.shape[:-1], n), x.dtype)
            np.add.at(coarse, (..., left), (1 - t) * fine)  # type: ignore[arg-type]  # NumPy takes an ellipsis here
            np.add.at(coarse, (..., right), t * fine)  # type: ignore[arg-type]
            x = np.moveaxis(coarse, -1, axis)
        output_storage[0][0] = np.ascontiguousarray(x)

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.pooling import threads_for_pixels
        from symae.kernels.upsampling import interpolate_transpose

        rows, columns = map(taps, self.factor)
        fine = node.inputs[0].type
        return interpolate_transpose(rows, columns, fine.dtype, self.where, threads_for_pixels(fine.shape))

    def traced(self, xp: Arrays, node: Apply, *inputs: Any) -> Any:
        (x,) = inputs
        self.check_shape(x.shape)
        for dimension, factor in ((2, self.factor[0]), (3, self.factor[1])):
            n = x.shape[dimension] // factor
            phases = [strided(x, dimension, r, factor, n) for r in range(factor)]
            before, x, after = (
                sum(weight[k] * phase for weight, phase in zip(taps(factor), phases, strict=True)) for k in range(3)
            )
            # what pixel i gives to its neighbours, and at the ends to itself
            if n == 1:
                x = x + before + after
            else:
                ends = strided(before, dimension, 0, 1, 1), strided(after, dimension, n - 1, 1, 1)
                nothing = xp.zeros(ends[0].shape, x)
                x = x + xp.concatenate([strided(before, dimension, 1, 1, n - 1), nothing], dimension)
                x = x + xp.concatenate([nothing, strided(after, dimension, 0, 1, n - 1)], dimension)
                x = x + xp.concatenate([ends[0], *[nothing] * (n - 2), ends[1]], dimension)
        return x


def interpolation(n: int, factor: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each of n * factor new pixels the two old ones it lies between, and how far from the first to the second."""
    at = ((np.arange(n * factor) + 0.5) / factor - 0.5).clip(0, n - 1)
    left = at.astype(np.int64)
    return left, np.minimum(left + 1, n - 1), at - left

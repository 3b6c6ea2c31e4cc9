"""Pooling under the names that it had before Theano 0.8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytensor.graph.basic import Variable

from symae.theano._impl.absent import getter
from symae.theano.tensor.signal.pool import Pool, max_pool_2d_same_size, pool_2d

__all__ = ["DownsampleFactorMax", "max_pool_2d", "max_pool_2d_same_size"]


def max_pool_2d(
    input: Any, ds: Any, ignore_border: bool | None = None, st: Any = None, padding: Any = (0, 0), mode: str = "max"
) -> Variable:
    """Pool as `symae.theano.tensor.signal.pool.pool_2d` by older names of arguments; `ignore_border` is False by default."""
    pooled: Variable = pool_2d(input, ds, ignore_border, st, padding, mode)
    return pooled


class DownsampleFactorMax:
    """Call `max_pool_2d` with its settings given before the images."""

    def __init__(
        self, ds: Any, ignore_border: bool = False, st: Any = None, padding: Any = (0, 0), mode: str = "max", openmp: Any = None
    ):
        self.ds, self.ignore_border, self.st, self.padding, self.mode = ds, ignore_border, st, padding, mode

    def __call__(self, x: Any) -> Variable:
        return max_pool_2d(x, self.ds, self.ignore_border, self.st, self.padding, self.mode)

    @staticmethod
    def out_shape(
        imgshape: Sequence[int], ds: Any, ignore_border: bool = False, st: Any = None, padding: Any = (0, 0)
    ) -> list[Any]:
        """Return the shape that images of shape `imgshape` get."""
        return Pool.out_shape(imgshape, ds, ignore_border, st, padding)


__getattr__ = getter(
    __name__, instead={"max_pool": "use max_pool_2d(images.reshape((n, c, h, w)), ds).flatten(2)"}, pytensor=["symae.ops"]
)

"""Max unpooling: values go back to where the maxima were."""

from __future__ import annotations

from typing import Any

from pytensor.tensor.variable import TensorVariable

from symae.ops.arguments import as_images, as_sizes, extent, pooling_windows
from symae.ops.pooling.pool import MaxPool
from symae.ops.pooling.switches import PutAtSwitches


def max_unpool2d(
    pooled: Any, pooling_input: Any, ws: Any, stride: Any = None, pad: Any = (0, 0), ignore_border: bool = True
) -> TensorVariable:
    """Put values where a max pooling layer found its maxima; everything else is zero.

    This is CNTK's MaxUnpooling. No switches are stored: a maximum is found again in the pooling layer's input. (In a
    graph that also has the pooling layer, with the same windows, the search is done once.)

    Parameters
    ----------
    pooled : (n, c, i, j), float32 or float64
        A value for each window, often computed from the pooling layer's output.
    pooling_input : (n, c, h, w), float32 or float64
        What the pooling layer saw.
    ws, stride, pad, ignore_border
        The pooling layer's windows, as in `pool2d`.

    Returns
    -------
    (n, c, h, w), of the dtype of `pooled`
        Of several equal maxima in a window the first in row-major order gets the value; the first NaN counts as the maximum.
        Where windows overlap and share their maximum, their values are added up.

        Linear in `pooled`. Nothing flows back to `pooling_input`: a small change of it does not move its maxima.

    Raises
    ------
    InputError
        The shape of `pooled` is not that of the windows of `pooling_input`; or as in `pool2d`.
    TypeError
        An argument does not hold floats.
    """
    windows = pooling_windows("max_unpool2d", ws, stride, pad, ignore_border)
    where = as_images("max_unpool2d: pooling_input", pooling_input)
    switches = MaxPool(windows)(where)[1]
    return PutAtSwitches(windows)(pooled, switches, extent(where, 2), extent(where, 3))


def max_unpool2d_from_switches(pooled: Any, switches: Any, output_shape: Any) -> TensorVariable:
    """Put values at positions that are given as numbers; everything else is zero.

    Parameters
    ----------
    pooled : (n, c, i, j), float32 or float64
        Values.
    switches : (n, c, i, j), integers
        For each value its position in the image as row * w + column, from 0 to h * w - 1, as `max_pool2d_with_switches` gives
        them.
    output_shape : (h, w) or (n, c, h, w)
        Size of the images, ints or symbolic; of four only h and w count.

    Returns
    -------
    (n, c, h, w), of the dtype of `pooled`
        Values that go to the same position are added up. Linear in `pooled`.

    Raises
    ------
    InputError
        `pooled` and `switches` differ in shape, or a switch is out of range. The latter is seen when the function runs: on JAX
        by a call back to the host, whose error is JAX's own with the same text.
    TypeError
        `pooled` does not hold floats or `switches` not integers.
    """
    h, w = as_sizes("max_unpool2d_from_switches: output_shape", output_shape, (2, 4))[-2:]
    return PutAtSwitches()(pooled, switches, h, w)

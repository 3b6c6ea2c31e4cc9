"""Convolutions that touch maps at the switches of a pooling layer only.

Before::

    TakeAtSwitches(Convolution(x, W), s)                   the maps used by nobody else
    InputGradient(W, PutAtSwitches(v, s, i, j), h, w)
    FilterGradient(x, PutAtSwitches(v, s, i, j), kh, kw)

After::

    ConvolutionAtSwitches(x, W, s)
    InputGradientAtSwitches(W, v, s, i, j, h, w)
    FilterGradientAtSwitches(x, v, s, i, j, kh, kw)

An unpooled map is zero except at one point a window, so that a deconvolution of it has one multiplication to do of 16, with
windows of 4 x 4, and so have its gradients and those of the convolution before a pooling layer. It is done where the filters'
sizes are known, there are no groups and no dilation, and where it is faster: at most one point of four is touched, and what
draws has rows of a few numbers.
"""

from __future__ import annotations

import math
from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.basic import node_rewriter

from symae.ops.conv import Convolution, FilterGradient, InputGradient
from symae.ops.conv.sparse import ConvolutionAtSwitches, FilterGradientAtSwitches, InputGradientAtSwitches, has_kernel
from symae.ops.pooling.switches import PutAtSwitches, TakeAtSwitches

__all__ = ["conv_at_switches"]

# With a point in two, the ordinary ways are as fast: they do four times as much at a time.
PIXELS_FOR_EACH_POINT = 4
# A point is drawn row by row of the filter, so a row has to be worth it: its length times the pixels for each point.
LEAST_FOR_DRAWING = 20


@node_rewriter([TakeAtSwitches, InputGradient, FilterGradient])
def conv_at_switches(fgraph: Any, node: Apply) -> list[Variable] | None:
    """Replace one of the three pairs."""
    op = node.op
    if isinstance(op, TakeAtSwitches):
        maps, switches = node.inputs
        convolution = maps.owner
        if convolution is None or not isinstance(convolution.op, Convolution) or len(fgraph.clients[maps]) > 1:
            return None
        filters = convolution.inputs[1]
        if not has_kernel(convolution.op, filters.type.shape) or _pixels(op, maps, switches) < PIXELS_FOR_EACH_POINT:
            return None
        return [_at(convolution.op, ConvolutionAtSwitches, op)(*convolution.inputs, switches)]
    first, maps, *size = node.inputs
    put = maps.owner
    if put is None or not isinstance(put.op, PutAtSwitches):
        return None
    drawing = isinstance(op, InputGradient)
    filters = first if drawing else node.outputs[0]
    values, switches, *map_size = put.inputs
    if not has_kernel(op, filters.type.shape):
        return None
    pixels, (_, channels, _, kw) = _pixels(put.op, maps, switches), filters.type.shape
    if pixels < PIXELS_FOR_EACH_POINT or (drawing and pixels * channels * kw < LEAST_FOR_DRAWING):
        return None
    kind = InputGradientAtSwitches if drawing else FilterGradientAtSwitches
    return [_at(op, kind, put.op)(first, values, switches, *map_size, *size)]


def _at(op: Any, kind: Any, switching: Any) -> Any:
    """Return the sparse variant of `op`, of class `kind`, for maps made at switches."""
    return kind(*op._props(), switching.windows)


def _pixels(switching: Any, maps: Variable, switches: Variable) -> int:
    """Return how many pixels of the maps each point has: by the windows' strides, or by what is known of the shapes."""
    windows = switching.windows
    if windows is not None:
        return int(windows.rows.stride * windows.columns.stride)
    sizes = (*maps.type.shape[2:], *switches.type.shape[2:])
    return 0 if None in sizes else math.prod(sizes[:2]) // max(1, math.prod(sizes[2:]))

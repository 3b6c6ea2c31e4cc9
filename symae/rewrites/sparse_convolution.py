"""Convolutions that touch maps at the switches of a pooling layer only become sparse ones.

Before::

    TakeAtSwitches(Convolution(x, W), s)                   the maps used by nobody else
    InputGradient(W, PutAtSwitches(v, s, i, j), h, w)
    FilterGradient(x, PutAtSwitches(v, s, i, j), kh, kw)

After::

    SparseConvolution(x, W, s)
    SparseInputGradient(W, v, s, i, j, h, w)
    SparseFilterGradient(x, v, s, i, j, kh, kw)

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

from symae.kernels.conv.select import has_sparse_kernel, sparse_pays
from symae.ops.conv import Convolution, FilterGradient, InputGradient
from symae.ops.conv.settings import Bilinear
from symae.ops.conv.sparse import SparseConvolution, SparseFilterGradient, SparseInputGradient
from symae.ops.pooling.switches import PutAtSwitches, TakeAtSwitches
from symae.rewrites.registry import NATIVE, register


@register(position=2.2, need=NATIVE)
@node_rewriter([TakeAtSwitches, InputGradient, FilterGradient])
def sparse_convolution(fgraph: Any, node: Apply) -> list[Variable] | None:
    """Replace one of the three pairs."""
    op = node.op
    if isinstance(op, TakeAtSwitches):
        maps, switches = node.inputs
        convolution = maps.owner
        if convolution is None or not isinstance(convolution.op, Convolution) or len(fgraph.clients[maps]) > 1:
            return None
        if not _pays(convolution.op, convolution.inputs[1], _pixels(op, maps, switches)):
            return None
        return [_sparse(convolution.op, SparseConvolution, op)(*convolution.inputs, switches)]
    first, maps, *size = node.inputs
    put = maps.owner
    if put is None or not isinstance(put.op, PutAtSwitches):
        return None
    values, switches, *map_size = put.inputs
    if not _pays(op, first if isinstance(op, InputGradient) else node.outputs[0], _pixels(put.op, maps, switches)):
        return None
    kind = SparseInputGradient if isinstance(op, InputGradient) else SparseFilterGradient
    return [_sparse(op, kind, put.op)(first, values, switches, *map_size, *size)]


def _pays(op: Bilinear, filters: Variable, pixels: int) -> bool:
    """Return True if there is a sparse kernel, and it is faster for maps with a value for so many pixels."""
    shape = filters.type.shape
    return has_sparse_kernel(shape, op.dilation, op.groups) and sparse_pays(op.operation, shape, pixels)


def _sparse(op: Any, kind: Any, switching: Any) -> Any:
    """Return the sparse one of `kind` for `op`."""
    return kind(*op._props(), switching.windows)


def _pixels(switching: Any, maps: Variable, switches: Variable) -> int:
    """Return how many pixels of the maps there are for each value, by the windows' strides or what is known of the shapes."""
    windows = switching.windows
    if windows is not None:
        return int(windows.rows.stride * windows.columns.stride)
    sizes = (*maps.type.shape[2:], *switches.type.shape[2:])
    return 0 if None in sizes else math.prod(sizes[:2]) // max(1, math.prod(sizes[2:]))

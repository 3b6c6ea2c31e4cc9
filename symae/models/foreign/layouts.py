"""Where the numbers of images lie along an axis of a parameter: behind a layer that flattens, before one that makes images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.basic import Join
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape

from symae.models.products import core, matrix_of
from symae.ops.bias_relu import Rectified
from symae.ops.phases import Marked

# The pieces of an axis, one after another: flattened images, (channels, h, w), and (n,) other numbers.
Layout = tuple[tuple[int, ...], ...]


def axes_of_images(order: Sequence[Apply], names: Mapping[Variable, str]) -> tuple[dict[str, Layout], dict[str, Layout]]:
    """Return for which parameters the first axis is that of flattened images, and for which the last one becomes images.

    A vector that is added to flattened images, or scales them, is among the first. There may be other numbers before and behind
    the images, if they are concatenated.

    Parameters
    ----------
    order : list of Apply
        A graph, from its inputs on.
    names : dict
        Of the parameters.
    """
    flat: dict[Variable, Layout] = {}
    for node in order:
        found = {flat[v] for v in _alike(node) if v in flat}
        if (maps := _flattened(node) or _joined(node, flat)) is not None:
            flat[node.outputs[0]] = maps
        elif len(found) == 1:
            flat[node.outputs[0]] = found.pop()
    made: dict[Variable, Layout] = {}
    beside: dict[Variable, Layout] = {}
    for node in reversed(order):
        out = node.outputs[0]
        if (maps := _made(node)) is not None:
            made.setdefault(node.inputs[0], maps)
        for v in _alike(node):
            if out in made:
                made.setdefault(v, made[out])
            if v not in flat and (maps := flat.get(out, beside.get(out))) is not None:
                beside.setdefault(v, maps)
    rows = {names[v]: maps for v, maps in beside.items() if v in names and v.type.ndim == 1}
    columns = {names[v]: maps for v, maps in made.items() if v in names and names[v] not in rows}
    drawing: dict[str, Layout] = {}  # by transposed matrices; those that are used as they are too have their rows from there
    straight: set[str] = set()
    for node in order:
        if not isinstance(core(node.op), Dot):
            continue
        W, turned = matrix_of(node.inputs[1])
        if (name := names.get(W)) is None:
            continue
        if not turned:
            straight.add(name)
        if (maps := flat.get(node.inputs[0])) is not None:
            (columns if turned else rows)[name] = maps
        if (maps := made.get(node.outputs[0], beside.get(node.outputs[0]))) is not None:
            (drawing if turned else columns)[name] = maps
    return {name: maps for name, maps in drawing.items() if name not in straight} | rows, columns


def _alike(node: Apply) -> list[Variable]:
    """Return the inputs whose last axis is that of the output, number by number."""
    op, inputs = node.op, node.inputs
    if node.outputs[0].type.ndim not in (1, 2):
        return []
    if isinstance(op, SpecifyShape | Marked):
        return inputs[:1]
    if isinstance(op, DimShuffle):
        return inputs if op.new_order in ((0,), (0, 1), ("x", 0)) else []
    if isinstance(op, Elemwise | Rectified):
        return [v for v in inputs if v.type.ndim in (1, 2) and v.type.shape[-1] != 1]
    return []


def _joined(node: Apply, flat: Mapping[Variable, Layout]) -> Layout | None:
    """Return the pieces of rows that a node joins, if some of them are flattened images and all lengths are known."""
    if not isinstance(node.op, Join) or node.outputs[0].type.ndim != 2:
        return None
    axis, rows = getattr(node.op, "axis", None), node.inputs
    if axis is None:  # before PyTensor 3.3 the first input
        axis, rows = getattr(node.inputs[0], "data", None), node.inputs[1:]
    if axis not in (1, -1) or not any(v in flat for v in rows):
        return None
    pieces: list[tuple[int, ...]] = []
    for v in rows:
        if v in flat:
            pieces += flat[v]
        elif (length := v.type.shape[1]) is not None:
            pieces.append((length,))
        else:
            return None
    return tuple(pieces)


def _flattened(node: Apply) -> Layout | None:
    """Return the shape of the images that a node makes rows of."""
    x, out = node.inputs[0] if node.inputs else None, node.outputs[0]
    flattens = isinstance(node.op, Reshape) or (isinstance(node.op, JoinDims) and node.op.start_axis == 1)
    if x is None or not flattens or x.type.ndim != 4 or out.type.ndim != 2:
        return None
    return _known(x.type.shape[1:], out.type.shape[1])


def _made(node: Apply) -> Layout | None:
    """Return the shape of the images that a node makes of rows."""
    if not isinstance(node.op, Reshape | SplitDims) or node.inputs[0].type.ndim != 2 or node.outputs[0].type.ndim != 4:
        return None
    return _known(node.outputs[0].type.shape[1:], node.inputs[0].type.shape[1])


def _known(sizes: Sequence[int | None], length: int | None) -> Layout | None:
    """Return the sizes of images, if they are known and may be those of rows of that length."""
    known = [size for size in sizes if size is not None]
    return (tuple(known),) if len(known) == 3 and length in (None, math.prod(known)) else None

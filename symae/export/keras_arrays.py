"""How Keras takes pieces of arrays and puts them together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symae.export.graph import Node
from symae.export.keras_builder import Builder, python_slice

IMAGE_AXES = (0, 3, 1, 2)  # where the axes of (n, c, h, w) are in (n, h, w, c)


def _slice(b: Builder, node: Node) -> None:
    value, bounds = node.inputs[0], [b.arrays.get(name) for name in node.inputs[1:]]
    if any(array is None for array in bounds):
        raise b.refusal(node, "a slice whose ends depend on the input")
    slices = [python_slice(*map(int, ends)) for ends in zip(*(bounds[i] for i in (0, 1, 3)), strict=True)]
    axes = [int(axis) for axis in bounds[2]]  # type: ignore[union-attr]
    if value in b.arrays:
        chosen = dict(zip(axes, slices, strict=True))
        array = b.arrays[value]
        b.arrays[node.outputs[0]] = array[tuple(chosen.get(axis, slice(None)) for axis in range(array.ndim))]
        return
    x = b.tensor(value)
    for axis, ends in zip(axes, slices, strict=True):
        x = _sliced(b, node, x, IMAGE_AXES[axis] if len(x.shape) == 4 else axis, ends)
    b.tensors[node.outputs[0]] = x


def _sliced(b: Builder, node: Node, x: Any, axis: int, ends: slice) -> Any:
    n, ops = x.shape[axis], b.keras.ops
    if ends.step > 0:
        return x[(slice(None),) * axis + (ends,)]
    if n is not None:
        return ops.take(x, [*range(*ends.indices(n))], axis=axis)
    if ends.start is not None or ends.stop is not None:
        raise b.refusal(node, "examples backwards from one, or to one, that is counted")
    turned = ops.flip(x, axis)
    return turned if ends.step == -1 else turned[(slice(None),) * axis + (slice(None, None, -ends.step),)]


def _concat(b: Builder, node: Node) -> None:
    parts, axis = [b.tensor(name) for name in node.inputs], node.attributes["axis"]
    if any(name not in b.tensors for name in node.inputs):
        raise b.refusal(node, "numbers of its own beside what depends on the input, in one array")
    b.tensors[node.outputs[0]] = b.keras.ops.concatenate(parts, axis=_axis(parts[0], axis))


def _split(b: Builder, node: Node) -> None:
    lengths, x = b.arrays.get(node.inputs[1]), b.tensor(node.inputs[0])
    if lengths is None:
        raise b.refusal(node, "parts whose lengths depend on the input")
    parts = b.keras.ops.split(x, np.cumsum(lengths)[:-1].tolist(), axis=_axis(x, node.attributes["axis"]))
    b.tensors |= zip(node.outputs, parts, strict=True)


def _cumulative(b: Builder, node: Node) -> None:
    x, axis = b.tensor(node.inputs[0]), b.arrays.get(node.inputs[1])
    if axis is None:
        raise b.refusal(node, "an axis that depends on the input")
    b.tensors[node.outputs[0]] = b.keras.ops.cumsum(x, axis=_axis(x, int(axis)))


def _axis(x: Any, axis: int) -> int:
    """Return where an axis of the graph is in Keras's array."""
    ndim = len(x.shape)
    return IMAGE_AXES[axis % 4] if ndim == 4 else axis % ndim


def _gather(b: Builder, node: Node) -> None:
    index, x = b.arrays.get(node.inputs[1]), b.tensor(node.inputs[0])
    if index is None:
        raise b.refusal(node, "indices that depend on the input")
    b.flat_only(node, x)
    chosen = index.tolist() if index.ndim else int(index)
    axis = node.attributes["axis"]
    if isinstance(chosen, int) and chosen < 0:
        if x.shape[axis] is None:
            raise b.refusal(node, "an example that is counted from the last")
        chosen += x.shape[axis]
    b.made(node, b.keras.ops.take(x, chosen, axis=axis))


ARRAYS: dict[str, Callable[[Builder, Node], None]] = {
    "Concat": _concat,
    "CumSum": _cumulative,
    "Gather": _gather,
    "Slice": _slice,
    "Split": _split,
}

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
    n = x.shape[axis]
    if n is None and ends in (slice(None, None, 1), slice(0, None, 1)):
        return x
    _within_examples(b, node, x, axis)
    if ends.step > 0:
        return x[(slice(None),) * axis + (ends,)]
    return b.keras.ops.take(x, [*range(*ends.indices(n))], axis=axis)


def _within_examples(b: Builder, node: Node, x: Any, axis: int) -> None:
    """Raise InputError if an axis is that of the examples, of which Keras's `predict` shows a model only 32 at a time."""
    if x.shape[axis] is None:
        raise b.refusal(node, "examples that are chosen, joined or added by their places")


def _concat(b: Builder, node: Node) -> None:
    parts, axis = [b.tensor(name) for name in node.inputs], node.attributes["axis"]
    if any(name not in b.tensors for name in node.inputs):
        raise b.refusal(node, "numbers of its own beside what depends on the input, in one array")
    axis = _axis(parts[0], axis)
    _within_examples(b, node, parts[0], axis)
    b.tensors[node.outputs[0]] = b.keras.ops.concatenate(parts, axis=axis)


def _split(b: Builder, node: Node) -> None:
    lengths, x = b.arrays.get(node.inputs[1]), b.tensor(node.inputs[0])
    if lengths is None:
        raise b.refusal(node, "parts whose lengths depend on the input")
    axis = _axis(x, node.attributes["axis"])
    _within_examples(b, node, x, axis)
    parts = b.keras.ops.split(x, np.cumsum(lengths)[:-1].tolist(), axis=axis)
    b.tensors |= zip(node.outputs, parts, strict=True)


def _cumulative(b: Builder, node: Node) -> None:
    x, axis = b.tensor(node.inputs[0]), b.arrays.get(node.inputs[1])
    if axis is None:
        raise b.refusal(node, "an axis that depends on the input")
    along = _axis(x, int(axis))
    _within_examples(b, node, x, along)
    b.tensors[node.outputs[0]] = b.keras.ops.cumsum(x, axis=along)


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
    _within_examples(b, node, x, axis)
    if isinstance(chosen, int) and chosen < 0:
        chosen += x.shape[axis]
    b.made(node, b.keras.ops.take(x, chosen, axis=axis))


ARRAYS: dict[str, Callable[[Builder, Node], None]] = {
    "Concat": _concat,
    "CumSum": _cumulative,
    "Gather": _gather,
    "Slice": _slice,
    "Split": _split,
}

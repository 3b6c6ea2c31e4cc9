"""PyTensor's rewrites of indices that make an error of a value: those it calls shape_unsafe, and what is done instead.

======================================  ==================================  ================================================
expression                              PyTensor makes of it                here
======================================  ==================================  ================================================
``x[[0, 5]]``, ``x[arange(n)]``         a slice, which ends where x ends    only where x is known to be long enough
``x[:3][i]``                            ``x[i]``, which may be the fourth   only where an index that is outside stays outside
``set_subtensor(x[i], y)[i]``           ``y``, also where i is outside      of arrays i only constant ones, inside and without
                                        or has an entry twice               entries twice
``x[mask]``, on Numba                   ``x[mask.nonzero()]``               the same of a mask whose shape is checked
``x[mask] = 0`` and the like, on JAX    ``where(mask, 0, x)``               the same, of a mask along the axes that it is for
``x[:] = y``, ``x[:] += y``             ``y``, ``x + y``, of y's shape      only where y is known to fit x
======================================  ==================================  ================================================
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.tensor.elemwise import CAReduce
from pytensor.tensor.rewriting import jax as pytensors_for_jax
from pytensor.tensor.rewriting import subtensor as pytensors
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor, indices_from_subtensor

from symae.ops.base import BackendOp
from symae.ops.indexing import check_mask, indices_of
from symae.patches.changes import Changes
from symae.patches.patch import SUBTENSOR_INDICES, Expected, Patch

Rewrite = Callable[[Any, Apply], Any]


class CheckedMask(BackendOp):
    """Return ``mask``, which has to have the shape of the axes ``x.shape[axis : axis + mask.ndim]``."""

    __props__ = ("axis",)
    view_map: ClassVar = {0: [0]}

    def __init__(self, axis: int):
        self.axis = axis

    def make_node(self, mask: Variable, x: Variable) -> Apply:
        return Apply(self, [mask, x], [mask.type()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        mask, x = inputs
        check_mask(mask.shape, x.shape, self.axis)
        output_storage[0][0] = mask

    def numba_key(self, node: Apply) -> Any:
        return node.inputs[0].type.ndim

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.index_checks import checked_mask

        return checked_mask(node.inputs[0].type.ndim, self.axis)

    def jax(self, node: Apply) -> Callable[..., Any]:
        def checked(mask: Any, x: Any) -> Any:
            self.perform(node, [mask, x], [[None]])  # looks at nothing but shapes, which are known
            return mask

        return checked


def _with_checked_masks(rewrite: Rewrite, fgraph: Any, node: Apply) -> Any:
    inputs = list(node.inputs)
    for index in indices_of(node.op, node):
        if index.is_mask:
            inputs[index.position] = CheckedMask(index.axis)(index.variable, node.inputs[0])
    if inputs == node.inputs:
        return None
    return rewrite(fgraph, node.op(*inputs).owner)


def _written_where(rewrite: Rewrite, fgraph: Any, node: Apply) -> Any:
    mask = _only_mask(node)
    if mask is None or node.inputs[1].type.ndim:
        return None
    x, y = node.inputs[:2]
    return [pt.where(mask, y if node.op.set_instead_of_inc else x + y, x)]


def _summed_where(rewrite: Rewrite, fgraph: Any, node: Apply) -> Any:
    read = node.inputs[0].owner
    everything = isinstance(node.op, CAReduce) and not node.outputs[0].type.ndim
    if not everything or read is None or not isinstance(read.op, AdvancedSubtensor):
        return None
    mask = _only_mask(read)
    return None if mask is None else [pt.where(mask, read.inputs[0], 0).sum()]


def _only_mask(node: Apply) -> Variable | None:
    """Return the mask that is the only index of `node`, with axes of one entry after it, so that it broadcasts to the array."""
    x = node.inputs[0]
    indices = list(indices_of(node.op, node))
    if len(indices) != 1 or not indices[0].is_mask or any(i != slice(None) for i in node.op.idx_list if isinstance(i, slice)):
        return None
    ((_, axis, mask, _),) = indices
    return pt.shape_padright(CheckedMask(axis)(mask, x), x.type.ndim - axis - mask.type.ndim)


def _slice_inside(rewrite: Rewrite, fgraph: Any, node: Apply) -> Any:
    for index in indices_of(node.op, node):
        size, entries = node.inputs[0].type.shape[index.axis], index.variable
        inside = isinstance(entries, Constant) and size is not None and np.all(entries.data < size)
        if not inside:
            return None
    return rewrite(fgraph, node)


def _read_where_written(rewrite: Rewrite, fgraph: Any, node: Apply) -> Any:
    written = node.inputs[0].owner
    if not isinstance(node.op, Subtensor) and written is not None and getattr(written.op, "set_instead_of_inc", False):
        for index in indices_of(node.op, node):
            size, entries = written.inputs[0].type.shape[index.axis], index.variable
            known = not index.is_mask and size is not None and pytensors._constant_has_unique_indices(entries)
            if not (known and np.all((-size <= entries.data) & (entries.data < size))):
                return None
    return rewrite(fgraph, node)


def _merged_inside(rewrite: Rewrite, fgraph: Any, node: Apply) -> Any:
    inner = node.inputs[0].owner
    if inner is None or not isinstance(inner.op, Subtensor):
        return rewrite(fgraph, node)
    slices = [i for i in indices_from_subtensor(inner.inputs[1:], inner.op.idx_list) if isinstance(i, slice)]
    for part, index in zip(slices, indices_from_subtensor(node.inputs[1:], node.op.idx_list), strict=False):
        if not isinstance(index, slice) and not _stays_outside(part, index):
            return None
    return rewrite(fgraph, node)


def _stays_outside(part: slice, index: Any) -> bool:
    """Return True if an index beyond the ends of ``x[part]`` is, merged with it, beyond those of x."""
    if part.stop is not None:
        return False
    if part.start is None:
        return part.step is None or _number(part.step) in (1, -1)
    step_is_1 = part.step is None or _number(part.step) == 1
    # The last entry of all but the first is what a scan that keeps its last state alone is known by.
    return step_is_1 and _at_least_0(part.start) and (_at_least_0(index) or _number(index) == -1)


def _number(x: Any) -> int | None:
    return int(x.data) if isinstance(x, Constant) else x if isinstance(x, int) else None


def _at_least_0(x: Any) -> bool:
    number = _number(x)
    return bool(pytensors._is_provably_non_negative(x)) if number is None else number >= 0


def _of_all_fitting(rewrite: Rewrite, fgraph: Any, node: Apply) -> Any:
    replaced = rewrite(fgraph, node)
    if not replaced:  # most indices are not of all; whether shapes are the same takes long to find out
        return replaced
    x, y = node.inputs[:2]
    known = getattr(fgraph, "shape_feature", None)
    for axis in range(-y.type.ndim, 0):
        one, other = x.type.shape[axis], y.type.shape[axis]
        fits = other == 1 or (other is not None and one == other)
        if not fits and not (known and known.same_shape(x, y, axis + x.type.ndim, axis + y.type.ndim)):
            return None
    return replaced


_REWRITES = {
    (pytensors, "bool_idx_to_nonzero"): _with_checked_masks,
    (pytensors, "local_adv_idx_to_slice"): _slice_inside,
    (pytensors, "local_read_of_write_same_indices"): _read_where_written,
    (pytensors, "local_subtensor_merge_integer"): _merged_inside,
    (pytensors, "local_useless_inc_subtensor"): _of_all_fitting,
    (pytensors_for_jax, "boolean_indexing_set_or_inc"): _written_where,
    (pytensors_for_jax, "boolean_indexing_sum"): _summed_where,
}


def apply(_: Any, changes: Changes) -> None:
    for (module, name), guarded in _REWRITES.items():
        rewriter = getattr(module, name)
        changes.replace(rewriter, "fn", functools.partial(guarded, rewriter.fn))


PATCH = Patch(
    module="pytensor.tensor.rewriting.subtensor",
    replaces="the functions of PyTensor's rewrites bool_idx_to_nonzero, local_adv_idx_to_slice,"
    " local_read_of_write_same_indices, local_subtensor_merge_integer, local_useless_inc_subtensor,"
    " boolean_indexing_set_or_inc and boolean_indexing_sum",
    why="an index that is outside reads another entry instead of being an error, one that is there twice reads two values, and"
    " all of an array is set to an array of another shape",
    upstream="not proposed: rewrites tagged shape_unsafe turn errors into values; they should apply only where the index is "
    "proven to be inside, as here.",
    delete_when="tests/patches/test_index_errors.py passes with SYMAE_PATCHES=-indexing_rewrites",
    apply=apply,
    expects=(
        *(Expected(module.__name__, name) for module, name in _REWRITES),
        Expected("pytensor.tensor.rewriting.subtensor", "_constant_has_unique_indices"),
        Expected("pytensor.tensor.rewriting.subtensor", "_is_provably_non_negative"),
        SUBTENSOR_INDICES,
    ),
)

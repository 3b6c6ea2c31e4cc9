"""Indexing on MLX: indices are checked, and increments of one entry that is named twice add up.

MLX reads and writes the memory beside an array for an index that is outside. PyTensor 3.0 makes ``x[i] += y`` of an increment,
which keeps one of several for the same entry, and forgets the slices among indices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Constant
from pytensor.tensor.subtensor import indices_from_subtensor

from symae.errors import ShapeError
from symae.ops.indexing import INDEXING, WRITING, check_known, check_mask, check_traced, indices_of
from symae.ops.runtime_errors import check_input
from symae.patches.changes import Changes
from symae.patches.patch import SUBTENSOR_INDICES, Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    for kind in INDEXING:
        changes.convert(dispatch.mlx_funcify, kind)(_write if kind in WRITING else _read)


def _read(op: Any, node: Apply, **_: Any) -> Callable[..., Any]:
    locate = _locator(op, node)

    def subtensor(x: Any, *given: Any) -> Any:
        import mlx.core as mx

        at = locate(x, given)
        # of an axis that has no entry, which has been refused
        return x[at] if x.size else mx.zeros([max(n, 1) for n in x.shape], dtype=x.dtype)[at]

    return subtensor


def _write(op: Any, node: Apply, **_: Any) -> Callable[..., Any]:
    locate = _locator(op, node)
    masked = any(index.is_mask for index in indices_of(op, node))
    once = op.set_instead_of_inc or getattr(op, "ignore_duplicates", False)

    def inc_subtensor(x: Any, y: Any, *given: Any) -> Any:
        import mlx.core as mx

        at = locate(x, given)
        if not x.size:
            return x
        if masked:
            return _written_by_mask(op, x, mx.array(y).astype(x.dtype), at)
        target = x[at]
        try:
            y = mx.broadcast_to(mx.array(y).astype(x.dtype), target.shape)
        except ValueError:
            found, expected = f"values of shape {tuple(np.shape(y))}", f"a shape that broadcasts to {tuple(target.shape)}"
            raise ShapeError("inc_subtensor or set_subtensor", found, expected) from None
        if not target.size:  # MLX refuses to write nothing
            return x
        if not once:
            return x.at[at].add(y)
        changed = mx.array(x)
        changed[at] = y if op.set_instead_of_inc else target + y
        return changed

    return inc_subtensor


def _written_by_mask(op: Any, x: Any, y: Any, at: Any) -> Any:
    """Return `x` with one value wherever a mask, the only index, is true; MLX itself reads nothing by masks."""
    import mlx.core as mx

    (axis,) = (axis for axis, part in enumerate(at) if not isinstance(part, slice))
    others = [part for part in at if isinstance(part, slice)]
    if y.size != 1 or any(part != slice(None) for part in others):
        raise NotImplementedError("MLX writes by a mask that is the only index, and one value")
    mask, y = at[axis], y.reshape(())
    mask = mask.reshape((1,) * axis + tuple(mask.shape) + (1,) * (x.ndim - axis - mask.ndim))
    return mx.where(mask, y if op.set_instead_of_inc else x + y, x)


def _locator(op: Any, node: Apply) -> Callable[..., Any]:
    """Return ``locate(x, given)``, the index of x from the inputs that are parts of it."""
    first = 2 if isinstance(op, WRITING) else 1
    indices = list(indices_of(op, node))

    def locate(x: Any, given: Any) -> Any:
        import mlx.core as mx

        parts = list(given)
        for index in indices:
            value, size = parts[index.position - first], x.shape[index.axis]
            if index.is_mask:
                check_mask(value.shape, x.shape, index.axis)
            elif value.size if isinstance(value, mx.array) else np.size(value):
                constant = index.variable.data if isinstance(index.variable, Constant) else None
                parts[index.position - first] = _inside(value, constant, size, index.shown_axis)
        at = indices_from_subtensor(parts, op.idx_list)
        return tuple(slice(*map(_number, (i.start, i.stop, i.step))) if isinstance(i, slice) else i for i in at)

    return locate


def _inside(value: Any, constant: np.ndarray | None, size: int, axis: int) -> Any:
    """Return indices that lie within their axis, and raise an error for those that do not."""
    import mlx.core as mx

    if constant is not None or not isinstance(value, mx.array):
        check_known(value if constant is None else constant, size, axis)
        return value
    if check_input(value, check_known, size, axis):  # the host is ten times faster at a few numbers
        return value
    least, most = check_traced(mx, value, str(value.dtype).rpartition(".")[2], size, axis)
    if least is None and most is None:
        return value
    # It would be read before anybody looks at the condition.
    return mx.clip(value, -max(size, 1) if least is not None else None, max(size, 1) - 1 if most is not None else None)


def _number(bound: Any) -> int | None:
    return None if bound is None else int(bound)


PATCH = Patch(
    module="pytensor.link.mlx.dispatch",
    replaces="PyTensor's MLX conversions of all ops that read or write by indices",
    why="an index outside of its axis reads or writes the memory beside the array; increments of one entry twice are lost",
    upstream="not proposed: use x.at[i].add(y) for increments (done in PyTensor 3.3), keep slices among vectors of indices, "
    "clip indices before MLX reads by them and raise after the call.",
    delete_when="tests/patches/test_index_errors.py passes with SYMAE_PATCHES=-mlx_indexing",
    apply=apply,
    expects=(
        Expected("pytensor.link.mlx.dispatch.basic", "mlx_funcify"),
        SUBTENSOR_INDICES,
    ),
    after=("mlx_dispatch",),
    required=True,
)

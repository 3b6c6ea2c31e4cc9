"""Indices are checked on JAX, in the bodies of scans too.

JAX takes the nearest entry for an index that is outside where it reads, and forgets what is to be written there.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.tensor.blockwise import Blockwise

from symae.ops.indexing import INDEXING, WRITING, check_known, check_mask, check_traced, indices_of
from symae.ops.runtime_errors import collected_in_scan
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    from pytensor.link.jax.dispatch import scan

    for kind in INDEXING:
        stock = dispatch.jax_funcify.dispatch(kind)

        @changes.convert(dispatch.jax_funcify, kind)
        def conversion(op: Any, node: Apply, stock: Any = stock, **keywords: Any) -> Callable[..., Any]:
            return _checked(stock(op, node=node, **keywords), op, node, 0)

    changes.replace(scan, "jax_scan", collected_in_scan(scan.jax_scan))
    blockwise = dispatch.jax_funcify.dispatch(Blockwise)

    @changes.convert(dispatch.jax_funcify, Blockwise)
    def checked_blockwise(op: Blockwise, node: Apply, **keywords: Any) -> Callable[..., Any]:
        function = blockwise(op, node=node, **keywords)
        if not isinstance(op.core_op, INDEXING):
            return function
        core = op._create_dummy_core_node(node.inputs, propagate_unbatched_core_inputs=True)
        return _checked(function, op.core_op, core, op.batch_ndim(node))


def _checked(function: Callable[..., Any], op: Any, node: Apply, batch_ndim: int) -> Callable[..., Any]:
    indices = list(indices_of(op, node))
    if not indices:
        return function

    def checked(x: Any, *given: Any) -> Any:
        empty, others = False, list(given)
        for index in indices:
            axis, value = batch_ndim + index.axis, others[index.position - 1]
            if index.is_mask:
                check_mask(value.shape[batch_ndim:], x.shape[batch_ndim:], index.axis)
            else:
                check_range(value, x.shape[axis], index.shown_axis)
                if np.dtype(value.dtype if hasattr(value, "dtype") else int).itemsize < 4:
                    # JAX counts negative indices from the end in their own type, which may not hold the size.
                    others[index.position - 1] = value.astype("int32")
                empty |= x.shape[axis] == 0 and np.size(value) > 0
        if not empty:
            return function(x, *others)
        # What has been refused; JAX would raise an error of its own.
        return x if isinstance(op, WRITING) else function(_nowhere_empty(x), *others)

    return checked


def check_range(value: Any, size: int, axis: int) -> None:
    """Refuse indices, an array or a number, beyond an axis; at once where they are known when JAX traces."""
    import jax

    if np.size(value) == 0:
        return
    if not isinstance(value, jax.core.Tracer):
        check_known(value, size, axis)
    else:
        # both as the largest of something: several devices tell each other only once then
        extremes = SimpleNamespace(min=lambda x: ~jax.numpy.max(~x), max=jax.numpy.max)
        check_traced(extremes, value, value.dtype, size, axis)


def _nowhere_empty(x: Any) -> Any:
    import jax

    return jax.numpy.zeros([max(n, 1) for n in x.shape], x.dtype)


PATCH = Patch(
    module="pytensor.link.jax.dispatch",
    replaces="PyTensor's JAX conversions of all ops that read or write by indices, of Blockwise of them, and scan.jax_scan",
    why="JAX takes the nearest entry for an index that is outside where it reads, and forgets what is to be written there",
    upstream="not proposed: JAX cannot raise from what it has traced; PyTensor's linker could return conditions beside the "
    "outputs and look at them after the call, as symae.ops.runtime_errors does.",
    delete_when="tests/patches/test_index_errors.py passes with SYMAE_PATCHES=-jax_indexing",
    apply=apply,
    expects=(
        Expected("pytensor.link.jax.dispatch.scan", "jax_scan", ("f", "init", "xs", "length"), others=True),
        Expected(
            "pytensor.tensor.blockwise:Blockwise",
            "_create_dummy_core_node",
            ("self", "inputs", "propagate_unbatched_core_inputs"),
            others=True,
        ),
        Expected("pytensor.tensor.blockwise:Blockwise", "batch_ndim", ("self", "node")),
    ),
    after=("jax_blockwise", "jax_dispatch"),
)

"""Sums of floats over all axes or the last ones do not wait at each number for the one before, on Numba."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply
from pytensor.scalar.basic import Add

from symae.patches.changes import Changes
from symae.patches.numba_extremes import reduction_in, reductions
from symae.patches.patch import NUMBA_SOURCE, Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    for kind in reductions():

        @changes.convert_numba(kind)
        def reduction(stock: Any, op: Any, node: Apply, **keywords: Any) -> tuple[Any, str | None]:
            function, key = stock(op, node=node, **keywords)
            reduced = reduction_in(op)
            x = node.inputs[0].type
            kept = 0 if reduced.axis is None else x.ndim - len(reduced.axis)  # dimensions of the result
            last = kept == 0 or sorted(axis % x.ndim for axis in reduced.axis) == list(range(kept, x.ndim))
            in_double = reduced.acc_dtype == "float64" and x.dtype in ("float32", "float64")
            if not (isinstance(reduced.scalar_op, Add) and last and in_double and x.ndim > kept):
                return function, key
            return _by_lanes(dispatch, function, key, kept, node.outputs[0].type.dtype, as_number=op is not reduced)


def _by_lanes(dispatch: Any, function: Any, key: str | None, kept: int, dtype: str, as_number: bool) -> tuple[Any, str | None]:
    import numpy as np

    from symae.kernels.sums import sum_of

    lines = ["def summed(x):", "    if x.flags.c_contiguous:"]
    if kept == 0:
        total = f"np.{dtype}(sum_of(x, 0, x.size))"
        lines += [f"        return {total if as_number else f'np.asarray({total})'}"]
    else:
        shape, rows = (mark.join(f"x.shape[{axis}]" for axis in range(kept)) for mark in (", ", " * "))
        lines += [
            f"        result = np.empty(({shape},), np.{dtype})",
            f"        rows = {rows}",
            "        size = x.size // max(rows, 1)",
            "        sums = result.reshape(-1)",
            "        for row in range(rows):",
            "            sums[row] = sum_of(x, row * size, size)",
            "        return result",
        ]
    source = "\n".join([*lines, "    return convert(x)\n"])
    summed = dispatch.basic.compile_numba_function_src(source, "summed", {"convert": function, "np": np, "sum_of": sum_of})
    return dispatch.basic.numba_njit(summed), key and f"{source} {key}"


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversion of CAReduce by Add, for floats summed in float64 over all axes or the last ones",
    why="a sum that takes one number after the other waits four cycles for each",
    upstream="not proposed: numba_funcify_CAReduce could keep several accumulators of a full sum, or of one over the last axis",
    delete_when="PyTensor's sums over the last axis take less than half a cycle a number",
    apply=apply,
    expects=(
        Expected("pytensor.link.numba.dispatch.elemwise", "create_multiaxis_reducer"),
        NUMBA_SOURCE,
    ),
    after=("numba_extremes",),
)

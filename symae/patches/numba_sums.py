"""Sums on Numba run over memory as it lies: lanes that do not wait for one another along rows, whole rows at once across them.

Arrays in neither C's order nor Fortran's, parts of others with gaps, are copied first.

PyTensor's loops sort the strides of each array when they run, which takes a tenth of a graph's time to compile, and a sum along
a row waits at each number for the one before.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.scalar.basic import Add

from symae.patches.changes import Changes
from symae.patches.numba_extremes import reduction_in, reductions
from symae.patches.patch import NUMBA_SOURCE, Expected, Patch

_FLOATS = ("float32", "float64")


def apply(dispatch: Any, changes: Changes) -> None:
    for kind in reductions():

        @changes.convert_numba(kind)
        def reduction(stock: Any, op: Any, node: Apply, **keywords: Any) -> tuple[Any, str | None]:
            reduced, x, result = reduction_in(op), node.inputs[0].type, node.outputs[0].type
            axes = range(x.ndim) if reduced.axis is None else [axis % x.ndim for axis in reduced.axis]
            groups = _groups(x.ndim, axes)
            real = x.dtype in _FLOATS or np.dtype(x.dtype).kind in "biu"
            acc = reduced.acc_dtype or result.dtype
            if groups is None or not isinstance(reduced.scalar_op, Add) or not real or np.dtype(acc).kind not in "iuf":
                converted: tuple[Any, str | None] = stock(op, node=node, **keywords)
                return converted
            settings = (x.dtype, acc, result.dtype, op is not reduced)
            turned = _groups(x.ndim, [x.ndim - 1 - axis for axis in axes])
            return _in_any_order(
                dispatch, _by_rows(groups, *settings), None if turned is None else _by_rows(turned, *settings), result.ndim
            )


@functools.cache
def _in_any_order(dispatch: Any, source: str, source_of_turned: str | None, ndim: int) -> tuple[Any, str]:
    """Compile a sum whose source is for arrays in C order, and for arrays in Fortran's the one for their transposes.

    Once for all graphs: Numba keeps what `by_layout` makes for the rest of the process.
    """
    from symae.kernels.by_layout import by_layout
    from symae.kernels.sums import add_sums_of_columns, add_sums_of_rows

    names = {"np": np, "add_sums_of_columns": add_sums_of_columns, "add_sums_of_rows": add_sums_of_rows}
    compiled = dispatch.basic.numba_njit

    def made(text: str) -> Any:
        return compiled(dispatch.basic.compile_numba_function_src(text, "summed", names))

    direct = made(source)
    turned = direct if source_of_turned is None else _turned(compiled, made(source_of_turned), ndim)

    @compiled
    def either(x: Any) -> Any:
        if x.flags.f_contiguous and not x.flags.c_contiguous:
            return turned(x)
        return direct(x)

    chosen = by_layout({"C": direct, "F": turned}, either)

    def summed(x: Any) -> Any:
        return chosen(x)

    return compiled(summed), f"{source} {ndim}"


def _turned(compiled: Any, sum_of_transpose: Any, ndim: int) -> Any:
    """Compile the sum of an array by that of its transpose."""
    if ndim > 1:
        return compiled(lambda x: np.ascontiguousarray(sum_of_transpose(x.T).T))
    return compiled(lambda x: sum_of_transpose(x.T))


def _groups(ndim: int, axes: Sequence[int]) -> tuple[list[int], ...] | None:
    """Return the axes in runs (kept, summed, kept, summed), some perhaps empty; None if there are more runs, or no sum."""
    runs = [(summed, list(run)) for summed, run in groupby(range(ndim), lambda axis: axis in axes)]
    if not any(summed for summed, _ in runs):
        return None
    if runs[-1][0] is False:
        runs.append((True, []))
    while len(runs) < 4:
        runs.insert(0, (not runs[0][0], []))
    return tuple(run for _, run in runs) if len(runs) == 4 else None


def _by_rows(groups: tuple[list[int], ...], dtype: str, acc: str, result: str, as_number: bool) -> str:
    """Write the sum over the second and the fourth of the groups of axes; the rows of the last are summed first."""

    outer, across, inner, along = (" * ".join(["1", *(f"x.shape[{axis}]" for axis in run)]) for run in groups)
    kept = [axis for run in groups[::2] for axis in run]
    lines = [
        "def summed(x):",
        f"    outer, across, inner, along = {outer}, {across}, {inner}, {along}",
        "    numbers = np.ascontiguousarray(x).reshape(-1)",
        f"    sums, line = np.empty(outer * inner, np.{result}), np.empty(inner, np.{acc})",
        "    for i in range(outer):",
        "        line[:] = 0",
    ]
    of_floats = dtype in _FLOATS and acc == "float64"
    if of_floats and not groups[3]:
        lines += ["        add_sums_of_columns(numbers, i * across * inner, across, inner, line)"]
    else:
        lines += ["        for j in range(across):", "            first = (i * across + j) * inner * along"]
        if of_floats:
            lines += ["            add_sums_of_rows(numbers, first, inner, along, line)"]
        elif not groups[3]:
            lines += ["            block = numbers[first : first + inner]", "            for k in range(inner):"]
            lines += [f"                line[k] += np.{acc}(block[k])"]
        else:
            lines += ["            for k in range(inner):"]
            lines += ["                block = numbers[first + k * along : first + (k + 1) * along]"]
            lines += [f"                total = np.{acc}(0)", "                for n in range(along):"]
            lines += [f"                    total += np.{acc}(block[n])", "                line[k] += total"]
    lines += ["        of_outer = sums[i * inner : (i + 1) * inner]", "        for k in range(inner):"]
    lines += [f"            of_outer[k] = np.{result}(line[k])"]
    if kept:
        lines += [f"    return sums.reshape(({', '.join(f'x.shape[{axis}]' for axis in kept)},))"]
    else:
        lines += ["    return sums[0]" if as_number else "    return np.asarray(sums[0])"]
    return "\n".join(lines) + "\n"


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversions of CAReduce and ScalarCAReduce by Add, for real numbers",
    why="its loops sort strides, which takes long to compile, and a sum that takes one number after the other waits for each",
    upstream="not proposed: create_multiaxis_reducer could order its loops for a C-ordered array, and copy others; a sum over "
    "the last axis could keep several accumulators.",
    delete_when="a sum over rows compiles as fast as one of tests/patches/test_numba_sums.py and takes half a cycle a number",
    apply=apply,
    expects=(
        Expected("pytensor.link.numba.dispatch.elemwise", "create_multiaxis_reducer"),
        NUMBA_SOURCE,
    ),
    after=("numba_extremes",),
)

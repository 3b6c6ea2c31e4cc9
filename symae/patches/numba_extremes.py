"""Maxima and minima on Numba are NumPy's: NaN where there is one, and none of nothing.

PyTensor 3.0 skips NaN, and gives the largest or smallest number of the dtype for an axis without entries, as do later ones.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply
from pytensor.scalar.basic import Maximum, Minimum
from pytensor.tensor.elemwise import CAReduce

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_SOURCE, Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    from pytensor.link.numba.dispatch import elemwise

    if "invariant_acc" not in inspect.signature(elemwise.scalar_in_place_fn_Maximum).parameters:  # PyTensor before 3.3
        for kind, less in ((Maximum, "<"), (Minimum, ">")):
            changes.convert(elemwise.scalar_in_place_fn, kind)(lambda op, *names, less=less: _extreme(less, *names))
    for kind in reductions():

        @changes.convert_numba(kind)
        def reduction(stock: Any, op: Any, node: Apply, **keywords: Any) -> tuple[Any, str | None]:
            function, key = stock(op, node=node, **keywords)
            reduction = reduction_in(op)
            if not isinstance(reduction.scalar_op, Maximum | Minimum):
                return function, key
            return _checked(dispatch, function, key, reduction, node.inputs[0].type, as_number=op is not reduction)


def reductions() -> list[type]:
    """Return the kinds of ops that reduce axes; from PyTensor 3.3 on there are those that give a number."""
    try:
        from pytensor.tensor.rewriting.scalarize import ScalarCAReduce
    except ImportError:
        return [CAReduce]
    return [CAReduce, ScalarCAReduce]


def reduction_in(op: Any) -> Any:
    """Return the CAReduce that an op of `reductions` is, or has."""
    if isinstance(op, CAReduce):
        return op
    (reduction,) = (inner.op for inner in op.fgraph.apply_nodes if isinstance(inner.op, CAReduce))
    return reduction


def _extreme(less: str, at: str, result: str, entry: str) -> list[str]:
    """Write statements that keep the larger or smaller of two numbers, without branches: LLVM makes vectors of these."""
    known = f"{result}[{at}]"
    return [f"{known} = {entry} if ({entry} != {entry}) | ({known} {less} {entry}) else {known}"]


def _checked(dispatch: Any, function: Any, key: str | None, op: CAReduce, x: Any, as_number: bool) -> tuple[Any, str | None]:
    from symae.kernels.extremes import SHORT, extreme

    axes = range(x.ndim) if op.axis is None else [axis % x.ndim for axis in op.axis]
    name, less = ("maximum", "<") if isinstance(op.scalar_op, Maximum) else ("minimum", ">")
    nothing = " and ".join(["x.size == 0", *(f"x.shape[{axis}] != 0" for axis in range(x.ndim) if axis not in axes)])
    lines = [
        "def checked(x):",
        f"    if {nothing}:",
        f'        raise ValueError("zero-size array to reduction operation {name} which has no identity")',
    ]
    # All entries, or the last axis alone: PyTensor's loops wait at each entry for the one before.
    if x.dtype.startswith("float") and not as_number and len(axes) == x.ndim > 0:
        # Numba reshapes no array whose layout it does not know, not even where that is never asked for.
        row = "np.ascontiguousarray(x).reshape(-1)" if x.ndim > 1 else "x"
        lines += ["    if x.flags.c_contiguous:", f"        return np.asarray(extreme({row}))"]
    elif x.dtype.startswith("float") and x.ndim == 2 and list(axes) == [1]:
        lines += [
            f"    if x.flags.c_contiguous and x.shape[1] >= {SHORT}:",
            "        result = np.empty(x.shape[0], x.dtype)",
            "        for row in range(x.shape[0]):",
            "            result[row] = extreme(x[row])",
            "        return result",
        ]
    source = "\n".join([*lines, "    return convert(x)\n"])
    names = {"convert": function, "np": np, "extreme": extreme(less)}
    checked = dispatch.basic.compile_numba_function_src(source, "checked", names)
    return dispatch.basic.numba_njit(checked), key and f"{source} {key}"


_ELEMWISE = "pytensor.link.numba.dispatch.elemwise"

PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversions of CAReduce and ScalarCAReduce by Maximum and Minimum, and "
    "elemwise.scalar_in_place_fn",
    why="maxima skip NaN on PyTensor before 3.3, are -inf of nothing on all, and wait at each entry for the one before",
    upstream="not proposed: the empty axis: numba_funcify_CAReduce should raise ValueError where an Op without identity "
    "reduces no entries, as NumPy does; the speed: several accumulators, as LLVM needs them for vectors.",
    delete_when="tests/patches/test_numba_extremes.py passes with SYMAE_PATCHES=-numba_extremes, as fast",
    apply=apply,
    expects=(
        Expected(_ELEMWISE, "scalar_in_place_fn"),
        Expected(_ELEMWISE, "scalar_in_place_fn_Maximum", ("op", "idx", "res", "arr"), others=True),
        NUMBA_SOURCE,
    ),
)

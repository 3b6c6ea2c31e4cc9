"""An array that does not have the shape that the graph says is a ValueError on Numba too, and in a constant text."""

from __future__ import annotations

import hashlib
from typing import Any

from pytensor.graph.basic import Constant
from pytensor.tensor.shape import SpecifyShape
from pytensor.tensor.type_other import NoneTypeT

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, NUMBA_SOURCE, Patch


class SpecifiedShapeError(AssertionError, ValueError):
    """Raised when an array does not have the shape that the graph says: both `specify_shape`'s error and a misfit's.

    Of ``m + zeros(2)`` PyTensor's rewrites leave m, and that it has two columns.
    """


def apply(dispatch: Any, changes: Changes) -> None:
    @changes.convert_numba(SpecifyShape)
    def specify_shape(stock: Any, op: SpecifyShape, node: Any, **_: Any) -> tuple[Any, str | None]:
        names = [f"shape_{i}" for i in range(len(node.inputs) - 1)]
        source = f"def specify_shape(x, {', '.join(names)}):\n"
        for i, size in enumerate(node.inputs[1:]):
            if isinstance(size.type, NoneTypeT):
                continue
            expected = int(size.data) if isinstance(size, Constant) else "the one expected"
            # A constant text: numbers of the call do not get into exceptions of machine code that is loaded from the disk.
            text = f"SpecifyShape: dim {i} of input has another size than {expected}."
            source += f"    if x.shape[{i}] != shape_{i}.item():\n        raise SpecifiedShapeError({text!r})\n"
        known = {"SpecifiedShapeError": SpecifiedShapeError}
        function = dispatch.basic.compile_numba_function_src(f"{source}    return x\n", "specify_shape", known)
        return dispatch.basic.numba_njit(function), hashlib.sha256(source.encode()).hexdigest()


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversion of SpecifyShape",
    why="arrays that do not broadcast are an AssertionError, where NumPy and the other backends raise ValueError",
    upstream="not proposed: rewrites turn broadcasting into SpecifyShape, so its error should be a ValueError too.",
    delete_when="SpecifyShape's error is a ValueError on Numba",
    apply=apply,
    expects=(NUMBA_SOURCE, NUMBA_NJIT),
)

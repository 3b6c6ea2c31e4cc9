"""The reciprocal of a whole number has all digits of its type on Numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor.scalar.basic import Reciprocal

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    @changes.convert_numba(Reciprocal)
    def reciprocal(stock: Any, op: Reciprocal, node: Any, **keywords: Any) -> tuple[Any, str | None]:
        if node.inputs[0].type.dtype.startswith(("float", "complex")):
            return stock(op, node=node, **keywords)
        real = getattr(np, node.outputs[0].type.dtype)

        @dispatch.basic.numba_njit
        def reciprocal(x: Any) -> Any:
            return np.divide(real(1), real(x))

        return reciprocal, f"{node.inputs[0].type.dtype} in {real.__name__}"


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversion of Reciprocal",
    why="1 / i of whole numbers has eight digits: PyTensor divides a float32 by x",
    upstream="not proposed: numba_funcify_Reciprocal divides np.float32(1) by x; for integer inputs the one should be of the "
    "output's dtype. findings/pytensor_reciprocal_of_integers.sh shows it.",
    delete_when="findings/pytensor_reciprocal_of_integers.sh finds 16 digits",
    apply=apply,
    expects=(NUMBA_NJIT,),
)

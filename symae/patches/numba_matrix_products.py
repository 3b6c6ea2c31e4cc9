"""Products that are no ops of symae do not start BLAS's threads beside those of symae's, either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.math import Dot

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    from symae.kernels.gemm import with_one_blas_thread

    for kind in (Dot, BatchedDot):

        @changes.convert_numba(kind)
        def product(stock: Any, op: Any, node: Any, **keywords: Any) -> tuple[Any, str | None]:
            dtype = node.outputs[0].type.dtype
            if isinstance(op, BatchedDot) and dtype.startswith(("int", "uint")):
                return dispatch.basic.numba_njit(_whole_products(np.dtype(dtype))), dtype
            function, key = stock(op, node=node, **keywords)
            return with_one_blas_thread(function, dispatch.basic.numba_njit), key


def _whole_products(dtype: np.dtype[Any]) -> Callable[[Any, Any], Any]:
    """Return the function that multiplies batches of matrices of whole numbers, of which Numba's np.dot takes none."""

    def products(x: Any, y: Any) -> Any:
        made = np.zeros((x.shape[0], x.shape[1], y.shape[2]), dtype)
        for i, j, k in np.ndindex(x.shape):
            for m in range(y.shape[2]):
                made[i, j, m] += x[i, j, k] * y[i, k, m]
        return made

    return products


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversions of Dot and BatchedDot",
    why="OpenBLAS's threads spin beside Numba's, and a step takes six times as long; batches of whole numbers do not compile",
    upstream="not proposed: numba_funcify_BatchedDot should loop where np.dot takes no integers, as numba_funcify_Dot does; "
    "threads of BLAS are the user's to set, symae's own are the reason to keep them apart.",
    delete_when="OpenBLAS's idle threads sleep, or symae has none of its own",
    apply=apply,
    expects=(NUMBA_NJIT,),
)

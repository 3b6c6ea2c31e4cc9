"""Products that are no ops of symae do not start BLAS's threads beside those of symae's, either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.math import Dot

from symae.errors import ShapeError
from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    from symae.kernels.gemm import with_one_blas_thread

    for kind in (Dot, BatchedDot):

        @changes.convert_numba(kind)
        def product(stock: Any, op: Any, node: Any, **keywords: Any) -> tuple[Any, str | None]:
            jit, dtype = dispatch.basic.numba_njit, node.outputs[0].type.dtype
            if isinstance(op, BatchedDot) and dtype.startswith(("int", "uint")):
                return _of_fitting(jit(_whole_products(np.dtype(dtype))), jit), f"{dtype} of fitting"
            function, key = stock(op, node=node, **keywords)
            function = with_one_blas_thread(function, jit)
            return (_of_fitting(function, jit), f"{key} of fitting") if isinstance(op, BatchedDot) else (function, key)


def _of_fitting(product: Callable[..., Any], jit: Callable[..., Any]) -> Callable[..., Any]:
    """Return the product of batches, which reads beside the arrays where their lengths do not fit, with an error for those."""

    @jit
    def check(x: Any, y: Any) -> None:
        if x.shape[0] != y.shape[0] or x.shape[2] != y.shape[1]:
            raise ShapeError("batched_dot", "shapes {} and {}", "(n, i, k) and (n, k, j)", x.shape, y.shape)

    @jit
    def fitting(x: Any, y: Any) -> Any:
        check(x, y)
        return product(x, y)

    @jit
    def fitting_into(x: Any, y: Any, out: Any = None) -> Any:
        check(x, y)
        return product(x, y) if out is None else product(x, y, out)

    fitting_into.handles_out = True
    return fitting_into if getattr(product, "handles_out", False) else fitting


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
    why="OpenBLAS's threads spin beside Numba's, and a step takes six times as long; batches of whole numbers do not compile, "
    "and those of lengths that do not fit are read beside the arrays",
    upstream="not proposed: numba_funcify_BatchedDot should loop where np.dot takes no integers, as numba_funcify_Dot does; "
    "threads of BLAS are the user's to set, symae's own are the reason to keep them apart.",
    delete_when="OpenBLAS's idle threads sleep, or symae has none of its own",
    apply=apply,
    expects=(NUMBA_NJIT,),
)

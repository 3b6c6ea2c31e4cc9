"""Products that are no ops of symae do not start BLAS's threads beside those of symae's, either."""

from __future__ import annotations

from typing import Any

from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.math import Dot

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    from symae.kernels.gemm import with_one_blas_thread

    for kind in (Dot, BatchedDot):

        @changes.convert_numba(kind)
        def product(stock: Any, op: Any, **keywords: Any) -> tuple[Any, str | None]:
            function, key = stock(op, **keywords)
            return with_one_blas_thread(function, dispatch.basic.numba_njit), key


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversions of Dot and BatchedDot",
    why="OpenBLAS's threads spin beside Numba's, and a step takes six times as long",
    upstream="not proposed: threads of BLAS are the user's to set; symae's own are the reason to keep them apart.",
    delete_when="OpenBLAS's idle threads sleep, or symae has none of its own",
    apply=apply,
    expects=(NUMBA_NJIT,),
)

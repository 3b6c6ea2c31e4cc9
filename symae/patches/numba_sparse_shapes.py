"""Sizes of sparse matrices are int64 on Numba, as everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor.tensor.shape import Shape, Shape_i

from symae.patches.changes import Changes
from symae.patches.patch import NUMBA_NJIT, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    from pytensor.sparse.type import SparseTensorType

    for kind in (Shape, Shape_i):

        @changes.convert_numba(kind)
        def sizes(stock: Any, op: Any, node: Any, **keywords: Any) -> tuple[Any, str | None]:
            size, key = stock(op, node=node, **keywords)
            if not isinstance(node.inputs[0].type, SparseTensorType):
                return size, key

            @dispatch.basic.numba_njit
            def sizes(x: Any) -> Any:
                return size(x).astype(np.int64)

            return sizes, key and f"sparse {key}"


PATCH = Patch(
    module="pytensor.link.numba.dispatch",
    replaces="PyTensor's Numba conversions of Shape and Shape_i, for sparse matrices",
    why="a size of a sparse matrix is int32, and what is computed of it fails to compile",
    upstream="not proposed: CSRMatrixType and CSCMatrixType keep shapes in int32; numba_funcify_Shape should cast to int64.",
    delete_when="tests/patches/test_conversions.py passes with SYMAE_PATCHES=-numba_sparse_shapes",
    apply=apply,
    expects=(NUMBA_NJIT,),
)

"""On the C backend a sparse matrix times a dense one has the dense one's numbers, in whatever order they lie in memory.

PyTensor's C code takes the entries of a row for neighbours. In Fortran order, which SciPy makes of a csc matrix and NumPy of a
transposed one, they are not, and the product is another one in silence.
"""

from __future__ import annotations

from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch

_PRODUCTS = {"MulSDCSC": "j", "MulSDCSR": "i"}  # by the column's name in its code
_STRIDED = (
    "(*(const dtype_{data} *)(PyArray_BYTES({data}) + i_idx * PyArray_STRIDES({data})[0])) * "
    "(*(const dtype_{b} *)((const char *)b_row + {column} * PyArray_STRIDES({b})[1]))"
)


def apply(rewriting: Any, changes: Changes) -> None:
    for name, column in _PRODUCTS.items():
        _read_by_strides(getattr(rewriting, name), column, changes)


def _read_by_strides(product: Any, column: str, changes: Changes) -> None:
    stock, version = product.c_code, product.c_code_cache_version

    def c_code(self: Any, node: Any, name: str, inputs: Any, outputs: Any, sub: Any) -> str:
        code: str = stock(self, node, name, inputs, outputs, sub)
        return code.replace(f"data[i_idx] * b_row[{column}]", _STRIDED.format(data=inputs[0], b=inputs[3], column=column))

    changes.replace(product, "c_code", c_code)
    changes.replace(product, "c_code_cache_version", lambda self: (*version(self), "strided", 1))


PATCH = Patch(
    module="pytensor.sparse.rewriting",
    replaces="the C code of MulSDCSC and MulSDCSR, and their cache versions",
    why="a sparse matrix times a dense one in Fortran order is another product",
    upstream="not proposed: b_row[j] and b_row[i] should go by the second stride, as SamplingDotCSR's rows do.",
    delete_when="tests/patches/test_sparse_products.py passes with SYMAE_PATCHES=-c_sparse_products",
    apply=apply,
    expects=tuple(
        expected
        for name in _PRODUCTS
        for expected in (
            Expected(f"pytensor.sparse.rewriting:{name}", "c_code", ("self", "node", "name", "inputs", "outputs", "sub")),
            Expected(f"pytensor.sparse.rewriting:{name}", "c_code_cache_version", ("self",)),
        )
    ),
)

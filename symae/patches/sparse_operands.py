"""Shared dense matrices and constants leave ``dense * sparse`` to the sparse matrix, as other dense variables do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pytensor.tensor.variable import _tensor_py_operators

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch

OPERATORS = ("__add__", "__sub__", "__mul__")


def apply(module: Any, changes: Changes) -> None:
    for name in OPERATORS:
        changes.replace(_tensor_py_operators, name, left_to_sparse(vars(_tensor_py_operators)[name]))


def left_to_sparse(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `operator` so that of a dense and a sparse matrix the sparse one computes: ``dense * sparse`` is sparse."""
    from pytensor.sparse.type import SparseTensorType  # which takes a tenth of a second to import, with SciPy's

    @functools.wraps(operator)
    def computed(self: Any, other: Any) -> Any:
        sparse = isinstance(getattr(other, "type", None), SparseTensorType)
        if sparse and not isinstance(self.type, SparseTensorType):
            return NotImplemented
        return operator(self, other)

    return computed


PATCH = Patch(
    module="pytensor.sparse",
    replaces="+, - and * of PyTensor's tensor variables",
    why="Python asks a SparseVariable before a TensorVariable, whose subclass it is, but not before a shared variable or a "
    "constant: y * gz in the gradient of sparse * shared is an Elemwise of a sparse matrix, which nothing computes",
    upstream="not proposed: return NotImplemented for sparse operands from _tensor_py_operators, or write multiply(y, gz) in "
    "the gradients of pytensor.sparse.math.",
    delete_when="tests/patches/test_sparse_operands.py passes with SYMAE_PATCHES=-sparse_operands",
    apply=apply,
    expects=tuple(Expected("pytensor.tensor.variable:_tensor_py_operators", name, ("self", "other")) for name in OPERATORS),
)

"""``theano.sparse``: PyTensor's sparse matrices under Theano's names, as far as PyTensor has them.

Sparse variables keep PyTensor's operators; what is computed of them and dense has Theano's.
"""

from __future__ import annotations

from pytensor import sparse as _sparse
from pytensor.sparse.sharedvar import SparseTensorSharedVariable
from pytensor.sparse.type import SparseTensorType as SparseType
from pytensor.sparse.variable import SparseConstant, SparseVariable

from symae.theano._impl.absent import is_also
from symae.theano._impl.borrowed import borrower

__all__ = ["SparseConstant", "SparseTensorSharedVariable", "SparseType", "SparseVariable", "enable_sparse"]

enable_sparse = imported_scipy = True

# What PyTensor calls otherwise.
RENAMED = {
    "MulSD": "SparseDenseMultiply",
    "MulSS": "SparseSparseMultiply",
    "MulSV": "SparseDenseVectorMultiply",
    "constant": "as_sparse_variable",
    "sgn": "sign",
}

__getattr__ = borrower(
    __name__,
    (_sparse, _sparse.basic, _sparse.math, _sparse.sharedvar, _sparse.type),
    "see pytensor.sparse for what there is, or use theano.sparse.dense_from_sparse first",
    RENAMED,
)
is_also(__name__, "basic", "sharedvar", "type")

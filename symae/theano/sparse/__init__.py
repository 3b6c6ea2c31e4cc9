"""``theano.sparse``: PyTensor's sparse matrices under Theano's names, as far as PyTensor has them.

Sparse variables keep PyTensor's operators; what is computed of them and dense has Theano's.
"""

from __future__ import annotations

import importlib
from typing import Any

from pytensor import sparse as _sparse

from symae.theano.borrowed import borrower

__all__ = ["enable_sparse"]

enable_sparse = imported_scipy = True


_borrowed = borrower(
    __name__,
    (_sparse, _sparse.basic, _sparse.math),
    "see pytensor.sparse for what there is, or use theano.sparse.dense_from_sparse first",
)


def __getattr__(name: str) -> Any:
    return importlib.import_module(__name__) if name == "basic" else _borrowed(name)

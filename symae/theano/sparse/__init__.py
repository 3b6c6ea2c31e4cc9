"""``theano.sparse``: PyTensor's sparse matrices under Theano's names, as far as PyTensor has them.

Sparse variables keep PyTensor's operators; what is computed of them and dense has Theano's.
"""

from __future__ import annotations

import importlib
from typing import Any

from pytensor import sparse as _sparse

from symae.theano.absent import absent
from symae.theano.variables import as_theano

__all__ = ["enable_sparse"]

enable_sparse = imported_scipy = True


def __getattr__(name: str) -> Any:
    if name == "basic":
        return importlib.import_module(__name__)
    for place in (_sparse, _sparse.basic, _sparse.math):
        if hasattr(place, name):
            found = getattr(place, name)
            value = found if isinstance(found, type) or not callable(found) else as_theano(found, name, __name__)
            globals()[name] = value
            return value
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise absent("theano.sparse", name, "see pytensor.sparse for what there is, or use theano.sparse.dense_from_sparse first")

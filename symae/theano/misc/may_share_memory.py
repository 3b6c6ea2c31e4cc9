"""``theano.misc.may_share_memory``."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse

__all__ = ["may_share_memory"]


def may_share_memory(a: Any, b: Any, raise_other_type: bool = True) -> bool:
    """Return whether two arrays, or sparse matrices, may lie in the same memory.

    Raises
    ------
    TypeError
        One is neither; without `raise_other_type` the answer is no then.
    """
    if not all(isinstance(x, np.ndarray) or issparse(x) for x in (a, b)):
        if raise_other_type:
            raise TypeError(f"may_share_memory: found {type(a).__name__} and {type(b).__name__}, expected arrays")
        return False
    return any(np.may_share_memory(one, other) for one in _arrays(a) for other in _arrays(b))


def _arrays(x: Any) -> list[np.ndarray]:
    return [x.data, x.indices, x.indptr] if issparse(x) else [x]

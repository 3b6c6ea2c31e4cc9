"""``theano.misc.safe_asarray``."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["_asarray"]


def _asarray(a: Any, dtype: Any, order: Any = None) -> np.ndarray:
    """Call ``numpy.asarray``; "floatX" is ``config.floatX``."""
    from symae.theano._impl.configuration import config

    return np.asarray(a, config.floatX if dtype == "floatX" else dtype, order=order)

"""``theano.tensor.basic``: what `symae.theano.tensor` has, under the module's older address."""

from __future__ import annotations

from typing import Any

from symae.theano import tensor as _tensor

__all__ = [name for name in _tensor.__all__ if name not in {"nnet", "nlinalg", "raw_random", "shared_randomstreams"}]


def __getattr__(name: str) -> Any:
    return getattr(_tensor, name)

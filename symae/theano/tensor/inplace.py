"""``theano.tensor.inplace``: what is not in place either, as PyTensor computes in place by itself where it may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symae.theano import tensor as _tensor
from symae.theano._impl.absent import absent

__all__: list[str] = []


def __getattr__(name: str) -> Callable[..., Any]:
    if name.endswith("_inplace"):
        return getattr(_tensor, name.removesuffix("_inplace"))
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise absent("theano.tensor.inplace", name, "it has functions whose names end in _inplace")

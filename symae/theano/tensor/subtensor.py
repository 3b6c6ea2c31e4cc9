"""``theano.tensor.subtensor``: indexing, and arrays with some entries changed."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)
from pytensor.tensor.subtensor import get_canonical_form_slice as _canonical

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = [
    "AdvancedIncSubtensor",
    "AdvancedSubtensor",
    "IncSubtensor",
    "Subtensor",
    "advanced_inc_subtensor",
    "advanced_inc_subtensor1",
    "advanced_set_subtensor",
    "advanced_set_subtensor1",
    "advanced_subtensor",
    "advanced_subtensor1",
    "get_canonical_form_slice",
    "take",
]

get_canonical_form_slice = as_theano(_canonical, "get_canonical_form_slice", __name__)


@as_theano
def take(a: TensorLike, indices: TensorLike, axis: int | None = None, mode: str = "raise") -> Variable:
    """Take a[indices] along `axis`, without one of the flattened array; `mode` "wrap" or "clip" brings indices into range."""
    a, indices = pt.as_tensor(a), pt.as_tensor(indices)
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"take: mode is {mode!r}, expected raise, wrap or clip")
    if mode != "raise":
        length = a.size if axis is None else a.shape[axis]
        indices = indices % length if mode == "wrap" else pt.clip(indices, 0, length - 1)
    return pt.take(a, indices, axis)


@as_theano
def advanced_subtensor(x: TensorLike, *args: Any) -> Variable:
    """Return x[args], of which some are arrays of integers."""
    return pt.as_tensor(x)[args]


@as_theano
def advanced_inc_subtensor(x: TensorLike, y: TensorLike, *args: Any) -> Variable:
    """Return `x` with `y` added to x[args]."""
    return pt.inc_subtensor(pt.as_tensor(x)[args], y)


@as_theano
def advanced_set_subtensor(x: TensorLike, y: TensorLike, *args: Any) -> Variable:
    """Return `x` with x[args] set to `y`."""
    return pt.set_subtensor(pt.as_tensor(x)[args], y)


advanced_subtensor1 = advanced_subtensor
advanced_inc_subtensor1 = advanced_inc_subtensor
advanced_set_subtensor1 = advanced_set_subtensor

__getattr__ = getter(
    __name__,
    elsewhere={"set_subtensor": "tensor:set_subtensor", "inc_subtensor": "tensor:inc_subtensor"},
    pytensor=["pytensor.tensor.subtensor"],
    ops="tensor.subtensor",
)

"""``theano.scalar``: PyTensor's operations on single numbers, of which those on arrays are made."""

from __future__ import annotations

from typing import Any

from pytensor import scalar as _scalar
from pytensor.scalar import ScalarOp, ScalarType, upcast

from symae.theano._impl.absent import absent

__all__ = ["Scalar", "ScalarOp", "upcast"]

Scalar = ScalarType

# theano.scalar's name: PyTensor's
_RENAMED = {"abs_": "abs", "inv": "reciprocal", "sgn": "sign", "Abs": "Abs", "Sgn": "Sign", "Inv": "Reciprocal"}


def __getattr__(name: str) -> Any:
    theirs = _RENAMED.get(name, name)
    for module in (_scalar, _scalar.basic, _scalar.math):
        if hasattr(module, theirs):
            return getattr(module, theirs)
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise absent("theano.scalar", name, "see pytensor.scalar for what there is")

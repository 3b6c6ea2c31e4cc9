"""``theano.scalar``: PyTensor's operations on single numbers, of which those on arrays are made."""

from __future__ import annotations

from typing import Any

from pytensor import scalar as _scalar
from pytensor.graph.utils import MetaObject
from pytensor.scalar import ScalarOp, ScalarType, get_scalar_type, upcast

from symae.theano._impl.absent import absent

__all__ = ["Scalar", "ScalarOp", "transfer_type", "upcast"]

Scalar = ScalarType


class transfer_type(MetaObject):
    """Give outputs the types of inputs: their numbers, or None for the type that all inputs fit in."""

    __props__ = ("transfer",)

    def __init__(self, *transfer: int | None):
        self.transfer = transfer

    def __call__(self, *types: ScalarType) -> list[ScalarType]:
        """Return the types of the outputs for inputs of `types`."""
        common = get_scalar_type(upcast(*(type.dtype for type in types)))
        return [common if i is None else types[i] for i in self.transfer]


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

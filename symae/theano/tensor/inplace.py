"""``theano.tensor.inplace``: elementwise Ops that write over their first input.

As in Theano they are for functions with ``accept_inplace=True``; others compute in place by themselves where they may.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytensor.tensor as pt
from pytensor.tensor.elemwise import Elemwise

from symae.theano import tensor as _tensor
from symae.theano._impl.absent import absent
from symae.theano.scalar import transfer_type
from symae.theano.tensor.elementwise import ELEMENTWISE, LegacyElemwise

__all__: list[str] = []


@functools.cache
def _in_place(name: str) -> Any:
    """Return the Op of that name that writes over its first input, or a function with one for what is made of several Ops."""
    function = getattr(_tensor, name)
    op = function if isinstance(function, Elemwise) else getattr(pt, name, None)
    if not isinstance(op, Elemwise):
        return _over_first(function) if name in ELEMENTWISE else function
    scalar_op = type(op.scalar_op)(transfer_type(0), name=op.scalar_op.name)
    return LegacyElemwise(Elemwise(scalar_op, {0: 0}, f"{name}_inplace"), f"{name}_inplace", __name__)


def _over_first(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def computed(*inputs: Any) -> Any:
        first = _tensor.as_tensor_variable(inputs[0])
        return _in_place("second")(first, _tensor.cast(function(first, *inputs[1:]), first.dtype))

    return computed


def __getattr__(name: str) -> Any:
    if name.endswith("_inplace"):
        return _in_place(name.removesuffix("_inplace"))
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise absent("theano.tensor.inplace", name, "it has functions whose names end in _inplace")

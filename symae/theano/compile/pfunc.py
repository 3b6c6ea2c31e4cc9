"""``theano.compile.pfunc``: where functions were compiled."""

from __future__ import annotations

from typing import Any

from symae.theano._impl.absent import getter
from symae.theano._impl.functions import Function, In, Out, Param, function
from symae.theano.shared import SharedVariable, shared

__all__ = ["In", "Out", "Param", "SharedVariable", "function", "pfunc", "shared"]

__getattr__ = getter(__name__, instead={"rebuild_collect_shared": "use theano.clone"}, pytensor=["pytensor.compile.rebuild"])


def pfunc(params: Any, *args: Any, **kwargs: Any) -> Function:
    """Compile a function of the inputs `params`, as `symae.theano.function` does."""
    return function(params, *args, **kwargs)

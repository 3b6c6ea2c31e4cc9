"""``theano.compile.pfunc``: where functions were compiled."""

from __future__ import annotations

from typing import Any

from pytensor.compile.rebuild import rebuild_collect_shared as _rebuilt

from symae.theano._impl.absent import getter
from symae.theano._impl.functions import Function, In, Out, Param, function
from symae.theano._impl.variables import mark, plain
from symae.theano.shared import SharedVariable, shared

__all__ = ["In", "Out", "Param", "SharedVariable", "function", "pfunc", "rebuild_collect_shared", "shared"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.rebuild"])


def pfunc(params: Any, *args: Any, **kwargs: Any) -> Function:
    """Compile a function of the inputs `params`, as `symae.theano.function` does."""
    return function(params, *args, **kwargs)


def rebuild_collect_shared(outputs: Any, inputs: Any = None, replace: Any = None, updates: Any = None, **others: Any) -> Any:
    """Copy the graph of a function with variables replaced: (inputs, outputs, [copies, updates, values, shared]).

    `others` are those of PyTensor's function: ``rebuild_strict``, ``copy_inputs_over`` and ``no_default_updates``.
    """
    with plain(outputs, inputs, replace, updates):
        result = _rebuilt(outputs, inputs, replace, updates, **others)
    return mark(result)

"""``theano.shared``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
from pytensor.compile.sharedvalue import SharedVariable, shared_constructor
from pytensor.graph.basic import Variable
from pytensor.link.c.type import generic

from symae.random import RandomStateSharedVariable
from symae.theano._impl.variables import mark

__all__ = ["SharedVariable", "shared", "shared_constructor"]


def shared(value: Any, name: str | None = None, strict: bool = False, allow_downcast: bool | None = None, **kwargs: Any) -> Any:
    """Make a variable with a value that functions share and update.

    Parameters
    ----------
    value
        An array, a number, a sparse matrix or a ``RandomState``; anything else is held as it is and no tensor, as in Theano.
    name : str, optional
    strict : bool
        Take only values of exactly the right type later.
    allow_downcast : bool, optional
        Cast later values down.
    **kwargs
        ``borrow`` (use the array itself, not a copy) and ``broadcastable``, a sequence of bool.

    Raises
    ------
    TypeError
        `value` is symbolic, or the arguments do not belong to its kind.
    """
    if isinstance(value, Variable):
        raise TypeError("Shared variable constructor needs numeric values and not symbolic variables.")
    if isinstance(value, np.random.RandomState):
        return _random_state(value, name)
    if kwargs.get("target") in {None, "cpu"}:
        kwargs.pop("target", None)
    broadcastable = kwargs.pop("broadcastable", None)
    if broadcastable is not None:
        kwargs["shape"] = tuple(1 if b else None for b in broadcastable)
    if isinstance(value, list | tuple | dict | str) or value is None:
        # PyTensor has other kinds of shared variables for some of these
        kwargs.pop("borrow", None)
        return SharedVariable(generic, value, strict, allow_downcast, name=name)
    if isinstance(value, bool):
        value = np.asarray(value)
    return mark(pytensor.shared(value, name=name, strict=strict, allow_downcast=allow_downcast, **kwargs))


def _random_state(value: np.random.RandomState, name: str | None) -> RandomStateSharedVariable:
    from symae.ops.random.draws import STATE_TYPE, state_words

    state = RandomStateSharedVariable(STATE_TYPE, state_words(value), strict=False, name=name)
    state.tag.is_rng = True
    return state

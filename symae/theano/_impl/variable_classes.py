"""Classes of variables that programs make variables of, and ask variables for: PyTensor's, with Theano's arguments."""

from __future__ import annotations

from typing import Any

import pytensor.tensor.variable as _variable
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph import basic as _basic

from symae.theano._impl.variables import mark

__all__ = ["TensorVariable", "Variable"]


class _Standing(type(_basic.Variable)):  # type: ignore[misc]
    """Let a class that says `stands_for` make variables of that class of PyTensor's, and count them as its own."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if "stands_for" in vars(cls):
            return mark(_made(cls.stands_for, *args, **kwargs))
        return super().__call__(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return cls.__subclasscheck__(type(instance))

    def __subclasscheck__(cls, subclass: type) -> bool:
        # Not by issubclass: that of PyTensor's class asks its subclasses, so this one.
        own = vars(cls)
        return own.get("stands_for", cls) in subclass.__mro__ and not {*own.get("without", ())}.intersection(subclass.__mro__)


def _made(cls: Any, type: Any, owner: Any = None, index: int | None = None, name: str | None = None) -> Any:
    return cls(type, owner, index, name)


class Variable(_basic.Variable, metaclass=_Standing):
    """Represent a value in a graph."""

    stands_for = _basic.Variable

    def __init__(self, type: Any, owner: Any = None, index: int | None = None, name: str | None = None):
        super().__init__(type, owner, index, name)


class TensorVariable(_variable.TensorVariable, metaclass=_Standing):
    """Represent an array in a graph; constants and shared ones are of other classes, as in Theano."""

    stands_for = _variable.TensorVariable
    without = (_basic.Constant, SharedVariable)

    def __init__(self, type: Any, owner: Any = None, index: int | None = None, name: str | None = None):
        super().__init__(type, owner, index, name)

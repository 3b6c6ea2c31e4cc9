"""``theano.gof.type``: what values a variable may have."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Variable
from pytensor.graph.type import Type as PlainType
from pytensor.graph.utils import MethodNotDefined
from pytensor.link.c.type import CType, Generic, generic

from symae.theano._impl.absent import getter

__all__ = ["CType", "Generic", "PureType", "Type", "generic"]

__getattr__ = getter(__name__, pytensor=["pytensor.graph.type", "pytensor.link.c.type"])


class _CountsAll(type(PlainType)):  # type: ignore[misc]
    """Count all types of PyTensor's as Theano's: ``isinstance(x.type, theano.gof.Type)``."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, PlainType) if cls is Type else type.__instancecheck__(cls, instance)


class Type(PlainType, metaclass=_CountsAll):
    """Describe values; ``filter`` and the other methods are those of a subclass, or are given to one type later.

    ``double = Type()`` and then ``double.filter = …`` makes a type; one is equal to itself only, unless it has ``__eq__``.
    """

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        raise MethodNotDefined("filter", type(self), type(self).__name__)

    def make_variable(self, name: str | None = None) -> Variable:
        cls: Any = getattr(self, "Variable", self.variable_type)
        made: Variable = cls(self, None, name=name)
        return made


PureType = Type

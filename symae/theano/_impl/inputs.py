"""Inputs of functions that are more than variables: ``theano.In`` and, as it was called first, ``theano.Param``."""

from __future__ import annotations

from typing import Any

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.link.basic import Container

__all__ = ["In", "Param"]


class In:
    """Describe an input of a function that is more than a variable: it has a value unless one is given, or an update.

    Parameters
    ----------
    variable : variable
    name : str, optional
        The keyword by which to give it, the variable's name by default.
    value : optional
        What it is when it is not given; with `update`, what it is at first.
    update : variable, optional
        What it becomes with each call.
    mutable, strict, allow_downcast, autoname, implicit, borrow, shared
        As in Theano.
    """

    def __init__(
        self,
        variable: Any,
        name: str | None = None,
        value: Any = None,
        update: Any = None,
        mutable: bool | None = None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        autoname: bool = True,
        implicit: bool | None = None,
        borrow: bool | None = None,
        shared: bool = False,
    ):
        self.variable = variable
        self.name = variable.name if name is None and autoname else name
        self.value = value
        self.update = update
        self.mutable = (update is not None) if mutable is None else mutable
        self.strict = strict
        self.allow_downcast = allow_downcast
        # the value of another function or a shared variable is not given by position, unless it is said so
        self.implicit = isinstance(value, Container | SharedVariable) if implicit is None else implicit
        self.borrow = mutable if borrow is None else borrow
        self.shared = shared
        if update is not None and update.type != variable.type:
            raise TypeError(f"In({variable}): found an update of type {update.type}, expected {variable.type}")
        if not isinstance(self.name, str | None):
            raise TypeError(f"In({variable}): found a name of type {type(self.name).__name__}, expected a text")
        if self.mutable and self.borrow is False:
            raise ValueError(f"In({variable}) has mutable=True and borrow=False: what may be overwritten may be borrowed")

    def __repr__(self) -> str:
        return f"In({self.variable}{'' if self.update is None else f' -> {self.update}'})"


def Param(
    variable: Any,
    default: Any = None,
    name: str | None = None,
    mutable: bool = False,
    strict: bool = False,
    allow_downcast: bool | None = None,
    implicit: bool | None = None,
    borrow: bool | None = None,
) -> In:
    """Make an `In` under its name before Theano 0.8."""
    return In(variable, name, default, None, mutable, strict, allow_downcast, True, implicit, borrow)

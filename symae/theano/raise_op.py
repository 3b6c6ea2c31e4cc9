"""``theano.raise_op``: expressions that raise an error when they are computed."""

from __future__ import annotations

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import Assert as _Assert
from pytensor.raise_op import CheckAndRaise

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano

__all__ = ["Assert", "Raise"]

__getattr__ = getter(__name__, pytensor=["pytensor.raise_op"])


class Raise:
    """Raise `exc` when it is computed: ``Raise(message)(x)`` is `x`."""

    def __init__(self, msg: str = "", exc: type[Exception] = NotImplementedError):
        self.msg, self.exc = msg, exc

    def __call__(self, x: Variable) -> Variable:
        return as_theano(CheckAndRaise(self.exc, self.msg))(x, pt.constant(False))


class Assert:
    """Raise AssertionError where one of `conditions` is 0: ``Assert(message)(x, *conditions)`` is `x`."""

    def __init__(self, msg: str = "Theano Assert failed!"):
        self.msg = msg

    def __call__(self, x: Any, *conditions: Any) -> Variable:
        return as_theano(_Assert(self.msg))(x, *conditions)

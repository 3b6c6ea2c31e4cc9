"""``theano.ifelse``: one of two expressions is computed."""

from __future__ import annotations

from typing import Any

try:
    from pytensor.conditional.op import IfElse
    from pytensor.conditional.op import ifelse as _ifelse
except ImportError:  # PyTensor 3.0
    from pytensor.ifelse import IfElse
    from pytensor.ifelse import ifelse as _ifelse

from symae.theano.absent import getter
from symae.theano.variables import as_theano

__all__ = ["IfElse", "ifelse"]

__getattr__ = getter(__name__, pytensor=["pytensor.ifelse"])


@as_theano
def ifelse(condition: Any, then_branch: Any, else_branch: Any, name: str | None = None) -> Any:
    """`then_branch` if `condition`, a scalar, is not 0, and `else_branch` if it is; the other one is not computed.

    Branches are variables, or lists of as many variables each.
    """
    return _ifelse(condition, then_branch, else_branch, name)

"""``theano.ifelse``: one of two expressions is computed."""

from __future__ import annotations

from typing import Any

try:
    from pytensor.conditional.op import IfElse
    from pytensor.conditional.op import ifelse as _ifelse
except ImportError:  # PyTensor 3.0
    from pytensor.ifelse import IfElse
    from pytensor.ifelse import ifelse as _ifelse

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano

__all__ = ["IfElse", "ifelse"]

__getattr__ = getter(__name__, pytensor=["pytensor.ifelse"])


@as_theano
def ifelse(condition: Any, then_branch: Any, else_branch: Any, name: str | None = None) -> Any:
    """Return `then_branch` if the scalar `condition` is not 0, else `else_branch`; the other one is not computed.

    Branches are variables, or lists of as many variables each.

    Notes
    -----
    Numba, C, PyTorch and ``FAST_COMPILE`` compute what the branch that is asked for needs, and no index, inverse, ``Print`` or
    operation of a script's own in the other one does anything. On Numba, JAX and PyTorch what branches of several conditions
    share is computed in each of them, and a choice that they share is made in any case. JAX traces both branches and takes
    branches of one shape only; one that cannot be traced for the shapes of the inputs is an error where it is asked for. MLX
    computes both branches. Gradients are computed as Theano's: what the derivative of a branch needs is, also if it is not
    taken, and zeros go through it.
    """
    return _ifelse(condition, then_branch, else_branch, name)

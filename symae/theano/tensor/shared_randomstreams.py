"""``theano.tensor.shared_randomstreams``: `symae.random`, whose streams are Theano's, with marked variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae import random
from symae.random import RandomStateSharedVariable
from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["RandomStateSharedVariable", "RandomStreams", "randomstate_constructor"]


class RandomStreams(random.RandomStreams):
    """Make a family of independent streams from one seed: all that `symae.random.RandomStreams` has."""

    @as_theano
    def gen(self, op: Callable[..., tuple[Variable, Variable]], *args: Any, **kwargs: Any) -> Variable:
        """Make a new stream, draw from it with ``op(state, *args, **kwargs) -> (new state, draws)``, and return the draws."""
        return super().gen(op, *args, **kwargs)

    def shuffle_row_elements(self, input: TensorLike) -> Variable:
        """Shuffle each row of `input` (its last dimension) separately."""
        input = pt.as_tensor(input)
        order = self.permutation(size=input.shape[:-1], n=input.shape[-1], ndim=input.ndim - 1)
        shuffled: Variable = _reordered(input, order)
        shuffled.permutation = order
        return shuffled


@as_theano
def _reordered(input: Variable, order: Variable) -> Variable:
    return pt.take_along_axis(input, order, axis=-1)


def randomstate_constructor(
    value: Any, name: str | None = None, strict: bool = False, allow_downcast: bool | None = None, borrow: bool = False
) -> Any:
    """Make the shared variable of a ``RandomState``, as ``theano.shared`` does.

    Raises
    ------
    TypeError
        `value` is something else.
    """
    from symae.theano.shared import shared

    if not isinstance(value, np.random.RandomState):
        raise TypeError(f"randomstate_constructor: found a {type(value).__name__}, expected a numpy.random.RandomState")
    return shared(value, name=name)


__getattr__ = getter(__name__, pytensor=["pytensor.tensor.random"])

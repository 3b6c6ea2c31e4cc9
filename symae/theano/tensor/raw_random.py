"""``theano.tensor.raw_random``: draws as functions of a random state, (state, …) -> (new state, draws).

The state is a shared variable, ``theano.shared(numpy.random.RandomState(seed))``, an input of a function,
``random_state_type()``, or what another draw gave.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor.graph.basic import Variable
from pytensor.tensor.type import TensorType

from symae import random
from symae.ops.random.draws import STATE_TYPE, state_words
from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.theano.tensor.shared_randomstreams import RandomStreams as RandomStreamsBase

__all__ = [
    "RandomStateType",
    "RandomStreamsBase",
    "binomial",
    "choice",
    "multinomial",
    "normal",
    "permutation",
    "poisson",
    "random_integers",
    "random_state_type",
    "uniform",
]

Draw = tuple[Variable, Variable]


class RandomStateType(TensorType):
    """Describe random states that are inputs of functions: as their value they take a ``RandomState``.

    Inside of graphs, and where a function returns one, a state is an array of 628 uint32.
    """

    def __init__(self, dtype: Any = STATE_TYPE.dtype, shape: Any = STATE_TYPE.shape, name: str | None = None):
        super().__init__(dtype, shape, name)

    def filter(self, data: Any, strict: bool = False, allow_downcast: bool | None = None) -> Any:
        if isinstance(data, np.random.RandomState):
            data = state_words(data)
        return super().filter(data, strict, allow_downcast)


random_state_type = RandomStateType()


@as_theano
def uniform(
    random_state: Any, size: Any = None, low: Any = 0.0, high: Any = 1.0, ndim: int | None = None, dtype: str | None = None
) -> Draw:
    """Draw `RandomStreams.uniform` from that state."""
    return random._uniform(random_state, size, low, high, ndim, dtype)


@as_theano
def normal(
    random_state: Any, size: Any = None, avg: Any = 0.0, std: Any = 1.0, ndim: int | None = None, dtype: str | None = None
) -> Draw:
    """Draw `RandomStreams.normal` from that state."""
    return random._normal(random_state, size, avg, std, ndim, dtype)


@as_theano
def binomial(
    random_state: Any,
    size: Any = None,
    n: Any = 1,
    p: Any = 0.5,
    ndim: int | None = None,
    dtype: str = "int64",
    prob: Any = None,
) -> Draw:
    """Draw `RandomStreams.binomial` from that state."""
    return random._binomial(random_state, size, n, p if prob is None else prob, ndim, dtype)


@as_theano
def random_integers(
    random_state: Any, size: Any = None, low: Any = 0, high: Any = 1, ndim: int | None = None, dtype: str = "int64"
) -> Draw:
    """Draw `RandomStreams.random_integers` from that state."""
    return random._random_integers(random_state, size, low, high, ndim, dtype)


@as_theano
def choice(
    random_state: Any,
    size: Any = None,
    a: Any = 2,
    replace: Any = True,
    p: Any = None,
    ndim: int | None = None,
    dtype: str = "int64",
) -> Draw:
    """Draw `RandomStreams.choice` from that state."""
    return random._choice(random_state, size, a, replace, p, ndim, dtype)


@as_theano
def poisson(random_state: Any, size: Any = None, lam: Any = 1.0, ndim: int | None = None, dtype: str = "int64") -> Draw:
    """Draw `RandomStreams.poisson` from that state."""
    return random._poisson(random_state, size, lam, ndim, dtype)


@as_theano
def permutation(random_state: Any, size: Any = None, n: Any = 1, ndim: int | None = None, dtype: str = "int64") -> Draw:
    """Draw `RandomStreams.permutation` from that state."""
    return random._permutation(random_state, size, n, ndim, dtype)


@as_theano
def multinomial(
    random_state: Any,
    size: Any = None,
    n: Any = 1,
    pvals: Any = (0.5, 0.5),
    ndim: int | None = None,
    dtype: str = "int64",
) -> Draw:
    """Draw `RandomStreams.multinomial` from that state."""
    return random._multinomial(random_state, size, n, pvals, ndim, dtype)


__getattr__ = getter(
    __name__,
    instead={
        "RandomFunction": "use the draws of theano.tensor.shared_randomstreams.RandomStreams",
    },
    pytensor=["pytensor.tensor.random.basic"],
)

"""Theano's random streams, bit for bit.

``RandomStreams(seed)`` seeds a generator of seeds, ``RandomState(seed)``. Every stream made from it has its own
``RandomState(int(gen.randint(2**30)))``, held in a shared variable whose default update moves it on by one draw at each
call of a compiled function. The draws are numpy's legacy ones, so the numbers are those that Theano printed in 2015 on any
machine.

Source: Theano 1.0.5, ``theano.tensor.shared_randomstreams``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import CheckAndRaise
from pytensor.scalar import upcast
from pytensor.tensor.sharedvar import TensorSharedVariable
from pytensor.tensor.variable import TensorVariable

from symae.ops.random.compiled_draws import BinomialDraw, NormalDraw, UniformDraw
from symae.ops.random.draws import STATE_TYPE, NumpyDraw, random_state, state_words
from symae.typing import TensorLike

__all__ = ["RandomStateSharedVariable", "RandomStreams"]

Size = Any  # None, a tuple of ints and symbolic scalars (-1: taken from the parameters), or a symbolic vector


class RandomStateSharedVariable(TensorSharedVariable):
    """Share a random state: an array of 628 uint32 for the graph, a ``RandomState`` for those who ask for its value."""

    _default_update: Variable | None = None

    @property
    def default_update(self) -> Variable | None:
        """The state after the draw: what functions set this variable to unless they are given another update."""
        return self._default_update

    @default_update.setter
    def default_update(self, value: Variable | None) -> None:
        # PyTensor deprecates its own setter, because it has other plans for its other generators; Theano's streams live by it.
        self._default_update = value

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """Return a copy of the ``RandomState`` that makes the next draw; after changing it, hand it back with ``set_value``."""
        return random_state(super().get_value(borrow=True))

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Go on from `new_value`, a ``RandomState`` or the array of its 628 words."""
        if isinstance(new_value, np.random.RandomState):
            new_value = state_words(new_value)
        super().set_value(np.array(new_value), borrow=True)

    def words(self) -> np.ndarray:
        """Return the state as 628 uint32, for files and checkpoints."""
        return np.array(super().get_value(borrow=True))


class RandomStreams:
    """Make a family of independent streams from one seed, named after and equal to Theano's.

    Parameters
    ----------
    seed : int in [0, 2**32), or None
        Seeds the generator of seeds. None takes entropy from the system: other numbers each time.

    Attributes
    ----------
    state_updates : list of (shared state, new state)
        One pair for each stream, in the order they were made.

    Notes
    -----
    States that are taken out, with ``v.rng.get_value()`` or ``streams[v.rng]``, are copies, also with ``borrow=True``:
    changing one changes the stream only when it is put back.

    In all draws `size` is None (the shape of the parameters), a tuple whose entries may be symbolic (``input.shape[0]``)
    or -1 (taken from the parameters), or a symbolic vector such as ``input.shape``; `ndim` says its length where that
    cannot be known. A draw ``v`` has ``v.rng``, its shared state, and ``v.update``. ``uniform``, ``normal`` and
    ``binomial`` run compiled in Numba and in C; the others call NumPy.

    Examples
    --------
    >>> import numpy as np, pytensor.tensor as pt
    >>> from symae import function
    >>> streams = RandomStreams(234)
    >>> x = pt.dvector("x")
    >>> mask = streams.binomial(size=x.shape, n=1, p=0.7, dtype=x.dtype)
    >>> function([x], mask * x)(np.ones(5))
    array([1., 0., 1., 0., 1.])
    """

    def __init__(self, seed: int | None = None):
        self.state_updates: list[tuple[RandomStateSharedVariable, Variable]] = []
        self.default_instance_seed = seed
        self.gen_seedgen = np.random.RandomState(seed)

    def updates(self) -> list[tuple[RandomStateSharedVariable, Variable]]:
        """Return the update pairs of all streams, for functions compiled with ``no_default_updates=True``."""
        return list(self.state_updates)

    def seed(self, seed: int | None = None) -> None:
        """Start all streams again from `seed`, or from the seed that was given at the beginning."""
        generator = np.random.RandomState(self.default_instance_seed if seed is None else seed)
        for state, _ in self.state_updates:
            state.set_value(np.random.RandomState(int(generator.randint(2**30))))

    def __getitem__(self, item: RandomStateSharedVariable) -> np.random.RandomState:
        # a copy, where Theano hands out the state itself: put it back to change the stream
        return item.get_value(borrow=True)

    def __setitem__(self, item: RandomStateSharedVariable, value: np.random.RandomState) -> None:
        item.set_value(value, borrow=True)

    def gen(self, op: Callable[..., tuple[Variable, Variable]], *args: Any, **kwargs: Any) -> TensorVariable:
        """Make a new stream, draw from it with ``op(state, *args, **kwargs) -> (new state, draws)``, and return the draws."""
        generator = np.random.RandomState(int(self.gen_seedgen.randint(2**30)))
        name = f"random_state_{len(self.state_updates)}"
        state = RandomStateSharedVariable(STATE_TYPE, state_words(generator), strict=False, name=name)
        state.tag.is_rng = True
        new_state, draws = op(state, *args, **kwargs)
        draws.rng = state
        draws.update = (state, new_state)
        state.default_update = new_state
        self.state_updates.append(draws.update)
        return draws

    def uniform(
        self,
        size: Size = None,
        low: TensorLike = 0.0,
        high: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
    ) -> TensorVariable:
        """Draw low + (high - low) * u, u uniform in [0, 1), by default in the dtype of the limits, at least floatX."""
        return self.gen(_uniform, size, low, high, ndim=ndim, dtype=dtype)

    def normal(
        self, size: Size = None, avg: TensorLike = 0.0, std: TensorLike = 1.0, ndim: int | None = None, dtype: str | None = None
    ) -> TensorVariable:
        """Draw Gaussian numbers of mean `avg` and standard deviation `std`, by numpy's legacy polar method."""
        return self.gen(_normal, size, avg, std, ndim=ndim, dtype=dtype)

    def binomial(
        self,
        size: Size = None,
        n: TensorLike = 1,
        p: TensorLike = 0.5,
        ndim: int | None = None,
        dtype: str = "int64",
        prob: TensorLike | None = None,
    ) -> TensorVariable:
        """Draw the number of successes in `n` trials of probability `p`. `prob` is an older name of `p`."""
        return self.gen(_binomial, size, n, p if prob is None else prob, ndim=ndim, dtype=dtype)

    def random_integers(
        self, size: Size = None, low: TensorLike = 0, high: TensorLike = 1, ndim: int | None = None, dtype: str = "int64"
    ) -> TensorVariable:
        """Draw integers between `low` and `high`, both included."""
        return self.gen(_random_integers, size, low, high, ndim=ndim, dtype=dtype)

    def choice(
        self,
        size: Size = None,
        a: TensorLike = 2,
        replace: Any = True,
        p: TensorLike | None = None,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> TensorVariable:
        """Draw elements of the vector `a`, or of 0 … a-1 if it is a number, with probabilities `p` (None: all equal)."""
        return self.gen(_choice, size, a, replace, p, ndim=ndim, dtype=dtype)

    def poisson(
        self, size: Size = None, lam: TensorLike = 1.0, ndim: int | None = None, dtype: str = "int64"
    ) -> TensorVariable:
        """Draw Poisson counts of mean `lam`; `size` is needed."""
        return self.gen(_poisson, size, lam, ndim=ndim, dtype=dtype)

    def permutation(
        self, size: Size = None, n: TensorLike = 1, ndim: int | None = None, dtype: str = "int64"
    ) -> TensorVariable:
        """Draw permutations of 0 … n-1, one for each element of `size`: shape (\\*size, n)."""
        return self.gen(_permutation, size, n, ndim=ndim, dtype=dtype)

    def multinomial(
        self,
        size: Size = None,
        n: TensorLike = 1,
        pvals: TensorLike = (0.5, 0.5),
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> TensorVariable:
        """Draw counts of `n` trials over categories, whose probabilities are rows of `pvals`: shape (\\*size, categories)."""
        return self.gen(_multinomial, size, n, pvals, ndim=ndim, dtype=dtype)

    def shuffle_row_elements(self, input: Variable) -> TensorVariable:
        """Shuffle each row of `input` (its last dimension) separately."""
        input = pt.as_tensor(input)
        order = self.permutation(size=input.shape[:-1], n=input.shape[-1], ndim=input.type.ndim - 1)
        shuffled = pt.take_along_axis(input, order, axis=-1)
        shuffled.permutation = order
        return shuffled


def _dims(size: Size, ndim: int | None, *parameters: Variable) -> list[Any]:
    """Return the sizes of a draw, one scalar for each dimension, from any form of `size`."""
    if size is None:
        if not parameters:
            raise TypeError("size is None, expected a tuple or a vector: this distribution takes no shape from its parameters")
        shape = reduce(lambda a, b: a + b, parameters).shape
        dims = [shape[i] for i in range(max(p.type.ndim for p in parameters))]
    elif isinstance(size, tuple | list):
        dims = [_from_parameters(i, len(size), parameters) if _is_automatic(d) else d for i, d in enumerate(size)]
    else:
        vector = pt.as_tensor(size)
        if vector.type.ndim != 1 or vector.type.dtype not in pt.type.integer_dtypes:
            raise TypeError(f"size is {vector.type}, expected a vector of integers or a tuple")
        length = pt.get_vector_length(vector) if ndim is None else ndim
        if length and vector.type.shape[0] is None:  # a longer one would be cut in silence
            right = CheckAndRaise(ValueError, f"size has another length than ndim, {length}")
            vector = right(vector, pt.eq(vector.shape[0], length))
        dims = [vector[i] for i in range(length)]
    if ndim is not None and size is not None and ndim != len(dims):
        raise ValueError(f"size has {len(dims)} entries, but ndim is {ndim}")
    if any(p.type.ndim > len(dims) for p in parameters):
        raise ValueError(f"size has {len(dims)} entries, but a parameter has {max(p.type.ndim for p in parameters)} dimensions")
    return dims


def _is_automatic(entry: Any) -> bool:
    dtype = entry.type.dtype if isinstance(entry, Variable) else np.asarray(entry).dtype
    if not np.issubdtype(dtype, np.integer):
        raise TypeError(f"size holds {entry} of dtype {dtype}, expected integers")
    if isinstance(entry, Variable):
        return False
    if entry < -1:
        raise ValueError(f"size holds {entry}, expected lengths, or -1 for that of the parameters")
    return bool(entry == -1)


def _from_parameters(axis: int, ndim: int, parameters: Sequence[Variable]) -> Any:
    """Return the size along `axis` of the first parameter that is not broadcast there."""
    lengths = [(p, axis - (ndim - p.type.ndim)) for p in parameters if axis >= ndim - p.type.ndim]
    if not lengths:
        raise ValueError(f"size is -1 in dimension {axis}, but no parameter reaches there")
    return next((p.shape[i] for p, i in lengths if not p.type.broadcastable[i]), 1)


def _float_dtype(dtype: str | None, *parameters: Variable) -> str:
    return str(dtype or upcast(pytensor.config.floatX, *(p.type.dtype for p in parameters)))


def _uniform(state: Variable, size: Size, low: Any, high: Any, ndim: int | None, dtype: str | None) -> Any:
    low, high = pt.as_tensor(low), pt.as_tensor(high)
    dims = _dims(size, ndim, low, high)
    return UniformDraw(_float_dtype(dtype, low, high), len(dims))(state, *dims, low, high)


def _normal(state: Variable, size: Size, avg: Any, std: Any, ndim: int | None, dtype: str | None) -> Any:
    avg, std = pt.as_tensor(avg), pt.as_tensor(std)
    dims = _dims(size, ndim, avg, std)
    return NormalDraw(_float_dtype(dtype, avg, std), len(dims))(state, *dims, avg, std)


def _binomial(state: Variable, size: Size, n: Any, p: Any, ndim: int | None, dtype: str) -> Any:
    n, p = pt.as_tensor(n), pt.as_tensor(p)
    dims = _dims(size, ndim, n, p)
    return BinomialDraw(dtype, len(dims))(state, *dims, n, p)


def _random_integers(state: Variable, size: Size, low: Any, high: Any, ndim: int | None, dtype: str) -> Any:
    low, high = pt.as_tensor(low), pt.as_tensor(high)
    dims = _dims(size, ndim, low, high)
    return NumpyDraw("random_integers", dtype, len(dims))(state, *dims, low, high)


def _choice(state: Variable, size: Size, a: Any, replace: Any, p: Any, ndim: int | None, dtype: str) -> Any:
    dims = _dims(size, ndim)
    p = pt.constant(np.empty(0)) if p is None else pt.as_tensor(p)  # numpy's None: all equal
    return NumpyDraw("choice", dtype, len(dims))(state, *dims, a, np.int8(replace) if isinstance(replace, bool) else replace, p)


def _poisson(state: Variable, size: Size, lam: Any, ndim: int | None, dtype: str) -> Any:
    dims = _dims(size, ndim)
    return NumpyDraw("poisson", dtype, len(dims))(state, *dims, lam)


def _permutation(state: Variable, size: Size, n: Any, ndim: int | None, dtype: str) -> Any:
    one = size is None or (isinstance(size, tuple | list) and not size)
    if one and ndim not in (None, 0, 1):
        raise TypeError(f"size asks for one permutation, but ndim is {ndim}")
    dims = [] if one else _dims(size, ndim)
    return NumpyDraw("permutation", dtype, len(dims))(state, *dims, n)


def _multinomial(state: Variable, size: Size, n: Any, pvals: Any, ndim: int | None, dtype: str) -> Any:
    n, pvals = pt.as_tensor(n), pt.as_tensor(pvals)
    dims = _dims(size, ndim, n, pvals[..., 0])
    return NumpyDraw("multinomial", dtype, len(dims))(state, *dims, n, pvals)

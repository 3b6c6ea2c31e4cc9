"""``theano.sandbox.rng_mrg``: the streams of MRG31k3p, bit for bit those of Theano 1.0.5's C code.

A generator is at one state, ``rstate``. Each draw takes streams from there, 2^72 steps apart, as a matrix of states in a
shared variable of its own, and the generator moves on by 2^134 steps. The number of streams decides which numbers come.

Numbers between limits, and Gaussian ones of a mean and deviation, are multiplied and added with one rounding. So did Theano's
C code where the processor can; without a C compiler or in FAST_COMPILE it rounded twice, and the last bit could differ.
"""

from __future__ import annotations

import functools
import math
import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import undefined_grad
from pytensor.graph.basic import Variable
from pytensor.scalar import upcast
from pytensor.tensor.sharedvar import TensorSharedVariable

from symae._runtime.checks import integer
from symae.errors import InputError
from symae.ops.random.mrg import MRG_STATE_TYPE, MRGChoice, MRGDraw, MRGMultinomial, MRGNormal, MRGTruncatedNormal, MRGUniform
from symae.ops.random.mrg_states import next_stream, seed_state, substreams
from symae.random import _dims
from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["MRG_RandomStreams", "guess_n_streams"]

Size = Any  # a tuple of ints and symbolic scalars, or a symbolic vector

MOST_STREAMS = 60 * 256
_DEVIATION_WITHIN_2 = 0.8796256610342398  # of the standard normal distribution cut off at 2 and -2


def guess_n_streams(size: Any, warn: bool = False) -> int:
    """Return the number of streams for a draw of `size`: a sixth of its numbers, at most 15360; that for a symbolic size."""
    if isinstance(size, tuple | list) and all(isinstance(d, int) for d in size):
        count = math.prod(size)
        return min(count // 6 if count > 6 else count, MOST_STREAMS)
    if warn:
        warnings.warn(f"guess_n_streams: size is {size}, taking {MOST_STREAMS} streams", stacklevel=2)
    return MOST_STREAMS


class MRG_RandomStreams:
    """Draw Theano's random numbers from L'Ecuyer and Touzin's MRG31k3p, many streams at once.

    Parameters
    ----------
    seed : int or six ints
        Below 2^31 - 21069 (the first three of six below 2^31 - 1), and not 0.
    use_cuda : optional
        Ignored, as there is no GPU.

    Attributes
    ----------
    rstate : array of six int32
        Where the next draw takes its streams from.
    state_updates : list of (shared states, new states, size, nstreams)
        One entry for each draw, in the order they were made; two for a truncated one.

    Notes
    -----
    In all draws `size` is a tuple whose entries may be symbolic (``input.shape[0]``) or a symbolic vector such as
    ``input.shape``; `ndim` says its length where that cannot be known. `dtype` is float32 or float64 where numbers are real.
    `nstreams` is the number of streams, by default `guess_n_streams` of the size; `target` is ignored, as there is no GPU. A
    draw ``v`` has ``v.rstate``, its shared states, and ``v.update``. No draw has a gradient with respect to its parameters.

    Examples
    --------
    >>> import numpy as np, pytensor.tensor as pt
    >>> from symae import function
    >>> rng = MRG_RandomStreams(seed=1234)
    >>> x = pt.dvector("x")
    >>> mask = rng.binomial(size=x.shape, n=1, p=0.7, dtype=x.dtype)
    >>> function([x], mask * x)(np.ones(5))
    array([1., 1., 1., 1., 0.])
    """

    def __init__(self, seed: int | Sequence[int] = 12345, use_cuda: Any = None):
        self.state_updates: list[tuple[TensorSharedVariable, Variable, Any, int | None]] = []
        self.default_instance_seed = seed
        self.set_rstate(seed)

    def set_rstate(self, seed: int | Sequence[int]) -> None:
        """Take the streams of the next draw from `seed`; those that are drawn from stay where they are.

        Raises
        ------
        InputError
            `seed` is none.
        """
        self.rstate = seed_state(seed)

    def inc_rstate(self) -> None:
        """Move ``rstate`` on by 2^134 steps, past all streams of one draw."""
        self.rstate = next_stream(self.rstate)

    def seed(self, seed: int | Sequence[int] | None = None) -> None:
        """Start all draws again from `seed`, or from the seed that was given at the beginning."""
        self.set_rstate(self.default_instance_seed if seed is None else seed)
        for states, _, size, nstreams in self.state_updates:
            count = self.n_streams(size) if nstreams is None else nstreams
            states.set_value(self.get_substream_rstates(count, None), borrow=True)

    def get_substream_rstates(self, n_streams: int, dtype: Any, inc_rstate: bool = True) -> np.ndarray:
        """Return the states (n_streams, 6) of the next streams, 2^72 steps apart, in int32 whatever `dtype` is."""
        states = substreams(self.rstate, integer("MRG_RandomStreams: nstreams", n_streams))
        if inc_rstate:
            self.inc_rstate()
        return states

    def n_streams(self, size: Any) -> int:
        """Return `guess_n_streams` of `size`."""
        return guess_n_streams(size)

    def updates(self) -> list[tuple[TensorSharedVariable, Variable]]:
        """Return (shared states, new states) of all draws, for functions compiled with ``no_default_updates=True``."""
        return [entry[:2] for entry in self.state_updates]

    @as_theano
    def uniform(
        self,
        size: Size,
        low: TensorLike = 0.0,
        high: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
        nstreams: int | None = None,
        target: Any = None,
    ) -> Variable:
        """Draw low + (high - low) * u, u uniform in (0, 1), by default in the dtype of the limits, at least floatX."""
        low, high = pt.as_tensor(low), pt.as_tensor(high)
        dims, dtype = _sizes("uniform", size, ndim), _float_dtype("uniform", dtype, low, high)
        if not (_fits(low, dims) and _fits(high, dims)):
            raise InputError("MRG_RandomStreams.uniform: size", repr(size), "the shape to which low and high are broadcast")
        return self._draw(MRGUniform(dtype, len(dims)), size, nstreams, *dims, low, high)

    @as_theano
    def binomial(
        self,
        size: Size = None,
        n: TensorLike = 1,
        p: TensorLike = 0.5,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        prob: TensorLike | None = None,
        target: Any = None,
    ) -> Variable:
        """Draw 1 with probability `p`, else 0. `n` has to be 1, as in Theano; `prob` is an older name of `p`."""
        if not isinstance(n, int | np.integer) or n != 1:
            raise NotImplementedError("MRG_RandomStreams.binomial: found n other than 1, use RandomStreams.binomial for that")
        ndim = ndim if isinstance(size, Variable) else None
        p = undefined_grad(pt.as_tensor(p if prob is None else prob))
        return self._like_its_draw(pt.cast(pt.lt(self.uniform(size, ndim=ndim, nstreams=nstreams), p), dtype))

    @as_theano
    def normal(
        self,
        size: Size,
        avg: TensorLike = 0.0,
        std: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
        nstreams: int | None = None,
        truncate: bool = False,
        target: Any = None,
    ) -> Variable:
        """Draw Gaussian numbers of mean `avg` and standard deviation `std`, by Box and Muller's transform.

        If `truncate` is true, numbers beyond two standard deviations are drawn again, so the deviation is 0.88 of `std`. They
        take a second matrix of states. On JAX the size has to be made of ints then.
        """
        avg, std = pt.as_tensor(avg), pt.as_tensor(std)
        dims, dtype = _sizes("normal", size, ndim), _float_dtype("normal", dtype, avg, std)
        if not (_fits(avg, dims) and _fits(std, dims)):  # the result is larger than the draw
            standard = self.normal(size, ndim=ndim, dtype=dtype, nstreams=nstreams, truncate=truncate)
            return self._like_its_draw(standard * pt.cast(std, dtype) + pt.cast(avg, dtype))
        if not truncate:  # Theano rounds up to an even count, symbolically, and so guesses that size has symbols
            return self._draw(MRGNormal(dtype, len(dims)), None, nstreams, *dims, avg, std)
        count = functools.reduce(operator.mul, dims, 1)
        u = self._draw(MRGUniform(dtype, 1), None, nstreams, count + count % 2, 0.0, 1.0)
        avg, std = (p if p.type.ndim == 0 else pt.broadcast_to(p, dims).ravel() for p in (avg, std))
        draws = self._draw(MRGTruncatedNormal(dtype), None, nstreams, count, u, avg, std)
        return self._like_its_draw(draws.reshape(dims, ndim=len(dims)))

    @as_theano
    def truncated_normal(
        self,
        size: Size,
        avg: TensorLike = 0.0,
        std: TensorLike = 1.0,
        ndim: int | None = None,
        dtype: str | None = None,
        nstreams: int | None = None,
        target: Any = None,
    ) -> Variable:
        """Draw Gaussian numbers within 2.27 standard deviations of the mean, of standard deviation `std` as they are."""
        avg, std = pt.as_tensor(avg), pt.as_tensor(std)
        within = std / pt.constant(_DEVIATION_WITHIN_2, dtype=pytensor.config.floatX)
        return self.normal(size, avg, within, ndim, dtype, nstreams, truncate=True)

    @as_theano
    def multinomial(
        self,
        size: Any = None,
        n: TensorLike = 1,
        pvals: TensorLike | None = None,
        ndim: Any = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        target: Any = None,
    ) -> Variable:
        """Draw counts of `n` trials over categories, whose probabilities are rows of the matrix `pvals`: of its shape.

        `dtype` is that of the counts, "auto" for that of `pvals`. `size` and `ndim` have to be None. A row that sums to less
        than 1 leaves trials out; nothing is checked.
        """
        if size is not None or ndim is not None:
            found = f"size {size!r}, ndim {ndim!r}"
            raise InputError("MRG_RandomStreams.multinomial", found, "neither: the shape is that of pvals")
        pvals = _probabilities("multinomial: pvals", pvals)
        op = MRGMultinomial(pvals.dtype if dtype == "auto" else dtype, pytensor.config.floatX)
        return self._draw(op, None, nstreams, pvals.shape[0], n, pvals)

    @as_theano
    def choice(
        self,
        size: Any = 1,
        a: TensorLike | None = None,
        replace: bool = True,
        p: TensorLike | None = None,
        ndim: Any = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        target: Any = None,
    ) -> Variable:
        """Draw `size` different categories for each row of the matrix `p` of probabilities: (rows, size).

        As in Theano, `replace` has to be False, `a` None, and `p` given. Where the probabilities sum to less than 1 a category
        may be -1, none; Theano's C code left anything there.
        """
        if replace:
            raise NotImplementedError("MRG_RandomStreams.choice: found replace=True, use RandomStreams.choice for that")
        if a is not None or ndim is not None:
            found = f"a {a!r}, ndim {ndim!r}"
            raise InputError("MRG_RandomStreams.choice", found, "neither: the categories are the columns of p")
        p = _probabilities("choice: p", p)
        if pt.as_tensor(size).type.ndim != 0:
            raise InputError("MRG_RandomStreams.choice: size", repr(size), "a number of categories")
        return self._draw(MRGChoice(dtype, pytensor.config.floatX), None, nstreams, p.shape[0], size, p)

    def multinomial_wo_replacement(
        self,
        size: Any = None,
        n: TensorLike = 1,
        pvals: TensorLike | None = None,
        ndim: Any = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        target: Any = None,
    ) -> Variable:
        """Draw `n` different categories for each row of `pvals`: an older name of `choice`."""
        if size is not None:
            raise InputError("MRG_RandomStreams.multinomial_wo_replacement: size", repr(size), "None: the count is n")
        chosen: Variable = self.choice(size=n, a=None, replace=False, p=pvals, ndim=ndim, dtype=dtype, nstreams=nstreams)
        return chosen

    def _draw(self, op: MRGDraw, size: Any, nstreams: int | None, *inputs: Any) -> Variable:
        """Draw with `op` from streams of its own; `size` tells how many, unless `nstreams` does."""
        count = self.n_streams(size) if nstreams is None else nstreams
        value = self.get_substream_rstates(count, op.dtype)
        states = TensorSharedVariable(MRG_STATE_TYPE, value, strict=True, name=f"mrg_states_{len(self.state_updates)}")
        new_states, draws = op(states, *inputs)
        # not PyTensor's setter, which warns because PyTensor has other plans for its own generators
        states._default_update = new_states
        self.state_updates.append((states, new_states, size, nstreams))
        return self._like_its_draw(draws)

    def _like_its_draw(self, result: Variable) -> Variable:
        """Return `result`, which is made of the latest draw, with what a draw tells about its stream."""
        states, new_states, _, _ = self.state_updates[-1]
        result.rstate, result.update = states, (states, new_states)
        return result


def _sizes(where: str, size: Size, ndim: int | None) -> list[Any]:
    """Return the sizes of a draw, one for each dimension."""
    if isinstance(size, int | np.integer):
        size = (size,)
    if not isinstance(size, tuple | list | Variable):
        raise InputError(
            f"MRG_RandomStreams.{where}: size", repr(size), "a tuple of ints and symbolic scalars, or a symbolic vector"
        )
    if not isinstance(size, Variable) and any(not isinstance(d, Variable) and d <= 0 for d in size):
        raise InputError(f"MRG_RandomStreams.{where}: size", repr(size), "lengths of at least 1")
    return _dims(size, ndim)


def _float_dtype(where: str, dtype: str | None, *parameters: Variable) -> str:
    dtype = str(dtype or upcast(pytensor.config.floatX, *(p.type.dtype for p in parameters)))
    if dtype not in {"float32", "float64"}:
        raise InputError(f"MRG_RandomStreams.{where}: dtype", dtype, "float32 or float64")
    return dtype


def _fits(parameter: Variable, dims: Sequence[Any]) -> bool:
    """Return True if `parameter` can be broadcast to a draw of these sizes, as far as is known before it is there."""
    missing = len(dims) - parameter.type.ndim
    if missing < 0:
        return False
    ones = [isinstance(d, int | np.integer) and d == 1 for d in dims[missing:]]
    return all(one or not alone for one, alone in zip(parameter.type.broadcastable, ones, strict=True))


def _probabilities(where: str, p: Any) -> Variable:
    matrix = None if p is None else pt.as_tensor(p)
    if matrix is None or matrix.type.ndim != 2:
        found = "None" if matrix is None else f"{matrix.type.ndim} dimensions"
        raise InputError(f"MRG_RandomStreams.{where}", found, "a matrix, probabilities in rows")
    floats = {"float32", "float64"}
    return matrix if matrix.type.dtype in floats else pt.cast(matrix, "float64")


__getattr__ = getter(
    __name__,
    instead={
        "mrg_uniform": "use MRG_RandomStreams.uniform",
        "multMatVect": "use MRG_RandomStreams.inc_rstate or get_substream_rstates",
    },
)

"""The Mersenne Twister and draws from it, in what JAX traces: XLA computes them, on whatever device.

The states and the numbers are those of `symae.kernels.random.mt19937`. The key of 624 words is replaced in three parts that do
not depend on themselves, so each twist is a few operations on vectors; twist follows twist in a loop. Words are taken from
where the position of the state says, which is known only as the program runs. So there is always a twist more than most
positions need.

Normal numbers take as many words as it happens, and a logarithm. Which words they take is the same everywhere; the logarithm is
the C library's where XLA computes on CPUs (JAX 0.10 and 0.12), so there all bits are the same, and on other devices the last
ones may differ.

Sources: as there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from symae._runtime.jax_64_bits import in_64_bits
from symae.kernels.random.bernoulli import bernoulli_threshold

N, M = 624, 397
POSITION, CACHED, GAUSSIAN = 624, 625, 626


def _twisted(key: Any) -> Any:
    """Return the next 624 words of key."""
    y = (key[:-1] & jnp.uint32(0x80000000)) | (key[1:] & jnp.uint32(0x7FFFFFFF))
    mixed = _mixed(y)
    first = key[M:] ^ mixed[: N - M]
    second = first ^ mixed[N - M : 2 * (N - M)]
    third = second[: M - (N - M) - 1] ^ mixed[2 * (N - M) :]
    # the last word sees the first of the new ones
    last = second[M - (N - M) - 1] ^ _mixed((key[-1] & jnp.uint32(0x80000000)) | (first[0] & jnp.uint32(0x7FFFFFFF)))
    return jnp.concatenate([first, second, third, last[None]])


def _mixed(y: Any) -> Any:
    return (y >> 1) ^ (-(y & jnp.uint32(1)) & jnp.uint32(0x9908B0DF))


def _keys(state: Any, count: int) -> Any:
    """Return the key and those after it that `count` words from any position may be of, one below the other."""

    # a twist more than is needed takes less time than to put the first key before the others
    _, keys = jax.lax.scan(lambda key, _: (_twisted(key), key), state[:N], None, length=1 - (-count // N))
    return keys


def _state_at(keys: Any, end: Any, rest: Any) -> Any:
    """Return the state that has used the words of `keys` before number `end`; `rest` is what follows its position."""
    # a key that is used up is replaced when the next word is asked for, not before
    block = jnp.maximum(end - 1, 0) // N
    key = jax.lax.dynamic_index_in_dim(keys, block, keepdims=False)
    return jnp.concatenate([key, (end - block * N).astype(jnp.uint32)[None], rest])


def _words(state: Any, count: int) -> tuple[Any, Any]:
    """Return the state after `count` words, and these words as they are in the key."""
    position, keys = state[POSITION].astype(jnp.int32), _keys(state, count)
    words = jax.lax.dynamic_slice_in_dim(keys.reshape(-1), position, count)
    return _state_at(keys, position + count, state[CACHED:]), words


def _numerators(state: Any, shape: Sequence[int]) -> tuple[Any, Any]:
    """Return the state after as many numbers of the stream as `shape` has, and 2^53 times these numbers, as uint64."""
    count = math.prod(shape)
    if not count:
        return state, jnp.zeros(shape, jnp.uint64)
    after, words = _words(state, 2 * count)
    return after, _tempered(words.reshape(*shape, 2))


def _tempered(words: Any) -> Any:
    """Return 2^53 times the numbers of the stream that words (..., 2) of key stand for, as uint64."""
    # two words side by side, tempered at once
    pairs = jax.lax.bitcast_convert_type(words, jnp.uint64)
    pairs = pairs ^ ((pairs >> 11) & np.uint64(0x001FFFFF001FFFFF))
    pairs = pairs ^ ((pairs << 7) & np.uint64(0x9D2C56809D2C5680))
    pairs = pairs ^ ((pairs << 15) & np.uint64(0xEFC60000EFC60000))
    pairs = pairs ^ ((pairs >> 18) & np.uint64(0x00003FFF00003FFF))
    return ((pairs & np.uint64(0xFFFFFFE0)) << 21) | (pairs >> 38)


def _doubles(numerators: Any) -> Any:
    # as integers with a sign, because processors convert those faster
    return numerators.astype(jnp.int64).astype(jnp.float64) * 2.0**-53


def bernoullis(state: Any, p: float, shape: Sequence[int], dtype: Any) -> tuple[Any, Any]:
    """Draw ``binomial(1, p)``, a corruption mask; `p` has a `bernoulli_threshold`."""
    most = bernoulli_threshold(p)
    assert most is not None
    with in_64_bits():
        after, numerators = _numerators(state, shape)
        above = numerators > np.uint64(most)
    return after, (above if p <= 0.5 else ~above).astype(dtype)


def uniforms(state: Any, low: Any, high: Any, shape: Sequence[int], dtype: Any) -> tuple[Any, Any]:
    """Draw low + (high - low) u, u uniform in [0, 1) with 53 random bits, in double precision, rounded to `dtype`.

    `low` and `high` are numbers, known or not, or arrays that broadcast to `shape`.
    """
    with in_64_bits():
        after, numerators = _numerators(state, shape)
        u = _doubles(numerators)
        if _is(low, 0.0) and _is(high, 1.0):
            return after, u.astype(dtype)
        low, high = (jnp.broadcast_to(jnp.asarray(limit, jnp.float64), shape) for limit in (low, high))
        return after, (low + rounded((high - low) * u, state[POSITION])).astype(dtype)


def normals(state: Any, avg: Any, std: Any, shape: Sequence[int], dtype: Any) -> tuple[Any, Any]:
    """Draw avg + std * g, g of the standard normal distribution, in double precision, rounded to `dtype`.

    `avg` and `std` are numbers, known or not, or arrays that broadcast to `shape`; `std` is not negative.
    """
    count = math.prod(shape)
    if not count:
        return state, jnp.zeros(shape, dtype)
    with in_64_bits():
        after, numbers = _gaussians(state, count)
        numbers = numbers.reshape(shape)
        if not (_is(avg, 0.0) and _is(std, 1.0)):
            avg, std = (jnp.broadcast_to(jnp.asarray(x, jnp.float64), shape) for x in (avg, std))
            numbers = avg + rounded(std * numbers, state[POSITION])
        return after, numbers.astype(dtype)


def _gaussians(state: Any, count: int) -> tuple[Any, Any]:
    """Return the state after `count` standard normal numbers, which are at least one, and these, by the polar method.

    Points of the square are drawn until there are enough within the unit disc, each of which gives two numbers. The first
    round has enough of them but once in 10^9 calls. A number that is left over waits in the state for the next draw.
    """
    cached = (state[CACHED] != 0).astype(jnp.int32)
    waiting = jax.lax.bitcast_convert_type(state[GAUSSIAN:], jnp.float64)
    wanted = count - cached
    needed = (wanted + 1) // 2
    most = (count + 1) // 2
    tries = tries_of(most)

    def draw(carried: tuple[Any, ...]) -> tuple[Any, ...]:
        state, found, x, square = carried
        position, keys = state[POSITION].astype(jnp.int32), _keys(state, 4 * tries)
        words = jax.lax.dynamic_slice_in_dim(keys.reshape(-1), position, 4 * tries)
        points = 2.0 * _doubles(_tempered(words.reshape(tries, 2, 2))) - 1.0
        # two roundings: with one less a point might be another side of the circle, and all numbers after it others
        squares = rounded(points[:, 0] * points[:, 0], state[POSITION]) + rounded(points[:, 1] * points[:, 1], state[POSITION])
        within = jnp.cumsum(((squares < 1.0) & (squares != 0.0)).astype(jnp.int32))
        number = jnp.arange(most) - found + 1  # of the points within, in this round
        index = jnp.minimum(jnp.searchsorted(within, number), tries - 1)
        here = (number >= 1) & (number <= within[-1])
        x, square = jnp.where(here[:, None], points[index], x), jnp.where(here, squares[index], square)
        used = jnp.minimum(jnp.searchsorted(within, needed - found) + 1, tries).astype(jnp.int32)
        return _state_at(keys, position + 4 * used, state[CACHED:]), found + within[-1], x, square

    nothing = jnp.zeros((most, 2)), jnp.ones(most)
    after, _, x, square = jax.lax.while_loop(lambda c: c[1] < needed, draw, (state, jnp.int32(0), *nothing))
    scale = jnp.sqrt(-2.0 * jnp.log(square) / square)
    numbers = jnp.concatenate([waiting[None], (scale[:, None] * x[:, ::-1]).reshape(-1)])
    left = wanted % 2
    spare = jnp.where(left == 1, jax.lax.dynamic_index_in_dim(numbers, wanted + 1, keepdims=False), 0.0)
    rest = jnp.concatenate([left.astype(jnp.uint32)[None], jax.lax.bitcast_convert_type(spare, jnp.uint32)])
    return jnp.concatenate([after[:CACHED], rest]), jax.lax.dynamic_slice_in_dim(numbers, 1 - cached, count)


def tries_of(points: int) -> int:
    """Return how many points of the square nearly always have so many of them within the disc."""
    return math.ceil(points / (math.pi / 4) + 4 * math.sqrt(points)) + 12


def rounded(product: Any, word: Any) -> Any:
    """Return a product that is rounded before anything is added to it, as NumPy's are.

    XLA lets LLVM multiply and add with one rounding where the processor can. What it does not know to be zero, the highest bit
    of a `word` of 31 bits of a state, keeps the product as it is. The same word twice, with nothing between, cancels.
    """
    zero = (word >> 31).astype(jnp.uint64)
    return jax.lax.bitcast_convert_type(jax.lax.bitcast_convert_type(product, jnp.uint64) ^ zero, jnp.float64)


def _is(value: Any, number: float) -> bool:
    return not isinstance(value, jax.core.Tracer) and np.ndim(value) == 0 and float(value) == number

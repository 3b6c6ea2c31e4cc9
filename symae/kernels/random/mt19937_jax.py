"""The Mersenne Twister and the draws from it that need no libm, in what JAX traces: XLA computes them, on whatever device.

The states and the numbers are those of `symae.kernels.random.mt19937`. The key of 624 words is replaced in three parts that do
not depend on themselves, so each twist is a few operations on vectors; twist follows twist in a loop. Words are taken from
where the position of the state says, which is known only as the program runs. So there is always a twist more than most
positions need.

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

N, M = 624, 397
POSITION, CACHED = 624, 625
HIGHEST = 1.0 - 2.0**-53  # of the numbers that are drawn


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


def _words(state: Any, count: int) -> tuple[Any, Any]:
    """Return the state after `count` words, and these words as they are in the key."""

    def twist(key: Any, _: Any) -> tuple[Any, Any]:
        key = _twisted(key)
        return key, key

    position = state[POSITION].astype(jnp.int32)
    _, later = jax.lax.scan(twist, state[:N], None, length=-(-count // N))
    keys = jnp.concatenate([state[None, :N], later])
    end = position + count
    # a key that is used up is replaced when the next word is asked for, not before
    block = jnp.maximum(end - 1, 0) // N
    key = jax.lax.dynamic_index_in_dim(keys, block, keepdims=False)
    after = jnp.concatenate([key, (end - block * N).astype(jnp.uint32)[None], state[CACHED:]])
    return after, jax.lax.dynamic_slice_in_dim(keys.reshape(-1), position, count)


def _numerators(state: Any, shape: Sequence[int]) -> tuple[Any, Any]:
    """Return the state after as many numbers of the stream as `shape` has, and 2^53 times these numbers, as uint64."""
    count = math.prod(shape)
    if not count:
        return state, jnp.zeros(shape, jnp.uint64)
    after, words = _words(state, 2 * count)
    # two words side by side, tempered at once
    pairs = jax.lax.bitcast_convert_type(words.reshape(*shape, 2), jnp.uint64)
    pairs = pairs ^ ((pairs >> 11) & np.uint64(0x001FFFFF001FFFFF))
    pairs = pairs ^ ((pairs << 7) & np.uint64(0x9D2C56809D2C5680))
    pairs = pairs ^ ((pairs << 15) & np.uint64(0xEFC60000EFC60000))
    pairs = pairs ^ ((pairs >> 18) & np.uint64(0x00003FFF00003FFF))
    return after, ((pairs & np.uint64(0xFFFFFFE0)) << 21) | (pairs >> 38)


def bernoulli_threshold(p: float) -> int | None:
    """Return up to which numerator of 2^53 a number of the stream is ``binomial(1, p)``'s likelier value.

    None where `p` is no probability, or one of those for which NumPy's search may have to start again
    (`symae.kernels.random.mt19937.bernoullis`).
    """
    if not 0.0 <= p <= 1.0:
        return None
    less = p if p <= 0.5 else 1.0 - p
    q = 1.0 - less
    nothing = math.exp(1 * math.log(q))
    if HIGHEST - nothing > (1 * less * nothing) / (1 * q):
        return None
    return int(nothing * 2.0**53)


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
        # as integers with a sign, because processors convert those faster
        u = numerators.astype(jnp.int64).astype(jnp.float64) * 2.0**-53
        if _is(low, 0.0) and _is(high, 1.0):
            return after, u.astype(dtype)
        low, high = (jnp.broadcast_to(jnp.asarray(limit, jnp.float64), shape) for limit in (low, high))
        scaled = (high - low) * u
        # XLA lets LLVM multiply and add with one rounding where the processor can, and NumPy has two. What it does not know to
        # be zero, the highest bit of the position, keeps the product as it is.
        zero = (state[POSITION] >> 31).astype(jnp.uint64)
        scaled = jax.lax.bitcast_convert_type(jax.lax.bitcast_convert_type(scaled, jnp.uint64) ^ zero, jnp.float64)
        return after, (low + scaled).astype(dtype)


def _is(value: Any, number: float) -> bool:
    return not isinstance(value, jax.core.Tracer) and np.ndim(value) == 0 and float(value) == number

"""MRG31k3p in what JAX traces: many streams side by side, and the uniform and normal numbers from them.

The states and the numbers are those of `symae.kernels.random.mrg`, which tells how it works.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from symae.kernels.random.mt19937_jax import rounded

M1, M2 = np.uint32(2**31 - 1), np.uint32(2**31 - 21069)
_BELOW = np.float32(float.fromhex("0x1.fffffep-32"))
_UNROLLED = 4  # steps of all streams that are written one after the other, not as a loop


def _reduced(sum: Any, modulus: np.uint32) -> Any:
    return jnp.minimum(sum, sum - modulus)  # where the difference is negative it wraps to a larger number


def _next_x(x2: Any, x3: Any) -> Any:
    a = ((x2 & jnp.uint32(0x1FF)) << 22) + (x2 >> 9)
    b = ((x3 & jnp.uint32(0xFFFFFF)) << 7) + (x3 >> 24)
    return _reduced(_reduced(a + b, M1) + x3, M1)


def _times_2_15(y: Any) -> Any:
    return _reduced(((y & jnp.uint32(0xFFFF)) << 15) + jnp.uint32(21069) * (y >> 16), M2)


def _next_y(y1: Any, y3: Any) -> Any:
    return _reduced(_reduced(_times_2_15(y1) + _times_2_15(y3), M2) + y3, M2)


def _step(words: tuple[Any, ...], _: Any = None) -> tuple[tuple[Any, ...], Any]:
    x1, x2, x3, y1, y2, y3 = words
    x, y = _next_x(x2, x3), _next_y(y1, y3)
    difference = x - y
    return (x, x1, x2, y, y1, y2), jnp.where(x > y, difference, difference + M1).astype(jnp.int32)


def uniforms(state: Any, shape: Sequence[int], dtype: Any) -> tuple[Any, Any]:
    """Draw numbers uniform in (0, 1) of `dtype`, float32 or float64, from streams (n, 6) of int32."""
    count, streams = math.prod(shape), state.shape[0]
    if not count:
        return state, jnp.zeros(shape, dtype)
    steps = -(-count // streams)
    words = tuple(state.astype(jnp.uint32).T)
    if steps <= _UNROLLED:
        rows = []
        for _ in range(steps):
            before = words
            words, drawn = _step(words)
            rows.append(drawn)
        numbers = jnp.concatenate(rows)
    else:
        before, first = jax.lax.scan(_step, words, None, length=steps - 1)
        words, last = _step(before)
        numbers = jnp.concatenate([first.reshape(-1), last])
    # of the last step, only as many streams move as numbers are wanted
    moved = jnp.arange(streams) < count - (steps - 1) * streams
    after = jnp.stack([jnp.where(moved, new, old) for new, old in zip(words, before, strict=True)], axis=1)
    norm = np.float64(2.0**-31) if np.dtype(dtype).itemsize == 8 else _BELOW
    return after.astype(jnp.int32), (numbers[:count].astype(dtype) * norm).reshape(shape)


def normals(state: Any, std: Any, shape: Sequence[int]) -> tuple[Any, Any]:
    """Draw std * g of float64, g of the standard normal distribution, by Box and Muller's transform.

    `std` is a number, known or not, or an array that broadcasts to `shape`. Logarithm, cosine and sine are the C library's
    where XLA computes on CPUs; its logarithm of float32 is not.
    """
    count = math.prod(shape)
    half = (count + 1) // 2
    after, u = uniforms(state, (2, half), np.float64)
    radii, angles = jnp.sqrt(-2.0 * jnp.log(u[0])), 2 * math.pi * u[1]
    numbers = jnp.concatenate([radii * jnp.cos(angles), radii * jnp.sin(angles)])[:count].reshape(shape)
    first, second = state[0, :2]  # not the same twice, which cancels where std is 1
    return after, rounded(jnp.asarray(std, np.float64) * rounded(numbers, first), second)

"""The Mersenne Twister, and uniform and normal numbers from it as numpy's legacy streams draw them, as Numba functions.

A generator is an array of 628 uint32, the content of ``RandomState.get_state()``: 624 words of key, the position in them,
a flag and the two halves of a cached Gaussian (which only normal draws use).

Sources: Matsumoto and Nishimura (1998), "Mersenne Twister"; Marsaglia and Bray (1964), "A convenient method for generating
normal variables". The order of every floating-point operation is that of numpy's ``RandomState``, because the draws have to
agree with it in all bits; so these functions are compiled without fast-math.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from symae.kernels.compiled_once import compiled_once

N, M = 624, 397
POSITION, CACHED, GAUSSIAN = 624, 625, 626
MATRIX, UPPER, LOWER = np.uint32(0x9908B0DF), np.uint32(0x80000000), np.uint32(0x7FFFFFFF)
ONE = np.uint32(1)

jit: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@jit
def _twisted(this: Any, following: Any, far: Any) -> Any:
    y = np.uint32((this & UPPER) | (following & LOWER))
    odd = np.uint32(np.uint32(0) - np.uint32(y & ONE))  # all bits or none: a product takes ten cycles
    return np.uint32(far ^ (y >> ONE) ^ (odd & MATRIX))


@jit
def refill(state: Any) -> None:
    """Replace the 624 words of key by the next 624."""
    for i in range(N - M):
        state[i] = _twisted(state[i], state[i + 1], state[i + M])
    for i in range(N - M, N - 1):
        state[i] = _twisted(state[i], state[i + 1], state[i + M - N])
    state[N - 1] = _twisted(state[N - 1], state[0], state[M - 1])


@jit
def _tempered(y: Any) -> Any:
    y = np.uint32(y ^ (y >> np.uint32(11)))
    y = np.uint32(y ^ ((y << np.uint32(7)) & np.uint32(0x9D2C5680)))
    y = np.uint32(y ^ ((y << np.uint32(15)) & np.uint32(0xEFC60000)))
    return np.uint32(y ^ (y >> np.uint32(18)))


@jit
def _as_double(first: Any, second: Any) -> Any:
    # int32 on the way to double, because AVX2 converts only those four at a time
    a, b = np.int32(_tempered(first) >> np.uint32(5)), np.int32(_tempered(second) >> np.uint32(6))
    return (np.float64(a) * 67108864.0 + np.float64(b)) / 9007199254740992.0


@jit
def _word(state: Any) -> Any:
    position = np.int64(state[POSITION])
    if position >= N:
        refill(state)
        position = np.int64(0)
    state[POSITION] = position + 1
    return state[position]


@jit
def random_double(state: Any) -> Any:
    """Draw the next number of the stream, uniform in [0, 1) with 53 random bits: (a * 2^26 + b) / 2^53."""
    first = _word(state)
    return _as_double(first, _word(state))


@compiled_once(jit, contiguous=True)
def random_doubles(state: Any, out: Any) -> None:
    """Fill the vector `out` with the next numbers of the stream: `random_double`, a block of key at a time."""
    i = 0
    while i < out.size:
        position = np.int64(state[POSITION])
        count = min((N - position) // 2, out.size - i)
        if count <= 0:  # the key is used up, or one odd word is left
            out[i] = random_double(state)
            i += 1
            continue
        words, block = state[position : position + 2 * count], out[i : i + count]
        for j in range(count):
            block[j] = _as_double(words[2 * j], words[2 * j + 1])
        state[POSITION] = position + 2 * count
        i += count


@compiled_once(jit, contiguous=True)
def gaussians(state: Any, out: Any) -> None:
    """Fill the vector `out`, of doubles, with standard normal numbers, by the polar method.

    A point in the unit disc gives two of them. Where only one is wanted, the other waits in the state for the next draw.
    """
    waiting = state[GAUSSIAN:].view(np.float64)
    i = 0
    if out.size > 0 and state[CACHED]:
        out[0] = waiting[0]
        state[CACHED], waiting[0] = 0, 0.0  # the number too, as RandomState does
        i = 1
    points = np.empty(min(out.size + 1, 4096), np.float64)
    while i < out.size:
        # each pair gives two numbers at most, so no word is taken from the stream that is not needed
        block = points[: min((out.size - i + 1) // 2 * 2, 4096)]
        random_doubles(state, block)
        # Numbers out of step with points keep LLVM from replacing this log, libm's, by a vector library's.
        for j in range(0, block.size, 2):
            x, y = 2.0 * block[j] - 1.0, 2.0 * block[j + 1] - 1.0
            square = x * x + y * y
            if square >= 1.0 or square == 0.0:
                continue
            scale = np.sqrt(-2.0 * np.log(square) / square)
            out[i] = scale * y
            if i + 1 < out.size:
                out[i + 1] = scale * x
            else:
                state[CACHED], waiting[0] = 1, scale * x
            i += 2


@jit
def skip(state: Any, numbers: Any) -> None:
    """Leave out so many numbers of the stream; the position in the key is an even one."""
    position = np.int64(state[POSITION]) + 2 * numbers
    while position > N:
        refill(state)
        position -= N
    state[POSITION] = position

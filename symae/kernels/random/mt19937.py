"""The Mersenne Twister and numpy's legacy draws from it, as Numba functions.

A generator is an array of 628 uint32, the content of ``RandomState.get_state()``: 624 words of key, the position in them,
a flag and the two halves of a cached Gaussian (which only normal draws use).

Sources: Matsumoto and Nishimura (1998), "Mersenne Twister"; Marsaglia and Bray (1964), "A convenient method for generating
normal variables"; Kachitvichyanukul and Schmeiser (1988), "Binomial random variate generation", algorithm BTPE. The order of
every floating-point operation is that of numpy's ``RandomState``, because the draws have to agree with it in all bits; so
these functions are compiled without fast-math.
"""

from __future__ import annotations

import sys
from typing import Any

import numba
import numpy as np

from symae.kernels.compiled_once import compiled_once
from symae.kernels.random.bernoulli import HIGHEST

N, M = 624, 397
POSITION, CACHED, GAUSSIAN = 624, 625, 626
MATRIX, UPPER, LOWER = np.uint32(0x9908B0DF), np.uint32(0x80000000), np.uint32(0x7FFFFFFF)
ONE = np.uint32(1)
LITTLE = sys.byteorder == "little"  # the first word of a pair is the lower half of 64 bits

jit: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@jit
def _twisted(this: Any, following: Any, far: Any) -> Any:
    y = np.uint32((this & UPPER) | (following & LOWER))
    odd = np.uint32(np.uint32(0) - np.uint32(y & ONE))  # all bits or none: a product takes ten cycles
    return np.uint32(far ^ (y >> ONE) ^ (odd & MATRIX))


@jit
def _refill(state: Any) -> None:
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
def _numerator(pair: Any) -> Any:
    """Return a 2^26 + b of the next number of the stream, (a 2^26 + b) / 2^53, from two words of key side by side."""
    pair ^= (pair >> np.uint64(11)) & np.uint64(0x001FFFFF001FFFFF)
    pair ^= (pair << np.uint64(7)) & np.uint64(0x9D2C56809D2C5680)
    pair ^= (pair << np.uint64(15)) & np.uint64(0xEFC60000EFC60000)
    pair ^= (pair >> np.uint64(18)) & np.uint64(0x00003FFF00003FFF)
    return ((pair & np.uint64(0xFFFFFFE0)) << np.uint64(21)) | (pair >> np.uint64(38))


@jit
def _as_double(first: Any, second: Any) -> Any:
    # int32 on the way to double, because AVX2 converts only those four at a time
    a, b = np.int32(_tempered(first) >> np.uint32(5)), np.int32(_tempered(second) >> np.uint32(6))
    return (np.float64(a) * 67108864.0 + np.float64(b)) / 9007199254740992.0


@jit
def _word(state: Any) -> Any:
    position = np.int64(state[POSITION])
    if position >= N:
        _refill(state)
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
def _inversion_table(n: Any, p: Any) -> Any:
    """Return what `_search` needs of (n, p): q, the probability of 0 successes, and the largest number that is searched."""
    q = 1.0 - p
    mean = n * p
    return q, np.exp(n * np.log(q)), np.int64(min(np.float64(n), mean + 10.0 * np.sqrt(mean * q + 1)))


@jit
def _search(state: Any, n: Any, p: Any, q: Any, nothing: Any, bound: Any) -> Any:
    """Draw a binomial number by sequential search of the distribution function; p <= 1/2, n*p <= 30."""
    x = np.int64(0)
    probability = nothing
    u = random_double(state)
    while u > probability:
        x += 1
        if x > bound:  # only rounding can lead here: start again
            x = np.int64(0)
            probability = nothing
            u = random_double(state)
        else:
            u -= probability
            probability = ((n - x + 1) * p * probability) / (x * q)
    return x


@jit
def _stirling(f: Any) -> Any:
    """Compute four terms of Stirling's correction to log f!, as BTPE uses them."""
    f2 = f * f
    return (13680.0 - (462.0 - (132.0 - (99.0 - 140.0 / f2) / f2) / f2) / f2) / f / 166320.0


@jit
def _btpe(state: Any, n: Any, p: Any) -> Any:
    """Draw a binomial number by rejection under a triangle, a parallelogram and two tails; p <= 1/2, n*p > 30."""
    q = 1.0 - p
    mode_real = n * p + p
    mode = np.int64(np.floor(mode_real))
    p1 = np.floor(2.195 * np.sqrt(n * p * q) - 4.6 * q) + 0.5
    middle = mode + 0.5
    left, right = middle - p1, middle + p1
    c = 0.134 + 20.5 / (15.3 + mode)
    a = (mode_real - left) / (mode_real - left * p)
    slope_left = a * (1.0 + a / 2.0)
    a = (right - mode_real) / (right * q)
    slope_right = a * (1.0 + a / 2.0)
    p2 = p1 * (1.0 + 2.0 * c)
    p3 = p2 + c / slope_left
    p4 = p3 + c / slope_right
    variance = n * p * q

    while True:
        u = random_double(state) * p4
        v = random_double(state)
        if u <= p1:  # the triangle: always accepted
            return np.int64(np.floor(middle - p1 * v + u))
        if u <= p2:  # the parallelogram
            x = left + (u - p1) / c
            v = v * c + 1.0 - np.fabs(mode - x + 0.5) / p1
            if v > 1.0:
                continue
            y = np.int64(np.floor(x))
        elif v == 0.0:  # its logarithm would be infinite
            continue
        elif u <= p3:  # the left tail
            y = np.int64(np.floor(left + np.log(v) / slope_left))
            if y < 0:
                continue
            v = v * (u - p2) * slope_left
        else:  # the right tail
            y = np.int64(np.floor(right - np.log(v) / slope_right))
            if y > n:
                continue
            v = v * (u - p3) * slope_right

        k = abs(y - mode)
        if k <= 20 or k >= variance / 2.0 - 1:  # near or far: the ratio of probabilities by recursion
            s = p / q
            a = s * (n + 1)
            ratio = 1.0
            for i in range(mode + 1, y + 1):
                ratio *= a / i - s
            for i in range(y + 1, mode + 1):
                ratio /= a / i - s
            if v <= ratio:
                return y
            continue
        # in between: a squeeze, then Stirling's formula
        rho = (k / variance) * ((k * (k / 3.0 + 0.625) + 0.16666666666666666) / variance + 0.5)
        t = -k * k / (2 * variance)
        log_v = np.log(v)
        if log_v < t - rho:
            return y
        if log_v > t + rho:
            continue
        x1, f1 = np.float64(y + 1), np.float64(mode + 1)
        z, w = np.float64(n + 1 - mode), np.float64(n - y + 1)
        bound = (
            middle * np.log(f1 / x1)
            + (n - mode + 0.5) * np.log(z / w)
            + (y - mode) * np.log(w * p / (x1 * q))
            + _stirling(f1)
            + _stirling(z)
            + _stirling(x1)
            + _stirling(w)
        )
        if log_v <= bound:
            return y


@jit
def check_binomial(n: Any, p: Any) -> None:
    """Raise ValueError unless n >= 0 and p is in [0, 1]."""
    if n < 0 or not 0.0 <= p <= 1.0:
        raise ValueError("binomial: expected n >= 0 and p in [0, 1]")


@jit
def binomial(state: Any, n: Any, p: Any) -> Any:
    """Draw the number of successes in `n` trials of probability `p`, as ``RandomState.binomial`` does."""
    less = p if p <= 0.5 else 1.0 - p
    if less * n <= 30.0:
        q, nothing, bound = _inversion_table(n, less)
        x = _search(state, n, less, q, nothing, bound)
    else:
        x = _btpe(state, n, less)
    return x if p <= 0.5 else n - x


@jit
def _one_trial(p: Any) -> Any:
    """Return the probabilities of 0 and of 1 success in one trial, of p or, if that is less, of 1 - p."""
    less = p if p <= 0.5 else 1.0 - p
    q, nothing, _ = _inversion_table(1, less)
    return nothing, (1 * less * nothing) / (1 * q)


@jit
def _never_again(state: Any, nothing: Any, something: Any) -> Any:
    """Return True if the search for one trial, of these probabilities, never starts again, and words are taken in pairs."""
    return LITTLE and HIGHEST - nothing <= something and state[POSITION] % 2 == 0


@jit
def one_number_each(state: Any, p: Any) -> Any:
    """Return True if `bernoullis` takes a number of the stream for each draw, whatever the numbers are, and compares it."""
    nothing, something = _one_trial(p)
    return _never_again(state, nothing, something)


@jit
def skip(state: Any, numbers: Any) -> None:
    """Leave out so many numbers of the stream; the position in the key is an even one."""
    position = np.int64(state[POSITION]) + 2 * numbers
    while position > N:
        _refill(state)
        position -= N
    state[POSITION] = position


@jit
def _compared(state: Any, most: Any, likely: Any, rest: Any, out: Any) -> None:
    """Fill the vector `out` with `rest` where the numerator of the stream's next number is more than `most`, else `likely`."""
    pairs, position, i = state[:N].view(np.uint64), np.int64(state[POSITION]), 0
    while i < out.size:
        if position >= N:
            _refill(state)
            position = np.int64(0)
        count = min((N - position) // 2, out.size - i)
        block, of_block = out[i : i + count], pairs[position // 2 : position // 2 + count]
        for j in range(count):
            block[j] = rest if _numerator(of_block[j]) > most else likely
        position += 2 * count
        i += count
    state[POSITION] = position


@compiled_once(jit, contiguous=True)
def bernoullis(state: Any, p: Any, out: Any) -> None:
    """Fill the vector `out` with draws of ``binomial(1, p)``, a corruption mask: one number of the stream each.

    The search above with n = 1 is a comparison with the probability of 0, here of whole numbers. Its restart, which rounding
    can cause once in 2^53 draws of some p, shows as a number above the sum of both probabilities. For these p doubles are drawn
    and looked at, and from such a one on the draws go one by one.
    """
    nothing, something = _one_trial(p)
    likely, rest = (1, 0) if p > 0.5 else (0, 1)
    if _never_again(state, nothing, something):
        _compared(state, np.uint64(nothing * 2.0**53), likely, rest, out)
        return
    numbers = np.empty(min(out.size, 4096), np.float64)
    i = 0
    while i < out.size:
        block = out[i : i + numbers.size]
        before = state[: POSITION + 1].copy()
        random_doubles(state, numbers[: block.size])
        restart = False
        for j in range(block.size):
            restart |= numbers[j] - nothing > something
            block[j] = rest if numbers[j] > nothing else likely
        if restart:
            state[: POSITION + 1] = before
            for j in range(block.size):
                block[j] = binomial(state, 1, p)
        i += block.size


@jit
def binomials(state: Any, n: Any, p: Any, out: Any) -> None:
    """Fill the vector `out` with draws of binomial(n, p), which `check_binomial` takes."""
    if n == 1:
        bernoullis(state, p, out)
    else:
        for i in range(out.size):
            out[i] = binomial(state, n, p)

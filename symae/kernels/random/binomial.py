"""Binomial numbers and masks of random bits, drawn as numpy's legacy streams draw them, as Numba functions.

Source: Kachitvichyanukul and Schmeiser (1988), "Binomial random variate generation", algorithm BTPE; the order of every
floating-point operation is that of numpy's ``RandomState``. Generators are those of `symae.kernels.random.mt19937`.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from symae.kernels.compiled_once import compiled_once
from symae.kernels.random.bernoulli import HIGHEST
from symae.kernels.random.mt19937 import POSITION, N, jit, random_double, random_doubles, refill

LITTLE = sys.byteorder == "little"  # the first word of a pair is the lower half of 64 bits


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
    """Return True if a draw of ``binomial(1, p)`` takes a number of the stream, whatever that is, and compares it."""
    nothing, something = _one_trial(p)
    return _never_again(state, nothing, something)


@jit
def _numerator(pair: Any) -> Any:
    """Return a 2^26 + b of the next number of the stream, (a 2^26 + b) / 2^53, from two words of key side by side."""
    pair ^= (pair >> np.uint64(11)) & np.uint64(0x001FFFFF001FFFFF)
    pair ^= (pair << np.uint64(7)) & np.uint64(0x9D2C56809D2C5680)
    pair ^= (pair << np.uint64(15)) & np.uint64(0xEFC60000EFC60000)
    pair ^= (pair >> np.uint64(18)) & np.uint64(0x00003FFF00003FFF)
    return ((pair & np.uint64(0xFFFFFFE0)) << np.uint64(21)) | (pair >> np.uint64(38))


@jit
def compared(state: Any, p: Any, values: Any, out: Any) -> None:
    """Fill the vector `out` with draws of ``binomial(1, p)``, times `values` unless these are None, for `one_number_each`."""
    nothing, _ = _one_trial(p)
    one, zero = out.dtype.type(1), out.dtype.type(0)
    likely, rest = (one, zero) if p > 0.5 else (zero, one)
    most = np.uint64(nothing * 2.0**53)
    pairs, position, i = state[:N].view(np.uint64), np.int64(state[POSITION]), 0
    while i < out.size:
        if position >= N:
            refill(state)
            position = np.int64(0)
        count = min((N - position) // 2, out.size - i)
        block, of_block = out[i : i + count], pairs[position // 2 : position // 2 + count]
        factors = block if values is None else values[i : i + count]  # without values not read, but of a type
        for j in range(count):
            bit = rest if _numerator(of_block[j]) > most else likely
            block[j] = bit if values is None else bit * factors[j]
        position += 2 * count
        i += count
    state[POSITION] = position


@compiled_once(jit, contiguous=True)
def bernoullis(state: Any, p: Any, out: Any) -> None:
    """Fill the vector `out` with draws of ``binomial(1, p)``, a corruption mask: one number of the stream each.

    `_search` with n = 1 is a comparison with the probability of 0, here of whole numbers. Its restart, which rounding
    can cause once in 2^53 draws of some p, shows as a number above the sum of both probabilities. For these p doubles are drawn
    and looked at, and a block of them with such a one is drawn again, one by one.
    """
    nothing, something = _one_trial(p)
    if _never_again(state, nothing, something):
        compared(state, p, None, out)
        return
    likely, rest = (1, 0) if p > 0.5 else (0, 1)
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

"""L'Ecuyer and Touzin's generator MRG31k3p, many streams side by side, and the draws that Theano made from it.

A stream is six int32, (x1, x2, x3, y1, y2, y3), the last three numbers of two recurrences, newest first::

    x = (2^22 x2 + (2^7 + 1) x3) mod 2^31 - 1        y = (2^15 y1 + (2^15 + 1) y3) mod 2^31 - 21069

A step gives the integer x - y, brought into 1 … 2^31 - 1, and a draw is that times 2^-31. The i-th number of a draw comes from
stream i mod (number of streams).

Numbers are scaled with one rounding, as Theano's C code did on every processor with a fused multiply-add. Logarithms, sines and
cosines are libm's, in the dtype of the draw, so the functions are compiled without fast-math. Python calls some of them too:
the backends that have no kernel draw with these.

Sources: L'Ecuyer and Touzin (2000), "Fast combined multiple recursive generators with multipliers of the form a = ±2^q ± 2^r";
Box and Muller (1958), "A note on the generation of random normal deviates"; the behaviour of Theano 1.0.5.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

from symae.kernels.tuning import MRG_BLOCK, STREAMS_FOR_BLOCKS

M1, M2 = np.uint32(2**31 - 1), np.uint32(2**31 - 21069)
_BELOW = float.fromhex("0x1.fffffep-32")

_inner: Any = numba.njit(error_model="numpy", fastmath=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def _entry(function: Any) -> Any:
    """Compile `function`, and keep its machine code by the contents of this file, and of what it takes from others.

    Numba's own key is the file's date and size, which says nothing of the others, and which another version may have too.
    """
    source = f"{Path(__file__).read_text(encoding='utf-8')} {MRG_BLOCK} {STREAMS_FOR_BLOCKS} {function.__name__}"
    CACHED_SRC_FUNCTIONS[function] = hashlib.sha256(source.encode()).hexdigest()
    return numba.njit(error_model="numpy", fastmath=False, cache=True)(function)


@intrinsic
def _fma(context: Any, a: Any, b: Any, c: Any) -> Any:
    """Compute a * b + c, rounded once."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return a(a, a, a), generate


# In Numba the sum of two uint32 is an uint64: the casts keep the arithmetic in 32 bits, of which vectors hold twice as many.
@_inner
def _reduced(sum: Any, modulus: Any) -> Any:
    less = np.uint32(sum - modulus)
    return less if less < sum else sum  # where the difference is negative it wraps to a larger number


@_inner
def _next_x(x2: Any, x3: Any) -> Any:
    """Return the next x: a product with 2^q modulo 2^31 - 1 rotates the 31 bits by q."""
    a = np.uint32(((x2 & np.uint32(0x1FF)) << np.uint32(22)) + (x2 >> np.uint32(9)))
    b = np.uint32(((x3 & np.uint32(0xFFFFFF)) << np.uint32(7)) + (x3 >> np.uint32(24)))
    return _reduced(np.uint32(_reduced(np.uint32(a + b), M1) + x3), M1)


@_inner
def _times_2_15(y: Any) -> Any:
    """Compute 2^15 y modulo 2^31 - 21069: what the 16 low bits give, and the high ones, of which 2^31 counts as 21069."""
    high = np.uint32(np.uint32(21069) * np.uint32(y >> np.uint32(16)))
    return _reduced(np.uint32(((y & np.uint32(0xFFFF)) << np.uint32(15)) + high), M2)


@_inner
def _next_y(y1: Any, y3: Any) -> Any:
    return _reduced(np.uint32(_reduced(np.uint32(_times_2_15(y1) + _times_2_15(y3)), M2) + y3), M2)


@_inner
def _combined(x: Any, y: Any) -> Any:
    difference = np.uint32(x - y)
    return np.int32(difference if x > y else np.uint32(difference + M1))


@_inner
def _load(state: Any, words: Any) -> None:
    """Copy the words of the streams `state` into the six rows of `words`."""
    for j in range(len(state)):
        words[0, j], words[1, j], words[2, j] = state[j, 0], state[j, 1], state[j, 2]
        words[3, j], words[4, j], words[5, j] = state[j, 3], state[j, 4], state[j, 5]


@_inner
def _few_streams(state: Any, norm: Any, low: Any, extent: Any, out: Any) -> None:
    words = np.empty((6, STREAMS_FOR_BLOCKS), np.uint32)
    _load(state, words)
    for stream in range(min(len(state), len(out))):
        x1, x2, x3 = words[0, stream], words[1, stream], words[2, stream]
        y1, y2, y3 = words[3, stream], words[4, stream], words[5, stream]
        for i in range(stream, len(out), len(state)):
            x1, x2, x3 = _next_x(x2, x3), x1, x2
            y1, y2, y3 = _next_y(y1, y3), y1, y2
            out[i] = _fma(out.dtype.type(_combined(x1, y1)) * norm, extent, low)
        state[stream, 0], state[stream, 1], state[stream, 2] = x1, x2, x3
        state[stream, 3], state[stream, 4], state[stream, 5] = y1, y2, y3


@_inner
def _step(x2: Any, x3: Any, y1: Any, y3: Any, norm: Any, low: Any, extent: Any, out: Any) -> None:
    """Step as many streams as `out` has entries. The new words replace the oldest, x3 and y3."""
    for j in range(len(out)):
        x = _next_x(x2[j], x3[j])
        y = _next_y(y1[j], y3[j])
        x3[j], y3[j] = x, y
        out[j] = _fma(out.dtype.type(_combined(x, y)) * norm, extent, low)


@_inner
def _store(state: Any, words: Any, first: Any, last: Any, steps: Any) -> None:
    """Store streams first … last - 1 of a block after so many steps, each of which has put the newest words a row earlier."""
    x1, x2, x3 = words[(0 - steps) % 3], words[(1 - steps) % 3], words[(2 - steps) % 3]
    y1, y2, y3 = words[3 + (0 - steps) % 3], words[3 + (1 - steps) % 3], words[3 + (2 - steps) % 3]
    for j in range(first, last):
        state[j, 0], state[j, 1], state[j, 2] = x1[j], x2[j], x3[j]
        state[j, 3], state[j, 4], state[j, 5] = y1[j], y2[j], y3[j]


@_inner
def _fill(state: Any, low: Any, extent: Any, out: Any) -> None:
    """Fill the vector `out` with low + extent * u, u in (0, 1); `state`, (streams, 6), moves on."""
    # in float32 just below 2^-31, so that no number becomes 1
    norm = out.dtype.type(2.0**-31) if out.itemsize == 8 else out.dtype.type(_BELOW)
    streams = len(state)
    if streams < STREAMS_FOR_BLOCKS:
        _few_streams(state, norm, low, extent, out)
        return
    words = np.empty((6, MRG_BLOCK), np.uint32)
    for start in range(0, min(streams, len(out)), MRG_BLOCK):
        block = state[start : start + MRG_BLOCK]
        _load(block, words)
        steps, count = 0, len(block)
        for first in range(start, len(out), streams):
            count = min(len(block), len(out) - first)
            newest, oldest = (-steps) % 3, (2 - steps) % 3
            x2, x3, y1, y3 = words[(1 - steps) % 3], words[oldest], words[3 + newest], words[3 + oldest]
            _step(x2, x3, y1, y3, norm, low, extent, out[first : first + count])
            steps += 1
        _store(block, words, 0, count, steps)
        _store(block, words, count, len(block), steps - 1)


@_entry
def uniforms(state: Any, low: Any, high: Any, out: Any) -> None:
    """Fill the vector `out` with numbers between the scalars `low` and `high`, which are in its dtype."""
    _fill(state, low, high - low, out)


@_entry
def uniforms_elementwise(state: Any, low: Any, high: Any, out: Any) -> None:
    """Draw uniform numbers with limits for each entry."""
    zero, one = out.dtype.type(0), out.dtype.type(1)
    _fill(state, zero, one, out)
    for i in range(len(out)):
        out[i] = _fma(out[i], high[i] - low[i], low[i])


@_inner
def _radii(u: Any) -> None:
    """Replace numbers in (0, 1) by the lengths of Gaussian vectors of two dimensions."""
    i = 0
    # A loop that may end early keeps LLVM from replacing this log, libm's, by a vector library's; here and below.
    while i < len(u) and u[i] > 0:
        u[i] = math.sqrt(u.dtype.type(-2.0) * math.log(u[i]))
        i += 1


@_inner
def _directions(u: Any, cosines: Any, sines: Any) -> None:
    turn = u.dtype.type(2 * math.pi)
    i = 0
    while i < len(u) and u[i] >= 0:
        angle = turn * u[i]
        cosines[i], sines[i] = math.cos(angle), math.sin(angle)
        i += 1


@_inner
def _standard_normals(state: Any, out: Any) -> None:
    """Draw by Box and Muller's transform: all cosines first, then all sines, of which an odd size leaves out the last."""
    half = (len(out) + 1) // 2
    u = np.empty(2 * half, out.dtype)
    _fill(state, out.dtype.type(0), out.dtype.type(1), u)
    radii, sines = u[:half], np.empty(half, out.dtype)
    _radii(radii)
    _directions(u[half:], u[half:], sines)
    for i in range(half):
        out[i] = radii[i] * u[half + i]
    for i in range(len(out) - half):
        out[half + i] = radii[i] * sines[i]


@_entry
def normals(state: Any, avg: Any, std: Any, out: Any) -> None:
    """Fill the vector `out` with Gaussian numbers of the scalar mean `avg` and standard deviation `std`, in its dtype."""
    _standard_normals(state, out)
    for i in range(len(out)):
        out[i] = _fma(out[i], std, avg)


@_entry
def normals_elementwise(state: Any, avg: Any, std: Any, out: Any) -> None:
    """Draw Gaussian numbers with a mean and a standard deviation for each entry."""
    _standard_normals(state, out)
    for i in range(len(out)):
        out[i] = _fma(out[i], std[i], avg[i])


@_inner
def _sorted_out(radii: Any, directions: Any, near: Any, count: Any, rest: Any) -> Any:
    """Copy normal numbers within 2 standard deviations to `near`; the others' directions to `rest`, from `count` on."""
    kept = 0
    for i in range(len(radii)):
        z = radii[i] * directions[i]
        if z < -2 or z > 2:
            rest[count] = directions[i]
            count += 1
        else:
            near[kept] = z
            kept += 1
    return kept, count


@_entry
def truncated(state: Any, u: Any, avg: Any, std: Any, out: Any) -> None:
    """Turn `u`, evenly many uniform numbers, into Gaussian ones; those beyond 2 standard deviations are drawn again.

    A new radius is at most 2 and takes the old direction. Cosines within the limits come first, then those that were
    redrawn, and sines in the same way; so the order is another than without the limits.
    """
    half = len(u) // 2
    radii, cosines, sines = u[:half].copy(), np.empty(half, u.dtype), np.empty(half, u.dtype)
    _radii(radii)
    _directions(u[half:], cosines, sines)
    z0, z1, rest = np.empty(half, u.dtype), np.empty(half, u.dtype), np.empty(2 * half, u.dtype)
    kept0, fixed0 = _sorted_out(radii, cosines, z0, 0, rest)
    kept1, fixed = _sorted_out(radii, sines, z1, fixed0, rest)
    redrawn, smallest = np.empty(fixed, u.dtype), u.dtype.type(1 / math.e**2)
    _fill(state, smallest, u.dtype.type(1) - smallest, redrawn)
    _radii(redrawn)
    for i in range(fixed):
        redrawn[i] *= rest[i]
    i = 0
    for part in (z0[:kept0], redrawn[:fixed0], z1[:kept1], redrawn[fixed0:]):
        for j in range(min(len(part), len(out) - i)):
            out[i] = _fma(part[j], std[i], avg[i])
            i += 1


@_entry
def multinomial(state: Any, n: Any, pvals: Any, u: Any, out: Any) -> None:
    """Count `n` trials for each row of probabilities; `u`, a vector of n numbers for each row, is drawn on the way.

    A trial is in the first category up to which the probabilities sum to more than its number, and in none if there is no such.
    """
    _fill(state, u.dtype.type(0), u.dtype.type(1), u)
    out[:] = 0
    rows = len(pvals)
    for trial in range(n):
        for row in range(rows):
            category, _ = _first_above(pvals[row], np.float64(u[trial * rows + row]))
            if category >= 0:
                out[row, category] += 1


@_inner
def _first_above(p: Any, u: Any) -> Any:
    """Return the first position at which the running sum of `p` is above `u`, or -1, and the sum before the rest."""
    total = 0.0
    for m in range(len(p)):
        total += np.float64(p[m])
        if total > u:
            return m, total
    return -1, total


@_entry
def choice(state: Any, pvals: Any, u: Any, out: Any) -> None:
    """Draw categories for each row of probabilities, all different, or -1 where the probabilities sum to too little.

    Once one is chosen, the others are divided by the sum of their probabilities. This sum begins with the running sum of
    doubles that chose, and takes the rest in the dtype of `pvals`: so it was in Theano, and the last bit depends on it.
    """
    rows, size = out.shape
    if size > pvals.shape[1]:
        raise ValueError("choice: size is larger than the number of categories, expected at most one of each")
    _fill(state, u.dtype.type(0), u.dtype.type(1), u)
    left, dtype = pvals.copy(), pvals.dtype
    for trial in range(size):
        for row in range(rows):
            p = left[row]
            category, total = _first_above(p, np.float64(u[trial * rows + row]))
            out[row, trial] = category
            if category < 0:
                continue
            others = dtype.type(total - np.float64(p[category]))
            for m in range(category + 1, len(p)):
                others = dtype.type(others + p[m])
            p[category] = 0
            for m in range(len(p)):
                p[m] /= others

"""Masks of random bits, or of other binomial numbers, that are drawn and applied in one pass.

Where each number of the mask takes one of the stream, threads share it: to leave a number out takes less than half of the time
to draw it. So the mask is the same on any number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symae.kernels import tuning
from symae.kernels.compiled_once import compiled_once
from symae.kernels.parallel.parts import in_parts, pays
from symae.kernels.random.binomial import binomials, check_binomial, compared, one_number_each
from symae.kernels.random.mt19937 import jit, skip

# Draws that are made and multiplied while they are in the first cache, where not each takes one number of the stream.
BLOCK = 4096
_NEXT = 1.0 - tuning.SKIPPING_TO_DRAWING
_ENOUGH, _ENOUGH_AWAKE = tuning.NUMBERS_FOR_THREADS[True], tuning.NUMBERS_FOR_AWAKE_THREADS[True]


@jit
def _begin(size: Any, part: Any, parts: Any) -> Any:
    """Return the first number of a part. Each is by so much shorter than the one before as it takes to leave out that one's."""
    return np.int64(size * ((1.0 - _NEXT**part) / (1.0 - _NEXT**parts)))


@jit
def _part(part: Any, parts: Any, arguments: Any) -> None:
    before, n, p, each, values, after, out = arguments
    first, end = _begin(out.size, part, parts), _begin(out.size, part + 1, parts)
    state = after if part == parts - 1 else np.empty_like(before)
    state[:] = before
    if part > 0:
        skip(state, first)
    if each:
        compared(state, p, values[first:end], out[first:end])
        return
    while first < end:
        block, of_block = out[first : min(first + BLOCK, end)], values[first : min(first + BLOCK, end)]
        binomials(state, n, p, block)
        for i in range(block.size):
            block[i] *= of_block[i]
        first += block.size


_alone, _together = in_parts(_part, "never"), in_parts(_part, "always")


@compiled_once(jit, contiguous=True)
def masked(before: Any, n: Any, p: Any, values: Any, after: Any, out: Any) -> None:
    """Fill the vector `out` with `values`, each times a draw of binomial(n, p).

    The draws are those of the generator `before`; `after` becomes the generator that has made them.
    """
    check_binomial(n, p)
    each = n == 1 and one_number_each(before, p)
    arguments = (before, n, p, each, values, after, out)
    if each and pays(out.size, _ENOUGH, _ENOUGH_AWAKE):
        _together(out.size, out.size, arguments)
    else:
        _alone(out.size, out.size, arguments)

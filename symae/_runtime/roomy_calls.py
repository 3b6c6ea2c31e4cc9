"""Calls whose frames, and those of all that they call, lie in one piece of memory.

CPython keeps the frames of a thread in chunks of 16 KiB, some eighty frames, and gives a chunk back to the system when its last
frame has returned. A recursion that goes up and down across the end of a chunk therefore maps and unmaps memory at each call:
Numba's compiler does so 20,000 times a second, which is 13 % of its time (Python 3.13.0; 9 % on 3.11). Newer releases of 3.13
and 3.14 keep one chunk more (python/cpython#142183), 3.11 and 3.12 do not. A chunk is as large as its first frame asks for, and
how much a frame asks for stands in its code: here enough for some thousand frames more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

WORDS = 1 << 16  # 512 KiB, so that the chunk is the next power of two; memory that no frame touches is never there


def roomy(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function`, calling which takes some ten microseconds longer, and calls within which map no memory."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    call.__code__ = call.__code__.replace(co_stacksize=WORDS)
    return functools.wraps(function)(call)

"""JAX's 64-bit numbers, for the time of symae's own calls.

What floatX is as PyTensor first imports JAX decides whether JAX makes float32 and int32 of all 64-bit numbers, in silence: that
is PyTensor's setting, for the whole process, and stays what it is. Every variable of a graph has its dtype, so there is nothing
that JAX would have to be kept from widening while symae traces and calls.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any


def in_64_bits() -> AbstractContextManager[Any]:
    """Return a context in which this thread's JAX has 64-bit numbers."""
    import jax

    # before JAX 0.8 it is experimental
    enable: Any = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return enable(True)


def with_64_bits(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with 64-bit numbers, as which it is called; itself where the process has them anyway."""
    import jax

    if jax.config.jax_enable_x64:
        return function

    @functools.wraps(function)
    def call(*inputs: Any) -> Any:
        with in_64_bits():
            return function(*inputs)

    return call

"""Calls of the host out of a program of JAX's, with all bits of 64-bit numbers.

XLA calls back in threads of its own. What JAX makes of arrays there, on the way in and out of a callback, goes by the setting
of the process and not by that of the thread that traced: where the process has no 64-bit numbers it rounds float64 and cuts
int64, in silence on the way in. As pairs of uint32 they come through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def call_on_host(function: Callable[..., Sequence[Any]], results: Sequence[Any], *inputs: Any) -> list[Any]:
    """Return what `function` makes of NumPy's arrays on the host, as JAX's arrays of the shapes and dtypes in `results`."""
    import jax

    inputs = tuple(map(jax.numpy.asarray, inputs))

    def on_host(*given: Any) -> tuple[np.ndarray, ...]:
        arrays = (_from_words(np.asarray(x), of.shape, of.dtype) for x, of in zip(given, inputs, strict=True))
        return tuple(_to_words(np.asarray(y, of.dtype)) for y, of in zip(function(*arrays), results, strict=True))

    shapes = [
        jax.ShapeDtypeStruct((*of.shape, 2), np.uint32) if _is_wide(of.dtype) else jax.ShapeDtypeStruct(of.shape, of.dtype)
        for of in results
    ]
    words = [jax.lax.bitcast_convert_type(x, np.uint32) if _is_wide(x.dtype) else x for x in inputs]
    given_back = zip(jax.pure_callback(on_host, shapes, *words), results, strict=True)
    return [jax.lax.bitcast_convert_type(y, of.dtype) if _is_wide(of.dtype) else y for y, of in given_back]


def _is_wide(dtype: Any) -> bool:
    return np.dtype(dtype).kind in "iuf" and np.dtype(dtype).itemsize == 8


def _to_words(array: np.ndarray) -> np.ndarray:
    if not _is_wide(array.dtype):
        return array
    return np.ascontiguousarray(array).reshape(-1).view(np.uint32).reshape(*array.shape, 2)


def _from_words(array: np.ndarray, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    if not _is_wide(dtype):
        return array
    return np.ascontiguousarray(array).reshape(-1).view(dtype).reshape(shape)

"""The symbolic arguments of models, checked where they are handed in: inputs, streams of draws, parameters to share."""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae.errors import InputError
from symae.random import RandomStreams


def found(value: Any) -> str:
    """Say what `value` is, in a few words: a variable by its type, a number or text as it is, everything else by its class."""
    if isinstance(value, Variable):
        return f"a symbolic {value.type}"
    return repr(value)[:80] if isinstance(value, int | float | str) else f"a {type(value).__name__}"


def streams_of(numpy_rng: np.random.RandomState, theano_rng: Any, *draws: str) -> Any:
    """Return `theano_rng`, which has to have those `draws`; for None streams of its own, seeded by a draw of `numpy_rng`."""
    if theano_rng is None:
        return RandomStreams(numpy_rng.randint(2**30))
    # by what it has and not by class: legacy programs bring MRG's streams, or their own
    draws_numbers = isinstance(theano_rng, np.random.RandomState | np.random.Generator)
    if draws_numbers or not all(callable(getattr(theano_rng, draw, None)) for draw in draws):
        expected = f"RandomStreams (with {' and '.join(draws)}), or None for streams seeded by numpy_rng"
        raise InputError("theano_rng", found(theano_rng), expected)
    return theano_rng


def symbolic_matrix(where: str, value: Any, columns: int) -> TensorVariable:
    """Return `value`, which has to be a symbolic matrix of any number of rows and of `columns` columns."""
    expected = f"a symbolic matrix (n, {columns}), or None for one of the model's own"
    if not isinstance(value, Variable):
        raise InputError(where, found(value), expected)
    shape: tuple[int | None, ...] = getattr(value.type, "shape", ())
    if len(shape) != 2 or shape[1] not in (None, columns):
        raise InputError(where, found(value), expected)
    matrix: TensorVariable = value
    return matrix


def shared_parameter(where: str, value: Any, shape: tuple[int, ...], sizes: str) -> SharedVariable:
    """Return `value`, which has to be a shared variable of that `shape`; `sizes` says what the shape comes from."""
    of_value = getattr(value.get_value(borrow=True), "shape", None) if isinstance(value, SharedVariable) else None
    if of_value is None:
        raise InputError(where, found(value), f"a shared variable of shape {shape}")
    if of_value != shape:
        raise InputError(where, f"shape {of_value}", f"{shape} for {sizes}")
    return value

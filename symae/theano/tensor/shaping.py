"""Shapes: reshaping, joining, cutting, reordering, and what broadcasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.raise_op import Assert, CheckAndRaise

from symae.ops.unbroadcast import Addbroadcast, Unbroadcast
from symae.theano._impl.variables import as_theano
from symae.typing import TensorLike

__all__ = ["SHAPING"]

_MODULE = "symae.theano.tensor"
_SAME = [
    "shape",
    "swapaxes",
    "shape_padleft",
    "shape_padright",
    "shape_padaxis",
    "concatenate",
    "join",
    "roll",
    "squeeze",
    "diagonal",
    "tril",
    "triu",
    "tri",
    "outer",
    "vertical_stack",
    "horizontal_stack",
    "repeat",
    "diff",
    "nonzero_values",
    "flatnonzero",
    "inverse_permutation",
    "permute_row_elements",
    "take",
    "unravel_index",
    "ravel_multi_index",
    "expand_dims",
    "moveaxis",
    "broadcast_to",
    "trace",
]


_WHOLE = ("int", "uin")


@as_theano
def choose(a: TensorLike, choices: Any, out: Any = None, mode: str = "raise") -> Variable:
    """Return for each element k of `a` the element of ``choices[k]`` that stands at its position, as numpy's choose.

    Parameters
    ----------
    a : integers
    choices : list of arrays, or an array whose first dimension counts them
    out : None
    mode : {"raise", "wrap", "clip"}
        What a number below 0 or beyond the last choice does when the function is called: a ValueError, or count round, or stand
        for the nearest.
    """
    if not isinstance(choices, list | tuple):
        return pt.choose(a, choices, mode=mode)
    if mode not in ("raise", "wrap", "clip") or out is not None or not choices:
        raise ValueError(f"choose: found out={out}, mode={mode!r}, {len(choices)} choices, expected None, a mode, at least one")
    a, count = pt.as_tensor_variable(a), len(choices)
    if mode == "raise":
        within = pt.and_(pt.ge(a, 0), pt.lt(a, count)).all()
        a = CheckAndRaise(ValueError, "invalid entry in choice array")(a, within)
    else:
        a = a % count if mode == "wrap" else pt.clip(a, 0, count - 1)
    chosen = pt.as_tensor_variable(choices[-1])
    for k in range(count - 2, -1, -1):
        chosen = pt.switch(pt.eq(a, k), choices[k], chosen)
    return chosen if count > 1 else pt.switch(pt.eq(a, 0), chosen, chosen)


@as_theano
def flatten(x: TensorLike, ndim: int | None = None, outdim: int | None = None) -> Variable:
    """Flatten the last dimensions of `x` to one, so that `ndim` are left; `outdim` is an older name."""
    if ndim is not None and outdim is not None:
        raise ValueError("flatten: found ndim and outdim, expected one of them")
    dims = 1 if ndim is None and outdim is None else ndim if ndim is not None else outdim
    return pt.flatten(pt.as_tensor_variable(x), dims)


@as_theano
def reshape(x: TensorLike, newshape: Any, ndim: int | None = None, name: str | None = None) -> Variable:
    """Reshape `x` to `newshape`, a tuple, list or vector; -1 is what is left, and `ndim` the length of a vector."""
    result = pt.reshape(x, newshape, ndim=None if ndim is None else int(ndim))
    if name is not None:
        result.name = name
    return result


@as_theano
def stack(*tensors: Any, **kwargs: Any) -> Variable:
    """Stack arrays of one shape along a new dimension: ``stack([a, b], axis=0)`` or, as before Theano 0.7, ``stack(a, b)``."""
    axis = kwargs.pop("axis", 0)
    parts: Any = kwargs.pop("tensors", tensors)
    if kwargs:
        raise TypeError(f"stack: found the argument {next(iter(kwargs))}, expected tensors and axis")
    if parts and isinstance(parts[0], list | tuple):
        axis = parts[1] if len(parts) > 1 else axis
        parts = parts[0]
    if not parts:
        raise ValueError("stack: found no tensors, expected at least one")
    if isinstance(parts, Variable):
        return parts
    return pt.stack(list(parts), axis=axis)


@as_theano
def split(x: TensorLike, splits_size: Any, n_splits: int, axis: Any = 0) -> Any:
    """Split `x` into `n_splits` pieces of the lengths `splits_size` along `axis`."""
    return pt.split(x, splits_size, n_splits=n_splits, axis=axis)


@as_theano
def tile(x: TensorLike, reps: Any, ndim: int | None = None) -> Variable:
    """Repeat `x` `reps` times, a number for each dimension, as numpy's tile; the result has `ndim` dimensions.

    Raises
    ------
    ValueError
        `reps` is not one whole number or a list or vector of them, or `ndim` is less than it or `x` has dimensions, or it is a
        vector of unknown length and there is no `ndim`.
    """
    x = pt.as_tensor_variable(x)
    if not isinstance(reps, list | tuple):
        reps = pt.as_tensor_variable(reps)
        if reps.type.ndim > 1:
            raise ValueError(f"tile: reps has {reps.type.ndim} dimensions, expected a number or a vector")
        known = reps.type.shape[0] if reps.type.ndim else None
        if reps.type.ndim and ndim is not None and known is None:
            lacking = ndim - reps.shape[0]
            lacking = Assert("tile: reps has more elements than ndim")(lacking, pt.ge(lacking, 0))
            reps = pt.concatenate([pt.ones((lacking,), dtype=reps.type.dtype), reps])
            known = ndim
        if reps.type.ndim == 0:
            reps = [reps]
        elif known is None:
            raise ValueError("tile: reps is a vector of unknown length, expected ndim")
        else:
            reps = [reps[i] for i in range(known)]
    if ndim is not None and ndim < max(x.type.ndim, len(reps)):
        raise ValueError(f"tile: ndim is {ndim}, expected at least {max(x.type.ndim, len(reps))}")
    types = [pt.as_tensor_variable(count).type for count in reps]
    if any(of.ndim or of.dtype[:3] not in _WHOLE for of in types):
        raise ValueError("tile: reps has elements that are not whole numbers")
    return pt.tile(x, (*(1,) * ((ndim or 0) - len(reps)), *reps))


@as_theano
def diag(v: TensorLike, k: int = 0) -> Variable:
    """Return the `k`-th diagonal of a matrix, or the matrix that has the vector `v` there."""
    return pt.diag(v, k)


@as_theano
def nonzero(a: TensorLike, return_matrix: bool = False) -> Any:
    """Return where `a` is not 0: one vector of positions for each dimension, or one matrix of them."""
    return pt.nonzero(a, return_matrix=return_matrix)


@as_theano
def addbroadcast(x: TensorLike, *axes: int) -> Variable:
    """Return `x` with a length of 1 along `axes`.

    Raises
    ------
    ValueError
        `x` has no such axis, or has another length there when it is computed.
    """
    x = pt.as_tensor_variable(x)
    if any(not -x.type.ndim <= axis < x.type.ndim for axis in axes):
        raise ValueError(f"addbroadcast: found axes {axes}, expected axes of an array of {x.type.ndim} dimensions")
    return _broadcasting(x, {axis % x.type.ndim: True for axis in axes})


@as_theano
def unbroadcast(x: TensorLike, *axes: int) -> Variable:
    """Return `x`, whose length along `axes` is 1 by chance and does not broadcast."""
    x = pt.as_tensor_variable(x)
    return _broadcasting(x, {axis % x.type.ndim: False for axis in axes})


@as_theano
def patternbroadcast(x: TensorLike, broadcastable: Sequence[bool]) -> Variable:
    """Return `x`, which then broadcasts where `broadcastable` says so, and nowhere else.

    Raises
    ------
    ValueError
        `broadcastable` is longer than `x` has axes, or the length along one is not 1 when `x` is computed.
    """
    x = pt.as_tensor_variable(x)
    if len(broadcastable) > x.type.ndim:
        raise ValueError(f"patternbroadcast: found a pattern of {len(broadcastable)} for {x.type.ndim} dimensions")
    return _broadcasting(x, dict(enumerate(broadcastable)))


def _broadcasting(x: Variable, pattern: dict[int, bool]) -> Variable:
    """Return `x` with `pattern` along some of its axes, in at most one step each way from what it was made of by such steps."""
    wanted = [pattern.get(i, known) for i, known in enumerate(x.type.broadcastable)]
    while x.owner is not None and isinstance(x.owner.op, Addbroadcast | Unbroadcast):
        x = x.owner.inputs[0]
    wrong = [i for i, known in enumerate(x.type.broadcastable) if known and not wanted[i]]
    lacking = [i for i, known in enumerate(x.type.broadcastable) if wanted[i] and not known]
    x = Unbroadcast(*wrong)(x) if wrong else x
    return Addbroadcast(*lacking)(x) if lacking else x


@as_theano
def specify_shape(x: TensorLike, shape: Any) -> Variable:
    """Return `x`, checked to have that shape when it is computed."""
    x = pt.as_tensor_variable(x)
    if isinstance(shape, Variable):
        shape = tuple(shape[i] for i in range(x.type.ndim))
    if isinstance(shape, list | tuple) and len(shape) != x.type.ndim:
        raise AssertionError(f"specify_shape: found {len(shape)} lengths for {x.type.ndim} dimensions")
    return pt.specify_shape(x, tuple(shape) if isinstance(shape, list | tuple) else shape)


def is_flat(var: Any, ndim: int | None = None, outdim: int | None = None) -> bool:
    """Return True if `var` has as few dimensions as `flatten` would leave."""
    return bool(var.ndim == (ndim or outdim or 1))


@as_theano
def shape_i(x: TensorLike, i: int) -> Variable:
    """Return the length of `x` along dimension `i`."""
    return pt.as_tensor_variable(x).shape[i]


@as_theano
def dimshuffle(x: TensorLike, *pattern: Any) -> Variable:
    """Bring the dimensions of `x` into another order, "x" for new ones that broadcast."""
    return pt.as_tensor_variable(x).dimshuffle(*pattern)


@as_theano
def transpose(x: TensorLike, axes: Any = None) -> Variable:
    """Return `x` with its axes in the order `axes`, or reversed; then its name is that of `x` with ".T"."""
    x = pt.as_tensor_variable(x)
    result = pt.transpose(x, axes)
    if axes is None and x.name is not None:
        result = pt.tensor_copy(x) if result is x else result
        result.name = f"{x.name}.T"
    return result


_OWN = (
    flatten,
    reshape,
    stack,
    choose,
    split,
    tile,
    diag,
    nonzero,
    addbroadcast,
    unbroadcast,
    patternbroadcast,
    transpose,
    specify_shape,
    is_flat,
    shape_i,
)


def _all() -> dict[str, Any]:
    modules = (pt, pt.basic, pt.subtensor, pt.extra_ops)
    found = {name: next((getattr(m, name) for m in modules if hasattr(m, name)), None) for name in _SAME}
    made = {name: as_theano(f, name, _MODULE) for name, f in found.items() if f is not None}
    return made | {f.__name__: f for f in _OWN}


SHAPING = _all()

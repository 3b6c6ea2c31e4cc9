"""``theano.gradient``: derivatives of expressions, and expressions that change derivatives on their way."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor import gradient as _gradient
from pytensor import scalar
from pytensor.gradient import (
    DisconnectedGrad,
    DisconnectedInputError,
    DisconnectedType,
    GradClip,
    GradientError,
    GradScale,
    NullTypeGradError,
    UndefinedGrad,
    ZeroGrad,
    _float_ones_like,
    _float_zeros_like,
    disconnected_type,
    grad_not_implemented,
    grad_undefined,
    numeric_grad,
)
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.null_type import NullType, null_type
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum
from pytensor.tensor.type import DenseTensorType

from symae._runtime.quiet import without_warnings
from symae.ops.unbroadcast import Unbroadcast
from symae.theano._impl.absent import getter
from symae.theano._impl.tangents import tangents
from symae.theano._impl.variables import as_theano, behind, known_type, legacy, mark, plain, unmark, with_test_values
from symae.theano.compile.mode import resolved

__all__ = [
    "DisconnectedGrad",
    "DisconnectedInputError",
    "DisconnectedType",
    "GradClip",
    "GradScale",
    "GradientError",
    "Lop",
    "NullType",
    "NullTypeGradError",
    "Rop",
    "UndefinedGrad",
    "ZeroGrad",
    "_float_ones_like",
    "_float_zeros_like",
    "consider_constant",
    "disconnected_grad",
    "disconnected_type",
    "format_as",
    "grad",
    "grad_clip",
    "grad_not_implemented",
    "grad_scale",
    "grad_undefined",
    "hessian",
    "jacobian",
    "null_type",
    "numeric_grad",
    "subgraph_grad",
    "undefined_grad",
    "verify_grad",
    "zero_grad",
]

__getattr__ = getter(__name__, pytensor=["pytensor.gradient"])

disconnected_grad = as_theano(_gradient.disconnected_grad, "disconnected_grad", __name__)
zero_grad = as_theano(_gradient.zero_grad, "zero_grad", __name__)
consider_constant = as_theano(_gradient.zero_grad, "consider_constant", __name__)
undefined_grad = as_theano(_gradient.undefined_grad, "undefined_grad", __name__)
grad_clip = as_theano(_gradient.grad_clip, "grad_clip", __name__)
grad_scale = as_theano(_gradient.grad_scale, "grad_scale", __name__)
disconnected_grad_ = disconnected_grad
zero_grad_ = zero_grad
consider_constant_ = consider_constant
undefined_grad_ = undefined_grad


def grad(
    cost: Variable | None,
    wrt: Any,
    consider_constant: Any = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Mapping[Variable, Variable] | Sequence[tuple[Variable, Variable]] | None = None,
    return_disconnected: str = "zero",
    null_gradients: str = "raise",
) -> Any:
    """Compute the gradient of the scalar `cost` by `wrt`, a variable, list or tuple of variables; the arguments are Theano's.

    Raises
    ------
    DisconnectedInputError
        `cost` does not depend on one of `wrt`, unless `disconnected_inputs` is "ignore" or "warn".
    TypeError
        `cost` is not a scalar, or `wrt` is not made of variables.
    """
    if isinstance(wrt, str):
        raise TypeError(f"grad: wrt is {wrt!r}, expected a variable, or a list or tuple of variables")
    known = dict(known_grads) if known_grads is not None else None
    constant = list(consider_constant) if consider_constant is not None else None
    chosen: Any = wrt if isinstance(wrt, Variable) else list(wrt)
    with plain(cost, chosen, constant, known):
        result = _gradient.grad(
            cost,
            chosen,
            constant,
            disconnected_inputs,
            add_names,
            known,
            return_disconnected,
            null_gradients,
        )
        if isinstance(chosen, Variable):
            result = _as_theanos(chosen, result)
        else:
            result = [_as_theanos(variable, gradient) for variable, gradient in zip(chosen, result, strict=True)]
    return _formatted(result, wrt if isinstance(wrt, Variable | tuple) else chosen)


def _as_theanos(variable: Any, gradient: Any) -> Any:
    """Return `gradient` in the dtype that it had in Theano; it broadcasts where `variable` does, though PyTensor knows more."""
    if not all(isinstance(v, Variable) and isinstance(known_type(v), DenseTensorType) for v in (variable, gradient)):
        return gradient  # sparse, or disconnected
    gradient = _without_wide_zeros(variable, gradient)
    patterns = (known_type(v).broadcastable for v in (gradient, variable))
    more = [axis for axis, (known, wanted) in enumerate(zip(*patterns, strict=True)) if known and not wanted]
    return Unbroadcast(*more)(gradient) if more else gradient


def _without_wide_zeros(variable: Any, gradient: Any) -> Any:
    """Return `gradient` without the zeros of floatX that PyTensor adds for comparisons.

    Theano's zeros have the dtype of `variable`, and so never make the sum a wider one.
    """
    wanted, found = variable.type.dtype, gradient.type.dtype
    if wanted == found or not (wanted.startswith("float") and found.startswith("float")):
        return gradient
    terms = list(_terms(gradient))
    kept = [term for term in terms if not _is_zero(term)]
    if not kept:
        return pt.cast(gradient, wanted)
    return gradient if len(kept) == len(terms) else functools.reduce(pt.add, kept)


def _terms(total: Variable) -> Iterator[Variable]:
    if total.owner is not None and getattr(total.owner.op, "scalar_op", None) == scalar.add:
        for term in total.owner.inputs:
            yield from _terms(term)
    else:
        yield total


def _is_zero(v: Variable) -> bool:
    """Return whether `v` is zeros for all inputs, as a graph that a gradient has made of zeros says."""
    if isinstance(v, Constant):
        return not np.any(v.data)
    if v.owner is None:
        return False
    op, inputs = v.owner.op, v.owner.inputs
    if isinstance(op, Elemwise) and op.scalar_op == scalar.second:
        return _is_zero(inputs[1])
    moved = isinstance(op, DimShuffle | Sum) or (isinstance(op, Elemwise) and isinstance(op.scalar_op, scalar.Cast))
    return moved and _is_zero(inputs[0])


def Rop(f: Any, wrt: Any, eval_points: Any, disconnected_outputs: str = "raise", return_disconnected: str = "zero") -> Any:
    """Compute the Jacobian of `f` by `wrt`, times `eval_points` from the right.

    Where an operation of a script's own has an ``R_op``, or derivatives that override those of its graph, they are asked for
    theirs, as in Theano; of all others it is made of two gradients.

    Raises
    ------
    DisconnectedInputError
        One of `f` depends on none of `wrt`, or only by what has no derivative. With `disconnected_outputs` "ignore" or "warn"
        there are zeros instead, or what `return_disconnected` says: "none" or "disconnected".
    ValueError
        A variable and its point differ in their number of dimensions.
    """
    with plain(f, wrt, eval_points):
        listed, variables, points = _listed(f), _listed(wrt), _listed(eval_points)
        for i, (variable, point) in enumerate(zip(variables, points, strict=True)):
            if getattr(variable.type, "ndim", None) != getattr(point.type, "ndim", None):
                raise ValueError(f"Rop: found {point.type} as point {i}, expected as many dimensions as in {variable.type}")
        found = tangents(listed, variables, points)
        result = [
            _tangent_of_none(each, disconnected_outputs, return_disconnected) if tangent is None else tangent
            for each, tangent in zip(listed, found, strict=True)
        ]
    for tangent in result:
        if isinstance(tangent, Variable):
            tangent.tag.also_depends_on = (
                variables + points
            )  # a function takes them although the Jacobian of what is linear has none
    return _formatted(result, f)


def _tangent_of_none(output: Variable, disconnected: str, returned: str) -> Any:
    """Return what stands for the tangent of an output that depends on no variable, or raise the error for it."""
    text = f"Rop: {output} depends on none of the variables, or only by operations without a derivative"
    if disconnected == "raise":
        raise DisconnectedInputError(text)
    if disconnected not in ("ignore", "warn") or returned.lower() not in ("zero", "none", "disconnected"):
        raise ValueError(f"Rop: found {disconnected!r} and {returned!r} for outputs that depend on none of the variables")
    if disconnected == "warn":
        warnings.warn(text, stacklevel=3)
    return {"zero": pt.zeros_like(output), "none": None, "disconnected": disconnected_type()}[returned.lower()]


def Lop(f: Any, wrt: Any, eval_points: Any, consider_constant: Any = None, disconnected_inputs: str = "raise") -> Any:
    """Compute the Jacobian of `f` by `wrt`, times `eval_points` from the left."""
    with plain(f, wrt, eval_points, consider_constant):
        result = _gradient.pullback(
            _listed(f),
            _listed(wrt),
            _listed(eval_points),
            consider_constant,
            disconnected_inputs,
        )
    return _formatted(result, wrt)


def jacobian(
    expression: Variable, wrt: Any, consider_constant: Any = None, disconnected_inputs: str = "raise", **kwargs: Any
) -> Any:
    """Compute the derivatives of the vector `expression` by `wrt`: one more dimension, the first, than `wrt`."""
    with plain(expression, wrt, consider_constant), without_warnings("Scan return signature will change"):
        result = _gradient.jacobian(expression, wrt, consider_constant, disconnected_inputs, **kwargs)
    return _formatted(result, wrt)


def hessian(cost: Variable, wrt: Any, consider_constant: Any = None, disconnected_inputs: str = "raise") -> Any:
    """Compute the second derivatives of the scalar `cost` by `wrt`, vectors."""
    with plain(cost, wrt, consider_constant), without_warnings("Scan return signature will change"):
        result = _gradient.hessian(cost, wrt, consider_constant, disconnected_inputs)
    return _formatted(result, wrt)


def subgraph_grad(wrt: Any, end: Any, start: Any = None, cost: Any = None, details: bool = False) -> Any:
    """Compute gradients along a part of a graph, from `end` or from `start`, gradients that are known already."""
    with plain(wrt, end, start, cost):
        return mark(_gradient.subgraph_grad(wrt, end, start, cost, details))


def verify_grad(
    fun: Callable[..., Any],
    pt: Sequence[np.ndarray],
    n_tests: int = 2,
    rng: Any = None,
    eps: float | None = None,
    out_type: str | None = None,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
    mode: Any = None,
    cast_to_output_type: bool = False,
    no_debug_ref: bool = True,
) -> None:
    """Compare the gradient of `fun` at the arrays `pt` with finite differences.

    Raises
    ------
    GradientError
        They differ by more than `abs_tol` and `rel_tol`.
    """

    def plain_fun(*inputs: Variable) -> Any:
        with legacy(inputs):
            outputs = fun(*inputs)
        unmark(behind((outputs,)))
        return outputs

    chosen, _ = resolved(mode)
    rng = np.random.RandomState() if rng is None else rng
    _gradient.verify_grad(
        plain_fun, list(pt), n_tests, rng, eps, out_type, abs_tol, rel_tol, chosen, cast_to_output_type, no_debug_ref
    )


verify_grad.E_grad = GradientError  # type: ignore[attr-defined]


def format_as(use_list: bool, use_tuple: bool, outputs: Any) -> Any:
    """Return `outputs` as a list, a tuple or the only one of them."""
    if isinstance(outputs, list | tuple):
        return list(outputs) if use_list else tuple(outputs) if use_tuple else outputs[0]
    return [outputs] if use_list else (outputs,) if use_tuple else outputs


def _listed(values: Any) -> list[Any]:
    return [pt.as_tensor_variable(v) for v in values] if isinstance(values, list | tuple) else [pt.as_tensor_variable(values)]


def _formatted(result: Any, like: Any) -> Any:
    return with_test_values(mark(format_as(isinstance(like, list), isinstance(like, tuple), result)))

"""Batch normalisation. Source: Ioffe and Szegedy (2015), "Batch normalization"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad
from pytensor.graph.basic import Variable

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.theano.tensor.shaping import addbroadcast
from symae.typing import TensorLike

__all__ = ["batch_normalization", "batch_normalization_test", "batch_normalization_train"]


@as_theano
def batch_normalization(
    inputs: TensorLike, gamma: TensorLike, beta: TensorLike, mean: TensorLike, std: TensorLike, mode: str = "low_mem"
) -> Variable:
    """Compute (inputs - mean) / std * gamma + beta, or with `mode` "high_mem" (inputs - mean) * (gamma / std) + beta.

    The five are broadcast against each other.
    """
    inputs, gamma, beta, mean, std = map(pt.as_tensor, (inputs, gamma, beta, mean, std))
    if mode == "low_mem":
        return (inputs - mean) / std * gamma + beta
    if mode == "high_mem":
        return (inputs - mean) * (gamma / std) + beta
    raise ValueError(f"batch_normalization: mode is {mode!r}, expected 'low_mem' or 'high_mem'")


@as_theano
def batch_normalization_train(
    inputs: TensorLike,
    gamma: TensorLike,
    beta: TensorLike,
    axes: Any = "per-activation",
    epsilon: float = 1e-4,
    running_average_factor: float = 0.1,
    running_mean: TensorLike | None = None,
    running_var: TensorLike | None = None,
) -> tuple[Variable, ...]:
    """Normalise by the mean and variance of the inputs themselves.

    Parameters
    ----------
    inputs : (n, …)
    gamma, beta, running_mean, running_var
        Of the dimensions of `inputs` with size 1 along `axes`, or without these axes.
    axes : "per-activation", "spatial" or ints
        Along which mean and variance are taken: (0,), all but the second, or those.
    epsilon : float, at least 1e-5
        Added to the variance.
    running_average_factor : float
        Share of this minibatch in the new running averages.
    running_mean, running_var : optional
        Either both or none.

    Returns
    -------
    out : like `inputs`
    mean, invstd : like `gamma`
        invstd = 1 / sqrt(var + epsilon). Gradients do not go through these two.
    new_running_mean, new_running_var : like `gamma`, if the old ones are given
        The variance in it is the unbiased one.

    Raises
    ------
    ValueError
        Dimensions, axes or an epsilon that are not as above.
    """
    inputs = pt.as_tensor(inputs)
    axes, kept = _axes(axes, inputs.type.ndim)
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_normalization_train: running_mean and running_var: found one of them, expected both or none")
    small = _epsilon(epsilon)
    gamma, beta = pt.as_tensor(gamma), pt.as_tensor(beta)
    without_axes = gamma.type.ndim != inputs.type.ndim
    wide_gamma, wide_beta = (_wide(p, name, inputs, axes, kept, gamma) for name, p in (("gamma", gamma), ("beta", beta)))
    mean = pt.mean(inputs, axis=axes, keepdims=True)
    variance = pt.mean(pt.sqr(inputs - mean), axis=axes, keepdims=True)
    invstd = 1 / pt.sqrt(variance + small)
    out = (inputs - mean) * wide_gamma * invstd + wide_beta
    # Theano's op has a gradient for its first result only
    mean, variance, invstd = map(disconnected_grad, (mean, variance, invstd))
    results = [mean, invstd]
    if running_mean is not None:
        share = pt.constant(running_average_factor, dtype=pytensor.config.floatX)
        m = pt.cast(pt.prod([inputs.shape[i] for i in axes]), pytensor.config.floatX)
        old_mean, old_variance = (
            _wide(pt.as_tensor(p), name, inputs, axes, kept, gamma)
            for name, p in (("running_mean", running_mean), ("running_var", running_var))
        )
        results.append(old_mean * (1 - share) + mean * share)
        results.append(old_variance * (1 - share) + m / (m - 1) * variance * share)
    return out, *(r.dimshuffle(*kept) if without_axes else r for r in results)


@as_theano
def batch_normalization_test(
    inputs: TensorLike,
    gamma: TensorLike,
    beta: TensorLike,
    mean: TensorLike,
    var: TensorLike,
    axes: Any = "per-activation",
    epsilon: float = 1e-4,
) -> Variable:
    """Normalise by a given mean and variance: (inputs - mean) * gamma / sqrt(var + epsilon) + beta.

    Parameters are as in `batch_normalization_train`, and so are the errors.
    """
    inputs = pt.as_tensor(inputs)
    axes, kept = _axes(axes, inputs.type.ndim)
    small = _epsilon(epsilon)
    first = pt.as_tensor(gamma)
    gamma, beta, mean, var = (
        _wide(pt.as_tensor(p), name, inputs, axes, kept, first)
        for name, p in (("gamma", gamma), ("beta", beta), ("mean", mean), ("var", var))
    )
    return (inputs - mean) * (gamma / pt.sqrt(var + small)) + beta


@as_theano
def gradients_of_train(
    x: TensorLike, dy: TensorLike, scale: TensorLike, x_mean: TensorLike, x_invstd: TensorLike, axes: Sequence[int]
) -> list[Variable]:
    """Return the gradients of `batch_normalization_train` for `x`, `scale` and the bias, where `dy` is that of its result."""
    x, dy, scale, x_mean, x_invstd = map(pt.as_tensor, (x, dy, scale, x_mean, x_invstd))
    normal = (x - x_mean) * x_invstd
    of_scale, of_bias = (pt.sum(g, axis=tuple(axes), keepdims=True) for g in (dy * normal, dy))
    count = pt.prod([x.shape[i] for i in axes]).astype(x.type.dtype)
    return [scale * x_invstd * (dy - (of_bias + normal * of_scale) / count), of_scale, of_bias]


def _axes(axes: Any, ndim: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the axes to normalise along, and the others."""
    named = {"per-activation": (0,), "spatial": (0, *range(2, ndim))}
    chosen = named.get(axes) if isinstance(axes, str) else tuple(sorted(map(int, axes)))
    if not chosen or min(chosen) < 0 or max(chosen) >= ndim:
        raise ValueError(f"axes: found {axes!r}, expected 'per-activation', 'spatial' or axes below {ndim}")
    return chosen, tuple(i for i in range(ndim) if i not in chosen)


def _epsilon(epsilon: float) -> Any:
    small = np.dtype(pytensor.config.floatX).type(epsilon)
    if small < 1e-5:
        raise ValueError(f"epsilon: found {epsilon}, expected at least 1e-5")
    return small


def _wide(
    parameter: Variable, name: str, inputs: Variable, axes: Sequence[int], kept: Sequence[int], gamma: Variable
) -> Variable:
    """Return `parameter` with the dimensions of `inputs`."""
    ndim = gamma.type.ndim if gamma.type.ndim == inputs.type.ndim else len(kept)
    if parameter.type.ndim != ndim:
        raise ValueError(
            f"{name}: found {parameter.type.ndim} dimensions, expected {len(kept)} or {inputs.type.ndim}, as gamma"
        )
    if ndim == inputs.type.ndim:
        return addbroadcast(parameter, *axes)
    return parameter.dimshuffle(*(kept.index(i) if i in kept else "x" for i in range(inputs.type.ndim)))


__getattr__ = getter(__name__, ops="tensor.nnet.bn")

"""Layers that do one thing while a model learns and another afterwards, and how to get from the one graph to the other.

An expression with such layers is what training computes, with fresh masks and the statistics of the minibatch. `deterministic`
makes of it what the trained model computes. `symae.training.fit`, the models' own ``fit`` and Keras-style models do that by
themselves where they validate and predict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, Protocol

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.variable import TensorVariable

from symae.errors import InputError
from symae.nn.layers import Layer, as_layer, layer_of
from symae.nn.parameters import Parameters
from symae.ops.phases import Phases, Tracked, phases, tracked


class Streams(Protocol):
    """Draw random numbers: `symae.RandomStreams`, for one."""

    def binomial(self, size: Any, *, n: int, p: float, dtype: str) -> TensorVariable: ...


def dropout(name: str, x: Variable, rate: float, streams: Streams) -> TensorVariable:
    """Set some of the numbers to zero at random while a model learns, and make up for them with the others.

    .. math:: y = \\frac{m x}{1 - r}, \\quad m \\sim \\mathrm{Bernoulli}(1 - r) \\qquad \\text{and afterwards} \\qquad y = x

    with a new mask m in each step.

    Parameters
    ----------
    name : str
    x : (n, ...)
    rate : float in [0, 1)
        r, the share of the numbers that is set to zero.
    streams : RandomStreams
        Draws the masks; `symae.RandomStreams`, whose state is among what a checkpoint keeps.

    Returns
    -------
    (n, ...)

    Raises
    ------
    InputError
        `rate` is out of its range, or `streams` draws nothing.

    Notes
    -----
    Source: Srivastava et al. (2014); that what remains is made larger, rather than the weights smaller afterwards, is what
    today's libraries do.

    Examples
    --------
    >>> import numpy as np, pytensor.tensor as pt
    >>> from symae import RandomStreams, function
    >>> x = pt.vector("x")
    >>> y = dropout("half", x, 0.5, RandomStreams(234))
    >>> function([x], y)(np.ones(5, x.dtype)).tolist()
    [0.0, 2.0, 0.0, 2.0, 0.0]
    >>> function([x], deterministic(y))(np.ones(5, x.dtype)).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if not isinstance(rate, Real) or isinstance(rate, bool) or not 0 <= rate < 1:
        raise InputError(f"{name}: rate", repr(rate), "a number from 0 to 1, below 1")
    if not callable(getattr(streams, "binomial", None)) or isinstance(streams, np.random.RandomState | np.random.Generator):
        raise InputError(f"{name}: streams", f"a {type(streams).__name__}", "symae.RandomStreams(seed)")
    _check_floats(name, x)
    rate = float(rate)
    mask = streams.binomial(x.shape, n=1, p=1 - rate, dtype=x.type.dtype)
    y = phases(x * (mask * np.asarray(1 / (1 - rate), x.type.dtype)), x)
    return as_layer(y, Layer(name, f"dropout {rate:g}", (), (), "dropout", x, {"rate": rate}))


def batch_norm(params: Parameters, name: str, x: Variable, *, momentum: float = 0.1, epsilon: float = 1e-5) -> TensorVariable:
    """Shift and scale each unit, or each map of images, to mean β and deviation γ.

    .. math:: y = \\gamma \\frac{x - \\mu}{\\sqrt{\\sigma^2 + \\epsilon}} + \\beta

    While a model learns, μ and σ² are mean and variance of the minibatch, with the division by its size n; afterwards they are
    the running averages of what training has seen, which a step moves by

    .. math:: \\bar\\mu \\leftarrow (1 - m) \\bar\\mu + m \\mu, \\qquad
        \\bar\\sigma^2 \\leftarrow (1 - m) \\bar\\sigma^2 + m \\frac{n}{n - 1} \\sigma^2

    Parameters
    ----------
    params : Parameters
        Gets ``<name>_gamma`` and ``<name>_beta``, of the shape (units,) or (maps,), which begin at one and zero; and, in
        `Parameters.state`, ``<name>_mean`` and ``<name>_variance``, which begin at zero and one.
    name : str
    x : (n, units) or (n, maps, h, w), with units or maps known
        n above counts the positions of images too. Of a single number the variance is 0.
    momentum : float in (0, 1]
        m, the weight of the newest minibatch, as in PyTorch; Keras calls 1 - m so.
    epsilon : float > 0
        ε.

    Returns
    -------
    The shape of x.

    Raises
    ------
    InputError
        `x` or a number is not as above, or a parameter of that name is there.

    Notes
    -----
    `symae.training.fit` and the models' own ``fit`` move the averages by themselves; a training step of one's own does it by
    the updates of `running_updates`. Source: Ioffe and Szegedy (2015), with the details of PyTorch.
    """
    if x.type.ndim not in (2, 4) or x.type.shape[1] is None:
        raise InputError(f"{name}: x", f"shape {x.type.shape}", "(n, units) or (n, maps, h, w), with known units or maps")
    _check_floats(name, x)
    for what, number, holds, expected in (
        ("momentum", momentum, lambda m: 0 < m <= 1, "a number from 0 to 1, above 0"),
        ("epsilon", epsilon, lambda e: 0 < e < np.inf, "a positive number"),
    ):
        if not isinstance(number, Real) or isinstance(number, bool) or not holds(number):
            raise InputError(f"{name}: {what}", repr(number), expected)
    size, floatX = x.type.shape[1], pytensor.config.floatX
    axes = (0, *range(2, x.type.ndim))
    with params.together():
        gamma, beta = params.add(f"{name}_gamma", np.ones(size, floatX)), params.add(f"{name}_beta", np.zeros(size, floatX))
        averages = (
            params.add_state(f"{name}_mean", np.zeros(size, floatX)),
            params.add_state(f"{name}_variance", np.ones(size, floatX)),
        )

    def along(v: Variable) -> TensorVariable:
        return pt.cast(v.dimshuffle("x", 0, *["x"] * (x.type.ndim - 2)), x.type.dtype)

    def normalised(mean: Variable, variance: Variable) -> TensorVariable:
        scale = along(gamma) / pt.sqrt(along(variance) + np.asarray(epsilon, x.type.dtype))
        return (x - along(mean)) * scale + along(beta)

    mean = pt.mean(x, axis=axes)
    variance = pt.mean(pt.sqr(x - along(mean)), axis=axes)
    # in the dtypes of the averages, which are those of a file in a loaded model
    n = pt.cast(pt.prod([x.shape[axis] for axis in axes]), averages[1].type.dtype)
    unbiased = variance * (n / pt.maximum(n - 1, 1))

    def moved(average: Variable, new: Variable) -> TensorVariable:
        weight = np.asarray(momentum, average.type.dtype)
        return (1 - weight) * average + weight * pt.cast(new, average.type.dtype)

    seen = [
        tracked(now, average, moved(average, new))
        for now, average, new in zip((mean, variance), averages, (mean, unbiased), strict=True)
    ]
    y = phases(normalised(*seen), normalised(*averages))
    described = {"momentum": float(momentum), "epsilon": float(epsilon)}
    return as_layer(y, Layer(name, "batch normalisation", (gamma, beta), averages, "batch_norm", x, described))


def deterministic(outputs: Any, inputs: Sequence[Variable] = ()) -> Any:
    """Return what a trained model computes in the place of `outputs`: no masks, and the running averages of what was seen.

    Expressions without such layers are returned as they are.

    Parameters
    ----------
    outputs : symbolic, or a list of such
        What `dropout` and `batch_norm` have made, and what was computed from it: also a cost.
    inputs : sequence of symbolic variables, optional
        Expressions that will be inputs: what they are computed from is left as it is, and so are they.

    Examples
    --------
    >>> import numpy as np, pytensor.tensor as pt
    >>> from symae import function, nn
    >>> params, x = nn.Parameters(np.random.RandomState(0)), pt.tensor("x", dtype="float64", shape=(None, 3))
    >>> y = nn.batch_norm(params, "norm", x)
    >>> params["norm_mean"].set_value(np.array([1, 2, 3], params["norm_mean"].dtype))
    >>> function([x], nn.deterministic(y))(np.ones((1, 3))).round(3).tolist()
    [[0.0, -1.0, -2.0]]
    """
    listed = [outputs] if isinstance(outputs, Variable) else list(outputs)
    now: dict[Variable, Variable] = {}
    for node in io_toposort(inputs, listed):
        if isinstance(node.op, Phases):
            now[node.outputs[0]] = _named_as(node.outputs[0], now.get(node.inputs[1], node.inputs[1]))
        elif any(v in now for v in node.inputs):
            copy = node.clone_with_new_inputs([now.get(v, v) for v in node.inputs], strict=False)
            for old, new in zip(node.outputs, copy.outputs, strict=True):
                _describe_as(new, old)
                now[old] = new
    found = [now.get(v, v) for v in listed]
    return found[0] if isinstance(outputs, Variable) else found


def running_updates(outputs: Variable | Sequence[Variable]) -> list[tuple[SharedVariable, Variable]]:
    """Return how a training step moves the running averages of the batch normalisation that `outputs` depend on.

    Parameters
    ----------
    outputs : symbolic, or a list of such
        The cost, for instance.

    Returns
    -------
    list of (variable, new value)
        In the order of their names. They go with the optimizer's updates into the compiled step. Of an average that is moved in
        two places, as in two copies of a graph, the first one counts.

    Examples
    --------
    >>> import numpy as np, pytensor.tensor as pt
    >>> from symae import nn
    >>> params, x = nn.Parameters(np.random.RandomState(0)), pt.tensor("x", shape=(None, 3))
    >>> [average.name for average, _ in running_updates(nn.batch_norm(params, "norm", x))]
    ['norm_mean', 'norm_variance']
    """
    moved: dict[SharedVariable, Variable] = {}
    for node in io_toposort([], [outputs] if isinstance(outputs, Variable) else list(outputs)):
        if isinstance(node.op, Tracked) and isinstance(node.inputs[1], SharedVariable):
            moved.setdefault(node.inputs[1], node.inputs[2])
    return sorted(moved.items(), key=lambda update: update[0].name or "")


def with_running_updates(
    outputs: Iterable[Variable], updates: Mapping[SharedVariable, Variable] | Sequence[tuple[SharedVariable, Variable]]
) -> list[tuple[SharedVariable, Variable]]:
    """Return `updates` with the `running_updates` of `outputs`, but for averages that they have."""
    steps = list(updates.items()) if isinstance(updates, Mapping) else list(updates)
    told = {v for v, _ in steps}
    return steps + [(v, new) for v, new in running_updates(list(outputs)) if v not in told]


def _named_as(marked: Variable, found: Variable) -> Variable:
    """Return `found` as an expression of its own with the name and the description of `marked`, unless it has its own."""
    if found.owner is None or layer_of(found) is not None or len(found.owner.outputs) > 1:
        return found
    (copy,) = found.owner.clone().outputs
    _describe_as(copy, marked)
    return copy


def _describe_as(v: Variable, other: Variable) -> None:
    v.name = other.name
    if (layer := layer_of(other)) is not None:
        v.tag.layer = layer


def _check_floats(name: str, x: Variable) -> None:
    if not x.type.dtype.startswith("float"):
        raise InputError(f"{name}: x", f"dtype {x.type.dtype}", "floats")

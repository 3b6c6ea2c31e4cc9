"""Softmax, cross-entropies and activations with Theano's names and semantics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.tensor.special import Softmax as _Softmax
from pytensor.tensor.special import log_softmax
from pytensor.tensor.special import softmax as softmax_along

from symae.ops.labels import checked_labels
from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.theano.tensor.nnet.sigm import as_floats, softsign
from symae.typing import TensorLike

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "confusion_matrix",
    "crossentropy_categorical_1hot",
    "crossentropy_categorical_1hot_grad",
    "crossentropy_softmax_1hot",
    "crossentropy_softmax_1hot_with_bias",
    "crossentropy_softmax_1hot_with_bias_dx",
    "crossentropy_softmax_argmax_1hot_with_bias",
    "crossentropy_softmax_max_and_argmax_1hot",
    "crossentropy_softmax_max_and_argmax_1hot_with_bias",
    "elu",
    "h_softmax",
    "logsoftmax",
    "logsoftmax_op",
    "prepend_0_to_each_row",
    "prepend_1_to_each_row",
    "prepend_scalar_to_each_row",
    "relu",
    "selu",
    "sigmoid_binary_crossentropy",
    "softmax",
    "softmax_grad",
    "softmax_graph",
    "softmax_op",
    "softmax_with_bias",
    "softsign",
]


def _rows(c: Any) -> Variable:
    """Return the rows that softmax is taken of: a vector is one row."""
    c = pt.as_tensor(c)
    if c.type.ndim not in (1, 2) or not c.type.dtype.startswith("float"):
        raise ValueError(f"softmax: found {c.type}, expected a matrix of floats, or a vector of them")
    return pt.shape_padleft(c) if c.type.ndim == 1 else c


def _softmax(c: Any) -> Variable:
    return softmax_along(_rows(c), axis=1)


def _nll(rows: Variable, y_idx: Variable) -> Variable:
    """Compute -log softmax(rows)[k, y_idx[k]], from the rows themselves, so that it is finite."""
    return -log_softmax(rows, axis=1)[pt.arange(y_idx.shape[0]), checked_labels(y_idx, rows)]


def _classes(name: str, y: Any) -> Variable:
    y = pt.as_tensor(y)
    if y.type.ndim != 1 or not y.type.dtype.startswith(("int", "uint")):
        raise TypeError(f"{name}: found {y.type}, expected a vector of integers, the number of the class for each row")
    return y


@as_theano
def softmax(c: TensorLike) -> Variable:
    """Compute exp(c) divided by its sum over each row: (n, k) -> (n, k); a vector counts as a row, (k,) -> (1, k).

    Raises
    ------
    ValueError
        `c` has other dimensions or does not hold floats. `softmax_graph` works along the last axis of anything.
    """
    return _softmax(c)


@as_theano
def logsoftmax(c: TensorLike) -> Variable:
    """Compute the logarithm of `softmax`, finite for all finite `c`."""
    return log_softmax(_rows(c), axis=1)


@as_theano
def softmax_graph(c: TensorLike) -> Variable:
    """Compute exp(c) divided by its sum over the last axis, for any number of dimensions."""
    return softmax_along(as_floats(c), axis=-1)


softmax_op = softmax
logsoftmax_op = logsoftmax


@as_theano
def softmax_with_bias(x: TensorLike, b: TensorLike) -> Variable:
    """Compute softmax(x + b) of a matrix and a vector."""
    return _softmax(pt.as_tensor(x) + b)


@as_theano
def softmax_grad(dy: TensorLike, sm: TensorLike) -> Variable:
    """Compute the gradient with respect to x, where sm = softmax(x) and `dy` is the gradient with respect to it."""
    weighted = dy * sm
    return weighted - pt.sum(weighted, axis=1, keepdims=True) * sm


@as_theano
def crossentropy_softmax_argmax_1hot_with_bias(
    x: TensorLike, b: TensorLike, y_idx: TensorLike, **_: Any
) -> tuple[Variable, Variable, Variable]:
    """Compute what a classifier with scores x + b needs.

    Parameters
    ----------
    x : (n, k); b : (k,); y_idx : (n,), integers

    Returns
    -------
    nll : (n,), -log softmax(x + b)[i, y_idx[i]], in nats
    softmax : (n, k)
    argmax : (n,), of the dtype of `y_idx`

    Raises
    ------
    LabelError, LabelCountError
        When the function runs, and there is not a label from 0 to k - 1 for each row. Both are ValueErrors.
    """
    scores, y_idx = _rows(x) + b, _classes("y_idx", y_idx)
    probabilities, argmax = softmax_along(scores, axis=1), pt.cast(pt.argmax(scores, axis=1), y_idx.type.dtype)
    probabilities.tag.also_depends_on = argmax.tag.also_depends_on = [y_idx]  # as outputs of Theano's one Op did
    return _nll(scores, y_idx), probabilities, argmax


@as_theano
def crossentropy_softmax_1hot_with_bias(x: TensorLike, b: TensorLike, y_idx: TensorLike, **_: Any) -> tuple[Variable, Variable]:
    """Compute nll and softmax of `crossentropy_softmax_argmax_1hot_with_bias`."""
    scores = _rows(x) + b
    return _nll(scores, _classes("y_idx", y_idx)), softmax_along(scores, axis=1)


@as_theano
def crossentropy_softmax_1hot(x: TensorLike, y_idx: TensorLike, **_: Any) -> tuple[Variable, Variable]:
    """Compute nll and softmax of the scores `x`, without a bias."""
    scores = _rows(x)
    return _nll(scores, _classes("y_idx", y_idx)), softmax_along(scores, axis=1)


@as_theano
def crossentropy_softmax_max_and_argmax_1hot(
    x: TensorLike, y_idx: TensorLike, **_: Any
) -> tuple[Variable, Variable, Variable, Variable]:
    """Compute nll, softmax, its maximum in each row, and where that is, as int64."""
    return _with_maximum(_rows(x), y_idx)


@as_theano
def crossentropy_softmax_max_and_argmax_1hot_with_bias(
    x: TensorLike, b: TensorLike, y_idx: TensorLike, **_: Any
) -> tuple[Variable, Variable, Variable, Variable]:
    """Compute `crossentropy_softmax_max_and_argmax_1hot` of scores x + b."""
    return _with_maximum(_rows(x) + b, y_idx)


def _with_maximum(scores: Variable, y_idx: Any) -> tuple[Variable, Variable, Variable, Variable]:
    probabilities = softmax_along(scores, axis=1)
    largest, position = pt.max_and_argmax(probabilities, axis=-1)
    return _nll(scores, _classes("y_idx", y_idx)), probabilities, largest, position


@as_theano
def crossentropy_softmax_1hot_with_bias_dx(dy: TensorLike, sm: TensorLike, y_idx: TensorLike) -> Variable:
    """Compute the gradient of `crossentropy_softmax_1hot` for its scores, dy[:, None] * (sm - one-hot of y_idx)."""
    dy, sm, y_idx = pt.as_tensor(dy), pt.as_tensor(sm), _classes("y_idx", y_idx)
    return pt.shape_padright(dy) * pt.inc_subtensor(sm[pt.arange(sm.shape[0]), checked_labels(y_idx, sm)], -1)


@as_theano
def crossentropy_categorical_1hot(coding_dist: TensorLike, true_one_of_n: TensorLike) -> Variable:
    """Compute -log coding_dist[i, true_one_of_n[i]]: (n, k), (n,) integers -> (n,), in nats."""
    return _one_hot_crossentropy(coding_dist, true_one_of_n)


@as_theano
def crossentropy_categorical_1hot_grad(g_y: TensorLike, coding_dist: TensorLike, true_one_of_n: TensorLike) -> Variable:
    """Compute the gradient of `crossentropy_categorical_1hot` for `coding_dist`, where `g_y` is that of its result."""
    p, y = pt.as_tensor(coding_dist), _classes("true_one_of_n", true_one_of_n)
    at = pt.arange(y.shape[0]), y
    return pt.set_subtensor(pt.zeros_like(p)[at], -g_y / p[at])


def _one_hot_crossentropy(coding_dist: Any, true_one_of_n: Any) -> Variable:
    p, y = pt.as_tensor(coding_dist), _classes("true_one_of_n", true_one_of_n)
    if p.type.ndim != 2:
        raise TypeError(f"coding_dist: found {p.type}, expected a matrix, a distribution in each row")
    rows = pt.arange(y.shape[0])
    if p.owner is not None and (isinstance(p.owner.op, _Softmax) or p.owner.op == pt.sigmoid):
        # the logarithm first: it and its gradient then come from the scores, and no probability is too small
        return -pt.log(p)[rows, checked_labels(y, p) if isinstance(p.owner.op, _Softmax) else y]
    return -pt.log(p[rows, y])  # a probability of 0 that is not asked for has no part in the gradient


@as_theano
def binary_crossentropy(output: TensorLike, target: Any) -> Variable:
    """Compute -(target log(output) + (1 - target) log(1 - output)), elementwise, in nats.

    Where `output` is a sigmoid, the compiled expression is finite and exact for any argument of it.
    """
    output, target = pt.as_tensor(output), pt.as_tensor(target)
    return -(target * pt.log(output) + (1.0 - target) * pt.log(1.0 - output))


@as_theano
def sigmoid_binary_crossentropy(output: TensorLike, target: Any) -> Variable:
    """Compute `binary_crossentropy` of sigmoid(output), from `output` itself: its gradient is sigmoid(output) - target."""
    x, target = pt.as_tensor(output), pt.as_tensor(target)
    # both branches are softplus(x) - x * target; each keeps its digits where the other loses them
    return pt.switch(x > 0, pt.softplus(-x) + x * (1 - target), pt.softplus(x) - x * target)


@as_theano
def categorical_crossentropy(coding_dist: TensorLike, true_dist: TensorLike) -> Variable:
    """Compute the cross-entropy of distributions, in nats.

    Parameters
    ----------
    coding_dist : (..., k)
        A distribution in each row. Of a softmax, the compiled expression and its gradient come from the softmax's argument.
    true_dist : (..., k), or for a matrix `coding_dist` (n,) of integers
        Distributions, -sum(true_dist log(coding_dist)), or the numbers of the true classes, -log(coding_dist[i, true_dist[i]]).

    Returns
    -------
    (...)

    Raises
    ------
    TypeError
        Other numbers of dimensions, or a vector of true classes that are not integers.
    """
    p, q = pt.as_tensor(coding_dist), pt.as_tensor(true_dist)
    if q.type.ndim == p.type.ndim:
        return -pt.sum(q * pt.log(p), axis=p.type.ndim - 1)
    if q.type.ndim == p.type.ndim - 1:
        return _one_hot_crossentropy(p, q)
    raise TypeError(f"categorical_crossentropy: found {q.type.ndim} dimensions for {p.type.ndim}, expected as many or one less")


@as_theano
def prepend_scalar_to_each_row(val: TensorLike, mat: TensorLike) -> Variable:
    """Prepend a column of `val`, (n, k) -> (n, k + 1)."""
    mat = pt.as_tensor(mat)
    column = pt.alloc(pt.cast(pt.as_tensor(val), mat.type.dtype), mat.shape[0], 1)
    return pt.concatenate([column, mat], axis=1)


def prepend_0_to_each_row(mat: TensorLike) -> Variable:
    """Prepend a column of zeros, (n, k) -> (n, k + 1)."""
    return prepend_scalar_to_each_row(0, mat)


def prepend_1_to_each_row(mat: TensorLike) -> Variable:
    """Prepend a column of ones, (n, k) -> (n, k + 1)."""
    return prepend_scalar_to_each_row(1, mat)


@as_theano
def relu(x: TensorLike, alpha: TensorLike = 0) -> Variable:
    """Return x where it is positive, alpha x elsewhere, as (1 + alpha) / 2 x + (1 - alpha) / 2 abs(x).

    Its gradient at 0 is therefore (1 + alpha) / 2, which `symae.nn.relu` has not. `alpha` may be symbolic; where it is 0, the
    result of an array is an array.
    """
    x = pt.as_tensor(x) if isinstance(x, list | tuple) else x
    if not isinstance(alpha, Variable | np.ndarray | list | tuple) and alpha == 0:
        return 0.5 * (x + abs(x))
    alpha = pt.as_tensor(alpha)
    return 0.5 * (1 + alpha) * x + 0.5 * (1 - alpha) * abs(x)


def _elu(x: Variable, alpha: Any) -> Variable:
    # expm1 of what is not asked for must not overflow: its infinite gradient times 0 would be NaN
    return pt.switch(x > 0, x, alpha * pt.expm1(pt.minimum(x, 0)))


@as_theano
def elu(x: TensorLike, alpha: TensorLike = 1) -> Variable:
    """Return x where it is positive, alpha (exp(x) - 1) elsewhere. Source: Clevert, Unterthiner and Hochreiter (2016)."""
    return _elu(pt.as_tensor(x), alpha)


@as_theano
def selu(x: TensorLike) -> Variable:
    """Compute 1.0507 elu(x, 1.6733), which keeps mean 0 and variance 1. Source: Klambauer et al. (2017)."""
    return 1.0507009873554804934193349852946 * _elu(pt.as_tensor(x), 1.6732632423543772848170429916717)


@as_theano
def confusion_matrix(actual: TensorLike, pred: TensorLike) -> list[Variable]:
    """Count how often each class was taken for each.

    Parameters
    ----------
    actual, pred : (n,)

    Returns
    -------
    counts : (k, k), int64
        counts[i, j] examples of class order[i] were predicted as order[j].
    order : (k,)
        The different values in `actual` and `pred`, sorted.
    """
    actual, pred = pt.as_tensor(actual), pt.as_tensor(pred)
    for name, values in (("actual", actual), ("pred", pred)):
        if values.type.ndim != 1:
            raise ValueError(f"confusion_matrix: {name} has {values.type.ndim} dimensions, expected 1")
    order = pt.unique(pt.concatenate([actual, pred]))
    is_actual, is_pred = (pt.cast(pt.eq(pt.shape_padright(values), order), "int64") for values in (actual, pred))
    return [pt.dot(is_actual.T, is_pred), order]


@as_theano
def h_softmax(
    x: TensorLike,
    batch_size: Any,
    n_outputs: Any,
    n_classes: Any,
    n_outputs_per_class: Any,
    W1: TensorLike,
    b1: TensorLike,
    W2: TensorLike,
    b2: TensorLike,
    target: Any = None,
) -> Variable:
    """Compute softmax in two steps: over classes of outputs, then over the outputs of a class.

    Parameters
    ----------
    x : (batch_size, d)
    batch_size, n_outputs, n_classes, n_outputs_per_class : int
        n_classes * n_outputs_per_class is at least n_outputs; output i belongs to class i // n_outputs_per_class.
    W1 : (d, n_classes); b1 : (n_classes,)
    W2 : (n_classes, d, n_outputs_per_class); b2 : (n_classes, n_outputs_per_class)
    target : (batch_size,) or (batch_size, 1) of integers, optional

    Returns
    -------
    (batch_size, n_outputs), or with `target` its probabilities (batch_size,)
        The cost of the latter grows with n_classes + n_outputs_per_class only.

    Notes
    -----
    Source: Goodman (2001), "Classes for fast maximum entropy training".
    """
    x, W2, b2 = pt.as_tensor(x), pt.as_tensor(W2), pt.as_tensor(b2)
    classes = softmax_along(pt.dot(x, W1) + b1, axis=1)
    if target is None:
        scores = pt.tensordot(x, W2, [[1], [1]]) + b2
        outputs = classes.dimshuffle(0, 1, "x") * softmax_along(scores, axis=2)
        return outputs.reshape((batch_size, n_classes * n_outputs_per_class))[:, :n_outputs]
    target = pt.as_tensor(target).flatten()
    chosen, within, row = target // n_outputs_per_class, target % n_outputs_per_class, pt.arange(batch_size)
    scores = pt.sum(x.dimshuffle(0, 1, "x") * W2[chosen], axis=1) + b2[chosen]
    return classes[row, chosen] * softmax_along(scores, axis=1)[row, within]


__getattr__ = getter(__name__, pytensor=["pytensor.tensor.special", "symae.nn"], ops="tensor.nnet.nnet")

"""Graphs of one op or a few, and numbers for their inputs: what every export has to compute as PyTensor does."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import function, nn
from symae.ops import (
    conv2d,
    deconv2d,
    images2neibs,
    max_pool2d_with_switches,
    max_unpool2d,
    max_unpool2d_from_switches,
    pool2d,
    upsample2d,
)
from symae.theano.ifelse import ifelse

RNG = np.random.RandomState(0)
x, y = pt.matrix("x"), pt.matrix("y")
v, i = pt.vector("v"), pt.lvector("i")
images = pt.tensor("images", dtype="float64", shape=(None, 2, 9, 7))
even = pt.tensor("even", dtype="float64", shape=(None, 2, 8, 6))
VALUES = {
    x: RNG.normal(size=(4, 5)),
    y: RNG.normal(size=(4, 5)),
    v: RNG.normal(size=5),
    i: np.array([3, -1, 0, 3]),
    images: RNG.normal(size=(3, 2, 9, 7)),
    even: RNG.normal(size=(3, 2, 8, 6)),
}
filters = pytensor.shared(RNG.normal(size=(4, 2, 3, 2)), name="filters")
back = pytensor.shared(RNG.normal(size=(2, 3, 3, 2)), name="back")
grouped = pytensor.shared(RNG.normal(size=(4, 1, 3, 3)), name="grouped")
switches = max_pool2d_with_switches(images, 2)[1]

ELEMENTWISE = {
    "sums and products": x + 2 * y - x / (y + 3) ** 2,
    "a vector beside a matrix": x * v + v[:4, None],
    "exp, log, sqrt": pt.exp(x) + pt.log(pt.abs(y)) + pt.sqrt(pt.sqr(x)),
    "log1p and expm1 near zero": pt.log1p(x * 1e-4) * 1e4 + pt.expm1(y * 1e-4) * 1e4,
    "log1p and expm1 far from it": pt.log1p(pt.exp(3 * x)) + pt.expm1(2 * y),
    "other logarithms": pt.log2(pt.abs(x)) + pt.log10(pt.abs(y)) + pt.exp2(x),
    "trigonometry": pt.sin(x) + pt.cos(y) + pt.tan(x / 4) + pt.arctan(y) + pt.arcsinh(x) + pt.deg2rad(y),
    "hyperbolic": pt.tanh(x) + pt.sinh(y) + pt.cosh(x) + pt.erf(y) + pt.erfc(x),
    "rounding": pt.floor(x) + 10 * pt.ceil(y) + 100 * pt.round(3 * x) + 1000 * pt.trunc(3 * y) + pt.sign(x),
    "rounding away from zero": pt.round(x * 2 + 0.5, mode="half_away_from_zero"),
    "remainders": pt.mod(x, 0.7) + pt.true_div(pt.floor(10 * x), 3) + (x // 0.3),
    "whole remainders": (i % 3) * 10 + (i // 2) + ((-i) // 2),
    "comparisons": pt.switch((x > 0) & (y <= 0.5) | pt.eq(x, y) ^ pt.neq(x, 1), x, y),
    "maximum, minimum, clip": pt.maximum(x, y) + pt.minimum(x, 0.1) + pt.clip(y, -0.5, 0.5),
    "casts": pt.cast(x * 3, "int32") + pt.cast(y > 0, "float64"),
    "activations": nn.relu(x) + nn.leaky_relu(y, 0.2) + nn.elu(x) + nn.softplus(y) + nn.sigmoid(x) + nn.softmax(y),
    "powers of a negative number": pt.pow(-2.0, pt.floor(x)),
    "infinity": [pt.switch(x > 0, x, -np.inf).max(axis=1), pt.minimum(x, np.inf), v + np.array([0, 0, np.inf, 0, -np.inf])],
    "one of two numbers": pt.switch(x > 0, 0.1, 0.2),
    "a filled array": pt.switch(x > 0, x, pt.ones_like(x) * 2) + pt.fill(y, 3.0),
    "isnan and isinf": pt.switch(pt.isnan(pt.log(x)), 0.0, 1.0) + pt.isinf(1 / (y * 0)),
}
ARRAYS = {
    "products": pt.dot(x, y.T) + pt.dot(x, v)[:, None],
    "stacks of products": pt.matmul(images, images.dimshuffle(0, 1, 3, 2)),
    "reductions": x.sum(axis=0) + y.max(axis=0) - y.min(axis=0) + x.prod(axis=0) + x.mean() + y.var(axis=0) + x.sum(),
    "means of rows": x.mean(axis=1) + x.sum(axis=1) / x.shape[1],
    "all and any": pt.cast((x > 0).any(axis=1), "int8") + pt.cast((y > -1).all(axis=1), "int8"),
    "argmax": pt.argmax(x, axis=1) * 100 + pt.argmax(y),
    "softmax of all": pt.special.softmax(x) + pt.special.log_softmax(y, axis=0),
    "sorted, and in which order": [pt.sort(x, axis=1), pt.argsort(x, axis=1)],
    "sorting": pt.sort(x, axis=0) + pt.argsort(y, axis=1),
    "k-sparse": nn.k_sparse(x, 2),
    "shapes": x.reshape((2, -1)).sum(axis=1)[:, None] + x.flatten()[:3] + pt.cast(x.shape[0] * x.shape[1], "float64"),
    "flatten": pt.flatten(images, ndim=2) + images.reshape((images.shape[0], -1)),
    "joins": pt.concatenate([x, y, x[:, :2]], axis=1),
    "stacks": pt.stack([x, y], axis=1),
    "splits": pt.concatenate(pt.split(x, [2, 3], n_splits=2, axis=1)[::-1], axis=1),
    "parts of a split": pt.split(x, [2, 3], n_splits=2, axis=1),
    "ranges": x + pt.arange(x.shape[1]) + pt.arange(x.shape[0])[:, None],
    "cumulative sums": pt.cumsum(x, axis=1),
    "repeated rows": pt.repeat(x, 3, axis=0),
    "new arrays": pt.zeros((x.shape[0], 2)) + pt.ones((2,)) * x[:, 0, None],
    "either of two": ifelse(pt.gt(x.sum(), 100), x, y[:2]),
    "checked": pt.specify_shape(x, (None, 5)) * 2,
}
INDEXING = {
    "slices": x[1:, ::2] + x[:-1, ::-2],
    "slices within examples": x[:, 1:4:2] + x[:, -2::-2][:],
    "backwards": x[::-1, ::-1],
    "backwards from and to a place": [x[2::-1], x[:-3:-1], x[:, 3:0:-2], x[-2::-1], x[:1:-1, 1:], x[99::-1], x[:-99:-1]],
    "backwards from a symbolic place": [x[y.shape[0] - 2 :: -1], x[: y.shape[0] - 3 : -1]],
    "numbers": x[1] * x[-1, 2] + x[:, -1].sum(),
    "slices of symbolic lengths": x[: x.shape[0] - 1, y.shape[0] - 3 :],
    "rows by a vector": x[i],
    "columns by a vector": x[:, i],
    "entries by two vectors": x[pt.arange(x.shape[0]), i],
    "a mask": x[x > 0],
    "setting": pt.set_subtensor(x[1:3, :2], y[1:3, :2]),
    "adding at repeated rows": pt.inc_subtensor(x[i], y),
    "setting a column": pt.set_subtensor(x[:, -1], 7.0),
}
IMAGES = {
    "convolution": conv2d(images, filters),
    "correlation": conv2d(images, filters, filter_flip=False),
    **{f"convolution, {mode}": conv2d(images, filters, border_mode=mode) for mode in ("full", "half", "same")},
    "convolution, same, stride": conv2d(images, filters, border_mode="same", subsample=(2, 3), filter_flip=False),
    "convolution, uneven padding": conv2d(images, filters, border_mode=((0, 2), (1, 0)), subsample=2),
    "convolution, dilation": conv2d(images, filters, border_mode="half", dilation=(2, 1)),
    "convolution in groups": conv2d(images, grouped, border_mode="same", groups=2),
    "deconvolution": deconv2d(images, back),
    "deconvolution of correlation": deconv2d(images, back, filter_flip=False),
    **{
        f"deconvolution, {mode}, stride": deconv2d(images, back, border_mode=mode, subsample=2, filter_flip=False)
        for mode in ("valid", "full", "half", "same")
    },
    "deconvolution, larger than it must be": deconv2d(images, back, subsample=(2, 3), output_padding=(1, 2)),
    "deconvolution, to a size": deconv2d(images, back, border_mode="same", subsample=2, output_shape=(17, 13)),
    "max pooling": pool2d(images, 2),
    "max pooling, same": pool2d(images, (3, 2), stride=(2, 2), pad="same"),
    "max pooling, overlapping": pool2d(images, 3, stride=1),
    "max pooling, borders": pool2d(images, 2, ignore_border=False),
    "max pooling, overlapping borders": pool2d(images, 4, stride=3, ignore_border=False),
    "max pooling, padding": pool2d(images, 3, stride=2, pad=1),
    "sums": pool2d(images, 2, mode="sum"),
    "averages with the padding": pool2d(images, 3, stride=2, pad=1, mode="average_inc_pad"),
    "averages without the padding": pool2d(images, 3, stride=2, pad=1, mode="average_exc_pad"),
    "averages at borders": pool2d(images, 2, mode="average_exc_pad", ignore_border=False),
    "maxima and switches": list(max_pool2d_with_switches(images, 2)),
    "switches": switches,
    "switches with padding": max_pool2d_with_switches(images, 3, stride=2, pad=1)[1],
    "unpooling of tiles": max_unpool2d(pool2d(even, 2) * 3, even, 2),
    "unpooling with rows over": max_unpool2d(pool2d(images, 2) * 3, images, 2),
    "unpooling of windows that overlap": max_unpool2d(pool2d(images, 3, stride=1), images, 3, stride=1),
    "unpooling by switches": max_unpool2d_from_switches(pool2d(images, 2), switches, (9, 7)),
    "repeated pixels": upsample2d(images, (2, 3)),
    "interpolated pixels": upsample2d(images, (2, 3), mode="bilinear"),
    "neighbourhoods": images2neibs(even, 2) * 2,
    "neighbourhoods at borders": images2neibs(images, 3, 1, mode="half"),
}
CASES = {**ELEMENTWISE, **ARRAYS, **INDEXING, **IMAGES}


def outputs_of(name):
    """Return a row's outputs: some have several."""
    row = CASES[name]
    return list(row) if isinstance(row, list | tuple) else [row]


def inputs_of(name):
    """Return the inputs that a row has of the table's."""
    on = set(pytensor.graph.traversal.ancestors(outputs_of(name)))
    return [w for w in VALUES if w in on]


def arrays_of(name):
    """Return the numbers for a row's inputs, its floats as float32."""
    return [a.astype("float32") if a.dtype.kind == "f" else a for a in (VALUES[w] for w in inputs_of(name))]


@cache
def expected_of(name):
    """Return what PyTensor makes of a row's numbers."""
    inputs = inputs_of(name)
    return function(inputs, outputs_of(name), mode="FAST_COMPILE")(*(VALUES[w] for w in inputs))


def check(name, found):
    """Compare all outputs with those of PyTensor."""
    expected = expected_of(name)
    assert [a.shape for a in found] == [a.shape for a in expected]
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)


def in_stages(names):
    """Return rows for `pytest.mark.parametrize`: the plain run has every eighth, the stage "backends" the others."""
    return [pytest.param(name, marks=[pytest.mark.backends] if k % 8 else []) for k, name in enumerate(names)]

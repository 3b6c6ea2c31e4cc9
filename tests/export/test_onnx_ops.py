"""ONNX's ops mean what PyTensor's and symae's do: graphs of one op or a few, computed by onnxruntime and by NumPy."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import InputError, RandomStreams, function, nn
from symae.export import converts, to_onnx
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

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

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
    "a filled array": pt.switch(x > 0, x, pt.ones_like(x) * 2) + pt.fill(y, 3.0),
    "isnan and isinf": pt.switch(pt.isnan(pt.log(x)), 0.0, 1.0) + pt.isinf(1 / (y * 0)),
}
ARRAYS = {
    "products": pt.dot(x, y.T) + pt.dot(x, v)[:, None],
    "stacks of products": pt.matmul(images, images.dimshuffle(0, 1, 3, 2)),
    "reductions": x.sum(axis=0) + y.max(axis=0) - y.min(axis=0) + x.prod(axis=0) + x.mean() + y.var(axis=0) + x.sum(),
    "all and any": pt.cast((x > 0).any(axis=1), "int8") + pt.cast((y > -1).all(axis=1), "int8"),
    "argmax": pt.argmax(x, axis=1) * 100 + pt.argmax(y),
    "softmax of all": pt.special.softmax(x) + pt.special.log_softmax(y, axis=0),
    "sorting": pt.sort(x, axis=0) + pt.argsort(y, axis=1),
    "k-sparse": nn.k_sparse(x, 2),
    "shapes": x.reshape((2, -1)).sum(axis=1)[:, None] + x.flatten()[:3] + pt.cast(x.shape[0] * x.shape[1], "float64"),
    "flatten": pt.flatten(images, ndim=2) + images.reshape((images.shape[0], -1)),
    "joins": pt.concatenate([x, y, x[:, :2]], axis=1),
    "stacks": pt.stack([x, y], axis=1),
    "splits": pt.concatenate(pt.split(x, [2, 3], n_splits=2, axis=1)[::-1], axis=1),
    "ranges": x + pt.arange(x.shape[1]) + pt.arange(x.shape[0])[:, None],
    "cumulative sums": pt.cumsum(x, axis=1),
    "repeated rows": pt.repeat(x, 3, axis=0),
    "new arrays": pt.zeros((x.shape[0], 2)) + pt.ones((2,)) * x[:, 0, None],
    "either of two": ifelse(pt.gt(x.sum(), 100), x, y[:2]),
    "checked": pt.specify_shape(x, (None, 5)) * 2,
}
INDEXING = {
    "slices": x[1:, ::2] + x[:-1, ::-2],
    "backwards": x[::-1, ::-1],
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


def computed(expression):
    """Return what onnxruntime and PyTensor make of the same numbers, and the inputs' names."""
    inputs = [w for w in VALUES if w in set(pytensor.graph.traversal.ancestors([expression]))]
    session = onnxruntime.InferenceSession(to_onnx(expression, inputs=inputs).SerializeToString())
    arrays = [a.astype("float32") if a.dtype.kind == "f" else a for a in (VALUES[w] for w in inputs)]
    (found,) = session.run(None, {s.name: a for s, a in zip(session.get_inputs(), arrays, strict=True)})
    return found, function(inputs, expression, mode="FAST_COMPILE")(*(VALUES[w] for w in inputs))


@pytest.mark.parametrize("name", CASES)
def test_onnx_computes_the_same(name):
    found, expected = computed(CASES[name])
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_sizes_of_images_may_be_free_where_padding_does_not_depend_on_them():
    free = pt.tensor4("free")
    drawn = pool2d(conv2d(free, filters, border_mode="same", filter_flip=False), 2, pad="same")
    session = onnxruntime.InferenceSession(to_onnx(drawn).SerializeToString())
    for shape in ((2, 2, 9, 7), (1, 2, 6, 8)):
        array = RNG.normal(size=shape).astype("float32")
        expected = function([free], drawn, mode="FAST_COMPILE")(array)
        np.testing.assert_allclose(session.run(None, {"free": array})[0], expected, rtol=1e-5, atol=1e-5)


def test_numbers_that_float32_does_not_hold_become_the_nearest_that_it_does():
    tiny = pt.log(pt.maximum(x * 0, np.finfo("float64").tiny))
    session = onnxruntime.InferenceSession(to_onnx(tiny).SerializeToString())
    (found,) = session.run(None, {"x": VALUES[x].astype("float32")})
    np.testing.assert_allclose(found, np.log(np.finfo("float32").tiny), rtol=1e-6)


def test_several_expressions_have_the_names_they_are_given():
    exported = to_onnx({"sum": x + y, "same": x, "double": 2 * (x + y)}, inputs={"left": x, "right": y})
    assert [a.name for a in exported.graph.input] == ["left", "right"]
    assert [a.name for a in exported.graph.output] == ["sum", "same", "double"]
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    ones = np.ones((2, 5), "float32")
    np.testing.assert_array_equal(session.run(None, {"left": ones, "right": ones}), [2 * ones, ones, 4 * ones])


def hidden(expression):
    expression.name = "hidden"
    return expression


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (hidden(pt.gammaln(x)) * 2, "hidden: found gammaln of numbers, which has no counterpart, expected ops that ONNX has"),
        (pt.linalg.inv(x[:4, :4]), "output: found MatrixInverse of stacks of arrays, which has no counterpart"),
        (RandomStreams(1).binomial(size=x.shape) * x, "found BinomialDraw, which has no counterpart"),
        (deconv2d(pt.tensor4("maps"), back, subsample=2), "found .* a deconvolution that depends on the input"),
        (pool2d(pt.tensor4("maps"), 2, ignore_border=False), "found windows that reach out of images of unknown height"),
    ],
)
def test_what_has_no_counterpart_is_named_with_where_it_is(expression, message):
    with pytest.raises(InputError, match=message):
        to_onnx(expression)


def test_an_input_that_is_not_listed_is_refused():
    with pytest.raises(InputError, match="found y, an input that is not listed"):
        to_onnx(x + y, inputs=[x])


def test_an_op_of_ones_own_can_be_added():
    class Doubled(pytensor.graph.op.Op):
        __props__ = ()
        itypes = otypes = (pt.dmatrix,)

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = 2 * inputs[0]

    with pytest.raises(InputError, match="found Doubled, which has no counterpart"):
        to_onnx(Doubled()(x))

    @converts(Doubled)
    def doubled(to, node, x):
        return to.graph.add("Add", x, x)

    session = onnxruntime.InferenceSession(to_onnx(Doubled()(x)).SerializeToString())
    np.testing.assert_array_equal(session.run(None, {"x": np.ones((2, 5), "float32")})[0], np.full((2, 5), 2.0))

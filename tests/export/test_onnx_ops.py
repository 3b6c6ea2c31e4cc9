"""ONNX's ops mean what PyTensor's and symae's do: graphs of one op or a few, computed by onnxruntime and by NumPy."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from op_cases import CASES, RNG, VALUES, arrays_of, back, check, filters, inputs_of, outputs_of, x, y

from symae import InputError, RandomStreams, function
from symae.export import converts, to_onnx
from symae.ops import conv2d, deconv2d, pool2d

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.mark.parametrize("name", CASES)
def test_onnx_computes_the_same(name):
    exported = to_onnx(outputs_of(name), inputs=inputs_of(name))
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    given = zip(session.get_inputs(), arrays_of(name), strict=True)
    check(name, session.run(None, {value.name: array for value, array in given}))


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

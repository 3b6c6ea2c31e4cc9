"""What symae adds to PyTensor's backends."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import on

from symae import ImageAutoencoder, function
from symae.ops import conv2d, deconv2d, images2neibs, pool2d

X = np.random.RandomState(0).randint(0, 4, (3, 4, 5)).astype("float32")  # few values, so there are ties


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_argmax_takes_the_first_maximum_on_every_backend(float32_backend, axis):
    x = pt.ftensor3("x")
    assert np.array_equal(function([x], pt.argmax(x, axis=axis), backend=float32_backend)(X), X.argmax(axis=axis))


def test_equality_is_elementwise_on_every_backend(float32_backend):
    x = pt.ftensor3("x")
    assert np.array_equal(function([x], pt.eq(x, 2.0), backend=float32_backend)(X), X == 2)


def test_sums_and_products_of_many_broadcast_on_every_backend(float32_backend):
    x = pt.ftensor3("x")
    row, number = x.max(axis=(0, 1), keepdims=True), x[1, 1, 1]
    outputs = [row + x + number + x, row * x * number, x.mean(axis=0) * pt.cast(x.shape[0], "float32")]
    for got, wanted in zip(
        function([x], outputs, backend=float32_backend)(X),
        [X.max((0, 1)) + 2 * X + X[1, 1, 1], X.max((0, 1)) * X * X[1, 1, 1], X.sum(axis=0)],
        strict=True,
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_whole_numbers_are_computed_with_in_the_precision_of_the_result(backend):
    k, i, x = pt.ivector("k"), pt.lvector("i"), pt.fvector("x")
    outputs = [pt.cos(k), k / (k + 1), 1 / i, x * i, pt.switch(pt.gt(k, 1), x, i), i.sum() / i.prod()]
    small, large, floats = np.array([1, 3], "int32"), np.array([7, 2**40]), np.array([0.1, 1e30], "float32")
    wanted = [
        np.cos(small),
        small / (small + 1),
        1 / large,
        floats * large,
        [7, np.float64(floats[1])],
        large.sum() / large.prod(),
    ]
    got = function([k, i, x], outputs, backend=backend)(small, large, floats)
    assert [v.dtype for v in got] == ["float64"] * len(outputs)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


JAX_64_BITS = """
import numpy as np, pytensor, pytensor.tensor as pt
pytensor.config.floatX = "float32"
from symae import function
n, x, y, k = pt.lscalar(), pt.fvector(), pt.dscalar(), pt.ivector()
outputs = [n + 1, y / 3, x * pt.constant(1 / 3, dtype="float64"), k / y, k + np.int64(2**40)]
got = function([n, x, y, k], outputs, backend="jax")(2**40, [1], 3, [1, 2])
assert [v.dtype for v in got] == [v.type.dtype for v in outputs] == ["int64", *["float64"] * 3, "int64"], got
for a, b in zip(got, [2**40 + 1, 1, [1 / 3], [1 / 3, 2 / 3], [2**40 + 1, 2**40 + 2]], strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-15)
"""


@pytest.mark.parametrize("backend", [on("numba"), on("jax"), on("pytorch")])
def test_sums_are_made_in_the_precision_of_the_result(backend):
    x = pt.fvector("x")
    values = np.array([1e8, 1, -1e8, 2], "float32")
    found = function([x], [x.sum(dtype="float64"), pt.prod(x, dtype="float64")], backend=backend)(values)
    np.testing.assert_array_equal(found, [3, -2e16])


def test_truth_values_are_subtracted_as_numbers(backend):
    mask = pt.TensorType("bool", (None,))("mask")
    values = np.array([True, False])
    for output, expected in ((1 - mask, [0, 1]), (mask - 1, [0, -1]), (0.5 - mask, [-0.5, 0.5])):
        np.testing.assert_array_equal(function([mask], output, backend=backend)(values), expected)


def test_jax_has_64_bits_whatever_floatx_was_when_it_was_imported():
    pytest.importorskip("jax")
    subprocess.run([sys.executable, "-c", JAX_64_BITS], check=True)


def test_nothing_in_a_float32_graph_becomes_float64_on_jax(float32, monkeypatch):
    jax = pytest.importorskip("jax")
    programs = []
    jit = jax.jit

    def watched(fn=None, **keywords):
        if fn is None:  # a decorator with settings, in a module of JAX's that is imported only now
            return jit(**keywords)
        return lambda *inputs: programs.append(str(jax.make_jaxpr(fn)(*inputs))) or jit(fn, **keywords)(*inputs)

    monkeypatch.setattr(jax, "jit", watched)
    x, index = pt.ftensor4("x"), pt.lscalar("index")
    data = pytensor.shared(np.random.RandomState(1).uniform(size=(6, 1, 8, 8)).astype("float32"))
    model = ImageAutoencoder(np.random.RandomState(0), x, maps=2, pool=2, image_shape=(1, 8, 8))
    cost, updates = model.get_cost_updates()
    train = function([index], cost, updates=updates, givens={x: data[index * 3 : (index + 1) * 3]}, backend="jax")
    assert train(1).dtype == "float32"
    (program,) = programs
    assert "f32[" in program
    assert "f64[" not in program


@pytest.mark.parametrize(
    "build",
    [
        lambda x, W: deconv2d(x, W, subsample=2, border_mode="half"),
        lambda x, W: pt.grad(conv2d(x, W).sum(), W),
        lambda x, W: pt.grad(conv2d(x, W, border_mode="same", subsample=2).mean(), x),
        lambda x, W: pt.grad(pool2d(x, 2).sum(), x),
        lambda x, W: pt.grad(images2neibs(x, 2).sum(), x),
    ],
    ids=["deconv2d", "conv2d to W", "conv2d to x", "pool2d", "images2neibs"],
)
def test_sizes_computed_from_shapes_are_known_on_jax(build):
    pytest.importorskip("jax")
    x, W = pt.tensor4("x", dtype="float64"), pt.tensor4("W", dtype="float64")
    values = [np.random.RandomState(0).normal(size=shape) for shape in ((2, 4, 6, 6), (4, 4, 3, 3))]
    got, wanted = (
        function([x, W], build(x, W), on_unused_input="ignore", **where)(*values)
        for where in ({"backend": "jax"}, {"mode": "FAST_COMPILE"})
    )
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-12)


def test_an_array_of_another_shape_than_the_graph_says_is_a_value_error_too():
    x = pt.dmatrix("x")
    doubled = function([x], pt.specify_shape(x, (None, 2)) * 2, backend="numba")
    assert doubled(np.ones((3, 2))).shape == (3, 2)
    for kind in (AssertionError, ValueError):
        with pytest.raises(kind, match="dim 1 of input has another size than 2"):
            doubled(np.ones((3, 3)))


def test_sparse_inputs_are_compiled_for_what_they_are():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    from pytensor import sparse

    x, m = sparse.csr_matrix("x", dtype="float64"), pt.dmatrix("m")
    a, b = scipy_sparse.csr_matrix(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])), np.arange(6.0).reshape(3, 2)
    product, gradient = sparse.structured_dot(x, m), pt.grad((sparse.structured_dot(x, m) ** 2).sum(), m)
    f = function([x, m], [product, gradient, sparse.sp_sum(x), x.shape[1]], backend="numba")
    found = f(a, b)
    np.testing.assert_allclose(found[0], a.toarray() @ b)
    np.testing.assert_allclose(found[1], 2 * a.toarray().T @ a.toarray() @ b)
    assert (found[2], found[3], found[3].dtype) == (6.0, 3, "int64")

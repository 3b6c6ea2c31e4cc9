"""Bias and rectifier in one pass: PyTorch's numbers, the same on every backend, and their gradients to the second order."""

from __future__ import annotations

import contextlib

import numpy as np
import pytensor.tensor as pt
import pytest
from backend_params import widest_float
from pytensor.gradient import DisconnectedInputError, verify_grad

from symae import InputError, function
from symae.compile.backends import BY_NAME
from symae.kernels.bias_relu import threads_for_values
from symae.ops import rectified
from symae.ops.bias_relu import Rectified, RectifiedGradient

SHAPES = [(5, 3), (4, 3, 2, 5), (1, 1), (2, 1, 1, 1), (0, 3), (0, 3, 2, 2), (2, 3, 0, 4), (3, 0)]
DTYPES = ["float64", "float32"]


def arrays(shape, dtype):
    """x, b and the gradient with respect to y; among the sums are 0, infinities and NaN."""
    rng = np.random.default_rng(len(shape))
    x, b, g = (rng.normal(size=s).astype(dtype) for s in (shape, shape[1:2], shape))
    if x.size > 6:
        x[0, 0].flat[0], x[1, 1].flat[0], x[2, 2].flat[0] = -b[0], -np.inf, np.inf
        x[3, 1].flat[0] = x[0, 2].flat[0] = np.nan
    return x, b, g


def defined(x, b, g):
    """y and both gradients of its product with g, by NumPy."""
    total = x + b.reshape((1, -1, *(1,) * (x.ndim - 2)))
    gx = np.where(total <= 0, 0, g).astype(x.dtype)
    return np.where(total <= 0, 0, total), gx, gx.sum(axis=(0, *range(2, x.ndim)))


def outputs(x, b, g):
    y = rectified(x, b)
    return [y, *pt.grad(None, [x, b], known_grads={y: g})]


def check(got, wanted):
    for found, expected in zip(got, wanted, strict=True):
        assert found.dtype == expected.dtype
        tolerance = {"float64": 1e-12, "float32": 1e-5}[str(expected.dtype)]
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_pytorchs(shape, dtype):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    values = arrays(shape, dtype)
    x, b = (torch.tensor(v, requires_grad=True) for v in values[:2])
    y = torch.relu(x + b.reshape((1, -1, *(1,) * (x.ndim - 2))))
    y.backward(torch.tensor(values[2]))
    wanted = [v.detach().numpy() for v in (y, x.grad, b.grad)]
    check(defined(*values), wanted)
    inputs = [pt.tensor(name, dtype=dtype, shape=(None,) * v.ndim) for name, v in zip("xbg", values, strict=True)]
    check(function(inputs, outputs(*inputs))(*values), wanted)


@pytest.fixture(scope="module")
def on_backend(every_backend):
    """(x, b, g) -> y and both gradients: matrices of float32, and images of float64, which come transposed."""
    images = widest_float(every_backend)
    forms = [
        [pt.tensor(name, dtype=dtype, shape=(None,) * n) for name, n in (("x", ndim), ("b", 1), ("g", ndim))]
        for dtype, ndim in (("float32", 2), (images, 4))
    ]
    given = [v for form in forms for v in form]
    results = [*outputs(*forms[0]), *outputs(*(v.T for v in forms[1]))]
    own = own_kernels if BY_NAME[every_backend].one_program else contextlib.nullcontext
    with own(), pytest.MonkeyPatch.context() as patch:
        if every_backend == "pytorch":  # whose compiler would begin anew with each shape
            patch.setattr("torch.compile", lambda function, *_, **__: function)
        f = function(given, results, backend=every_backend)

    def compute(x, b, g):
        matrices, pictures = arrays((1, 1), "float32"), arrays((1, 1, 1, 1), images)
        if x.ndim == 2:
            matrices = x, b, g
        else:
            pictures = x, b, g
        with own():
            got = f(*matrices, *(np.ascontiguousarray(v.T).astype(images) for v in pictures))
        return [np.asarray(v) for v in (got[:3] if x.ndim == 2 else got[3:])]

    return compute


@contextlib.contextmanager
def own_kernels():
    """No backend may fall back to NumPy here."""
    with pytest.MonkeyPatch.context() as patch:
        for op in (Rectified, RectifiedGradient):
            patch.setattr(op, "perform", lambda op, *_: pytest.fail(f"{op} ran in NumPy"))
        yield


@pytest.mark.parametrize("shape", SHAPES)
def test_every_backend_computes_what_numpy_defines(on_backend, shape):
    values = arrays(shape, "float32")
    got = on_backend(*values)
    dtype = str(got[0].dtype)
    check(got, defined(*(v.astype(dtype) for v in values)))


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2, 2)])
def test_too_few_biases_are_the_same_error_on_every_backend_when_the_function_runs(on_backend, shape):
    x, b, g = arrays(shape, "float32")
    with pytest.raises(InputError) as caught:
        on_backend(x, b[:2], g)
    assert str(caught.value) == f"rectified: found 2 biases, expected 3, one for each map of {shape}"


def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr("symae.kernels.tuning.VALUES_FOR_THREADS", 1)
    values = [arrays(shape, "float64") for shape in ((7, 3), (7, 3, 2, 5))]
    inputs = [[pt.tensor(name, dtype="float64", shape=v.shape) for name, v in zip("xbg", each, strict=True)] for each in values]
    f = function([v for i in inputs for v in i], [o for i in inputs for o in outputs(*i)], backend="numba")
    keys = [
        node.op.numba_key(node)[-1] for node in f.maker.fgraph.toposort() if isinstance(node.op, Rectified | RectifiedGradient)
    ]
    assert keys == [threads_for_values([1])] * 4
    check(f(*(v for each in values for v in each)), [v for each in values for v in defined(*each)])


def away_from_zero(shape):
    rng = np.random.default_rng(3)
    sums = rng.uniform(0.3, 1, shape) * rng.choice([-1, 1], shape)
    b = rng.normal(size=shape[1])
    return sums - b.reshape((1, -1, *(1,) * (len(shape) - 2))), b


@pytest.mark.parametrize("shape", [(3, 2), (2, 2, 2, 3)])
def test_gradients_agree_with_finite_differences_to_the_second_order(shape):
    values = list(away_from_zero(shape))
    verify_grad(rectified, values, rng=np.random.default_rng(0))

    def gradient(*inputs):
        gradients = pt.grad((rectified(*inputs) ** 3).sum(), list(inputs))
        return pt.concatenate([v.flatten() for v in gradients])

    verify_grad(gradient, values, rng=np.random.default_rng(0))


@pytest.mark.parametrize("which", [0, 1])
def test_each_gradient_alone_has_a_gradient(which):
    values = away_from_zero((3, 2))

    def gradient(*inputs):
        return pt.grad((rectified(*inputs) ** 3).sum(), inputs[which])

    verify_grad(gradient, list(values), rng=np.random.default_rng(0))


def test_where_the_sum_is_positive_does_not_change_smoothly():
    y, g = pt.dmatrix("y"), pt.dmatrix("g")
    with pytest.raises(DisconnectedInputError):
        pt.grad(RectifiedGradient()(y, g, return_list=True)[0].sum(), y)


def test_shapes_are_known_before_anything_is_computed():
    x, b = pt.tensor("x", dtype="float64", shape=(None, 3, 4, 5)), pt.dvector("b")
    y = rectified(x, b)
    gradients = pt.grad(y.sum(), [x, b])
    assert [v.type.shape for v in (y, *gradients)] == [(None, 3, 4, 5), (None, 3, 4, 5), (3,)]
    f = function([x, b], [y.shape, *(v.shape for v in gradients)], mode="FAST_RUN", on_unused_input="ignore")
    assert [shape.tolist() for shape in f(np.zeros((2, 3, 4, 5)), np.zeros(3))] == [[2, 3, 4, 5], [2, 3, 4, 5], [3]]
    assert not any(isinstance(node.op, Rectified | RectifiedGradient) for node in f.maker.fgraph.toposort())


def test_precisions_are_mixed_upwards():
    assert rectified(pt.fmatrix(), pt.dvector()).type.dtype == "float64"
    assert rectified(pt.fmatrix(), pt.fvector()).type.dtype == "float32"


@pytest.mark.parametrize(
    ("x", "b", "message"),
    [
        (pt.dtensor3(), pt.dvector(), "rectified, x: found 3 dimensions, expected 2 or 4"),
        (pt.dmatrix(), pt.dmatrix(), "rectified, b: found 2 dimensions, expected 1"),
        (pt.zeros((2, 3)), pt.zeros(2), r"rectified: found 2 biases, expected 3, one for each map of \(2, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused_when_the_graph_is_built(x, b, message):
    with pytest.raises(InputError, match=message):
        rectified(x, b)


@pytest.mark.parametrize(
    ("x", "b", "message"),
    [
        (pt.lmatrix(), pt.dvector(), "rectified, x: found dtype int64, expected float32 or float64"),
        (pt.dmatrix(), pt.tensor(dtype="float16", shape=(None,)), "rectified, b: found dtype float16, expected float32"),
        (None, pt.dvector(), "rectified, x: found None, expected an array or a symbolic one"),
        (pt.dmatrix(), "a", "rectified, b: found 'a', expected an array"),
    ],
)
def test_what_is_no_array_of_floats_is_refused_by_name(x, b, message):
    with pytest.raises(TypeError, match=message):
        rectified(x, b)

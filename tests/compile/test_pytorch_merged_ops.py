"""What PyTorch has one function for is one call, and gives what the ops by themselves give, of all shapes and values."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import on
from pytensor.graph.fg import FunctionGraph

from symae import Autoencoder, function
from symae.errors import InputError
from symae.models import StridedAutoencoder

rng = np.random.RandomState(0)
x, W, c = pt.dmatrix("x"), pt.dmatrix("W"), pt.dmatrix("c")
b = pt.dvector("b")
X, V, C, B = rng.randn(4, 5), rng.randn(5, 3), rng.randn(4, 3), rng.randn(3)


@pytest.fixture(scope="module", params=[on("pytorch")])
def torch(request):
    return pytest.importorskip("torch")


def calls_of(inputs, output):
    from symae.compile.pytorch_op_by_op import OpByOp

    return len(OpByOp(FunctionGraph(inputs, [output], clone=True))._calls)


s, d = pt.dscalar("s"), pt.dmatrix("d")
MERGED = {
    "a product with a bias": ([x, W, b], pt.dot(x, W) + b, [X, V, B], 1),
    "a product of transposed matrices with a bias": ([x, W, b], pt.dot(x.T, W.T) + b, [rng.randn(4, 2), rng.randn(3, 4), B], 1),
    "a product with a row of a matrix": ([x, W, c], pt.dot(x, W) + c[0].dimshuffle("x", 0), [X, V, C], 2),
    "two products added to a matrix": ([x, W, c, d], c - 0.1 * (pt.dot(x, W) + pt.dot(c, d)), [X, V, C, V[:3]], 1),
    "products with a number that is given": ([x, W, c, s], c + s * pt.dot(x, W), [X, V, C, 0.3], 1),
    "a multiple": ([x, c], x - 0.25 * c, [X, X + 1], 1),
    "the gradient of sigmoid": ([x, c], c * pt.sigmoid(x) * (1 - pt.sigmoid(x)), [X, X + 1], 2),
    "the gradient of tanh": ([x, c], c * (1 - pt.sqr(pt.tanh(x))), [X, X + 1], 2),
    "the mean of a sum": ([x], -pt.sum(pt.sum(-x, axis=1)), [X], 1),
}


@pytest.mark.parametrize("name", MERGED)
def test_several_ops_are_one_call_and_give_what_they_gave(torch, name):
    inputs, output, values, calls = MERGED[name]
    expected = function(inputs, output, mode="FAST_COMPILE")(*values)
    compiled = function(inputs, output, backend="pytorch")
    for _ in range(2):
        np.testing.assert_allclose(compiled(*values), expected, rtol=1e-12)
    (program,) = compiled.maker.fgraph.outputs
    assert calls_of(compiled.maker.fgraph.inputs, program) <= calls


@pytest.mark.parametrize("activation", [pt.sigmoid, pt.tanh])
def test_gradients_of_layers_are_what_numbas_are(torch, activation):
    cost = (activation(pt.dot(x, W) + b) ** 2).sum()
    gradients = pt.grad(cost, [x, W, b])
    found = function([x, W, b], [cost, *gradients], backend="pytorch")(X, V, B)
    for one, other in zip(found, function([x, W, b], [cost, *gradients], mode="FAST_COMPILE")(X, V, B), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


REPEATED = {
    "a bias of one entry": ([x, W, b], pt.dot(x, W) + b, [X, V, B[:1]]),
    "a matrix of one row": ([x, W, c], c - 0.1 * pt.dot(x, W), [X, V, C[:1]]),
    "an array of one row and a multiple": ([x, c], x - 0.1 * c, [X, X[:1]]),
    "an activation of one row": ([x, c], c * pt.sigmoid(x) * (1 - pt.sigmoid(x)), [X[:1], X]),
}


@pytest.mark.parametrize("name", REPEATED)
def test_nothing_is_repeated_that_the_graph_does_not_repeat(torch, name):
    inputs, output, values = REPEATED[name]
    with pytest.raises(ValueError, match=r"broadcast|shape"):
        function(inputs, output, backend="pytorch")(*values)


@pytest.mark.parametrize("output", [pt.dot(x, W), pt.dot(x, W) + b, c - 0.1 * pt.dot(x, W)], ids=["alone", "bias", "added"])
def test_matrices_that_cannot_be_multiplied_are_named_as_on_numba(torch, output):
    values, messages = [X, V[:4], B, C], []
    for backend in ("pytorch", "numba"):
        with pytest.raises(
            InputError, match=r"matrix product: found matrices \(4, 5\) and \(4, 3\), expected 5 rows"
        ) as raised:
            function([x, W, b, c], output, backend=backend, on_unused_input="ignore")(*values)
        messages.append(str(raised.value).partition("\n")[0])
    assert messages[0] == messages[1]


def test_a_product_by_nothing_keeps_what_is_not_finite(torch):
    endless = np.where(np.arange(5) == 2, np.inf, X)
    found = function([x, W, c, s], [c + s * pt.dot(x, W), s * c + pt.dot(x, W)], backend="pytorch")(endless, V, C, 0.0)
    assert np.isnan(found[0]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropies_are_exact_for_logits_of_any_size(torch, dtype):
    a, t = pt.matrix("a", dtype=dtype), pt.matrix("t", dtype=dtype)
    z = pt.sigmoid(a)
    values = np.linspace(-80, 80, 41, dtype=dtype) * np.ones((3, 1), dtype)
    targets = np.array([[0], [1], [255 / 256]], dtype) * np.ones_like(values)
    wide, wanted = values.astype(np.longdouble), targets.astype(np.longdouble)
    expected = np.abs(wide) * np.where(wide > 0, 1 - wanted, wanted) + np.log1p(np.exp(-np.abs(wide)))
    found = function([a, t], -(t * pt.log(z) + (1 - t) * pt.log(1 - z)), backend="pytorch")(values, targets)
    np.testing.assert_allclose(found, expected.astype(np.float64), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    "target", [pt.row("t", dtype="float64"), pt.col("t", dtype="float64"), b, s], ids=lambda t: str(t.type)
)
def test_cross_entropies_repeat_targets_as_the_graph_says(torch, target):
    values = rng.rand(*(n or 4 for n in target.type.shape))
    z = pt.sigmoid(x)
    entropies = -(target * pt.log(z) + (1 - target) * pt.log(1 - z))
    for output in (entropies, pt.grad(entropies.sum(), x)):
        found, expected = (
            function([x, target], output, **how)(X[:, :4], values) for how in ({"backend": "pytorch"}, {"mode": "FAST_COMPILE"})
        )
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def step_of(backend, images):
    model = Autoencoder(np.random.RandomState(1), n_visible=12, n_hidden=5)
    cost, updates = model.get_cost_updates(0.0, 0.1)
    i = pt.lscalar("i")
    rows = pytensor.shared(images)[i * 20 : (i + 1) * 20]
    return function([i], cost, updates=updates, givens={model.x: rows}, backend=backend), model


def test_a_step_runs_no_compiler_and_gives_what_numba_gives(torch, monkeypatch):
    def refused(*arguments, **keywords):
        raise AssertionError("torch.compile was called")

    monkeypatch.setattr(torch, "compile", refused)
    images = rng.rand(50, 12)
    (step, model), (expected, other) = step_of("pytorch", images), step_of("numba", images)
    for i in (0, 1, 2, 0, 1, 2):  # the last minibatch has ten rows
        np.testing.assert_allclose(step(i), expected(i), rtol=1e-12)
    for p, q in zip(model.params, other.params, strict=True):
        np.testing.assert_allclose(p.get_value(), q.get_value(), rtol=1e-10)


def test_a_step_writes_into_weights_that_it_has_made_and_into_no_others(torch):
    step, model = step_of("pytorch", rng.rand(40, 12))
    W = model.params[0]
    given = W.get_value(borrow=True)
    before = given.copy()
    step(0)
    np.testing.assert_array_equal(given, before)
    made = W.get_value(borrow=True)
    assert made is not given
    step(1)
    assert W.get_value(borrow=True) is made
    W.set_value(given, borrow=True)
    step(0)
    np.testing.assert_array_equal(given, before)


def test_weights_that_are_the_data_too_are_not_written_into(torch):
    W = pytensor.shared(rng.rand(3, 3))
    step = function([x], updates=[(W, W - 0.1 * pt.dot(x.T, x))], backend="pytorch")
    step(np.eye(3))
    value = W.get_value(borrow=True)
    expected = value - 0.1 * value.T @ value
    step(value.view() if value.base is None else value[:])
    np.testing.assert_allclose(W.get_value(), expected, rtol=1e-12)


@pytest.mark.parametrize("backend", [on("pytorch")])
def test_what_is_computed_of_a_number_may_be_a_number_of_no_array(backend):
    i = pt.lscalar("i")
    rows = pytensor.shared(X)[i : i + 2]
    size = pt.scalar_from_tensor(rows.shape[0] * 2)
    found = function([i], rows.sum() * pt.tensor_from_scalar(size * size), backend=backend)
    for _ in range(2):
        np.testing.assert_allclose(found(1), X[1:3].sum() * 16)


def test_a_step_of_the_strided_model_gives_what_numba_gives(torch):
    images = rng.rand(8, 1, 28, 28).astype(pytensor.config.floatX)
    costs = []
    for backend in ("pytorch", "numba"):
        model = StridedAutoencoder(np.random.RandomState(0), code=3)
        cost, updates = model.get_cost_updates()
        i = pt.lscalar("i")
        minibatch = pytensor.shared(images)[i * 4 : (i + 1) * 4]
        step = function([i], cost, updates=updates, givens={model.x: minibatch}, backend=backend)
        costs.append([float(step(k)) for k in (0, 1, 0)])
    np.testing.assert_allclose(*costs, rtol=1e-5)


def test_two_runs_are_the_same_to_the_last_bit(torch):
    images = rng.rand(50, 12).astype(pytensor.config.floatX)
    costs = []
    for order in ((0, 1, 2, 0, 1), (0, 1, 2, 0, 1)):
        step, model = step_of("pytorch", images)
        costs.append([*(float(step(i)) for i in order), *(p.get_value().tobytes() for p in model.params)])
    assert costs[0] == costs[1]


def test_what_makes_large_arrays_is_compiled_and_nothing_else(torch, monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "compile", lambda function, **_: seen.append(1) or function)
    compiled = function([x], pt.tanh(x) * 2 + pt.exp(x), backend="pytorch")
    for rows, programs in ((10, 0), (200_000, 1), (10, 1)):
        values = rng.rand(rows, 3)
        np.testing.assert_allclose(compiled(values), np.tanh(values) * 2 + np.exp(values), rtol=1e-12)
        assert len(seen) == programs

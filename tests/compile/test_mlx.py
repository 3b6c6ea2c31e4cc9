"""MLX as symae uses it: what it refuses, raises, draws and trains."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.builders import OpFromGraph
from pytensor.raise_op import Assert

from symae import Autoencoder, BackendError, DenoisingAutoencoder, RandomStreams, function
from symae.compile.backends.mlx import MLXDeviceLinker
from symae.ops.random.draws import state_words

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mlx") is None, reason="mlx is not installed")


def test_mlx_refuses_float64_wherever_it_is():
    x, n, y = pt.fvector("x"), pt.lvector("n"), pt.dvector("y")
    for inputs, output, name in (
        ([x], pt.cast(x, "float64"), "Cast{float64}"),
        ([n], n / 2, "Mul"),
        ([y], y.shape[0], "y"),
    ):
        with pytest.raises(
            BackendError, match=rf"found float64 in {name}.*, expected float32 everywhere: pytensor.config.floatX"
        ):
            function(inputs, output, backend="mlx")


def test_an_assertion_is_raised_on_mlx():
    x = pt.fvector("x")
    f = function([x], pt.specify_shape(x, 3).sum() + Assert("small")(x, x.max() < 5).sum(), backend="mlx")
    assert f([1, 1, 2]) == 8
    with pytest.raises(AssertionError, match="small"):
        f([1, 1, 7])


def test_draws_on_mlx_are_made_by_the_host():
    streams = RandomStreams(7)
    x = pt.fmatrix("x")
    outputs = [
        streams.uniform((3, 211), low=-1.0, high=2.1, dtype="float32"),
        x * streams.binomial(x.shape, n=1, p=0.3, dtype="float32"),
        streams.permutation((2,), n=4),
        streams.normal((3,), dtype="float32"),
    ]
    f = function([x], outputs, backend="mlx")
    seeds = np.random.RandomState(7)
    uniform, binomial, permutation, normal = (np.random.RandomState(int(seeds.randint(2**30))) for _ in range(4))
    for _ in range(2):
        got = f(np.full((50, 13), 2, "float32"))
        np.testing.assert_array_equal(got[0], uniform.uniform(-1.0, 2.1, (3, 211)).astype("float32"))
        np.testing.assert_array_equal(got[1], 2 * binomial.binomial(1, 0.3, (50, 13)))
        np.testing.assert_array_equal(got[2], [permutation.permutation(4) for _ in range(2)])
        np.testing.assert_array_equal(got[3], normal.normal(size=3).astype("float32"))


@pytest.mark.parametrize(("cls", "level"), [(Autoencoder, 0.0), (DenoisingAutoencoder, 0.3)])
def test_the_tutorials_models_train_as_they_do_elsewhere(float32, cls, level):
    images = np.random.RandomState(0).uniform(size=(60, 30)).astype("float32")

    def train(**where):
        index, x = pt.lscalar("index"), pt.fmatrix("x")
        data = pytensor.shared(images)
        model = cls(np.random.RandomState(3), input=x, n_visible=30, n_hidden=8)
        cost, updates = model.get_cost_updates(corruption_level=level, learning_rate=0.1)
        step = function([index], cost, updates=updates, givens={x: data[index * 20 : (index + 1) * 20]}, **where)
        return [float(step(i % 3)) for i in range(12)], model.W.get_value()

    costs, weights = train(backend="mlx")
    wanted, wanted_weights = train(mode="FAST_COMPILE")
    np.testing.assert_allclose(costs, wanted, rtol=1e-5)
    np.testing.assert_allclose(weights, wanted_weights, rtol=1e-4, atol=1e-6)


def test_what_an_update_computes_is_the_variables_without_a_copy(float32, monkeypatch):
    sent = []
    send = MLXDeviceLinker.to_device
    monkeypatch.setattr(MLXDeviceLinker, "to_device", lambda self, value: sent.append(value.shape) or send(self, value))
    w, x = pytensor.shared(np.ones((5, 3), "float32")), pt.fmatrix("x")
    cost = ((x @ w) ** 2).sum()
    step = function([x], cost, updates=[(w, w - np.float32(0.1) * pt.grad(cost, w))], backend="mlx")
    x_value = np.eye(5, dtype="float32")
    for _ in range(3):
        step(x_value)
    np.testing.assert_allclose(w.get_value(), np.full((5, 3), 0.8**3), rtol=1e-6)
    assert sent == [(5, 3)]


def test_a_value_that_was_borrowed_stays_as_it_was_when_the_variable_is_updated(float32):
    w = pytensor.shared(np.ones(4, "float32"))
    double = function([], w.sum(), updates=[(w, w + w)], backend="mlx")
    borrowed = []
    for _ in range(4):
        double()
        borrowed.append(w.get_value(borrow=True))
    np.testing.assert_array_equal([value[0] for value in borrowed], [2, 4, 8, 16])
    borrowed[-1][...] = 1
    assert double() == 4
    np.testing.assert_array_equal([value[0] for value in borrowed], [2, 4, 8, 1])


a, b = (pytensor.shared(np.ones((2, 2), "float32"), name=name) for name in "ab")
TWO = np.full((2, 2), 2, "float32")


@pytest.mark.parametrize(
    ("of_a", "of_b"),
    [
        (a + TWO, a + TWO),
        (a + 2, 2 + a),
        (a * TWO, a + a),
        (pt.zeros_like(a) + pt.alloc(np.float32(2), 2, 2), pt.alloc(np.float32(2), 2, 2)),
        (pt.alloc(np.float32(1), a.shape[0], 2) * 2, pt.fill(a, np.float32(1)) * 2),
        (pt.constant(TWO), pt.constant(TWO)),
        ((a + TWO).T, (a + TWO)),
        (b, a + b),
    ],
)
def test_variables_share_memory_neither_with_each_other_nor_with_what_the_program_keeps(float32, of_a, of_b):
    def values():
        return a.get_value(), b.get_value()

    def set_to_ones():
        for v in (a, b):
            v.set_value(np.ones((2, 2), "float32"))

    set_to_ones()
    f = function([], [], updates=[(a, of_a), (b, of_b)], backend="mlx")
    f()
    first = values()
    for written, other in ((a, b), (b, a)):
        before = other.get_value()
        written.get_value(borrow=True)[...] = -7
        np.testing.assert_array_equal(other.get_value(), before)
        set_to_ones()
        f()
        np.testing.assert_array_equal(values(), first)


def test_draws_are_made_before_the_compiled_program(float32):
    streams, x = RandomStreams(7), pt.fmatrix("x")
    masked = x * streams.binomial(x.shape, n=1, p=0.3, dtype="float32")
    of_sums = streams.poisson((3,), lam=x.sum(axis=1), dtype="float32")
    linkers = [function([x], outputs, backend="mlx").vm.jit_fn.linker for outputs in (masked, [masked, of_sums])]
    assert [linker.use_compile for linker in linkers] == [True, False]


def test_sizes_may_be_numbers(float32):
    n, x = pt.lscalar("n"), pt.fmatrix("x")
    value = np.ones((5, 4), "float32")

    def draws(backend):
        drawn = RandomStreams(7).uniform((n, 2), dtype="float32")
        return function([n, x], [x[:n], drawn, drawn + pt.ones((n, 2), dtype="float32")], backend=backend)

    found, expected = draws("mlx"), draws("numba")
    for size in (2, 4):
        for a, b in zip(found(size, value), expected(size, value), strict=True):
            np.testing.assert_array_equal(a, b)
    without_draws = function([n, x], x[:n] * 2, backend="mlx")
    assert [len(without_draws(size, value)) for size in (2, 4)] == [2, 4]


def test_inner_graphs_may_draw(float32):
    node = RandomStreams(7).binomial((2, 2), n=1, p=0.5, dtype="float32").owner
    state = node.inputs[0].type("state")
    inner = OpFromGraph([state], [node.op(state, *node.inputs[1:], return_list=True)[1] * 2])
    found, expected = (
        function([state], inner(state), backend=backend)(state_words(np.random.RandomState(3))) for backend in ("mlx", "numba")
    )
    np.testing.assert_array_equal(found, expected)

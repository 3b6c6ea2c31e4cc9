"""MLX as symae uses it: what it refuses, raises, draws and trains."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.raise_op import Assert

from symae import Autoencoder, BackendError, DenoisingAutoencoder, RandomStreams, function

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

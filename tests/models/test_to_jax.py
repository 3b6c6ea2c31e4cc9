"""Models as pure functions for JAX: what they compute, and that JAX transforms it."""

from __future__ import annotations

import numpy as np
import pytest

from symae import Autoencoder, CoordinateVAE, ImageAutoencoder, InputError, LogisticRegression

jax = pytest.importorskip("jax")
# A plain run has one row of each folder on JAX.
pytestmark = [pytest.mark.on("jax"), pytest.mark.usefixtures("jax_in_double")]

X = np.random.RandomState(0).uniform(size=(5, 4))


def models():
    rng = np.random.RandomState
    return {
        "autoencoder": (Autoencoder(rng(0), n_visible=4, n_hidden=3), X),
        "linear": (Autoencoder(rng(0), n_visible=4, n_hidden=3, output="linear"), X),
        "classifier": (LogisticRegression(None, n_in=4, n_out=3), X),
        "coordinates": (CoordinateVAE(rng(0)), rng(0).uniform(size=(2, 784))),
        "images": (ImageAutoencoder(rng(0)), rng(0).uniform(size=(2, 1, 28, 28))),
    }


@pytest.mark.parametrize("name", list(models()))
def test_the_function_computes_what_the_model_does(name):
    model, images = models()[name]
    function, parameters = model.to_jax()
    assert parameters.keys() == set(model.parameter_names)
    expected = (model.transform if name == "classifier" else model.reconstruct)(images)
    np.testing.assert_allclose(jax.jit(function)(parameters, images), expected, rtol=1e-6)


def test_any_node_can_be_had_and_mapped_over_models_and_differentiated():
    model, other = (Autoencoder(np.random.RandomState(seed), n_visible=4, n_hidden=3) for seed in (0, 1))
    encode, parameters = model.to_jax("hidden")
    both = jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), parameters, other.to_jax("hidden")[1])
    codes = jax.vmap(encode, in_axes=(0, None))(both, X)
    for found, m in zip(codes, (model, other), strict=True):
        np.testing.assert_allclose(found, m.transform(X), rtol=1e-12)
    gradient = jax.grad(lambda p: encode(p, X).sum())(parameters)["b"]
    np.testing.assert_allclose(gradient, (codes[0] * (1 - codes[0])).sum(axis=0), rtol=1e-12)


def test_training_changes_neither_the_function_nor_its_parameters():
    model = Autoencoder(np.random.RandomState(0), n_visible=4, n_hidden=3)
    draw, parameters = model.to_jax()
    before = np.asarray(draw(parameters, X))
    model.set_parameters({name: value + 1 for name, value in model.parameters().items()})
    np.testing.assert_array_equal(draw(parameters, X), before)
    model.set_parameters(parameters)
    np.testing.assert_allclose(model.reconstruct(X), before, rtol=1e-12)


def test_what_is_not_there_is_named():
    model = Autoencoder(np.random.RandomState(0), n_visible=4, n_hidden=3)
    with pytest.raises(InputError, match=r"^node: found 'code', expected one of input, hidden, reconstruction$"):
        model.to_jax("code")
    draw, parameters = model.to_jax()
    with pytest.raises(InputError, match=r"^parameters: found W, expected W, b, b_prime$"):
        draw({"W": parameters["W"]}, X)
    with pytest.raises(InputError, match=r"^X: found shape \(4,\), expected \(n, n\)$"):
        draw(parameters, X[0])

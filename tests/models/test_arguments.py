"""Models refuse what they cannot use where it is handed in, and say what they found and what they expect there."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import InputError
from symae.models import Autoencoder, CoordinateVAE, DenoisingAutoencoder, LogisticRegression
from symae.random import RandomStreams

RNG = np.random.RandomState(0)
X = pt.dmatrix("x")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        # the tutorial's order of arguments with the generator of the corruption left out
        (lambda: DenoisingAutoencoder(RNG, X, 784, 500), r"theano_rng: found a symbolic Matrix\(float64.*, expected Random"),
        (lambda: Autoencoder(RNG, RNG), r"theano_rng: found a RandomState, expected RandomStreams \(with binomial\), or None"),
        (lambda: CoordinateVAE(RNG, X), r"theano_rng: found .*Matrix.*RandomStreams \(with uniform and normal\), or None"),
        (lambda: CoordinateVAE(RNG, 5), "theano_rng: found 5, expected Random"),
        (lambda: Autoencoder(RNG, None, np.zeros((3, 784))), r"input: found a ndarray, expected .* matrix \(n, 784\)"),
        (lambda: Autoencoder(RNG, None, pt.dvector()), r"input: found a symbolic Vector.*, expected .* matrix \(n, 784\)"),
        (lambda: Autoencoder(RNG, input=pt.matrix(shape=(None, 5)), n_visible=6), r"input: found .*\(\?, 5\).*matrix \(n, 6\)"),
        (lambda: Autoencoder(RNG, W=np.zeros((784, 500))), r"W: found a ndarray, expected a shared .* \(784, 500\)"),
        (lambda: Autoencoder(RNG, W=pytensor.shared([1, 2])), r"W: found a symbolic .*, expected a shared .* \(784, 500\)"),
        (lambda: Autoencoder(RNG, W=X), r"W: found a symbolic Matrix.*, expected a shared .* \(784, 500\)"),
        (lambda: LogisticRegression(pt.dvector(), 5, 3), r"input: found a symbolic Vector.*, expected .* matrix \(n, 5\)"),
    ],
)
def test_an_argument_of_another_kind_is_refused_by_its_name(model, message):
    with pytest.raises(InputError, match=message):
        model()


def test_expressions_of_any_dtype_and_streams_of_any_class_are_taken():
    class Streams(RandomStreams):
        pass

    streams = Streams(1)
    model = DenoisingAutoencoder(RNG, streams, pt.imatrix("x") % 2, 6, 4, bhid=pytensor.shared(np.zeros(4)))
    assert model.theano_rng is streams
    assert model.get_cost_updates(0.3, 0.1)[0].ndim == 0

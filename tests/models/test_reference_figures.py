"""The figures that the sources of the worksheets printed, on real MNIST, in float64: all digits."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from golden.figures import read_json

from symae import Autoencoder, DenoisingAutoencoder, RandomStreams, function, load_data
from symae.runs.logistic_tutorial import sgd_optimization
from symae.training import train_epochs

FIGURES = read_json("theano_worksheet")
FIRST_EPOCHS = read_json("first_epochs")
SETTINGS = FIGURES["settings"]


def train(cls, level, epochs, backend):
    """Train, and return costs as they are printed and the mask before a denoising model, in the order that FIGURES has."""
    (train_x, _), _, _ = load_data("mini_mnist")
    size = SETTINGS["batch_size"]
    numpy_rng = np.random.RandomState(123)
    theano_rng = RandomStreams(numpy_rng.randint(2**30))
    mask = None
    if level:
        mask = np.asarray(function([], theano_rng.binomial(size=(10, 10), n=1, p=1 - level), backend=backend)())
    index, x = pt.lscalar("index"), pt.matrix("x")
    model = cls(numpy_rng, theano_rng, x, SETTINGS["n_visible"], SETTINGS["n_hidden"])
    cost, updates = model.get_cost_updates(level, SETTINGS["learning_rate"])
    step = function([index], cost, updates=updates, givens={x: train_x[index * size : (index + 1) * size]}, backend=backend)
    history = train_epochs(step, 5000 // size, epochs, log_every=0)
    return [f"{cost:f}" for cost in history.costs], mask


def test_the_mask_is_theanos(backend):
    rng = np.random.RandomState(123)
    mask = RandomStreams(rng.randint(2**30)).binomial(size=(10, 10), n=1, p=1 - SETTINGS["corruption_level"])
    assert np.asarray(function([], mask, backend=backend)()).tolist() == FIGURES["corruption_mask_10x10_p0.7"]


CASES = pytest.mark.parametrize(
    ("name", "cls", "level"),
    [
        ("autoencoder", Autoencoder, 0.0),
        ("denoising", DenoisingAutoencoder, SETTINGS["corruption_level"]),
    ],
)


@CASES
def test_the_first_epochs_print_theanos_costs(mnist, native_backend, name, cls, level):
    costs, _ = train(cls, level, 3, native_backend)
    assert costs == FIRST_EPOCHS[name]
    assert costs[0] == FIGURES[f"{name}_cost_every_10_epochs"][0]


@pytest.mark.long
@CASES
def test_all_epochs_print_theanos_costs(mnist, native_backend, name, cls, level):
    costs, _ = train(cls, level, SETTINGS["epochs"], native_backend)
    assert costs[::10] == FIGURES[f"{name}_cost_every_10_epochs"]


@pytest.mark.long
def test_the_logistic_regression_stops_where_the_tutorials_did(mnist, capsys):
    _, result = sgd_optimization("mnist", backend="numba")
    assert f"{100 * result.validation_error:f} %" == "7.500000 %"
    assert f"{100 * result.test_error:f} %" == "7.489583 %"
    assert result.best_epoch == 73
    assert (
        "Optimization complete with best validation score of 7.500000 %,with test performance 7.489583 %"
        in capsys.readouterr().out
    )

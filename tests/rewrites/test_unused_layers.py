"""Hidden layers' results are kept where a gradient needs them, and only there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import CVM, Mode
from pytensor.compile.sharedvalue import shared

from symae import function
from symae.compile.backends import BY_NAME
from symae.ops import coordinate_layers
from symae.ops.coordinate_mlp import CoordinateLayers

# the rewrites of the C backend, run by NumPy
REWRITTEN = Mode("py", CVM.provided_optimizer.including(*BY_NAME["c"].tags))

rng = np.random.default_rng(0)
PLACES, IMAGES = rng.normal(size=(5, 4)), rng.normal(size=(3, 4))
places, images = pt.dmatrix("places"), pt.dmatrix("images")


def network(depth):
    widths = [4, *range(6, 6 + depth - 1), 2]
    layers = [(shared(rng.normal(size=shape)), shared(rng.normal(size=shape[1]))) for shape in pairwise(widths)]
    return coordinate_layers(places, images, layers), [v for layer in layers for v in layer]


def kept(compiled):
    return [node.op.keep for node in compiled.maker.fgraph.toposort() if isinstance(node.op, CoordinateLayers)]


@pytest.mark.parametrize("depth", [2, 4])
def test_nothing_is_kept_where_only_the_result_is_asked_for(depth):
    y, _ = network(depth)
    f = function([places, images], y, mode=REWRITTEN)
    assert kept(f) == [False]
    np.testing.assert_array_equal(f(PLACES, IMAGES), function([places, images], y)(PLACES, IMAGES))


@pytest.mark.parametrize("depth", [2, 4])
def test_one_pass_gives_the_result_and_what_the_gradient_needs(depth):
    y, params = network(depth)
    results = [y, *pt.grad(pt.sqr(y).sum(), params)]
    f = function([places, images], results, mode=REWRITTEN)
    assert kept(f) == [True]
    for found, expected in zip(f(PLACES, IMAGES), function([places, images], results)(PLACES, IMAGES), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_single_layer_has_nothing_to_keep():
    y, params = network(1)
    assert kept(function([places, images], y, mode=REWRITTEN)) == [True]
    assert len(y.owner.outputs) == 1
    assert kept(function([places, images], [y, pt.grad(y.sum(), params[0])], mode=REWRITTEN)) == [True]


def test_a_gradient_of_a_network_that_keeps_nothing_computes_it_anew():
    y, params = network(3)
    inputs = y.owner.inputs
    short = CoordinateLayers(3, keep=False)(*inputs)
    wanted = function([places, images], pt.grad(y.sum(), params))(PLACES, IMAGES)
    for found, expected in zip(function([places, images], pt.grad(short.sum(), params))(PLACES, IMAGES), wanted, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_hidden_results_have_no_gradient_of_their_own():
    y, params = network(2)
    with pytest.raises(NotImplementedError, match="coordinate_layers: the gradient of a hidden layer's results"):
        pt.grad(y.sum() + y.owner.outputs[1].sum(), params[0])


def test_every_backend_drops_what_nobody_needs(float32_backend):
    values = [rng.normal(size=shape).astype("float32") for shape in ((5, 4), (3, 4), (4, 6), (6,), (6, 2), (2,))]
    inputs = [pt.tensor(dtype="float32", shape=value.shape) for value in values]
    P, Q, *layers = inputs
    y = coordinate_layers(P, Q, [layers[:2], layers[2:]])
    f = function(inputs, y, backend=float32_backend)
    assert kept(f) == [False]
    if float32_backend != "pytorch":  # which compiles for half a minute when it is called
        np.testing.assert_allclose(f(*values), function(inputs, y)(*values), rtol=1e-4, atol=1e-5)

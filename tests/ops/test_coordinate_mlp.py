"""Layers at every pair of a place and an image: the plain expression's numbers, on every backend, whatever the threads."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytensor.tensor as pt
import pytest
from backend_params import widest_float
from pytensor.gradient import verify_grad

from symae import InputError, function
from symae.compile.backends import BY_NAME
from symae.kernels.parallel.parts import threads_for_multiplications
from symae.kernels.tuning import COORDINATE_BLOCK
from symae.ops import coordinate_layers
from symae.ops.coordinate_mlp import CoordinateGradient, CoordinateLayers

# places, images, units of the first sums and of each layer
CASES = {
    "one layer": (5, 3, (4, 1)),
    "one layer, several outputs": (7, 2, (3, 4)),
    "two layers": (6, 3, (5, 4, 1)),
    "unequal widths, several outputs": (6, 3, (3, 7, 2)),
    "four layers": (5, 2, (3, 6, 2, 5, 3)),
    "more places than a block": (2 * COORDINATE_BLOCK + 7, 2, (2, 3, 1)),
    "one place": (1, 4, (3, 4, 1)),
    "one image": (4, 1, (3, 4, 1)),
    "no places": (0, 2, (3, 4, 1)),
    "no images": (2, 0, (3, 4, 1)),
    "no outputs": (50, 2, (3, 2, 0)),
}
TOLERANCE = {"float64": 1e-11, "float32": 2e-5}


def arrays(case, dtype="float64"):
    """P, Q, W_1, b_1, …, and the gradient with respect to y."""
    places, images, (first, *units) = case
    rng = np.random.default_rng(0)
    layers = [shape for n, m in zip((first, *units), units, strict=False) for shape in ((n, m), (m,))]
    shapes = [(places, first), (images, first), *layers, (images, places, units[-1])]
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def symbols(values, known=False):
    shapes = [v.shape if known else (None,) * v.ndim for v in values]
    return [pt.tensor(f"v{i}", dtype=v.dtype.name, shape=s) for i, (v, s) in enumerate(zip(values, shapes, strict=True))]


def plain(P, Q, layers):
    """Compute the layers by PyTensor's own operations."""
    h = pt.maximum(P[None] + Q[:, None], 0)
    for W, b in layers[:-1]:
        h = pt.maximum(pt.dot(h, W) + b, 0)
    W, b = layers[-1]
    return pt.dot(h, W) + b


def outputs(network, inputs):
    """Return the value, and the gradients of its product with the last of the inputs."""
    P, Q, *layers, g = inputs
    y = network(P, Q, list(zip(layers[::2], layers[1::2], strict=True)))
    return [y, *pt.grad((y * g).sum(), list(inputs[:-1]))]


def check(got, wanted):
    for found, expected in zip(got, wanted, strict=True):
        assert np.asarray(found).dtype == expected.dtype
        tolerance = TOLERANCE[str(expected.dtype)]
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


def expected(values):
    inputs = symbols(values)
    return function(inputs, outputs(plain, inputs))(*values)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_and_gradients_are_those_of_the_plain_expression(case, dtype):
    values = arrays(case, dtype)
    inputs = symbols(values)
    check(function(inputs, outputs(coordinate_layers, inputs))(*values), expected(values))


def test_gradients_agree_with_finite_differences():
    *values, _ = arrays((3, 2, (3, 4, 2)))

    def network(P, Q, *layers):
        return coordinate_layers(P, Q, list(zip(layers[::2], layers[1::2], strict=True)))

    verify_grad(network, values, rng=np.random.default_rng(0))


@contextlib.contextmanager
def own_kernels(backend):
    """Only a backend that calls each node by itself, as C does, may compute with NumPy."""
    with pytest.MonkeyPatch.context() as patch:
        if BY_NAME[backend].one_program:
            for op in (CoordinateLayers, CoordinateGradient):
                patch.setattr(op, "perform", lambda op, *_: pytest.fail(f"{op} ran in NumPy"))
        if backend == "pytorch":  # whose compiler takes a minute for all this
            patch.setattr("torch.compile", lambda function, *_, **__: function)
        yield


KNOWN = ["one layer, several outputs", "four layers"]


@pytest.fixture(scope="module")
def known(every_backend):
    """Each of these in float32, whose shapes are known when it compiles: (got, expected)."""
    values = [arrays(CASES[name], "float32") for name in KNOWN]
    inputs = [symbols(v, known=True) for v in values]
    with own_kernels(every_backend):
        results = [o for i in inputs for o in outputs(coordinate_layers, i)]
        got = function([v for i in inputs for v in i], results, backend=every_backend)(*(v for each in values for v in each))
    split = len(values[0])
    return dict(zip(KNOWN, zip((got[:split], got[split:]), map(expected, values), strict=True), strict=True))


@pytest.mark.default_mode
@pytest.mark.parametrize("name", KNOWN)
def test_every_backend_computes_layers_of_known_shapes(known, name):
    check(*known[name])


@pytest.fixture(scope="module")
def two_layers(every_backend):
    """(P, Q, W_1, b_1, W_2, b_2, g) -> the value and all gradients, whatever the shapes."""
    dtype = widest_float(every_backend)
    inputs = symbols(arrays(CASES["two layers"], dtype))
    with own_kernels(every_backend):
        f = function(inputs, outputs(coordinate_layers, inputs), backend=every_backend)

    def compute(*values):
        with own_kernels(every_backend):
            return [np.asarray(v) for v in f(*(np.asarray(v, dtype) for v in values))]

    return dtype, compute


OF_TWO_LAYERS = [name for name, case in CASES.items() if len(case[2]) == 3]


@pytest.mark.parametrize("name", OF_TWO_LAYERS)
def test_every_backend_computes_layers_of_any_shape(two_layers, name):
    dtype, compute = two_layers
    values = arrays(CASES[name], dtype)
    check(compute(*values), expected(values))


@pytest.mark.skipif(os.environ.get("NUMBA_CPU_NAME", "") != "", reason="this is the run without tiles")
def test_all_that_holds_on_processors_that_there_are_no_tiles_for():
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    chosen = ["-m", "", "-k", "(any_shape or known_shapes) and numba", str(Path(__file__))]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *chosen]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_nan_comes_through(two_layers):
    """NaN of a place or of an image is seen at all its pairs, and nowhere else."""
    dtype, compute = two_layers
    P, Q, *rest = arrays((4, 3, (3, 4, 2)), dtype)
    wanted = expected([P, Q, *rest])[0]
    P[1, 0], Q[2, 1] = np.nan, np.nan
    y, gP, gQ, _, _, gW, *_ = compute(P, Q, *rest)
    clean = np.ones((3, 4), bool)
    clean[:, 1] = clean[2] = False
    assert np.isnan(y[~clean]).all()
    np.testing.assert_allclose(y[clean], wanted[clean], rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    assert np.isfinite(gP).all()  # a rectifier that sees NaN lets the gradient through
    assert np.isfinite(gQ).all()
    assert np.isnan(gW[0, 0])


WRONG = {
    "places": (
        [(4, 3), (2, 5), (3, 6), (6,), (6, 1), (1,)],
        "coordinate_layers: found 3 units of places, expected 5, as many as of images",
    ),
    "first layer": (
        [(4, 3), (2, 3), (4, 6), (6,), (6, 1), (1,)],
        "coordinate_layers: found layer 1: weights of shape (4, 6) and 6 biases, expected weights (3, 6) and 6 biases",
    ),
    "biases": (
        [(4, 3), (2, 3), (3, 6), (5,), (6, 1), (1,)],
        "coordinate_layers: found layer 1: weights of shape (3, 6) and 5 biases, expected weights (3, 6) and 6 biases",
    ),
    "last layer": (
        [(4, 3), (2, 3), (3, 6), (6,), (5, 1), (1,)],
        "coordinate_layers: found layer 2: weights of shape (5, 1) and 1 biases, expected weights (6, 1) and 1 biases",
    ),
}


@pytest.mark.parametrize(("shapes", "message"), WRONG.values(), ids=WRONG)
def test_sizes_that_do_not_fit_are_the_same_error_on_every_backend_when_the_function_runs(two_layers, shapes, message):
    _, compute = two_layers
    with pytest.raises(InputError) as caught:
        compute(*(np.zeros(shape) for shape in shapes), np.zeros((2, 4, 1)))
    assert str(caught.value) == message


@pytest.mark.parametrize(("shapes", "message"), WRONG.values(), ids=WRONG)
def test_sizes_that_do_not_fit_are_the_same_error_when_the_graph_is_built(shapes, message):
    P, Q, *layers = (pt.zeros(shape) for shape in shapes)
    with pytest.raises(InputError) as caught:
        coordinate_layers(P, Q, list(zip(layers[::2], layers[1::2], strict=True)))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: coordinate_layers(pt.dmatrix(), pt.dmatrix(), []), "coordinate_layers, layers: found none, expected at least"),
        (
            lambda: coordinate_layers(pt.dtensor3(), pt.dmatrix(), [(pt.dmatrix(), pt.dvector())]),
            "coordinate_layers, places: found 3 dimensions, expected 2",
        ),
        (
            lambda: coordinate_layers(pt.dmatrix(), pt.dvector(), [(pt.dmatrix(), pt.dvector())]),
            "coordinate_layers, images: found 1 dimensions, expected 2",
        ),
        (
            lambda: coordinate_layers(pt.dmatrix(), pt.dmatrix(), [(pt.dmatrix(), pt.dvector()), (pt.dmatrix(), pt.dmatrix())]),
            "coordinate_layers, layer 2, b: found 2 dimensions, expected 1",
        ),
    ],
)
def test_what_is_no_network_is_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (pt.lmatrix(), "coordinate_layers, places: found dtype int64, expected float32 or float64"),
        (None, "coordinate_layers, places: found None, expected an array or a symbolic one"),
    ],
)
def test_what_is_no_array_of_floats_is_refused_by_name(place, message):
    with pytest.raises(TypeError, match=message):
        coordinate_layers(place, pt.dmatrix(), [(pt.dmatrix(), pt.dvector())])


def test_shapes_are_known_before_anything_is_computed():
    values = arrays(CASES["unequal widths, several outputs"])
    assert [v.type.shape for v in outputs(coordinate_layers, symbols(values, known=True))] == [
        v.shape for v in (values[-1], *values[:-1])
    ]
    inputs = symbols(values)
    results = outputs(coordinate_layers, inputs)
    f = function(inputs, [v.shape for v in results], mode="FAST_RUN", on_unused_input="ignore")
    assert [tuple(shape) for shape in f(*values)] == [v.shape for v in (values[-1], *values[:-1])]
    assert not any(isinstance(node.op, CoordinateLayers | CoordinateGradient) for node in f.maker.fgraph.toposort())


def test_precisions_are_mixed_upwards():
    layers = [(pt.fmatrix(), pt.dvector())]
    assert coordinate_layers(pt.fmatrix(), pt.fmatrix(), layers).type.dtype == "float64"


@pytest.mark.long
def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr("symae.kernels.tuning.MULTIPLICATIONS_FOR_THREADS", 1)
    values = arrays(CASES["more places than a block"])
    inputs = symbols(values, known=True)
    f = function(inputs, outputs(coordinate_layers, inputs), backend="numba")
    nodes = [node for node in f.maker.fgraph.toposort() if isinstance(node.op, CoordinateLayers | CoordinateGradient)]
    assert [node.op.threads(node) for node in nodes] == [threads_for_multiplications([1])] * 2
    check(f(*values), expected(values))

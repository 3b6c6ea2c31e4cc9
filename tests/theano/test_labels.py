"""Labels that are no classes: what Theano 1.0.5 says in its default mode (tests/golden has none, for there are no values)."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae import function

SCORES = np.arange(12.0, dtype="float32").reshape(4, 3)
GOOD = np.array([0, 1, 2, 2], "int32")
COSTS = {
    "categorical_crossentropy": lambda x, y: T.nnet.categorical_crossentropy(T.nnet.softmax(x), y),
    "crossentropy_softmax_1hot": lambda x, y: T.nnet.crossentropy_softmax_1hot(x, y)[0],
    "with bias": lambda x, y: T.nnet.crossentropy_softmax_argmax_1hot_with_bias(x, T.zeros((3,), "float32"), y)[0],
    "log of the softmax": lambda x, y: -T.log(T.nnet.softmax(x))[T.arange(y.shape[0]), y],
    "log of its entries": lambda x, y: -T.log(T.nnet.softmax(x)[T.arange(y.shape[0]), y]),
    "gradient": lambda x, y: T.grad(T.nnet.categorical_crossentropy(T.nnet.softmax(x), y).sum(), x),
}


@pytest.fixture(scope="module")
def costs():
    """All of COSTS in one function of the default mode, as a user has it, each with labels of its own."""
    x, labels = T.fmatrix("x"), [T.ivector(name) for name in COSTS]
    with pytensor.config.change_flags(mode="Mode"):
        return theano.function([x, *labels], [cost(x, y) for cost, y in zip(COSTS.values(), labels, strict=True)])


@pytest.mark.parametrize("changed", COSTS)
def test_labels_that_are_no_classes_are_value_errors_in_the_default_mode(costs, changed):
    assert type(costs.maker.linker).__name__ == "NumbaLinker"

    def call(labels):
        return costs(SCORES, *(np.array(labels if name == changed else GOOD, "int32") for name in COSTS))

    expected = np.log(np.exp(SCORES).sum(axis=1)) - SCORES[range(4), GOOD]
    np.testing.assert_allclose(call(GOOD)[0], expected, rtol=1e-5)
    for wrong in (-1, 3, -4):
        with pytest.raises(ValueError, match=f"y_i value out of bounds: found label {wrong}, expected labels from 0 to 2"):
            call([0, 1, 2, wrong])
    for labels in ([0, 1, 2], [0, 1, 2, 0, 0]):
        with pytest.raises(ValueError, match=rf"number of rows in x \(4\) does not match length of y \({len(labels)}\)"):
            call(labels)


def test_labels_are_checked_on_every_backend(float32_backend):
    x, y = T.fmatrix("x"), T.vector("y", dtype="uint8")
    if float32_backend == "mlx":
        pytest.skip("MLX has no arange of a length that is not known")
    f = function([x, y], T.nnet.categorical_crossentropy(T.nnet.softmax(x), y), backend=float32_backend)
    assert f(SCORES, GOOD.astype("uint8")).shape == (4,)
    with pytest.raises(ValueError, match="found label 3, expected labels from 0 to 2"):
        f(SCORES, np.array([0, 1, 2, 3], "uint8"))
    with pytest.raises(ValueError, match="does not match length of y"):
        f(SCORES, np.array([0, 1, 2], "uint8"))


def test_probabilities_that_are_no_softmax_are_indexed_as_in_numpy():
    p, y = T.fmatrix("p"), T.ivector("y")
    f = function([p, y], T.nnet.categorical_crossentropy(p, y))
    np.testing.assert_allclose(f(SCORES + 1, [0, 1, 2, -1]), -np.log([1, 5, 9, 12]), rtol=1e-6)
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 1 with size 3"):
        f(SCORES + 1, [0, 1, 2, 3])

"""Pooling, unpooling, upsampling and neighbourhoods against real Theano and finite differences, by their definitions."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from golden.figures import read_json
from pytensor.gradient import verify_grad

from symae import function
from symae.ops.neighbours import images2neibs, neibs2images
from symae.ops.pooling.pool import max_pool2d_with_switches, pool2d
from symae.ops.pooling.unpool import max_unpool2d, max_unpool2d_from_switches
from symae.ops.upsample import upsample2d

THEANO = read_json("pool_2d")
X = np.random.RandomState(0).permutation(2 * 2 * 6 * 5).reshape(2, 2, 6, 5) / 10.0  # no ties


def tuples(arguments):
    return {key: tuple(v) if isinstance(v, list) else v for key, v in arguments.items()}


@pytest.mark.parametrize("case", THEANO["shapes"][::37], ids=str)
def test_lengths_of_pooled_images_are_theanos(case):
    n, ws, stride, pad, ignore_border, size = case
    pooled = pool2d(pt.zeros((1, 1, n, 1)), (ws, 1), (stride, 1), (pad, 0), ignore_border=ignore_border)
    assert pooled.type.shape[2] == size


def test_the_first_of_equal_pixels_is_the_maximum():
    x = pt.dtensor4()
    pooled, switches = max_pool2d_with_switches(x, 2)
    unpooled = max_unpool2d(pooled, x, 2)
    values = function([x], [switches, unpooled, pt.grad(pooled.sum(), x)])(np.ones((1, 1, 4, 4)))
    corners = np.zeros((4, 4))
    corners[::2, ::2] = 1
    assert values[0].ravel().tolist() == [0, 2, 8, 10]
    assert values[1][0, 0].tolist() == values[2][0, 0].tolist() == corners.tolist()


@pytest.mark.parametrize(
    "op",
    [
        lambda x: pool2d(x, 2),
        lambda x: pool2d(x, 3, 2, 1, mode="average_inc_pad"),
        lambda x: pool2d(x, 3, 2, 1, mode="average_exc_pad"),
        lambda x: pool2d(x, 2, 3, mode="sum", ignore_border=False),
        lambda x: max_unpool2d(pool2d(x, 2) ** 2, x, 2),
        lambda x: max_unpool2d_from_switches(*max_pool2d_with_switches(x, 2), (6, 5)),
        lambda x: upsample2d(x, (2, 3)),
        lambda x: upsample2d(x, 2, mode="bilinear"),
        lambda x: images2neibs(x, (3, 5)),
        lambda x: neibs2images(images2neibs(x, (3, 5)), (3, 5), X.shape),
    ],
)
def test_gradients_agree_with_finite_differences_to_the_second_order(op):
    verify_grad(op, [X], rng=np.random.default_rng(0))
    verify_grad(lambda x: pt.grad((op(x) ** 2).sum(), x), [X], rng=np.random.default_rng(0))


@pytest.mark.parametrize("case", THEANO["pool"], ids=lambda case: str(case["arguments"]))
def test_values_and_gradients_of_pooling_are_theanos(case):
    check_theano(case, lambda x: pool2d(x, **tuples(case["arguments"])), (2, 2, 7, 6))


@pytest.mark.parametrize("case", THEANO["images2neibs"], ids=lambda case: str(case["arguments"]))
def test_values_and_gradients_of_neighbourhoods_are_theanos(case):
    check_theano(case, lambda x: images2neibs(x, **tuples(case["arguments"])), case["images"])


def check_theano(case, build, shape):
    images = np.random.RandomState(0).permutation(int(np.prod(shape))).reshape(shape).astype("float64")
    x = pt.dtensor4()
    y = build(x)
    weights = np.arange(1.0, len(case["value"]) + 1).reshape(case["shape"])
    value, gradient = function([x], [y, pt.grad((y * weights).sum(), x)])(images)
    assert list(value.shape) == case["shape"]
    np.testing.assert_allclose(value.ravel(), case["value"], rtol=1e-12)
    if "gradient" in case:
        np.testing.assert_allclose(gradient.ravel(), case["gradient"], rtol=1e-12)

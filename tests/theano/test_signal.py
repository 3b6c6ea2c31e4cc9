"""theano.tensor.signal where there is more to say than that its values are Theano's."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.gradient import verify_grad

import symae.theano as theano
import symae.theano.tensor as T
from symae import function
from symae.errors import InputError
from symae.geometry.windows import Axis, Windows
from symae.ops.arguments import pooling_windows
from symae.ops.pooling.tied_maxima import EqualMaxPool, SpreadToMaxima, SumAtMaxima
from symae.theano.tensor.signal import conv, downsample, pool

WINDOWS = {
    "apart": pooling_windows("test", (2, 2), None, (0, 0), True),
    "partial": pooling_windows("test", (2, 3), None, (0, 0), False),
    "overlapping": pooling_windows("test", (3, 2), (1, 2), (1, 0), True),
    "partial and overlapping": pooling_windows("test", (3, 3), (2, 1), (0, 0), False),
    "gaps": pooling_windows("test", (1, 2), (2, 3), (0, 0), True),
    "same": Windows(Axis.same(3, 2), Axis.same(2, 2)),
}


def images(h: int = 6, w: int = 7) -> np.ndarray:
    """Few different values, so that most windows have several maxima."""
    return np.random.RandomState(0).randint(3, size=(2, 2, h, w)).astype("float64")


def test_the_gradient_of_a_maximum_goes_to_all_that_equal_it():
    x = T.matrix("x")
    gradient = theano.function([x], theano.grad(pool.pool_2d(x, (2, 2), ignore_border=True).sum(), x))
    assert gradient([[0, 0, 3, 1], [0, 0, 2, 3]]).tolist() == [[1, 1, 1, 0], [1, 1, 0, 1]]


def test_windows_at_the_border_are_kept_unless_told_otherwise():
    x = T.matrix("x")
    pooled = theano.function([x], downsample.max_pool_2d(x, (2, 2)))
    assert pooled(np.arange(9.0).reshape(3, 3)).tolist() == [[4, 5], [7, 8]]


def test_old_and_new_names_of_one_thing_do_not_go_together():
    x = T.tensor4()
    with pytest.raises(InputError, match="ws and ds"):
        pool.pool_2d(x, ws=(2, 2), ds=(2, 2))
    with pytest.raises(InputError, match="pad and padding"):
        pool.pool_2d(x, ws=(2, 2), pad=(1, 1), padding=(1, 1))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "2 sizes of a window"),
        ({"ws": (2, 2), "pad": (1, 1)}, "padding only with ignore_border=True"),
        ({"ws": (2, 2), "mode": "median"}, "mode"),
        ({"ws": T.dvector()}, "2 integers, in numbers or symbolic"),
    ],
    ids=str,
)
def test_pool_2d_refuses(settings, said):
    with pytest.raises(InputError, match=said):
        pool.pool_2d(T.tensor4(), **settings)


def test_pooling_needs_two_dimensions():
    with pytest.raises(InputError, match="at least 2"):
        pool.pool_2d(T.vector(), (2, 2))


def test_sizes_may_be_shared_and_ops_called_with_them():
    x = np.zeros((1, 1, 6, 6))
    assert pool.Pool(ignore_border=True)(x, theano.shared(np.array([2, 3]))).eval().shape == (1, 1, 3, 2)
    assert downsample.DownsampleFactorMax((4, 4))(x).eval().shape == (1, 1, 2, 2)


@pytest.mark.parametrize("ignore_border", [True, False])
def test_out_shape_is_the_shape_that_comes_out(ignore_border):
    shape = pool.Pool.out_shape((2, 3, 7, 6), (3, 2), ignore_border, (2, 3))
    pooled = pool.pool_2d(np.zeros((2, 3, 7, 6)), (3, 2), ignore_border, (2, 3))
    assert tuple(shape) == pooled.eval().shape
    assert downsample.DownsampleFactorMax.out_shape((7, 6), (3, 2), ignore_border, (2, 3)) == shape[2:]


def test_one_dimension_is_pooled_by_the_op():
    x = np.arange(10.0).reshape(2, 5)
    assert pool.Pool(ndim=1)(x, (2,)).eval().tolist() == [[1, 3, 4], [6, 8, 9]]
    averages = pool.Pool(ignore_border=True, mode="average_exc_pad", ndim=1)(x, (3,), (2,), (1,))
    assert averages.eval().tolist() == [[0.5, 2, 3.5], [5.5, 7, 8.5]]
    with pytest.raises(InputError, match="ndim: found 0, expected at least 1"):
        pool.Pool(ndim=0)


@pytest.mark.parametrize(("mode", "reduced"), [("max", np.max), ("sum", np.sum), ("average_inc_pad", np.mean)])
def test_four_dimensions_are_pooled_by_the_op(mode, reduced):
    x = np.random.RandomState(0).rand(2, 4, 6, 6, 4)
    windows = x.reshape((2, 2, 2, 3, 2, 2, 3, 2, 2))
    found = theano.function([], pool.Pool(True, mode, ndim=4)(x, (2, 2, 3, 2)), mode="FAST_COMPILE")()
    np.testing.assert_allclose(found, reduced(windows, axis=(2, 4, 6, 8)))


def test_averages_of_whole_numbers_over_three_dimensions_are_rounded_once():
    x = T.constant(np.array([[[1, 2], [2, 2]], [[2, 2], [2, 3]]]))
    found = theano.function([], pool.pool_3d(x, (2, 2, 2), True, mode="average_exc_pad"), mode="FAST_COMPILE")()
    assert found.tolist() == [[[2]]]  # of 1.75 and 2.25


def test_padding_that_is_known_at_the_call_has_to_be_zero_where_windows_reach_out():
    x, pad = T.dtensor4(), T.ivector()
    f = theano.function([x, pad], pool.pool_2d(x, (2, 2), False, None, pad, "sum"), mode="FAST_COMPILE")
    assert f(np.ones((1, 1, 3, 3)), [0, 0]).tolist() == [[[[4, 2], [2, 1]]]]
    with pytest.raises(ValueError, match="pad is 0 with ignore_border=False"):
        f(np.ones((1, 1, 3, 3)), [1, 0])


def test_signal_conv2d_refuses_images_with_channels():
    with pytest.raises(InputError, match="2 or 3 of each"):
        conv.conv2d(T.tensor4(), T.matrix())


@pytest.mark.parametrize("windows", WINDOWS.values(), ids=WINDOWS)
def test_each_op_is_the_transpose_of_the_other(windows):
    x = images()
    maxima = EqualMaxPool(windows)(x)[0].eval()
    rng = np.random.RandomState(1)
    g, v = rng.normal(size=maxima.shape), rng.normal(size=x.shape)
    spread, collected = SpreadToMaxima(windows)(x, maxima, g).eval(), SumAtMaxima(windows)(x, maxima, v).eval()
    assert np.vdot(spread, v) == pytest.approx(np.vdot(g, collected))


@pytest.mark.parametrize("windows", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("op", [SpreadToMaxima, SumAtMaxima])
def test_their_gradients_are_those_of_their_values(op, windows):
    x = images()
    maxima = EqualMaxPool(windows)(x)[0].eval()
    third = np.random.RandomState(1).normal(size=maxima.shape if op is SpreadToMaxima else x.shape)
    verify_grad(lambda v: op(windows)(x, maxima, v), [third], rng=np.random.RandomState(2))


def test_backends_agree_with_perform(backend):
    """All in one function, which is compiled once."""
    chosen = [WINDOWS[name] for name in ("apart", "partial and overlapping")]
    values = images(), np.random.RandomState(1).normal(size=images().shape)
    x, v = pt.dtensor4("x"), pt.dtensor4("v")
    outputs = []
    for windows in chosen:
        pooled = EqualMaxPool(windows)(x)[0]
        weights = np.random.RandomState(3).normal(size=EqualMaxPool(windows)(images())[0].eval().shape)
        outputs += [SpreadToMaxima(windows)(x, pooled, weights), SumAtMaxima(windows)(x, pooled, v)]
    expected = function([x, v], outputs, mode="FAST_COMPILE")(*values)
    found = function([x, v], outputs, backend=backend)(*values)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("ignore_border", [True, False])
@pytest.mark.parametrize("mode", ["max", "sum", "average_inc_pad", "average_exc_pad"])
def test_gradients_of_pooling_are_ops_too(mode, ignore_border):
    x, gz = T.dtensor4(), T.dtensor4()
    y = pool.pool_2d(x, (2, 3), ignore_border, (2, 2), mode=mode)
    if mode == "max":
        made = pool.MaxPoolGrad(ignore_border)(x, y, gz, (2, 3), (2, 2))
    else:
        made = pool.AveragePoolGrad(ignore_border, mode)(x, gz, (2, 3), (2, 2))
    f = theano.function([x, gz], [made, T.grad(T.sum(y * gz), x), y], mode="FAST_COMPILE")
    draw = np.random.default_rng(0)
    images = draw.integers(0, 4, (2, 1, 5, 6)).astype("float64")  # with ties
    shape = pool.Pool.out_shape(images.shape, (2, 3), ignore_border, (2, 2))
    found, expected, _ = f(images, draw.normal(size=shape))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_what_lies_at_the_maxima_is_summed():
    x, ggx = T.dtensor4(), T.dtensor4()
    y = pool.pool_2d(x, (2, 2), True)
    f = theano.function([x, ggx], pool.DownsampleFactorMaxGradGrad(True)(x, y, ggx, (2, 2)), mode="FAST_COMPILE")
    images = np.array([[[[1.0, 3.0, 2.0, 2.0], [3.0, 0.0, 1.0, 0.0]]]])
    assert f(images, np.arange(1.0, 9.0).reshape(1, 1, 2, 4)).tolist() == [[[[2 + 5, 3 + 4]]]]

"""Convolutions of maps that count at the switches of a pooling layer only become ops that look nowhere else."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import CVM, Mode

from symae import ImageAutoencoder, function
from symae.compile import options
from symae.compile.backends import BY_NAME
from symae.ops import conv2d, deconv2d, max_pool2d_with_switches, max_unpool2d, max_unpool2d_from_switches, pool2d, rectified
from symae.ops.bias_relu import RectifiedGradient
from symae.ops.conv import Convolution, FilterGradient, InputGradient
from symae.ops.conv.sparse import SparseConvolution, SparseFilterGradient, SparseInputGradient
from symae.ops.pooling.switches import PutAtSwitches, TakeAtSwitches

# the rewrites of the C backend, run by NumPy
REWRITTEN = Mode("py", CVM.provided_optimizer.including(*BY_NAME["c"].tags))
OPS = (Convolution, InputGradient, FilterGradient, SparseConvolution, SparseInputGradient, SparseFilterGradient)
SPARSE = {SparseConvolution, SparseInputGradient, SparseFilterGradient}


def convolutions(compiled):
    """How many there are of each kind."""
    kinds = [type(node.op) for node in compiled.maker.fgraph.toposort()]
    return {kind: kinds.count(kind) for kind in OPS if kind in kinds}


def has(compiled, kind):
    return any(isinstance(node.op, kind) for node in compiled.maker.fgraph.toposort())


def training_step(maps, pool, shape=(1, 16, 16)):
    model = ImageAutoencoder(
        np.random.RandomState(0), input=pt.tensor(shape=(4, *shape)), maps=maps, pool=pool, image_shape=shape
    )
    cost, _ = model.get_cost_updates()
    return model.x, [cost, *pt.grad(cost, model.params)]


def images(shape=(4, 1, 16, 16)):
    return np.random.default_rng(0).random(shape)


def compare(inputs, outputs, arrays, mode=REWRITTEN, rtol=1e-10, **settings):
    """Compile with the rewrites and without any; returns the former where both give the same."""
    f = function(inputs, outputs, mode=mode, on_unused_input="ignore", **settings)
    plain = function(inputs, outputs, on_unused_input="ignore")
    for found, expected in zip(f(*arrays), plain(*arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * float(np.abs(expected).max(initial=1e-3)))
    return f


@pytest.mark.parametrize("maps", [1, 3])
@pytest.mark.parametrize("pool", [2, 4])
def test_of_worksheet_03_only_the_first_convolution_is_a_full_one(maps, pool):
    x, outputs = training_step(maps, pool)
    f = compare([x], outputs, [images()])
    assert convolutions(f) == {
        Convolution: 1,
        SparseConvolution: 1,
        SparseInputGradient: 1,
        SparseFilterGradient: 2,
    }
    assert not has(f, PutAtSwitches)
    assert not has(f, TakeAtSwitches)


def test_of_two_layers_only_the_encoder_s_convolutions_are_full_ones():
    x, outputs = training_step((2, 3), 2, (3, 17, 16))
    f = compare([x], outputs, [images((4, 3, 17, 16))])
    assert convolutions(f) == {
        Convolution: 2,
        SparseConvolution: 2,
        SparseInputGradient: 3,
        SparseFilterGradient: 4,
    }


def test_gradients_of_a_rectifier_are_those_of_the_pooled_maps():
    x, outputs = training_step(2, 4)
    f = function([x], outputs, mode=REWRITTEN)
    (gradient,) = (node for node in f.maker.fgraph.toposort() if isinstance(node.op, RectifiedGradient))
    assert gradient.outputs[0].type.shape == (4, 2, 4, 4)
    plain = function([x], outputs, mode=REWRITTEN.excluding("sparse_rectified_gradient"))
    (gradient,) = (node for node in plain.maker.fgraph.toposort() if isinstance(node.op, RectifiedGradient))
    assert gradient.outputs[0].type.shape == (4, 2, 16, 16)


def test_a_rectifier_of_other_maps_than_were_pooled_is_looked_at_at_the_switches():
    y, other, b = pt.tensor(shape=(2, 3, 8, 8)), pt.tensor(shape=(2, 3, 8, 8)), pt.vector(shape=(3,))
    r = rectified(y, b)
    back = pt.grad((max_unpool2d(pool2d(r, 4), other, 4) * other).sum() + (pool2d(r, 2)[:, :, 0] ** 2).sum(), [y, b])
    rng = np.random.default_rng(0)
    compare([y, other, b], back, [rng.normal(size=(2, 3, 8, 8)), rng.normal(size=(2, 3, 8, 8)), rng.normal(size=3)])
    gy, gb = RectifiedGradient()(r, max_unpool2d(pool2d(r, 4), other, 4), return_list=True)
    f = compare([y, other, b], [gy, gb], [rng.normal(size=(2, 3, 8, 8)), rng.normal(size=(2, 3, 8, 8)), rng.normal(size=3)])
    assert has(f, TakeAtSwitches)


x, W, V = pt.tensor("x", shape=(2, 2, 8, 8)), pt.tensor("W", shape=(3, 2, 3, 3)), pt.tensor("V", shape=(3, 2, 3, 3))
ARRAYS = [np.random.default_rng(k).normal(size=v.type.shape) for k, v in enumerate((x, W, V))]


def through(ws=2, stride=None, filters=V, **settings):
    """Convolution, pooling, unpooling and deconvolution, with the gradients."""
    y = conv2d(x, W, border_mode="half", **settings)
    drawn = deconv2d(max_unpool2d(pool2d(y, ws, stride), y, ws, stride), filters, "half", output_shape=(8, 8), **settings)
    return [drawn, *pt.grad(pt.sqr(drawn).sum(), [x, W, filters])]


def test_without_a_rectifier_it_is_the_same():
    f = compare([x, W, V], through(), ARRAYS)
    assert convolutions(f) == {
        Convolution: 1,
        SparseConvolution: 1,
        SparseInputGradient: 2,
        SparseFilterGradient: 2,
    }


def test_overlapping_windows_whose_values_meet_add_up():
    f = compare([x, W, V], through(3, 2), ARRAYS)
    assert set(convolutions(f)) > SPARSE


def test_maps_that_somebody_else_needs_are_computed_once():
    y = conv2d(x, W, border_mode="half")
    switches = max_pool2d_with_switches(pt.sin(y), 2)[1]
    looked_at = TakeAtSwitches()(y, switches)
    assert convolutions(compare([x, W], [looked_at, y], ARRAYS[:2])) == {Convolution: 1}
    also_an_output = TakeAtSwitches()(y, max_pool2d_with_switches(x[:, :1].repeat(3, 1), 2)[1])
    assert convolutions(compare([x, W], [also_an_output], ARRAYS[:2])) == {SparseConvolution: 1}


def test_an_unpooled_map_that_is_shown_is_still_drawn_from_its_points():
    pooled, switches = max_pool2d_with_switches(conv2d(x, W, "half"), 2)
    unpooled = max_unpool2d_from_switches(pooled, switches, (8, 8))
    f = compare([x, W, V], [unpooled, deconv2d(unpooled, V, "half", output_shape=(8, 8))], ARRAYS)
    assert convolutions(f) == {Convolution: 1, SparseInputGradient: 1}
    assert has(f, PutAtSwitches)


@pytest.mark.parametrize(
    "outputs",
    [
        through((2, 1)),
        through(2, 1),
        through(2, (1, 3)),
        through(dilation=(2, 2)),
    ],
    ids=["two pixels a point", "a point each pixel", "three pixels a point", "dilation"],
)
def test_where_it_does_not_pay_or_there_is_no_kernel_it_is_left_alone(outputs):
    assert not SPARSE & set(convolutions(compare([x, W, V], outputs, ARRAYS)))


def test_short_rows_are_drawn_in_the_ordinary_way():
    filters = pt.tensor(shape=(3, 1, 3, 3))
    y = conv2d(x, W, border_mode="half")
    kinds = []
    for ws in (2, 4):
        drawn = deconv2d(max_unpool2d(pool2d(y, ws), y, ws), filters, "half", output_shape=(8, 8))
        kinds.append(set(convolutions(compare([x, W, filters], [drawn], [*ARRAYS[:2], ARRAYS[2][:, :1]]))))
    assert kinds == [{Convolution, InputGradient}, {Convolution, SparseInputGradient}]


def test_groups_and_filters_of_unknown_size_are_left_alone():
    y = conv2d(x, W[:2, :1], border_mode="half", groups=2)
    assert not SPARSE & set(convolutions(compare([x, W], pt.grad(pool2d(y, 2).sum(), [x, W]), ARRAYS[:2])))
    unknown = pt.tensor4("unknown")
    outputs = through(filters=unknown)[:1]
    f = compare([x, W, unknown], outputs, ARRAYS)
    assert not SPARSE & set(convolutions(f))


def test_switches_from_anywhere_need_a_known_number_of_points():
    for known in (4, None):
        s = pt.tensor(dtype="int64", shape=(2, 3, known, known))
        v = pt.tensor(shape=(2, 3, known, known))
        rng = np.random.default_rng(0)
        arrays = [ARRAYS[2], rng.normal(size=(2, 3, 4, 4)), rng.integers(0, 64, (2, 3, 4, 4))]
        f = compare([V, v, s], [deconv2d(max_unpool2d_from_switches(v, s, (8, 8)), V, "half", output_shape=(8, 8))], arrays)
        assert set(convolutions(f)) == {SparseInputGradient if known else InputGradient}


@settings(max_examples=12)
@given(st.data())
def test_values_are_those_of_the_full_convolutions(data):
    def draw(strategy):
        return data.draw(strategy)

    n, c, m = (draw(st.integers(0 if k == 0 else 1, 3)) for k in range(3))
    h, w = (draw(st.integers(4, 9)) for _ in range(2))
    kernel = tuple(draw(st.integers(1, 4)) for _ in range(2))
    ws = tuple(draw(st.integers(1, 3)) for _ in range(2))
    stride = tuple(draw(st.integers(2, 3)) for _ in range(2))
    pooling = {"ws": ws, "stride": stride, "pad": draw(st.sampled_from(["valid", "same"]))}
    convolution = {
        "border_mode": draw(st.sampled_from(["half", "full", "same"])),
        "filter_flip": draw(st.booleans()),
        "subsample": draw(st.sampled_from([(1, 1), (2, 1)])),
    }
    x, W, V = (pt.tensor(shape=shape) for shape in ((n, c, h, w), (m, c, *kernel), (m, c, *kernel)))
    y = rectified(conv2d(x, W, **convolution), W[:, 0, 0, 0])
    drawn = deconv2d(max_unpool2d(pool2d(y, **pooling), y, **pooling), V, **convolution, output_shape=(h, w))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    arrays = [rng.normal(size=v.type.shape).round(1) for v in (x, W, V)]  # rounded: some values are equal, and some zero
    f = compare([x, W, V], [drawn, *pt.grad(pt.sqr(drawn).sum(), [x, W, V])], arrays)
    assert set(convolutions(f)) > SPARSE - {SparseInputGradient}


# half a minute of compiling; one layer is compiled by Numba in the tests of worksheet 03, too, with other shapes
@pytest.mark.default_mode
@pytest.mark.parametrize(("maps", "pool"), [(1, 4), ((2, 3), 2)])
def test_both_backends_train_as_without_it(native_backend, maps, pool):
    x, outputs = training_step(maps, pool)
    f = compare([x], outputs, [images()], mode=None, backend=native_backend)
    assert set(convolutions(f)) > SPARSE


@pytest.mark.default_mode
def test_it_can_be_switched_off_and_is_not_there_for_others():
    x, outputs = training_step(1, 4)
    with options(exclude=["sparse_convolution", "sparse_rectified_gradient"]):
        f = function([x], outputs[0], backend="c")
    assert not SPARSE & set(convolutions(f))
    pytest.importorskip("jax")
    assert not SPARSE & set(convolutions(function([x], outputs[0], backend="jax")))

"""What convolves is computed by PyTorch op by op, without a compiler, and gives what the ops' definitions give."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import on
from pytensor.graph.fg import FunctionGraph

from symae import function
from symae.geometry.windows import Axis, Windows
from symae.models import ConvolutionalAutoencoder
from symae.ops.bias_relu import Rectified, RectifiedGradient
from symae.ops.conv.convolution import conv2d, deconv2d
from symae.ops.pooling.pool import MaxPool, pool2d
from symae.ops.pooling.switches import PutAtSwitches
from symae.ops.upsample import NearestUpsample

PYTORCH = [on("pytorch")]
rng = np.random.RandomState(0)


@pytest.fixture(scope="module", params=PYTORCH)
def torch(request):
    return pytest.importorskip("torch")


def step_of(images, backend="pytorch", batch=4):
    model = ConvolutionalAutoencoder(np.random.RandomState(0), maps=(4, 2, 2), image_shape=images.shape[1:])
    cost, updates = model.get_cost_updates()
    index = pt.lscalar("index")
    minibatch = pytensor.shared(images)[index * batch : (index + 1) * batch]
    return function([index], cost, updates=updates, givens={model.x: minibatch}, backend=backend), model


def test_a_step_of_a_convolutional_autoencoder_runs_no_compiler(torch, monkeypatch):
    def refused(*arguments, **keywords):
        raise AssertionError("torch.compile was called")

    monkeypatch.setattr(torch, "compile", refused)
    images = rng.rand(11, 1, 12, 12).astype(pytensor.config.floatX)
    step, model = step_of(images)
    expected, same_model = step_of(images, backend="numba")
    for i in range(3):  # the last minibatch is smaller
        np.testing.assert_allclose(step(i), expected(i), rtol=1e-5)
    for p, q in zip(model.params, same_model.params, strict=True):
        np.testing.assert_allclose(p.get_value(), q.get_value(), atol=1e-5)


def test_a_graph_within_a_graph_may_convolve(torch):
    from pytensor.compile.builders import OpFromGraph

    from symae.compile.pytorch_op_by_op import convolves

    x, W = pt.dtensor4("x"), pt.dtensor4("W")
    inner = OpFromGraph([x, W], [conv2d(x, W)])
    assert convolves(FunctionGraph([x, W], [inner(x, W) * 2.0], clone=True))
    assert not convolves(FunctionGraph([x], [pool2d(x, 2)], clone=True))


def test_two_calls_are_the_same_to_the_last_bit_on_as_many_threads_as_there_is_work_for(torch, two_threads, monkeypatch):
    seen = []
    run = torch.set_num_threads
    x, W = pt.ftensor4("x"), pt.ftensor4("W")
    compiled = function([x, W], [conv2d(x, W), pt.grad((conv2d(x, W) ** 2).sum(), W)], backend="pytorch")
    monkeypatch.setattr(torch, "set_num_threads", lambda n: (seen.append(n), run(n)))
    filters = rng.rand(8, 3, 3, 3).astype("float32")
    small, large = (rng.rand(n, 3, 24, 24).astype("float32") for n in (1, 40))
    for images, chosen in ((small, [1, 2, 1, 2]), (small, [1, 2]), (large, [1, 2]), (large, [])):
        seen.clear()
        first, second = compiled(images, filters), None
        assert seen == chosen
        second = compiled(images, filters)
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_call_is_the_same_to_the_last_bit_whatever_sizes_were_before(torch, two_threads):
    x, W, n, i = pt.fmatrix("x"), pt.ftensor4("W"), pt.lscalar("n"), pt.lscalar("i")
    images = pt.alloc(np.arange(3 * 24 * 24, dtype="float32").reshape((1, 3, 24, 24)), n, 3, 24, 24) + x[i : i + 1].sum()
    gradient = pt.grad((conv2d(pt.sin(images), W) ** 2).sum(), W)
    values, filters = rng.rand(4, 4).astype("float32"), rng.rand(8, 3, 3, 3).astype("float32")
    alone, after_another = (function([x, W, n, i], gradient, backend="pytorch") for _ in range(2))
    after_another(values, filters, 1, 0)
    np.testing.assert_array_equal(after_another(values, filters, 40, 0), alone(values, filters, 40, 0))


def test_what_is_written_at_equal_indices_is_the_same_in_each_call(torch, two_threads):
    x, W, E, indices = pt.ftensor4("x"), pt.ftensor4("W"), pt.fmatrix("E"), pt.lvector("indices")
    values = pt.cos(pt.arange(indices.shape[0])).astype("float32")
    at = E[indices, indices % 4]
    outputs = [conv2d(x, W), pt.inc_subtensor(at, values), pt.set_subtensor(at, values)]
    images, filters = rng.rand(40, 3, 24, 24).astype("float32"), rng.rand(8, 3, 3, 3).astype("float32")
    arguments = images, filters, np.zeros((5, 4), "float32"), rng.randint(5, size=400_000)
    compiled = function([x, W, E, indices], outputs, backend="pytorch")
    _, first_sums, first_chosen = compiled(*arguments)
    expected = np.zeros((5, 4), "float32")
    expected[arguments[3], arguments[3] % 4] = np.cos(np.arange(400_000)).astype("float32")
    np.testing.assert_allclose(first_chosen, expected, rtol=1e-6)
    for _ in range(5):
        _, sums, chosen = compiled(*arguments)
        np.testing.assert_array_equal(sums, first_sums)
        np.testing.assert_array_equal(chosen, first_chosen)


def test_arrays_may_be_read_backwards(torch):
    x, W, n = pt.dtensor4("x"), pt.dtensor4("W"), pt.lscalar("n")
    images, filters = rng.rand(4, 1, 5, 5), rng.rand(2, 1, 3, 3)
    for outputs in (conv2d(x, W), conv2d(x[:n], W)):
        given = [x, W, n], outputs
        expected = function(*given, mode="FAST_COMPILE", on_unused_input="ignore")(images[::-1], filters, 2)
        found = function(*given, backend="pytorch", on_unused_input="ignore")(images[::-1], filters, 2)
        np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64", "float64"])
def test_a_condition_may_be_a_number(torch, dtype):
    x, W, condition = pt.dtensor4("x"), pt.dtensor4("W"), pt.vector("condition", dtype=dtype)
    outputs = [pt.switch(condition, W[0, 0], 0.0), conv2d(x, W)]
    values = rng.rand(1, 1, 4, 4), rng.rand(1, 1, 3, 3), np.array([0, 1, 1], dtype)
    chosen, _ = function([x, W, condition], outputs, backend="pytorch")(*values)
    np.testing.assert_array_equal(chosen, np.where(values[2], values[1][0, 0], 0))


def test_what_is_not_read_any_more_is_freed_at_once(torch):
    from symae.compile.pytorch_op_by_op import OpByOp

    x, W = pt.dtensor4("x"), pt.dtensor4("W")
    y = conv2d(x, W)
    for _ in range(5):
        y = pt.tanh(y)
    z = y.sum()
    program = OpByOp(FunctionGraph([x, W], [z], clone=True))
    freed = [i for call in program._calls for i in call.free]
    made = [i for call in program._calls for i in call.outputs]
    assert sorted(freed) == sorted(set(made) - set(program._outputs))
    read = {i: n for n, call in enumerate(program._calls) for i in call.inputs}
    assert all(read[i] == n for n, call in enumerate(program._calls) for i in call.free)


def test_results_share_no_memory_with_inputs_or_each_other(torch):
    x, W = pt.dtensor4("x"), pt.dtensor4("W")
    pooled = MaxPool(Windows(Axis.whole(1, 1), Axis.whole(1, 1)))(x)[0]  # of one pixel: a view of the images
    compiled = function([x, W], [pooled, pt.cast(pooled, "float64"), conv2d(x, W)], backend="pytorch")
    images = rng.rand(2, 1, 4, 4)
    one, other, _ = compiled(images, rng.rand(1, 1, 2, 2))
    np.testing.assert_array_equal(one, images)
    assert not any(np.shares_memory(a, b) for a, b in ((one, images), (other, images), (one, other)))


CONVOLUTIONS = [
    {"border_mode": "valid"},
    {"border_mode": "same"},
    {"border_mode": "full"},
    {"border_mode": "half", "filter_flip": False},
    {"border_mode": ((2, 1), (0, 3))},
    {"border_mode": (4, 5)},  # more than a filter less one
    {"border_mode": "same", "subsample": (2, 3)},
    {"border_mode": (1, 2), "subsample": (3, 2), "dilation": (1, 2)},
    {"border_mode": "half", "dilation": (2, 3)},
    {"border_mode": "same", "groups": 2},
    {"border_mode": 1, "subsample": 2, "groups": 2, "filter_flip": False},
]


@pytest.mark.parametrize("settings", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("known", [True, False], ids=["sizes known", "sizes unknown"])
def test_convolutions_and_both_gradients_are_what_their_definitions_give(torch, settings, known):
    shapes = (2, 4, 9, 11), (6, 4 // settings.get("groups", 1), 3, 4)
    x, W = (pt.tensor(dtype="float64", shape=shape if known else (None,) * 4) for shape in shapes)
    y = conv2d(x, W, **settings)
    outputs = [y, *pt.grad((y**2).sum(), [x, W]), deconv2d(y, W, output_shape=x.shape, **settings)]
    values = [rng.rand(*shape) for shape in shapes]
    found = function([x, W], outputs, backend="pytorch")(*values)
    for a, b in zip(found, function([x, W], outputs, mode="FAST_COMPILE")(*values), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


AXES = [
    Axis.whole(2, 2),
    Axis.whole(3, 2, 1),
    Axis.whole(3, 1, 2),
    Axis.partial(2, 2),
    Axis.partial(3, 2),
    Axis.partial(2, 3),
    Axis.same(2, 2),
    Axis.same(3, 2),
    Axis.same(5, 2),
    Axis.whole(1, 1),
    Axis.whole(300, 300, 150),
]


def images_with(what):
    images = rng.randint(3, size=(2, 3, 7, 8)).astype("float64")  # many are equal
    if what == "NaN":
        images[rng.rand(*images.shape) < 0.2] = np.nan
    elif what == "infinities":
        images[rng.rand(*images.shape) < 0.5] = -np.inf
        images[rng.rand(*images.shape) < 0.1] = np.inf
    return images[:0] if what == "none" else images


def eagerly(torch, op, *values):
    """Compute an op as PyTorch does op by op, and as it is defined."""
    from symae.compile.backends.pytorch import PytorchArrays

    node = op.make_node(*(v if np.ndim(v) == 0 else pt.constant(v) for v in values))
    storage = [[None] for _ in node.outputs]
    op.perform(node, list(values), storage)
    found = op.eagerly(PytorchArrays(), node, *(v if np.ndim(v) == 0 else torch.from_numpy(v) for v in values))
    found = found if isinstance(found, tuple) else (found,)
    for a, (b,), v in zip(found, storage, node.outputs, strict=True):
        assert str(a.dtype) == f"torch.{v.type.dtype}"
        np.testing.assert_array_equal(a.numpy(), b)
    return [a.numpy() for a in found]


@pytest.mark.parametrize("what", ["equal pixels", "NaN", "infinities", "none"])
@pytest.mark.parametrize("rows", AXES, ids=str)
@pytest.mark.parametrize("columns", AXES[::3], ids=str)
def test_maxima_and_where_they_are_are_what_their_definition_gives(torch, rows, columns, what):
    windows, images = Windows(rows, columns), images_with(what)
    best, switches = eagerly(torch, MaxPool(windows), images)
    if images.size:
        values = np.arange(best.size, dtype="float64").reshape(best.shape)
        eagerly(torch, PutAtSwitches(windows), values, switches, *images.shape[2:])


@pytest.mark.parametrize("factor", [(1, 1), (2, 2), (1, 3), (3, 2)])
def test_repeated_pixels_are_what_their_definition_gives(torch, factor):
    eagerly(torch, NearestUpsample(factor), images_with("NaN"))


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5, 4)])
def test_rectified_maps_are_what_their_definition_gives(torch, shape):
    x, b = rng.randn(*shape), rng.randn(3)
    x.flat[1] = np.nan
    (y,) = eagerly(torch, Rectified(), x, b)
    g = rng.randint(9, size=shape).astype("float64")
    eagerly(torch, RectifiedGradient(), y, g)

"""Pooling, unpooling, upsampling and neighbourhoods on every installed backend: `perform` says what is right."""

from __future__ import annotations

import contextlib
import functools

import numpy as np
import pytensor.tensor as pt
import pytest
from backend_params import each, widest_float

from symae import InputError, compile_time, function
from symae.ops.arguments import pooling_windows
from symae.ops.neighbours import images2neibs, neibs2images
from symae.ops.pooling.pool import max_pool2d_with_switches, pool2d
from symae.ops.pooling.unpool import max_unpool2d, max_unpool2d_from_switches
from symae.ops.upsample import upsample2d

SHAPE = (2, 3, 7, 6)
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
# Each makes an output from images of SHAPE; the table runs it and its gradient.
CASES = {
    "max": lambda x: pool2d(x, 2),
    "max, overlapping and padded": lambda x: pool2d(x, 3, stride=2, pad=1),
    "max, partial windows with gaps": lambda x: pool2d(x, (3, 2), stride=(2, 5), ignore_border=False),
    "max, 1 x 1": lambda x: pool2d(x, 1),
    "max, window is image": lambda x: pool2d(x, (7, 6)),
    "max, window is larger than image": lambda x: pool2d(x, 8),
    "max, not contiguous": lambda x: pool2d(x.dimshuffle(1, 0, 3, 2), 2),
    "sum, overlapping and partial": lambda x: pool2d(x, (4, 3), stride=2, mode="sum", ignore_border=False),
    "average of padding too": lambda x: pool2d(x, 3, stride=2, pad=(1, 2), mode="average_inc_pad"),
    "average, same": lambda x: pool2d(x, (2, 3), stride=(2, 1), pad="same", mode="average_exc_pad"),
    "unpool": lambda x: max_unpool2d(pool2d(x, 2), x, 2),
    "unpool, overlapping": lambda x: max_unpool2d(pool2d(x, 3, stride=2, pad=1), x, 3, stride=2, pad=1),
    "unpool from switches": lambda x: max_unpool2d_from_switches(*max_pool2d_with_switches(x, 3, stride=2, pad=1), SHAPE[2:]),
    "nearest": lambda x: upsample2d(x, (2, 3)),
    "bilinear": lambda x: upsample2d(x, (2, 3), mode="bilinear"),
    "bilinear of one pixel": lambda x: upsample2d(pool2d(x, (7, 6)), (2, 3), mode="bilinear"),
    "neighbourhoods": lambda x: images2neibs(x, (3, 2), (2, 1)),
    "neighbourhoods, wrapped": lambda x: images2neibs(x, (3, 5), (2, 1), mode="wrap_centered"),
    "neighbourhoods, half": lambda x: images2neibs(x, (3, 2), (3, 3), mode="half"),
    "neighbourhoods put back": lambda x: neibs2images(
        images2neibs(x, (4, 3), mode="ignore_borders"), (4, 3), SHAPE, "ignore_borders"
    ),
}
IN_FLOAT32 = ["max, overlapping and padded", "average of padding too", "unpool", "bilinear"]
# With those each op is compiled once; the rest of the table, half a minute of compiling, is asked for.
ALWAYS = ["max", "sum, overlapping and partial", "unpool from switches", "nearest", "neighbourhoods", "neighbourhoods put back"]
OTHERS = [name for name in CASES if name not in ALWAYS]


def odd_images(shape, dtype):
    """Few values, so that there are ties, two NaN in one window, and windows with nothing but -inf."""
    x = np.maximum(np.random.RandomState(3).randint(-4, 5, shape), 0).astype(dtype)
    x[0, 0, 2, 3] = x[0, 0, 3, 3] = np.nan
    x[1, 1, :4, :4] = -np.inf
    return x


def table(dtype, names):
    x, odd = (pt.tensor(name, dtype=dtype, shape=SHAPE) for name in ("x", "odd"))
    outputs = []
    for name in names:
        images = odd if name.startswith(("max", "unpool")) else x
        y = CASES[name](images)
        cotangent = np.random.RandomState(4).uniform(1, 2, y.type.shape).astype(dtype)
        outputs += [y, pt.grad(None, images, known_grads={y: pt.constant(cotangent)})]
    return [x, odd], outputs


def results(dtype, names, backend):
    inputs, outputs = table(dtype, names)
    values = np.random.RandomState(5).normal(size=SHAPE).astype(dtype), odd_images(SHAPE, dtype)
    wanted = function(inputs, outputs, mode="FAST_COMPILE")(*values)
    got = [np.asarray(y) for y in function(inputs, outputs, backend=backend)(*values)]
    pairs = list(zip(got, wanted, strict=True))
    return {name: (pairs[2 * i], pairs[2 * i + 1]) for i, name in enumerate(names)}


@pytest.fixture(scope="module")
def everything(every_backend):
    """(got, wanted) of value and gradient of each of some cases; MLX has no float64."""

    @functools.cache
    def of(*names):
        with pytest.MonkeyPatch.context() as patch:
            if every_backend == "pytorch":  # its compiler takes a minute for all cases; the tests below have it compile some
                patch.setattr("torch.compile", lambda function, *_, **__: function)
            return results(widest_float(every_backend), names, every_backend)

    return of


@pytest.mark.parametrize("name", [*ALWAYS, *(pytest.param(name, marks=pytest.mark.default_mode) for name in OTHERS)])
def test_value_and_gradient_are_those_of_perform(everything, name):
    for got, wanted in everything(*(ALWAYS if name in ALWAYS else OTHERS))[name]:
        assert got.dtype == wanted.dtype
        tolerance = TOLERANCE[str(wanted.dtype)]
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="module")
def in_float32(every_backend):
    return results("float32", IN_FLOAT32, every_backend)


@pytest.mark.default_mode
@pytest.mark.parametrize("name", IN_FLOAT32)
def test_float32_stays_float32(in_float32, name):
    for got, wanted in in_float32[name]:
        assert got.dtype == wanted.dtype == "float32"
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def without_torchs_compiler():
    import torch

    return torch.compiler.set_stance("force_eager")


@pytest.fixture(scope="module")
def free_shapes(every_backend):
    """Pooling and back of images of any size, on a backend."""
    x = pt.tensor("x", dtype="float32", shape=(None,) * 4)
    y = pool2d(x, 2, mode="average_exc_pad", ignore_border=False)
    outputs = [
        pt.grad(None, x, known_grads={y: y}),
        max_unpool2d(pool2d(x, 3, stride=2, pad="same"), x, 3, stride=2, pad="same"),
        neibs2images(images2neibs(x, 2, mode="ignore_borders"), 2, x.shape, "ignore_borders"),
    ]
    return function([x], outputs, backend=every_backend), function([x], outputs, mode="FAST_COMPILE")


SHAPES = [(2, 1, 5, 4), (1, 3, 9, 2), (0, 2, 4, 4), (3, 2, 1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_need_not_be_known_before_the_function_runs(free_shapes, every_backend, shape):
    on_backend, plain = free_shapes
    x = np.random.RandomState(0).uniform(size=shape).astype("float32")
    # PyTorch's compiler takes seconds for each of the first shapes; two show that it takes another
    with without_torchs_compiler() if every_backend == "pytorch" and shape in SHAPES[2:] else contextlib.nullcontext():
        found = on_backend(x)
    for got, wanted in zip(found, plain(x), strict=True):
        np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def unchecked(every_backend):
    """Return a function whose inputs fit only if their shapes do."""
    a, b = (pt.tensor(name, dtype="float32", shape=(None,) * 4) for name in "ab")
    switches = pt.tensor("switches", dtype="int64", shape=(None,) * 4)
    outputs = [max_unpool2d(b, a, 2), images2neibs(a, 2), max_unpool2d_from_switches(b, switches, (4, 4))]
    return function([a, b, switches], outputs, backend=every_backend)


def arguments(a=(1, 2, 4, 4), b=(1, 2, 2, 2), switch=0):
    return np.zeros(a, "float32"), np.zeros(b, "float32"), np.full((1, 2, 2, 2), switch)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"b": (1, 2, 3, 2)}, r"max_unpool2d\w*: pooled: found shape \(1, 2, 3, 2\), expected \(1, 2, 2, 2\)"),
        ({"a": (1, 2, 5, 4)}, r"ten4: found shape \(1, 2, 5, 4\), expected images of at least 2 x 2 pixels, into which"),
        ({"a": (1, 2, 0, 4)}, r"found shape \(1, 2, 0, 4\), expected"),
    ],
)
def test_shapes_that_do_not_fit_are_an_error_when_the_function_runs(unchecked, changed, message):
    with pytest.raises(ValueError, match=message):
        unchecked(*arguments(**changed))


@pytest.mark.parametrize("switch", [-1, 16])
def test_a_switch_outside_of_the_image_is_an_error_when_the_function_runs(unchecked, switch, capfd):
    bad = arguments()
    bad[2][0, 1, 1] = switch, 99
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (looked at below: the whole of it is one line)
        unchecked(*bad)
    expected = "positions from 0 to 15, row * w + column in images of 4 x 4 pixels"
    assert str(caught.value) == f"max_unpool2d_from_switches: switches: found {switch}, expected {expected}"
    assert capfd.readouterr().err == ""


@pytest.fixture(scope="module", params=["FAST_COMPILE", *each()])
def where(request):
    return {"mode": request.param} if request.param == "FAST_COMPILE" else {"backend": request.param}


@pytest.mark.parametrize(
    ("build", "place"),
    [
        (lambda x: upsample2d(x, (2, 3)), "upsample2d: input"),
        (lambda x: upsample2d(x, (2, 3), mode="bilinear"), "upsample2d: input"),
        (lambda x: pool2d(x, 2), "pool2d: input"),
        (lambda x: pool2d(x, 2, mode="sum"), "pool2d: input"),
    ],
    ids=["nearest", "bilinear", "max", "sum"],
)
def test_images_without_a_pixel_are_refused_alike_everywhere(where, build, place):
    x = pt.tensor("x", dtype="float32", shape=(None,) * 4)
    with pytest.raises(InputError) as caught:
        function([x], build(x), **where)(np.zeros((2, 3, 0, 4), "float32"))
    assert str(caught.value) == f"{place}: found shape (2, 3, 0, 4), expected at least one row and one column"


def test_negative_sizes_are_refused_alike_everywhere(where):
    x, switches = (pt.tensor(name, dtype=dtype, shape=(None,) * 4) for name, dtype in (("x", "float32"), ("switches", "int64")))
    size = x.shape[0] - 3  # of a shape, because JAX and MLX want sizes to be known
    f = function([x, switches], max_unpool2d_from_switches(x, switches, (size, size)), **where)
    with pytest.raises(InputError) as caught:
        f(np.zeros((1, 1, 1, 1), "float32"), np.zeros((1, 1, 1, 1), "int64"))
    assert str(caught.value) == "max_unpool2d_from_switches: shape: found (-2, -2), expected sizes of at least 0"


@pytest.mark.default_mode
@pytest.mark.parametrize("shape", [SHAPE, (None,) * 4], ids=["known", "unknown"])
def test_numba_takes_the_machine_code_from_its_cache(shape):
    def build():
        x = pt.tensor("x", dtype="float32", shape=shape)
        y = max_unpool2d(pool2d(x, 2), x, 2) + upsample2d(pool2d(x, (7, 6)), (7, 6), "bilinear")
        return function([x], [y, pool2d(x, 2, mode="sum"), images2neibs(x, 1)], backend="numba")

    build()
    assert compile_time(build()).cached


@pytest.fixture(scope="module")
def threaded():
    """Numba functions that use threads whatever the size of the images."""
    import numba

    from symae.kernels.pooling import max_pool, spread, sum_pool

    windows = pooling_windows("pool2d", 3, 2, 1, True)
    kernels = (
        max_pool(windows, "", "always", "float64"),
        sum_pool(windows, "pixels", "", "always", "float64"),
        spread(windows, "pixels", "", "always", "float64"),
    )
    return [numba.njit(kernel.py_func) for kernel in kernels]


@pytest.mark.default_mode
def test_threads_change_nothing(threaded):
    max_pool, sum_pool, spread = threaded
    value = odd_images((5, 3, 9, 8), "float64")
    x = pt.tensor4("x", dtype="float64")
    average = pool2d(x, 3, stride=2, pad=1, mode="average_exc_pad")
    outputs = [*max_pool2d_with_switches(x, 3, stride=2, pad=1), average, pt.grad(None, x, known_grads={average: average})]
    pooled, switches, mean, gradient = function([x], outputs, mode="FAST_COMPILE")(value)
    np.testing.assert_array_equal(max_pool(value)[0], pooled)
    np.testing.assert_array_equal(max_pool(value)[1], switches)
    np.testing.assert_allclose(sum_pool(value), mean, rtol=1e-12)
    np.testing.assert_allclose(spread(mean, 9, 8), gradient, rtol=1e-12)

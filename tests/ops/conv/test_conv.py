"""Convolution and its transpose: real Theano's numbers, PyTorch's numbers, and the same on every backend."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from golden.conv2d_cases import CASES, arrays
from golden.figures import read_arrays
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytensor.gradient import verify_grad

from symae import InputError, compile_time, function
from symae.compile.backends import BY_NAME
from symae.geometry.convolution import Geometry, normalised_border_mode
from symae.kernels import tuning
from symae.kernels.conv import polyphase, scattered
from symae.kernels.parallel.parts import threads_for
from symae.kernels.simd.register_strip import Strip
from symae.kernels.simd.register_tile import Tile
from symae.kernels.simd.vectors import Registers
from symae.ops.conv import Convolution, FilterGradient, InputGradient, conv2d, deconv2d
from symae.patches.numba_deferred_codegen import whole_programs
from symae.rewrites.registry import NATIVE

# (border_mode, subsample, filter_flip, dilation, groups), images, filters
TABLE = [
    (("valid", (1, 1), True, (1, 1), 1), (3, 4, 9, 8), (6, 4, 3, 4)),
    (("same", (2, 3), False, (2, 1), 2), (3, 4, 9, 8), (6, 2, 3, 4)),
    (("half", (2, 1), True, (1, 1), 1), (3, 4, 9, 8), (6, 4, 3, 5)),
    (((2, (1, 3)), (1, 2), True, (1, 2), 2), (3, 4, 9, 8), (6, 2, 3, 3)),
    (("full", (1, 1), False, (1, 1), 1), (3, 1, 9, 8), (1, 1, 5, 5)),
    (("valid", (1, 1), True, (1, 1), 1), (2, 3, 4, 5), (2, 3, 1, 1)),
    (("valid", (1, 1), True, (1, 1), 1), (2, 3, 4, 5), (2, 3, 4, 5)),
    (("valid", (5, 4), True, (1, 1), 1), (2, 3, 9, 9), (2, 3, 2, 2)),
    (("same", (1, 1), True, (1, 1), 1), (2, 16, 12, 12), (16, 16, 3, 3)),  # large enough for BLAS
    (("half", (2, 2), True, (1, 1), 2), (2, 16, 12, 12), (16, 8, 3, 3)),
    (("same", (1, 1), False, (1, 1), 1), (0, 2, 6, 6), (3, 2, 3, 3)),
    (("half", (1, 1), False, (2, 1), 2), (2, 16, 9, 10), (40, 8, 3, 3)),  # tiles that are not full
    (("half", (1, 1), True, (1, 2), 1), (2, 1, 9, 8), (9, 1, 2, 2)),  # more maps than a strip has, and short sums
]


def tensors(dtype="float64", shapes=((None,) * 4,) * 3):
    """Images, filters and maps; of unknown shapes, for which Numba has to compile both ways, with and without threads."""
    return [pt.tensor(name, dtype=dtype, shape=shape) for name, shape in zip("xWg", shapes, strict=True)]


def outputs(settings, x, W, g):
    """Return the convolution, both gradients of its product with g, and the transposed convolution of g."""
    y = conv2d(x, W, *settings)
    return [y, *pt.grad((y * g).sum(), [x, W]), deconv2d(g, W, *settings, output_shape=x.shape)]


def values(images, filters, settings, dtype="float64"):
    rng = np.random.default_rng(0)
    shape = conv2d(pt.zeros(images), pt.zeros(filters), *settings).type.shape
    return [rng.normal(size=s).astype(dtype) for s in (images, filters, shape)]


def close(got, expected, dtype="float64"):
    tolerance = {"float64": 1e-10, "float32": 1e-5}[dtype]
    for a, b in zip(got, expected, strict=True):
        scale = max(1.0, float(np.abs(b).max(initial=0)))
        np.testing.assert_allclose(np.asarray(a), b, rtol=tolerance, atol=tolerance * scale)
        assert np.asarray(a).dtype == dtype


@pytest.fixture(scope="module")
def theano():
    return read_arrays("conv2d")


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_theano(theano, name):
    border_mode, subsample, dilation, flip = CASES[name]
    images, filters, weights = arrays()
    x, W = pt.dtensor4(), pt.dtensor4()
    y = conv2d(x, W, border_mode, subsample, flip, dilation)
    cost = (y.flatten() * pt.constant(weights)[: y.size]).sum()
    got = function([x, W], [y, *pt.grad(cost, [x, W])])(images, filters)
    close(got, [theano[f"{name}: {key}"] for key in ("y", "x", "W")])


@pytest.mark.parametrize(("settings", "images", "filters"), TABLE)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_and_gradients_are_those_of_pytorch(settings, images, filters, dtype):
    torch = pytest.importorskip("torch")
    border_mode, subsample, flip, dilation, groups = settings
    x, W, g = values(images, filters, settings, dtype)
    inputs = tensors(dtype)
    got = function(list(inputs), outputs(settings, *inputs))(x, W, g)
    mode = normalised_border_mode(border_mode)
    rows, columns = (Geometry.of(mode, a, subsample, dilation).padding(images[2 + a], filters[2 + a]) for a in (0, 1))
    tx, tW = (torch.tensor(v, requires_grad=True) for v in (x, W))
    padded = torch.nn.functional.pad(tx, (*columns, *rows))
    y = torch.nn.functional.conv2d(padded, tW.flip(2, 3) if flip else tW, stride=subsample, dilation=dilation, groups=groups)
    (y * torch.tensor(g)).sum().backward()
    close(got, [y.detach().numpy(), tx.grad.numpy(), tW.grad.numpy(), tx.grad.numpy()], dtype)


@functools.cache
def expected(dtype, case):
    """Compute a case of the table by NumPy, which defines it."""
    settings, images, filters = TABLE[case]
    inputs, arguments = tensors(dtype), values(images, filters, settings, dtype)
    return arguments, function(list(inputs), outputs(settings, *inputs), mode="FAST_COMPILE")(*arguments)


@contextlib.contextmanager
def own_kernels():
    """No backend may fall back to NumPy here."""
    with pytest.MonkeyPatch.context() as patch:
        for op in (Convolution, InputGradient, FilterGradient):
            patch.setattr(op, "perform", lambda op, *_: pytest.fail(f"{op} ran in NumPy"))
        yield


def test_pytorch_puts_the_zeros_that_both_sides_have():
    x, W = pt.zeros((256, 32, 14, 14)), pt.zeros((64, 32, 5, 5))
    convolution = conv2d(x, W, "same", (2, 2)).owner.op
    assert convolution.torch_padding((256, 32, 14, 14), (64, 32, 5, 5)) == ((1, 1), (0, 1, 0, 1))


def check_table(backend, dtype, cases):
    inputs = [tensors(dtype, [value.shape for value in expected(dtype, case)[0]]) for case in cases]
    results = [o for i, case in zip(inputs, cases, strict=True) for o in outputs(TABLE[case][0], *i)]
    arguments = [v for case in cases for v in expected(dtype, case)[0]]
    kernels = BY_NAME[backend].one_program or NATIVE in BY_NAME[backend].needs
    with own_kernels() if kernels else contextlib.nullcontext():
        f = function([v for i in inputs for v in i], results, backend=backend)
        close(f(*arguments), [v for case in cases for v in expected(dtype, case)[1]], dtype)


@pytest.mark.parametrize("case", [9, pytest.param(11, marks=pytest.mark.default_mode)])
def test_every_backend_computes_what_numpy_defines(backend, case):
    check_table(backend, "float64", [case])


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("cases", [range(4), range(4, 8), range(8, 12)], ids=["strides", "edges", "large"])
def test_every_backend_computes_the_whole_table(backend, dtype, cases):
    with pytensor.config.change_flags(floatX=dtype):
        check_table(backend, dtype, cases)


@pytest.mark.skipif(importlib.util.find_spec("mlx") is None, reason="mlx is not installed")
@pytest.mark.parametrize("case", [0, 1, 3, 4, 8])
def test_mlx_computes_the_table(case):
    inputs = tensors("float32")
    f = function(list(inputs), outputs(TABLE[case][0], *inputs), backend="mlx")
    close(f(*expected("float32", case)[0]), expected("float32", case)[1], "float32")


def test_shapes_need_not_be_known_and_the_function_is_cacheable():
    def build():
        inputs = tensors()
        return function(list(inputs), outputs(TABLE[1][0], *inputs)[:3], backend="numba")

    arguments, want = expected("float64", 1)
    close(build()(*arguments), want[:3])
    assert compile_time(build()).cached


def test_arrays_of_any_layout_are_taken(compiled_when_called):
    (x, W, g), want = expected("float64", 1)
    inputs = tensors("float64", (x.shape, W.shape, g.shape))
    f = function(list(inputs), outputs(TABLE[1][0], *inputs)[:3], backend="numba")
    close(f(np.asfortranarray(x), np.repeat(W, 2, 3)[..., ::2], g[:, ::-1].copy()[:, ::-1]), want[:3])


@pytest.mark.table(3)
@pytest.mark.parametrize("infinite", range(3))
def test_infinities_come_through_numbas_loops(numba_on_one_image, infinite):
    """They must not meet the zeros that the loops put beside the values."""
    arguments = [np.random.default_rng(1).normal(size=shape) for shape in ((1, 1, 7, 7), (1, 1, 5, 5), (1, 1, 3, 3))]
    arguments[infinite][0, 0, 1, 2] = np.inf
    compiled, defined = numba_on_one_image
    for got, want in zip(compiled(*arguments), defined(*arguments), strict=True):
        np.testing.assert_array_equal(np.isfinite(got), np.isfinite(want))


@pytest.fixture(scope="module")
def numba_on_one_image():
    inputs = tensors("float64", ((1, 1, 7, 7), (1, 1, 5, 5), (1, 1, 3, 3)))
    results = outputs((("valid", (1, 1), False, (1, 1), 1)), *inputs)
    return function(list(inputs), results, backend="numba"), function(list(inputs), results, mode="FAST_COMPILE")


lengths = st.integers(1, 7)
sizes = st.tuples(lengths, lengths)


@given(
    data=st.data(),
    image=sizes,
    kernel=sizes,
    subsample=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    border_mode=st.sampled_from(["valid", "full", "half", "same"]) | st.tuples(st.integers(0, 3), st.integers(0, 3)),
    groups=st.integers(1, 2),
    flip=st.booleans(),
)
@hypothesis_settings(max_examples=25)  # each is a function of its own
def test_the_three_ops_are_adjoint_for_all_shapes(data, image, kernel, subsample, dilation, border_mode, groups, flip):
    images, filters = (data.draw(st.integers(0, 2)), 2 * groups, *image), (3 * groups, 2, *kernel)
    mode = normalised_border_mode(border_mode)
    assume(all(Geometry.of(mode, a, subsample, dilation).length(image[a], kernel[a]) >= 1 for a in (0, 1)))
    settings = (border_mode, subsample, flip, dilation, groups)
    x, W, g = values(images, filters, settings)
    inputs = tensors()
    y, dx, dW, _ = (np.asarray(v) for v in function(list(inputs), outputs(settings, *inputs))(x, W, g))
    assert y.shape == g.shape
    total = np.sum(y * g)
    np.testing.assert_allclose([np.sum(dx * x), np.sum(dW * W)], [total, total], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("which", ["conv2d", "deconv2d"])
def test_gradients_agree_with_finite_differences_to_the_second_order(which):
    x, W, g = values((1, 2, 4, 5), (2, 2, 3, 2), ("half", (2, 1)))

    def convolved(x, W):
        return conv2d(x, W, "half", (2, 1))

    def spread(y, W):
        return deconv2d(y, W, "half", (2, 1), output_shape=(4, 5))

    op, first = {"conv2d": (convolved, x), "deconv2d": (spread, g)}[which]
    verify_grad(op, [first, W], rng=np.random.default_rng(0))

    def gradient(a, b):
        return pt.concatenate([v.flatten() for v in pt.grad((op(a, b) ** 2).sum(), [a, b])])

    verify_grad(gradient, [first, W], rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("border_mode", "subsample", "places", "kernel", "extra", "size"),
    [
        ("valid", 1, 5, 3, 0, 7),
        ("valid", 3, 5, 3, 0, 15),
        ("valid", 3, 5, 3, 2, 17),
        ("half", 2, 5, 3, 1, 10),
        ("full", 1, 7, 3, 0, 5),
        ("same", 2, 5, 3, 0, 10),
        ("same", 2, 5, 3, 1, 9),
        (2, 1, 5, 5, 0, 5),
    ],
)
def test_the_size_of_a_transposed_convolution_leads_back(border_mode, subsample, places, kernel, extra, size):
    y, W = pt.zeros((1, 2, places, places)), pt.zeros((2, 3, kernel, kernel))
    spread = deconv2d(y, W, border_mode, subsample, output_padding=extra)
    assert spread.type.shape == (1, 3, size, size)
    assert conv2d(spread, W, border_mode, subsample).type.shape == (1, 2, places, places)


def test_static_shapes_are_known_and_symbolic_ones_work():
    x, W, _ = tensors()
    images, filters = (pt.tensor(shape=shape, dtype="float64") for shape in ((None, 1, 28, 28), (8, 1, 3, 3)))
    known = conv2d(images, filters, "same", 2)
    assert known.type.shape == (None, 8, 14, 14)
    y = conv2d(x, W, "same", (2, 3))
    f = function([x, W], [y.shape, deconv2d(y, W, "same", (2, 3), output_shape=x.shape[2:]).shape], mode="FAST_RUN")
    shape, back = f(np.zeros((2, 3, 9, 8)), np.zeros((4, 3, 3, 3)))
    assert (shape.tolist(), back.tolist()) == ([2, 4, 5, 3], [2, 3, 9, 8])
    assert not any(type(node.op).__name__ in {"Convolution", "InputGradient"} for node in f.maker.fgraph.toposort())


def test_integers_are_refused_and_precisions_are_mixed_upwards():
    for dtype in ("uint8", "float16"):
        with pytest.raises(TypeError, match=rf"found dtype {dtype}, expected float32 or float64; cast images with pt\.cast"):
            conv2d(pt.tensor4(dtype=dtype), pt.dtensor4())
    assert conv2d(pt.ftensor4(), pt.dtensor4()).type.dtype == "float64"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: conv2d(None, pt.dtensor4()), "input: found None, expected an array or a symbolic one"),
        (lambda: conv2d(pt.dtensor4(), "a"), "filters: found 'a', expected an array"),
        (lambda: deconv2d(KNOWN, pt.zeros((3, 4, 3, 3)), output_shape=(7.5, 8)), "size: found 7.5, expected an integer"),
        (
            lambda: deconv2d(KNOWN, pt.zeros((3, 4, 3, 3)), output_shape=(pt.dscalar("h"), 8)),
            "size: found h, expected an integer",
        ),
        (lambda: deconv2d(KNOWN, pt.zeros((3, 4, 3, 3)), output_shape=(None, 8)), "size: found None, expected an integer"),
    ],
)
def test_what_is_no_array_or_no_size_is_refused_by_name(build, message):
    with pytest.raises(TypeError, match=message):
        build()


@pytest.mark.skipif(importlib.util.find_spec("mlx") is None, reason="mlx is not installed")
@pytest.mark.parametrize(("images", "maps"), [((0, 2, 5, 5), 3), ((2, 0, 5, 5), 3), ((2, 2, 5, 5), 0)])
def test_mlx_survives_empty_arrays(images, maps):
    n, c = images[:2]
    inputs = tensors("float32")
    f = function(inputs, outputs((("same", (1, 1), True, (1, 1), 1)), *inputs), backend="mlx")
    y, x, W, back = f(*(np.ones(shape, "float32") for shape in (images, (maps, c, 3, 3), (n, maps, 5, 5))))
    assert [a.shape for a in (y, x, W, back)] == [(n, maps, 5, 5), images, (maps, c, 3, 3), images]
    assert not any(a.any() for a in (y, x, W, back))


KNOWN = pt.zeros((2, 3, 5, 6))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: conv2d(KNOWN, pt.zeros((4, 2, 3, 3))), r"found images of shape \(2, 3, 5, 6\), expected 2 channels"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 6, 3))), "expected filters no larger than the padded image"),
        (lambda: conv2d(KNOWN, pt.zeros((3, 3, 3, 3)), groups=2), "expected 6 channels"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), subsample=0), "subsample: found 0, expected an integer of at least 1"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), subsample=(1, -2)), "subsample"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), dilation=(1, 2, 3)), "dilation"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), border_mode="sane"), "border_mode: found 'sane', expected one of valid"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), border_mode=-1), "border_mode: found -1"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), groups=0), "groups: found 0"),
        (lambda: conv2d(KNOWN, pt.dmatrix()), "found 2 dimensions, expected 4"),
        (lambda: deconv2d(KNOWN, pt.zeros((3, 4, 3, 3)), output_shape=(9, 8)), r"found maps of shape \(2, 3, 5, 6\), expected"),
        (lambda: deconv2d(KNOWN, pt.zeros((2, 4, 3, 3))), "found maps of shape"),
        (lambda: deconv2d(KNOWN, pt.zeros((3, 4, 9, 9)), "full"), "images of no negative size"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 0, 3)), "full"), "filters of at least one row and column"),
        (
            lambda: deconv2d(KNOWN, pt.zeros((3, 4, 3, 3)), output_shape=(9,)),
            r"output_shape: found \(9,\), expected \(h, w\) or \(n, c, h, w\)",
        ),
        (lambda: deconv2d(KNOWN, pt.zeros((3, 4, 3, 3)), output_shape=7), "output_shape: found 7, expected"),
        (lambda: deconv2d(KNOWN, pt.zeros((3, 4, 3, 3)), output_shape="88"), "output_shape: found 88, expected"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), subsample=True), "subsample: found True"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), filter_flip="no"), "filter_flip: found 'no', expected True or False"),
        (lambda: conv2d(KNOWN, pt.zeros((4, 3, 3, 3)), groups=True), "groups: found True"),
        (lambda: deconv2d(KNOWN, pt.zeros((3, 4, 3, 3)), subsample=2, output_padding=2), "less than the subsample, 2"),
    ],
)
def test_impossible_convolutions_are_refused_when_the_graph_is_built(build, message):
    with pytest.raises(InputError, match=message):
        build()


def test_impossible_shapes_are_refused_when_the_function_runs(backend):
    x, W, g = tensors()
    settings = TABLE[1][0]
    f = function([x, W], conv2d(x, W, *settings), backend=backend)
    with pytest.raises(ValueError, match=r"images of shape \(2, 3, 5, 6\)"):
        f(np.zeros((2, 3, 5, 6)), np.zeros((4, 2, 3, 3)))
    spread = function([g, W], deconv2d(g, W, *settings, output_shape=(8, 8)), backend=backend)
    with pytest.raises(ValueError, match="found maps of shape"):
        spread(np.zeros((2, 4, 5, 6)), np.zeros((4, 2, 3, 3)))


# The gradient of a strided convolution by phases or elements, on shapes that the compiled kernels take when they run

PHASES = {
    "2 x 3": ((2, 3), polyphase.direct_input_gradient, Strip(lanes=4, vectors=2, maps=1)),
    "3 x 2, by tiles that are not full": ((3, 2), polyphase.input_gradient, Tile(4, 2, 3)),
    "2 x 3, by elements of the filters": ((2, 3), scattered.input_gradient, Tile(4, 2, 3)),
}


@pytest.fixture(scope="module", params=PHASES.values(), ids=PHASES)
def in_phases(request):
    """Return a stride, and the kernel for it: (W, y, top, left, padded height and width, groups, x); it fills x."""
    import numba

    stride, make, piece = request.param
    kernel = make((*stride, 1, 1), "never", piece)

    @numba.njit
    def spread(W, y, top, left, height, width, groups, x):
        kernel(W, y, top, left, height, width, groups, x)

    return stride, spread


def spread_both_ways(in_phases, border_mode, images, kernel, groups, change=None):
    """Return what the kernel and what NumPy make of maps of that convolution."""
    stride, spread = in_phases
    op = InputGradient(normalised_border_mode(border_mode), stride, filter_flip=False, groups=groups)
    n, channels_per_group, maps, *image = images
    x, filters = (n, channels_per_group * groups, *image), (maps * groups, channels_per_group, *kernel)
    rng = np.random.default_rng(0)
    W, y = rng.normal(size=filters), rng.normal(size=(n, maps * groups, *(op._length(a, x, filters) for a in (0, 1))))
    if change is not None:
        change(W, y)
    got, wanted = np.full(x, np.nan), [[None]]
    with np.errstate(invalid="ignore"):
        op.perform(None, [W, y, *image], wanted)
    with whole_programs():  # compiled as within functions
        spread(W, y, *op.padded(x, filters), groups, got)
    return got, wanted[0][0]


def fits(in_phases, border_mode, image, kernel):
    stride, mode = in_phases[0], normalised_border_mode(border_mode)
    return all(Geometry.of(mode, a, stride, (1, 1)).length(image[a], kernel[a]) >= 1 for a in (0, 1))


border_modes = st.sampled_from(["valid", "full", "half", "same"]) | st.tuples(st.integers(0, 3), st.integers(0, 3))


@given(
    counts=st.tuples(st.integers(0, 2), st.integers(1, 5), st.integers(1, 5)),
    image=sizes,
    kernel=sizes,
    border_mode=border_modes,
    groups=st.integers(1, 2),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.filter_too_much])
@pytest.mark.default_mode
def test_phases_give_the_gradient_for_all_shapes(in_phases, counts, image, kernel, border_mode, groups):
    assume(fits(in_phases, border_mode, image, kernel))
    got, wanted = spread_both_ways(in_phases, border_mode, (*counts, *image), kernel, groups)
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.table(4)
@pytest.mark.parametrize(
    ("border_mode", "image", "kernel"),
    [
        ("valid", (7, 7), (1, 1)),  # phases that no element of the filters sees
        ("same", (5, 4), (1, 2)),
        ("valid", (1, 1), (1, 1)),  # phases without a pixel
        ((3, 3), (1, 2), (5, 4)),
        ("full", (2, 1), (7, 6)),  # most elements see nothing but padding
        ("valid", (6, 6), (3, 3)),  # pixels at the end that nothing sees
        (((0, 3), (2, 0)), (4, 5), (3, 2)),
    ],
)
@pytest.mark.parametrize("infinite", [False, True])
def test_phases_that_are_empty_and_weights_that_are_infinite(in_phases, border_mode, image, kernel, infinite):
    def change(W, y):
        if infinite:  # it must not meet the zeros around the maps
            W[0, 0, 0, -1], W[-1, -1, -1, 0] = np.inf, np.nan

    got, wanted = spread_both_ways(in_phases, border_mode, (2, 3, 2, *image), kernel, 2, change)
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


def test_an_infinite_gradient_stays_where_it_belongs(in_phases):
    def change(W, y):
        y[0, 0, 1, 0], y[1, 1, 0, 1] = np.inf, np.nan

    got, wanted = spread_both_ways(in_phases, "half", (2, 3, 2, 6, 6), (3, 3), 1, change)
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("images", "filters", "kernel", "enough"),
    [
        pytest.param(
            (2, 3, 8, 7), (4, 3, 3, 3), polyphase.direct_input_gradient, 10**9, id="direct", marks=pytest.mark.default_mode
        ),
        pytest.param((2, 8, 8, 7), (4, 8, 3, 3), polyphase.input_gradient, 1, id="tiles in threads"),
    ],
)
def test_the_gradient_of_a_strided_convolution_is_computed_by_phases(monkeypatch, images, filters, kernel, enough):
    monkeypatch.setattr("symae.kernels.tuning.CONVOLUTION", replace(tuning.CONVOLUTION, multiplications_for_threads=enough))
    monkeypatch.setattr("symae.kernels.simd.vectors.vector_registers", lambda: Registers(16, 32))
    arguments = values(images, filters, ("same", (2, 2)), "float32")
    inputs = tensors("float32", [v.shape for v in arguments])
    x, W, g = inputs
    gradient = pt.grad(None, x, known_grads={conv2d(x, W, "same", (2, 2)): g})
    f = function(inputs, gradient, backend="numba", on_unused_input="ignore")
    (node,) = (node for node in f.maker.fgraph.toposort() if isinstance(node.op, InputGradient))
    choice = node.op.choice(node)
    assert choice.make is kernel
    assert choice.arguments[1] == threads_for([2], enough)
    wanted = function(inputs, gradient, mode="FAST_COMPILE", on_unused_input="ignore")(*arguments)
    close([f(*arguments)], [wanted], "float32")

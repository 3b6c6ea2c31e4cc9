"""Sparse convolutions are the ordinary ones and an unpooling, or a look at the switches, in one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import InputError, function
from symae.kernels import tuning
from symae.kernels.conv.select import has_sparse_kernel
from symae.kernels.parallel.parts import threads_for
from symae.kernels.simd.patch import Patch
from symae.kernels.simd.vectors import Registers
from symae.ops.conv import Convolution, FilterGradient, InputGradient
from symae.ops.conv.sparse import SparseConvolution, SparseFilterGradient, SparseInputGradient
from symae.ops.pooling.switches import PutAtSwitches, TakeAtSwitches

# (border_mode, subsample, filter_flip), images, filters, values for each map
TABLE = {
    "worksheet 03": (("half", (1, 1), False), (3, 1, 12, 12), (2, 1, 5, 5), (3, 3)),
    "channels and a flip": (("same", (1, 1), True), (2, 3, 7, 9), (4, 3, 3, 4), (2, 5)),
    "strides": ((((2, 2), (1, 3)), (2, 3), True), (2, 2, 11, 10), (3, 2, 2, 3), (4, 1)),
    "a row as long as a vector": (("valid", (1, 2), False), (2, 4, 8, 9), (2, 4, 3, 4), (2, 2)),
    "rows of several vectors, many rows": (("full", (1, 1), True), (2, 9, 5, 6), (2, 9, 6, 7), (3, 2)),
    "one pixel": (("valid", (1, 1), True), (2, 1, 3, 3), (1, 1, 1, 1), (1, 2)),
    "no images": (("half", (1, 1), False), (0, 2, 6, 6), (3, 2, 3, 3), (2, 2)),
    "no values": (("half", (1, 1), False), (2, 2, 6, 6), (3, 2, 3, 3), (0, 2)),
}


def drawn(name, dtype="float64"):
    """Images, filters, values and switches of a case; some switches coincide, and some values are zero."""
    (border_mode, subsample, flip), images, filters, counts = TABLE[name]
    rng = np.random.default_rng(0)
    rows, columns = Convolution(border_mode, subsample, flip)(pt.zeros(images), pt.zeros(filters)).type.shape[2:]
    shape = (images[0], filters[0], *counts)
    switches = rng.integers(0, rows * columns, shape)
    switches[:, :, :1, 1:2] = switches[:, :, :1, :1]
    values = rng.normal(size=shape) * (rng.random(shape) < 0.7)
    return [*(rng.normal(size=s).astype(dtype) for s in (images, filters)), values.astype(dtype), switches], (rows, columns)


def tensors(arrays):
    return [pt.tensor(dtype=a.dtype, shape=a.shape) for a in arrays]


def sparse(settings, inputs, maps):
    """All three, of images, filters, values and switches."""
    x, W, v, s = inputs
    return [
        SparseConvolution(*settings)(x, W, s),
        SparseInputGradient(*settings)(W, v, s, *maps, *x.type.shape[2:]),
        SparseFilterGradient(*settings)(x, v, s, *maps, *W.type.shape[2:]),
    ]


def ordinary(settings, inputs, maps):
    """Compute the outputs by ordinary convolutions."""
    x, W, v, s = inputs
    unpooled = PutAtSwitches()(v, s, *maps)
    return [
        TakeAtSwitches()(Convolution(*settings)(x, W), s),
        InputGradient(*settings)(W, unpooled, *x.type.shape[2:]),
        FilterGradient(*settings)(x, unpooled, *W.type.shape[2:]),
    ]


def close(got, expected, dtype="float64"):
    tolerance = {"float64": 1e-12, "float32": 1e-5}[dtype]
    for a, b in zip(got, expected, strict=True):
        finite = np.abs(b[np.isfinite(b)])
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * float(finite.max(initial=1)))
        assert a.dtype == dtype


def computed(build, name, arrays, backend=None):
    inputs = tensors(arrays)
    return function(inputs, build(TABLE[name][0], inputs, drawn(name)[1]), backend=backend)(*arrays)


@pytest.mark.parametrize("name", TABLE)
def test_gradients_are_those_of_the_ordinary_ops_to_second_order(name):
    arrays, maps = drawn(name)
    inputs = tensors(arrays)

    def gradients(build):
        convolved, deconvolved, filters = (
            pt.grad(pt.sqr(y).sum(), inputs[:3], disconnected_inputs="ignore") for y in build(TABLE[name][0], inputs, maps)
        )
        second = pt.grad(sum(pt.sqr(g).sum() for g in convolved[:2]), inputs[:2])
        return [*convolved[:2], *deconvolved[1:], filters[0], filters[2], *second]

    wanted = function(inputs, gradients(ordinary))(*arrays)
    for a, b in zip(function(inputs, gradients(sparse))(*arrays), wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * float(np.abs(b).max(initial=1)))


# a case takes eight seconds on both backends: most are compiled with what takes long
CASES = [
    ("worksheet 03", "float64"),
    ("rows of several vectors, many rows", "float32"),
    *(pytest.param(name, "float64", marks=pytest.mark.default_mode) for name in TABLE if name != "worksheet 03"),
]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_kernels_compute_what_the_ordinary_ops_do(name, dtype, native_backend):
    arrays, _ = drawn(name, dtype)
    close(computed(sparse, name, arrays, native_backend), computed(ordinary, name, arrays), dtype)


@pytest.mark.default_mode
def test_threads_share_the_images_and_short_vectors_do_as_well(monkeypatch):
    monkeypatch.setattr("symae.kernels.tuning.CONVOLUTION", replace(tuning.CONVOLUTION, multiplications_for_threads=1))
    monkeypatch.setattr("symae.kernels.simd.vectors.vector_registers", lambda: Registers(0, 0))
    name = "rows of several vectors, many rows"
    arrays, maps = drawn(name)
    inputs = tensors(arrays)
    nodes = [y.owner for y in sparse(TABLE[name][0], inputs, maps)]
    threads, patch = threads_for([2], 1), Patch(rows=6, length=63, lanes=2, vectors=32)
    assert [node.op.choice(node).arguments[1:] for node in nodes] == [(threads, patch)] * 3
    close(computed(sparse, name, arrays, "numba"), computed(ordinary, name, arrays))


def kernels(name, backend):
    """All three, compiled; and what NumPy says."""
    (arrays, maps), settings = drawn(name), TABLE[name][0]
    inputs = tensors(arrays)
    taken_as_they_are = [pytensor.In(v, borrow=True) for v in inputs]
    plain = function(inputs, ordinary(settings, inputs, maps))
    return function(taken_as_they_are, sparse(settings, inputs, maps), backend=backend), plain


def test_what_is_not_finite_spreads_as_far_as_in_full_maps(native_backend):
    f, plain = kernels("worksheet 03", native_backend)
    for which in range(3):
        for value in (np.inf, np.nan):
            arrays = drawn("worksheet 03")[0]
            arrays[which][-1, 0, 1, 2] = value
            with np.errstate(invalid="ignore"):
                wanted = plain(*arrays)
            assert not all(np.isfinite(w).all() for w in wanted)
            close(f(*arrays), wanted)


def test_arrays_of_any_layout_are_taken(native_backend, compiled_when_called):
    f, plain = kernels("channels and a flip", native_backend)
    arrays = drawn("channels and a flip")[0]
    layouts = [np.asfortranarray, lambda a: np.repeat(a, 2, 3)[..., ::2], lambda a: a[:, ::-1].copy()[:, ::-1]]
    # Numba compiles for each combination, so each array comes in one layout there, no two beside one another in the same
    for first in range(1 if native_backend == "numba" else 3):
        close(f(*(layouts[(first + k) % 3](a) for k, a in enumerate(arrays))), plain(*arrays))


def test_what_does_not_fit_is_refused_in_the_words_of_the_ordinary_ops(native_backend):
    x, W, v, s = (
        pt.tensor(dtype=d, shape=shape)
        for d, shape in (
            ("float64", (None, 2, None, None)),
            ("float64", (None, 2, 3, 3)),
            ("float64", (None,) * 4),
            ("int64", (None,) * 4),
        )
    )
    rows, h = pt.lscalar("rows"), pt.lscalar("h")
    settings = ("valid", (1, 1), True)
    results = [
        SparseConvolution(*settings)(x, W, s),
        SparseInputGradient(*settings)(W, v, s, rows, rows, h, h),
        SparseFilterGradient(*settings)(x, v, s, rows, rows, 3, 3),
    ]
    compiled = [function([x, W, v, s, rows, h], y, backend=native_backend, on_unused_input="ignore") for y in results]
    defined = [function([x, W, v, s, rows, h], y, on_unused_input="ignore") for y in results]
    good = [np.ones((2, 2, 6, 6)), np.ones((3, 2, 3, 3)), np.ones((2, 3, 2, 2)), np.full((2, 3, 2, 2), 15), 4, 6]
    for f, plain in zip(compiled, defined, strict=True):
        np.testing.assert_allclose(f(*good), plain(*good))
    switch, negative = good[3].copy(), good[3].copy()
    switch[1, 2, 1, 0], negative[0, 1, 0, 1] = 16, -1
    bad = {
        "a switch too large": {3: switch},
        "a negative one": {3: negative},
        "no value for some": {3: good[3][:, :, :1]},
        "other maps": {1: np.ones((4, 2, 3, 3)), 2: np.ones((2, 5, 2, 2)), 3: np.full((2, 5, 2, 2), 15)},
        "other sizes": {4: 3, 5: 7},
        "small images": {0: np.ones((2, 2, 2, 2)), 5: 2},
    }
    for changes in bad.values():
        arguments = [changes.get(k, value) for k, value in enumerate(good)]
        for f, plain in zip(compiled, defined, strict=True):
            try:
                wanted = plain(*arguments)
            except InputError as error:
                text = str(error).partition("\n")[0]
                with pytest.raises(ValueError, match=r"found .*, expected") as refused:
                    f(*arguments)
                if "pooled" not in str(refused.value):  # which NumPy sees in another order
                    assert text in str(refused.value)
            else:
                np.testing.assert_allclose(f(*arguments), wanted)


@pytest.mark.parametrize(
    ("settings", "filters"),
    [
        (("valid", (1, 1), True, (1, 2)), (2, 2, 3, 3)),
        (("valid", (1, 1), True, (1, 1), 2), (2, 2, 3, 3)),
        (("valid", (1, 1), True), (2, None, 3, 3)),
        (("valid", (1, 1), True), (2, 2, 3, None)),
        (("valid", (1, 1), True), (2, 64, 3, 7)),
    ],
)
def test_some_settings_have_no_kernel(settings, filters):
    op = Convolution(*settings)
    assert not has_sparse_kernel(filters, op.dilation, op.groups)
    assert has_sparse_kernel((None, 2, 3, 3), (1, 1), 1)


def test_other_backends_say_that_they_have_none():
    pytest.importorskip("jax")
    arrays, maps = drawn("worksheet 03")
    inputs = tensors(arrays)
    with pytest.raises(NotImplementedError, match="SparseConvolution has no jax kernel"):
        function(inputs, sparse(TABLE["worksheet 03"][0], inputs, maps)[0], backend="jax", on_unused_input="ignore")(*arrays)

"""An index just outside of its axis is an error that names it, however it is used, on every backend; one inside is none."""

from __future__ import annotations

import functools

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.graph.basic import Variable

from symae import function
from symae.compile.backends import BY_NAME

V, X, T = np.arange(5.0), np.arange(12.0).reshape(4, 3), np.arange(24.0).reshape(2, 3, 4)


def write(x, at, y, add):
    if isinstance(x, Variable):
        return (pt.inc_subtensor if add else pt.set_subtensor)(x[at], y)
    x = x.copy()
    if add:
        np.add.at(x, at, y)
    else:
        x[at] = y
    return x


def inc(x, *at):
    return write(x, at, 7.0, add=True)


def set_(x, *at):
    return write(x, at, 7.0, add=False)


def sum_over_rows(x, i):
    """Take the gradient of a look-up."""
    return pt.grad(x[i].sum(), x) if isinstance(x, Variable) else write(0 * x, i, 1.0, add=True)


def sum_of_squares(x, i, j):
    """Take the gradient of a function of entries, as a log-likelihood is one."""
    return pt.grad((x[i, j] ** 2).sum(), x) if isinstance(x, Variable) else write(0 * x, (i, j), 2 * x[i, j], add=True)


ALL = slice(None)
# What is computed from arrays and two vectors of indices, and for each vector the axis that it is for with its size.
CASES = {
    "entries": (lambda v, x, t, i, j: v[i], [(0, 5)]),
    "entries set": (lambda v, x, t, i, j: set_(v, i), [(0, 5)]),
    "entries increased": (lambda v, x, t, i, j: inc(v, i), [(0, 5)]),
    "rows": (lambda v, x, t, i, j: x[i], [(0, 4)]),
    "rows set": (lambda v, x, t, i, j: set_(x, i), [(0, 4)]),
    "rows increased": (lambda v, x, t, i, j: inc(x, i), [(0, 4)]),
    "columns": (lambda v, x, t, i, j: x[:, i], [(1, 3)]),
    "columns increased": (lambda v, x, t, i, j: inc(x, ALL, i), [(1, 3)]),
    "pairs": (lambda v, x, t, i, j: x[i, j], [(0, 4), (1, 3)]),
    "pairs set": (lambda v, x, t, i, j: set_(x, i, j), [(0, 4), (1, 3)]),
    "pairs increased": (lambda v, x, t, i, j: inc(x, i, j), [(0, 4), (1, 3)]),
    "pairs around a slice": (lambda v, x, t, i, j: t[i, :, j], [(0, 2), (2, 4)]),
    "beside a slice": (lambda v, x, t, i, j: t[1:, i], [(1, 3)]),
    "beside a slice, increased": (lambda v, x, t, i, j: inc(t, slice(1, None), i), [(1, 3)]),
    "a matrix of indices": (lambda v, x, t, i, j: v[i.reshape((1, 3))], [(0, 5)]),
    "a row": (lambda v, x, t, i, j: x[i[2]], [(0, 4)]),
    "a column": (lambda v, x, t, i, j: x[:, i[2]], [(1, 3)]),
    "a row set": (lambda v, x, t, i, j: set_(x, i[2]), [(0, 4)]),
    "an entry increased": (lambda v, x, t, i, j: inc(x, i[2], j[2]), [(0, 4), (1, 3)]),
    "a number and a vector": (lambda v, x, t, i, j: t[i[2], :, j], [(0, 2), (2, 4)]),
    "gradient of a look-up": (lambda v, x, t, i, j: sum_over_rows(x, i), [(0, 4)]),
    "gradient of entries": (lambda v, x, t, i, j: sum_of_squares(x, i, j), [(0, 4), (1, 3)]),
}
# where PyTensor's own ops have taken x[:, i] for x.T[i].T before anybody looks at the index
TRANSPOSED = {"columns", "columns increased", "beside a slice, increased"}
OUTSIDE = [(name, k, sign) for name, (_, axes) in CASES.items() for k in range(len(axes)) for sign in (1, -1)]


def inside(size):
    """Return the first and the last index of an axis, the latter in both ways."""
    return np.array([-size, size - 1, -1])


@pytest.fixture(scope="module")
def others(every_backend):
    """Constants, masks, what is written, slices of slices, short integers and empty axes, as they are used with symbols."""
    v, x = (pt.tensor(name, dtype="float32", shape=(None,) * n) for name, n in (("v", 1), ("x", 2)))
    mask, rows, i, s = pt.vector(dtype="bool"), pt.fmatrix("rows"), pt.lvector("i"), pt.lscalar("s")
    small, byte = pt.vector("small", dtype="int8"), pt.vector("byte", dtype="uint8")
    expressions = {
        "constant": ([x], x[5]),
        "constants": ([x], x[[0, 5]]),
        "pairs of constants": ([x], x[[0, 1], [0, 3]]),
        "mask": ([v, mask], pt.set_subtensor(v[mask], 7.0)),
        "mask of rows": ([x, mask], pt.inc_subtensor(x[mask], 7.0)),
        "rows": ([x, i, rows], pt.inc_subtensor(x[i], rows)),
        "slice": ([x, rows], pt.inc_subtensor(x[2:], rows)),
        "columns beside a slice": ([x, i, rows], pt.inc_subtensor(x[1:, i], rows)),
        "all": ([x, rows], pt.set_subtensor(x[:], rows)),
        "all increased": ([x, rows], pt.inc_subtensor(x[:], rows)),
        "slice of a slice": ([v, s], v[:3][s]),
        "int8": ([v, small], v[small]),
        "uint8": ([v, byte], v[byte]),
    }

    @functools.cache
    def compiled(name):
        inputs, y = expressions[name]
        return function(inputs, y, backend=every_backend)

    return lambda name, *values: compiled(name)(*values)


def floats(*shape):
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("constant", (4, 3), "index 5 is out of bounds for axis 0 with size 4"),
        ("constants", (4, 3), "index 5 is out of bounds for axis 0 with size 4"),
        ("pairs of constants", (4, 3), "index 3 is out of bounds for axis 1 with size 3"),
    ],
)
def test_a_constant_outside_is_an_index_error(others, name, shape, message):
    assert others(name, floats(6, 4)).dtype == "float32"
    with pytest.raises(IndexError, match=message):
        others(name, floats(*shape))


def test_a_mask_has_the_shape_of_its_axis(others):
    v = floats(5)
    np.testing.assert_array_equal(others("mask", v, v > 2), [0, 1, 2, 7, 7])
    for length in (1, 4, 6):
        with pytest.raises(IndexError, match=f"size of axis is 5 but size of corresponding boolean axis is {length}"):
            others("mask", v, floats(length) > 2)


def test_a_mask_of_rows_is_none_of_columns(others):
    x = np.zeros((3, 3), "float32")
    np.testing.assert_array_equal(others("mask of rows", x, np.array([True, False, True])), [[7] * 3, [0] * 3, [7] * 3])


def test_rows_that_do_not_fit_are_not_cut(others):
    x, at = np.zeros((4, 3), "float32"), np.array([1, 1])
    np.testing.assert_array_equal(others("rows", x, at, floats(2, 3)), [[0, 0, 0], [3, 5, 7], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(others("slice", x, floats(2, 3))[2:], floats(2, 3))
    for shape in ((3, 3), (2, 2), (1, 2)):
        with pytest.raises(ValueError, match="broadcast"):
            others("rows", x, at, floats(*shape))
        for name in ("slice", "all", "all increased"):
            with pytest.raises(ValueError, match="broadcast"):
                others(name, x, floats(*shape))


def test_columns_that_come_twice_are_increased_twice_beside_a_slice(others):
    x = np.zeros((3, 2), "float32")
    np.testing.assert_array_equal(
        others("columns beside a slice", x, np.array([1, 1, 0]), floats(2, 3)), [[0, 0], [2, 1], [5, 7]]
    )


def test_all_of_an_array_keeps_its_shape(others):
    x, row = floats(4, 3), floats(1, 3)
    np.testing.assert_array_equal(others("all", x, 2 * x), 2 * x)
    np.testing.assert_array_equal(others("all", x, row), [row[0]] * 4)
    np.testing.assert_array_equal(others("all increased", x, row), x + row)


def test_a_slice_ends_where_it_ends(others):
    assert [others("slice of a slice", floats(5), s) for s in (0, 2, -1, -3)] == [0, 2, 2, 0]
    for s in (3, -4):
        with pytest.raises(IndexError, match=f"index {s} is out of bounds for axis 0 with size 3"):
            others("slice of a slice", floats(5), s)


def test_an_axis_may_be_longer_than_the_index_type_counts(others):
    v = floats(1000)
    np.testing.assert_array_equal(others("int8", v, np.array([127, -128], "int8")), [127, 872])
    with pytest.raises(IndexError, match="index 100 is out of bounds for axis 0 with size 100"):
        others("int8", v[:100], np.array([0, 100], "int8"))


def test_bytes_are_indices(others):
    np.testing.assert_array_equal(others("uint8", floats(5), np.array([0, 4, 1, 1, 1], "uint8")), [0, 4, 1, 1, 1])
    with pytest.raises(IndexError, match="index 255 is out of bounds for axis 0 with size 5"):
        others("uint8", floats(5), np.array([0, 255], "uint8"))
    np.testing.assert_array_equal(others("uint8", floats(5), np.array([0, 3], "uint8")), [0, 3])
    with pytest.raises(IndexError, match="index 5 is out of bounds for axis 0 with size 5"):  # of a length that was met before
        others("uint8", floats(5), np.array([0, 5], "uint8"))


def test_an_index_without_a_sign_is_told_as_it_is():
    v = pt.vector("v", dtype="float32")
    for dtype in ("int8", "uint8", "int64", "uint64"):  # that the first of each width has a sign is what matters
        i, largest = pt.vector("i", dtype=dtype), int(np.iinfo(dtype).max)
        with pytest.raises(IndexError, match=f"index {largest} is out of bounds for axis 0 with size 5"):
            function([v, i], v[i], backend="numba")(floats(5), np.array([0, largest], dtype))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_an_empty_axis_has_no_index(others, dtype):
    with pytest.raises(IndexError, match=r"index 0 is out of bounds for axis 0 with size 0|empty axes"):
        others(dtype, floats(0), np.array([0], dtype))
    assert others(dtype, floats(0), np.zeros(0, dtype)).size == 0


class Table:
    """One compiled function for all cases, each with indices of its own."""

    def __init__(self, backend):
        self.backend = backend
        arrays = [pt.tensor(name, dtype="float32", shape=(None,) * a.ndim) for name, a in zip("vxt", (V, X, T), strict=True)]
        indices = {name: [pt.lvector() for _ in "ij"] for name in CASES}
        outputs = [CASES[name][0](*arrays, *indices[name]) for name in CASES]
        inputs = [*arrays, *(i for pair in indices.values() for i in pair)]
        self.compiled = function(inputs, outputs, backend=backend, on_unused_input="ignore")

    def __call__(self, changed=None):
        given = {name: [inside(size) for _, size in (*CASES[name][1], (0, 1))][:2] for name in CASES}
        given |= changed or {}
        results = self.compiled(*(a.astype("float32") for a in (V, X, T)), *(i for pair in given.values() for i in pair))
        return dict(zip(CASES, results, strict=True))


@pytest.fixture(scope="module")
def table(every_backend):
    with pytest.MonkeyPatch.context() as patch:
        if every_backend == "pytorch":  # its compiler takes a minute for the whole table; the tests above have it compile some
            patch.setattr("torch.compile", lambda function, *_, **__: function)
        return Table(every_backend)


def test_the_first_and_the_last_index_count_from_both_ends(table):
    for name, got in table().items():
        of_arrays, axes = CASES[name]
        i, j = [inside(size) for _, size in (*axes, (0, 1))][:2]
        np.testing.assert_allclose(got, of_arrays(V, X, T, i, j), err_msg=name)


@pytest.mark.parametrize(("name", "which", "sign"), OUTSIDE, ids=str)
def test_an_index_just_outside_is_an_error_that_names_it(table, name, which, sign):
    axes = CASES[name][1]
    indices = [inside(size) for _, size in (*axes, (0, 1))][:2]
    axis, size = axes[which]
    indices[which][2] = outside = size if sign > 0 else -size - 1
    told = "[01]" if name in TRANSPOSED and not BY_NAME[table.backend].one_program else axis
    with pytest.raises(IndexError, match=f"index {outside} is out of bounds for axis {told} with size {size}"):
        table({name: indices})


@pytest.mark.parametrize("dtype", ["uint8", "uint32"])
def test_indices_without_a_sign_are_numbers_on_every_backend(every_backend, dtype):
    """PyTorch takes a number of type uint8 for a mask."""
    cases = [CASES[name][0] for name in ("a row", "a column", "a row set", "an entry increased", "a number and a vector")]
    arrays = [array.astype("float32") for array in (V, X, T)]
    i, number = pt.vector("i", dtype=dtype), pt.scalar("number", dtype=dtype)
    constants = [pt.constant(array) for array in arrays]
    looked_up = [case(*constants, i, i) for case in cases] + [constants[1][number], constants[1][:, number]]
    places = np.array([1, 0, 1], dtype)
    found = function([i, number], looked_up, backend=every_backend)(places, np.array(2, dtype))
    expected = [case(*arrays, places, places) for case in cases] + [arrays[1][2], arrays[1][:, 2]]
    for one, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, wanted)

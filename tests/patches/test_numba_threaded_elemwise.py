"""Threads share the loops of large elementwise functions, and nothing comes out different."""

from __future__ import annotations

import ctypes
import inspect

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.scalar.basic import UnaryScalarOp, upgrade_to_float
from pytensor.tensor.elemwise import Elemwise

import symae

ROWS, COLUMNS = 67, 8000  # as many numbers as make it worthwhile


def numba_function(inputs, outputs, **options):
    return symae.function(inputs, outputs, backend="numba", **options)


class WhoComputes(UnaryScalarOp):
    """A number of the thread that computes, as the system has it; raises for numbers below -100."""

    def impl(self, x):
        return 0.0


@pytest.fixture(scope="module")
def who():
    from llvmlite import binding
    from numba.core import types
    from pytensor.link.numba.dispatch import basic

    address = ctypes.cast(ctypes.pythonapi.PyThread_get_thread_ident, ctypes.c_void_p).value
    binding.add_symbol("PyThread_get_thread_ident", address)
    identity = types.ExternalFunction("PyThread_get_thread_ident", types.uint64())

    @basic.register_funcify_and_cache_key(WhoComputes)
    def _(op, **_):
        @basic.numba_njit
        def who_computes(x):
            if x < -100:
                raise ValueError("a number below -100")
            return identity() % 1_000_003 + 0.0

        return who_computes, "identity of the thread"

    x = pt.dmatrix("x")
    return numba_function([x], Elemwise(WhoComputes(upgrade_to_float))(x))


def test_each_thread_computes_rows_of_a_large_array(who):
    from symae.kernels.parallel.parts import THREADS

    threads = set()
    for _ in range(500):  # on a busy machine the caller may have done all before another thread gets a core
        computed_by = who(np.zeros((ROWS, COLUMNS)))
        assert (computed_by == computed_by[:, :1]).all()
        threads |= set(np.unique(computed_by))
        if len(threads) == THREADS:
            break
    assert len(threads) == THREADS


def test_one_thread_computes_a_small_array(who):
    assert len(np.unique(who(np.zeros((8, 6))))) == 1


@pytest.mark.parametrize("row", [0, ROWS - 1])
def test_what_a_thread_raises_is_raised(who, row):
    x = np.zeros((ROWS, COLUMNS))
    x[row, 3] = -101
    with pytest.raises(ValueError, match="a number below -100"):
        who(x)
    assert who(np.zeros((2, 3))).shape == (2, 3)  # and the next call is well


@pytest.mark.parametrize("rows", [0, 1, 2, 3, ROWS])
def test_rows_columns_and_numbers_are_repeated_as_in_numpy(rows):
    x, row, column, number = pt.dmatrix("x"), pt.drow("row"), pt.dcol("column"), pt.dscalar("number")
    rng = np.random.default_rng(0)
    columns = 1 + 600_000 // max(rows, 1)
    values = [rng.normal(size=size) for size in ((rows, columns), (1, columns), (rows, 1), ())]
    computed = numba_function([x, row, column, number], [pt.exp(x) * row - column / 3 + number, column * row])(*values)
    a, b, c, d = values
    np.testing.assert_allclose(computed[0], np.exp(a) * b - c / 3 + d, rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(computed[1], c * b)


@pytest.mark.parametrize(
    "view",
    [lambda x: x, lambda x: x.T.copy().T, lambda x: x[::-1], lambda x: x[:, ::-1], lambda x: x[::2], lambda x: x[:, 1::2]],
    ids=["C", "Fortran", "rows backwards", "columns backwards", "every other row", "every other column"],
)
def test_arrays_of_any_layout_are_read_where_they_lie(view):
    # A shared variable's value keeps its layout.
    values = view(np.random.default_rng(0).normal(size=(2 * ROWS, 2 * COLUMNS)))
    x, y = pytensor.shared(values, borrow=True), pt.dmatrix("y")
    other = np.random.default_rng(1).normal(size=values.shape)
    np.testing.assert_array_equal(numba_function([y], x * 2 + y)(other), values * 2 + other)


@pytest.mark.parametrize(
    "view", [lambda x: x, lambda x: x[:, :, ::-1], lambda x: x[:, :, :, :2], lambda x: x.transpose(0, 2, 3, 1)]
)
def test_short_rows_are_one_loop_only_where_they_lie_beside_each_other(view):
    values = np.random.default_rng(0).normal(size=(6, 4, 5, 3))
    x, y, row = pytensor.shared(view(values), borrow=True), pt.dtensor4("y"), pt.TensorType("float64", (1, None, 1, 1))("row")
    shape = view(values).shape
    other, maps = np.random.default_rng(1).normal(size=shape), np.arange(shape[1], dtype="float64").reshape(1, -1, 1, 1)
    computed = numba_function([y, row], [x * 2 + y, x - row, 3 / y])(other, maps)
    for got, wanted in zip(computed, (view(values) * 2 + other, view(values) - maps, 3 / other), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_an_array_is_changed_where_it_lies():
    values = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
    x, y = pytensor.shared(values), pt.dmatrix("y")
    step = numba_function([y], [], updates={x: x - 0.5 * y})
    assert any(getattr(node.op, "inplace_pattern", None) for node in step.maker.fgraph.toposort())
    step(np.ones_like(values))
    step(np.ones_like(values))
    np.testing.assert_array_equal(x.get_value(), values - 0.5 - 0.5)


def test_functions_of_several_results_and_dtypes():
    x, n = pt.ftensor3("x"), pt.ltensor3("n")
    values = np.random.default_rng(0).normal(size=(5, 400, 270)).astype("float32")
    counts = np.arange(values.size).reshape(values.shape)
    large, even = numba_function([x, n], [x > 0, pt.eq(n % 2, 0) * n])(values, counts)
    assert large.dtype == bool
    np.testing.assert_array_equal(large, values > 0)
    np.testing.assert_array_equal(even, np.where(counts % 2 == 0, counts, 0))


def test_what_runs_in_python_stays_in_one_thread():
    class Counted(UnaryScalarOp):
        def impl(self, x):
            return x + 1

    x = pt.dmatrix("x")
    with pytest.warns(UserWarning, match="object mode"):
        f = numba_function([x], Elemwise(Counted(upgrade_to_float))(x) * 2)
    assert (f(np.ones((ROWS, COLUMNS))) == 4).all()


def given(**more):
    """Return what a loop over one array is told, by the names that PyTensor has for it."""
    return {"core_func": None, "iter_shape": (3, 4), "inputs": [1], "output_bc": ((False, False),), **more}


def known(**defaults):
    """Return the signature of a `make_loop_call` with parameters that nobody knows yet."""
    named = [*given(), *symae.patches.numba_threaded_elemwise._INDEXING, "core_scalar", "inplace", *defaults]
    kinds = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name, inspect.Parameter.empty))
        for name in named
    ]
    return inspect.Signature(kinds)


@pytest.mark.parametrize(
    ("more", "shared"),
    [
        ({}, True),
        (
            {
                "idx_arrays": [],
                "constant_inputs": (),
                "input_read_spec": (None, None),
                "idx_load_axes": None,
                "inplace": ((0, 0),),
            },
            True,
        ),
        ({"carried": None}, True),
        ({"carried": {}}, True),
        ({"carried": {0: "add"}}, False),  # a state, or not: who knows
        ({"carried": 0.0}, True),
        ({"constant_inputs": (1,)}, False),
        ({"idx_arrays": [1]}, False),
        ({"input_read_spec": (None, ((0, 1),))}, False),
        ({"core_scalar": False}, False),
        ({"iter_shape": ()}, False),
        ({"output_bc": ((True, False),)}, False),
    ],
)
def test_loops_are_shared_only_where_all_that_they_are_told_is_known_to_carry_no_state(more, shared):
    independent = symae.patches.numba_threaded_elemwise.independent
    assert independent(given(**more), known(carried=None)) is shared


def test_a_new_parameter_that_every_loop_is_given_makes_none_of_them_shared():
    assert not symae.patches.numba_threaded_elemwise.independent(given(state=None), known(state=inspect.Parameter.empty))

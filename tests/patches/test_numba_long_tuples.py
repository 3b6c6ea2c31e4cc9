"""Numba reads a call of many arguments, and a tuple of many items, as what they are, and computes the same."""

from __future__ import annotations

import operator
from contextlib import nullcontext
from types import SimpleNamespace

import numba
import numpy as np
import pytensor.link.numba.dispatch.basic  # noqa: F401  (connects symae.patches.numba_long_tuples)
import pytensor.tensor as pt
import pytest
from numba.core import ir
from numba.core.compiler import run_frontend

from symae import function
from symae.patches import numba_long_tuples
from symae.patches.numba_deferred_codegen import whole_programs


def made(source):
    """Return the function f of a source text."""
    namespace = {"np": np, "numba": numba}
    exec(source, namespace)
    return namespace["f"]


def assignments(f, operation):
    """Return the expressions of an operation that Numba reads in `f`."""
    with whole_programs():
        blocks = run_frontend(f).blocks.values()
    values = (statement.value for block in blocks for statement in block.body if isinstance(statement, ir.Assign))
    return [value for value in values if isinstance(value, ir.Expr) and value.op == operation]


NAMES = ", ".join(f"x{k}" for k in range(40))
RETURNS = made(f"def f({NAMES}):\n    return ({NAMES})")
CALLS = made(f"@numba.njit\ndef g(*xs):\n    return xs[0] - xs[39]\ndef f({NAMES}):\n    return g({NAMES})")


def test_a_tuple_of_forty_is_one_tuple():
    assert [len(tuple_.items) for tuple_ in assignments(RETURNS, "build_tuple") if tuple_.items] == [40]
    assert assignments(RETURNS, "binop") == []


def test_a_call_of_forty_arguments_has_forty_arguments():
    (call,) = assignments(CALLS, "call")
    assert len(call.args) == 40
    assert call.vararg is None
    assert assignments(CALLS, "build_tuple") == []


@pytest.mark.parametrize("within", [whole_programs, nullcontext], ids=["symae's", "others'"])
@pytest.mark.parametrize("f", [RETURNS, CALLS], ids=["tuple", "call"])
def test_they_compute_what_python_does(f, within):
    numbers = np.arange(40.0) ** 2
    with within():
        assert numba.njit(f)(*numbers) == f(*numbers)


@pytest.mark.parametrize(
    "source",
    [
        f"def f(a):\n    b = a\n    for k in range(3):\n        b = b + 1\n    return ({'a, b, ' * 20})",
        # the walrus changes a variable that stands in the tuple before
        f"def f(a):\n    return (a, (a := a + 1), {'a, ' * 35})",
        f"def f(a):\n    more = ({'a, ' * 35})\n    return (*more, a, {'a + 1, ' * 35}), more",
        f"def f(a):\n    more = (a, a + 1)\n    return (*more, {'a, ' * 35} *more)",
        "def f(a):\n    return (a, a + 1) + (a, a)",
        f"@numba.njit\ndef g(*xs):\n    return xs[0] + xs[36] + xs[-1]\ndef f(a):\n    more = (a + 1, a)\n"
        f"    return g(*more, {'a, ' * 35}), g({'a, ' * 35} *more), g({'a, ' * 34}a + 3, a, a, a)",
        f"def f(a):\n    return ({'a if a > 1 else -a, ' * 33})",
        f"def f(a):\n    more = (a, a)\n    more = (more, a)\n    return more + ({'a, ' * 35})",
    ],
)
def test_what_is_put_together_in_other_ways_is_left_as_it_is(source):
    f = made(source)
    with whole_programs():
        compiled = numba.njit(f)
        try:
            got = compiled(2.0)
        except numba.core.errors.NumbaError:  # what Numba can't read it can't read with the patch either
            got = None
    try:
        wanted = numba.njit(f)(2.0)
    except numba.core.errors.NumbaError:
        wanted = None
    assert got == wanted
    assert wanted in (None, f(2.0))


def test_a_sum_with_a_tuple_that_is_made_of_what_its_variable_was_before_stays_a_sum():
    """Python's compiler puts what it reads into another variable first, and others that make Numba's IR may not."""
    at = ir.unknown_loc
    t, a, many, result = (ir.Var(None, name, at) for name in ("t", "a", "$many", "$result"))
    block = ir.Block(ir.Scope(None, at), at)
    joined = ir.Expr.binop(operator.add, t, many, at)
    for value, target in ((ir.Expr.build_tuple([t, a], at), t), (ir.Expr.build_tuple([a] * 35, at), many), (joined, result)):
        block.append(ir.Assign(value, target, at))
    numba_long_tuples._joined(SimpleNamespace(_definitions={}), block, ir)
    assert block.body[-1].value is joined


def test_a_graph_of_forty_results_and_of_forty_inputs():
    xs = [pt.dvector(f"x{k}") for k in range(40)]
    f = function(xs, [pt.cumsum(x) for x in xs] + [pt.concatenate(xs)], backend="numba")
    values = [np.arange(3.0) + k for k in range(40)]
    *sums, together = f(*values)
    np.testing.assert_array_equal(sums, np.cumsum(values, axis=1))
    np.testing.assert_array_equal(together, np.concatenate(values))

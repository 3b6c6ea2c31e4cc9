"""theano.OpFromGraph heeds its arguments: values and errors are real Theano 1.0.5's."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest
from golden.figures import assert_same, read_json
from golden.theano_op_from_graph_cases import CASES, evaluate, expressions

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl.variables import is_marked

GOLDEN = read_json("theano_op_from_graph")
COMPILED = ["a list", "lop, an operation", "by a shared variable", "two operations of one graph", "rop through more"]


@pytest.mark.parametrize("name", CASES)
def test_operations_of_graphs_are_theanos(name):
    assert_same(evaluate(theano, name), GOLDEN[name])


@pytest.mark.parametrize("mode", ["Mode", "jax"])
def test_operations_of_graphs_are_theanos_compiled(mode):
    if mode == "jax":
        pytest.importorskip("jax")
    x, y = T.dscalars("x", "y")
    outputs = []
    for name in COMPILED:
        inputs, own = expressions(theano, name)
        outputs += theano.clone(own, replace=dict(zip(inputs, (x, y), strict=True)))
    with pytensor.config.change_flags(mode="Mode"):
        found = theano.function([x, y], outputs, mode=mode)(2.0, 3.0)
    np.testing.assert_allclose(found, np.concatenate([GOLDEN[name] for name in COMPILED]), rtol=1e-12)


def test_an_operation_in_a_list_of_overrides_is_asked_as_documented():
    """Theano's own documentation has it; its code hands such an operation lists, and fails."""
    x, y, g = T.dscalars("x", "y", "g")
    op = theano.OpFromGraph([x, y], [x * y], grad_overrides=["default", theano.OpFromGraph([x, y, g], [g * 7])])
    assert theano.function([x, y], theano.grad(op(x, y), [x, y]))(2, 3) == [3, 7]


def test_an_override_is_asked_for_one_of_several_outputs():
    x, y = T.dscalars("x", "y")
    op = theano.OpFromGraph([x, y], [x * y, x + y], grad_overrides=lambda i, g: [g[0] * 7 + g[1], g[1] * 9])
    assert theano.function([x, y], theano.grad(op(x, y)[1], [x, y]))(2, 3) == [1, 9]


def test_an_override_has_a_gradient_itself():
    x, y = T.dscalars("x", "y")
    op = theano.OpFromGraph([x, y], [x * y], grad_overrides=lambda i, g: [g[0] * i[0] ** 2 * i[1], g[0]])
    once = theano.grad(op(x, y), x)
    assert theano.function([x, y], theano.grad(once, [x, y]))(2, 3) == [12, 4]


def test_what_overrides_close_over_keeps_theanos_operators():
    x, y, s = *T.dscalars("x", "y"), theano.shared(np.float64(2.0))
    op = theano.OpFromGraph([x, y], [x * y], grad_overrides=lambda i, g: [g[0] * s, g[0] * 9])
    out = op(x, y)
    theano.grad(out, [x, y])
    assert all(map(is_marked, (x, y, s, out)))
    assert not any(is_marked(v) for v in (*op.local_inputs, *op.local_outputs))


def test_misspelt_arguments_are_refused_where_they_are_written():
    """In Theano not before a function is compiled of it, and never of one that is inline."""
    x = T.dscalar("x")
    with pytest.raises(TypeError, match="unexpected keyword argument 'grad_override'"):
        theano.OpFromGraph([x], [x * 2], inline=True, grad_override=None)

"""map_variables replaces variables of expressions, also inside of loops and of OpFromGraph."""

import numpy as np
import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl.variables import is_marked
from symae.theano.scan_module.scan_utils import map_variables


def tagged(v):
    return getattr(v.tag, "replacement", v)


def test_an_expression_and_an_input_are_replaced():
    a, b, c = T.scalars("abc")
    b.tag.replacement = c
    product = a * b
    product.tag.replacement = a - b
    kept, replaced = map_variables(tagged, [a + b, product + b])
    assert kept.owner.inputs == [a, c]
    # as in Theano, an input is replaced where it stood, and not in what replaces something
    assert replaced.eval({a: 10.0, b: 1.0, c: 100.0}) == 109
    assert is_marked(replaced)
    assert is_marked(product)
    assert is_marked(product.tag.replacement)


def test_a_variable_may_stand_in_its_own_replacement():
    x = T.dvector("x")
    y = T.exp(x)
    twice = {y: y * 2}
    (doubled,) = map_variables(lambda v: twice.get(v, v), [y.sum()])
    assert doubled.eval({x: [0.0, 0.0]}) == 4


def test_steps_of_a_loop_are_replaced_with_variables_from_outside():
    x, factor = T.dvector("x"), theano.shared(np.float64(10.0))

    def scaled(v):
        return v * factor if v.owner is not None and v.owner.op == T.exp(x).owner.op else v

    total, _ = theano.scan(lambda s, total: total + T.exp(s), x, np.float64(0.0))
    (replaced,) = map_variables(scaled, [total])
    before, after = theano.function([x], [total, replaced])([0.0, 0.0])
    assert before.tolist() == [1, 2]
    assert after.tolist() == [10, 20]


def test_the_graph_of_an_op_is_replaced_with_its_own_variables_and_others():
    a, b, outer = T.dscalars("a", "b", "outer")
    r = a + b
    r.tag.replacement = outer * (a - b)
    u = theano.OpFromGraph([a, b], [r])(a, b)
    (v,) = map_variables(tagged, [u])
    assert theano.function([a, b, outer], [u, v])(5.0, 3.0, 10.0) == [8, 20]


def test_a_replacement_that_would_be_counted_is_refused():
    counter = theano.shared(0)
    counter.update = counter + 1
    outputs, _ = theano.scan(lambda s: s * 2, T.dvector("x"))
    with pytest.raises(NotImplementedError, match="an update, expected variables without"):
        map_variables(lambda v: v * counter if v.type == T.dscalar else v, [outputs])

"""Types are equal, and variables are found in graphs in the order, as in Theano."""

import numpy as np
import pytest
from golden.figures import read_json
from golden.theano_graph_cases import EXPRESSIONS, evaluate

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl.variables import known_type

GOLDEN = read_json("theano_graph")


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_answer_is_theanos(text):
    assert evaluate(theano, text) == GOLDEN[text]


def test_lengths_that_are_known_stay_known_to_kernels():
    x = T.dvector("x") + T.constant(np.arange(3.0))
    assert x.type.shape == (None,)
    assert known_type(x).shape == (3,)


def test_default_updates_of_more_static_shapes_are_made_in_the_mode_that_users_have(in_mode):
    mean = theano.shared(np.zeros(3), "mean")
    mean.default_update = 0.5 * mean + T.constant([1.0, 2.0, 3.0])
    with in_mode("Mode"):
        f = theano.function([], mean.sum())
    assert [float(f()), float(f())] == [0.0, 6.0]
    assert mean.get_value().tolist() == [1.5, 3.0, 4.5]


def test_a_loop_that_fails_leaves_its_variables_theanos():
    m = T.dmatrix("m")
    with pytest.raises(ValueError, match="initial state"):
        theano.scan(lambda b: T.dot(b, m), outputs_info=[T.alloc(0.0, 1, 2)], n_steps=2)
    assert m.type is T.dmatrix


def test_a_class_of_variables_of_ones_own_is_one():
    class Mine(theano.Variable):
        pass

    mine = Mine(T.dvector)
    assert type(mine) is Mine
    assert isinstance(mine, theano.gof.Variable)
    assert not isinstance(T.dvector(), Mine)

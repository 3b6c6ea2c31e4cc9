"""Tools with which programs look at their graphs, and modes that check, answer as Theano's did."""

import importlib.util

import numpy as np
import pytest
import scipy.sparse
from golden.figures import read_json
from golden.theano_debugging_cases import EXPRESSIONS, evaluate

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl.configuration import added, config
from symae.theano.compile.debugmode import BadDestroyMap, InvalidValueError
from symae.theano.sparse.sandbox import sp2

GOLDEN = read_json("theano_debugging")


@pytest.fixture(autouse=True)
def flags():
    """Forget the flags that a case adds."""
    before = [dict(kept) for kept in (config._values, added)]
    yield
    for kept, values in zip((config._values, added), before, strict=True):
        kept.clear()
        kept.update(values)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_answer_is_theanos(text):
    assert evaluate(theano, text) == GOLDEN[text]


@pytest.mark.filterwarnings("ignore:Numba will use object mode:UserWarning")
def test_sparse_draws_are_made_in_the_mode_that_users_have(in_mode):
    p, n = theano.sparse.csr_matrix("p"), T.lscalar("n")
    with in_mode("Mode"):
        f = theano.function([n, p], theano.sparse.dense_from_sparse(sp2.multinomial(n, p)))
    np.random.seed(7)
    given = scipy.sparse.csr_matrix([[0.0, 0.25, 0.75], [0.5, 0.5, 0.0]])
    assert f(6, given).tolist() == [[0, 0, 6], [4, 2, 0]]
    assert not np.array_equal(f(60, given), f(60, given))


def test_a_type_of_a_script_is_computed_in_the_mode_that_users_have(in_mode):
    with in_mode("Mode"):
        assert evaluate(theano, "doubles()") == 18.0


def test_a_checking_mode_checks_under_its_configured_name(in_mode):
    x = T.dvector("x")
    with in_mode("DebugMode"):
        f = theano.function([x], x * 2)
    assert f([1.0]).tolist() == [2.0]
    with pytest.raises(InvalidValueError):
        f([np.inf])


def test_values_are_not_checked_any_more_after_a_checking_mode_has_failed():
    class Changes(theano.Op):
        def make_node(self, a):
            return theano.Apply(self, [a], [a.type()])

        def perform(self, node, inputs, output_storage):
            inputs[0][:] = np.inf
            output_storage[0][0] = inputs[0].copy()

    x = T.dvector("x")
    with pytest.raises((BadDestroyMap, InvalidValueError)):
        theano.function([x], Changes()(x), mode="DebugMode")([1.0])
    assert theano.function([x], x, mode="FAST_COMPILE")([np.inf]).tolist() == [np.inf]
    assert x.type.is_valid_value(np.array([np.inf]))


def test_a_checked_function_may_call_another():
    x, y = T.dvectors("x", "y")
    twice = theano.function([y], y * 2, mode="DebugMode")
    calling = theano.compile.ops.as_op([T.dvector], [T.dvector])(lambda a: twice(a))
    f = theano.function([x], calling(x), mode="DebugMode")
    assert f([1.0]).tolist() == [2.0]
    with pytest.raises(InvalidValueError):
        f([np.inf])


@pytest.mark.skipif(importlib.util.find_spec("pydot") is not None, reason="a page could be drawn")
def test_a_page_that_cannot_be_drawn_says_what_is_missing(tmp_path):
    x = T.dvector("x")
    with pytest.raises(RuntimeError, match="debugprint prints the graph as text"):
        theano.d3viz.d3viz(theano.function([x], x + 1), str(tmp_path / "page.html"))

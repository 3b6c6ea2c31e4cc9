"""Loops draw and count in each step what they close over, and hand on what became of it: numbers of real Theano 1.0.5."""

from __future__ import annotations

import numpy as np
import pytest
from golden.figures import assert_same, read_json
from golden.theano_loops_cases import CASES, evaluate

import symae.theano as theano
from symae.theano.tensor.shared_randomstreams import RandomStreams

GOLDEN = read_json("theano_loops")
# one of each kind of state, with and without the loop's updates
IN_THE_DEFAULT_MODE = ["with_gradient mrg dropped", "nested numpy kept", "counter_of_a_counter kept"]


@pytest.mark.parametrize("name", CASES)
def test_loops_draw_as_theanos(name):
    assert_same(evaluate(theano, name), GOLDEN[name])


@pytest.mark.parametrize("name", IN_THE_DEFAULT_MODE)
def test_loops_draw_as_theanos_in_the_default_mode(in_mode, name):
    with in_mode("Mode"):
        assert_same(evaluate(theano, name), GOLDEN[name])


def test_loops_draw_as_theanos_on_jax(in_mode):
    pytest.importorskip("jax")
    with in_mode("jax"):
        name = "closure_draw mrg dropped"
        assert_same(evaluate(theano, name), GOLDEN[name])


@pytest.mark.long
@pytest.mark.parametrize("mode", ["Mode", "c"])
@pytest.mark.parametrize("name", CASES)
def test_all_loops_draw_as_theanos_compiled(in_mode, name, mode):
    with in_mode(mode):
        assert_same(evaluate(theano, name), GOLDEN[name])


def test_a_draw_made_in_a_loop_keeps_its_default_update():
    """Without it, functions that are compiled without the loop's updates would draw the same numbers in every call."""
    streams = RandomStreams(1)
    outputs, _ = theano.scan(lambda x: x + streams.uniform(()), theano.shared(np.zeros(2)))
    f = theano.function([], outputs)
    assert not np.array_equal(f(), f())


def test_an_update_that_is_given_is_made_instead_of_the_default():
    count = theano.shared(0)
    count.default_update = count + 1
    outputs, updates = theano.scan(lambda: (count, {count: count + 10}), n_steps=3)
    assert theano.function([], outputs, updates=updates)().tolist() == [0, 10, 20]
    assert theano.function([], count)() == 30
    assert count.get_value() == 31

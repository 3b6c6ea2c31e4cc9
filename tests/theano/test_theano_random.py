"""Theano's random streams under Theano's names. `tests/test_random.py` compares their numbers with real Theano's."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl.variables import is_marked
from symae.theano.tensor import raw_random
from symae.theano.tensor.shared_randomstreams import RandomStreams, randomstate_constructor


def stream(seed: int, k: int = 0) -> np.random.RandomState:
    """Return the generator of the `k`-th stream of RandomStreams(seed)."""
    seeds = np.random.RandomState(seed)
    return np.random.RandomState([int(seeds.randint(2**30)) for _ in range(k + 1)][-1])


def test_the_tutorials_two_streams():
    """Theano's tutorial, "Using Random Numbers"."""
    srng = RandomStreams(seed=234)
    rv_u, rv_n = srng.uniform((2, 2)), srng.normal((2, 2))
    f = theano.function([], rv_u)
    g = theano.function([], rv_n, no_default_updates=True)
    nearly_zeros = theano.function([], rv_u + rv_u - 2 * rv_u)
    uniform = stream(234)
    np.testing.assert_array_equal(f(), uniform.uniform(size=(2, 2)))
    np.testing.assert_array_equal(f(), uniform.uniform(size=(2, 2)))
    np.testing.assert_array_equal(g(), stream(234, 1).normal(size=(2, 2)))
    np.testing.assert_array_equal(g(), stream(234, 1).normal(size=(2, 2)))
    assert not nearly_zeros().any()


def test_a_state_can_be_taken_out_seeded_and_put_back():
    srng = RandomStreams(seed=234)
    rv = srng.uniform((3,))
    rng_val = rv.rng.get_value(borrow=True)
    rng_val.seed(89234)
    rv.rng.set_value(rng_val, borrow=True)
    np.testing.assert_array_equal(theano.function([], rv)(), np.random.RandomState(89234).uniform(size=3))
    srng[rv.rng] = np.random.RandomState(5)
    np.testing.assert_array_equal(srng[rv.rng].uniform(size=3), np.random.RandomState(5).uniform(size=3))


def test_all_streams_are_seeded_together():
    srng = RandomStreams(1)
    u, n = srng.uniform((2,)), srng.normal((2,))
    srng.seed(234)
    found = theano.function([], [u, n])()
    np.testing.assert_array_equal(found[0], stream(234).uniform(size=2))
    np.testing.assert_array_equal(found[1], stream(234, 1).normal(size=2))


def test_draws_have_theanos_operators_and_updates():
    srng = RandomStreams(3)
    draws = [
        srng.uniform((2,)),
        srng.normal((2,)),
        srng.binomial((2,), p=0.3, dtype="float32"),
        srng.choice((2,), a=5),
        srng.poisson((2,), lam=2.0),
        srng.permutation((2,), n=4),
        srng.multinomial((2,), pvals=[0.2, 0.8]),
        srng.random_integers((2,), low=1, high=6),
        srng.shuffle_row_elements(T.matrix()),
    ]
    assert all(map(is_marked, draws))
    assert (draws[0] < 0.5).dtype == "int8"
    assert len(srng.updates()) == len(srng.state_updates) == 9
    assert draws[0].update in srng.updates()
    assert isinstance(srng.gen_seedgen, np.random.RandomState)


def test_the_denoising_autoencoders_mask():
    x = T.matrix("x")
    srng = RandomStreams(np.random.RandomState(123).randint(2**30))
    corrupted = srng.binomial(size=x.shape, n=1, p=1 - 0.3, dtype=theano.config.floatX) * x
    f = theano.function([x], corrupted)
    ones = np.ones((4, 5), theano.config.floatX)
    expected = stream(int(np.random.RandomState(123).randint(2**30))).binomial(1, 0.7, (4, 5))
    np.testing.assert_array_equal(f(ones), expected)


def test_rows_are_shuffled_each_for_itself():
    x = T.matrix("x")
    shuffled = RandomStreams(4).shuffle_row_elements(x)
    rows = np.arange(12.0).reshape(3, 4)
    value, order = theano.function([x], [shuffled, shuffled.permutation])(rows)
    np.testing.assert_array_equal(value, np.take_along_axis(rows, order, 1))
    np.testing.assert_array_equal(np.sort(value, 1), rows)


def test_raw_draws_hand_the_state_on():
    state = theano.shared(np.random.RandomState(7))
    after, first = raw_random.uniform(state, (2,), low=-1.0)
    last, second = raw_random.normal(after, (3,), std=2.0)
    f = theano.function([], [first, second], updates=[(state, last)])
    g = np.random.RandomState(7)
    for _ in range(2):
        a, b = f()
        np.testing.assert_array_equal(a, g.uniform(-1, 1, 2))
        np.testing.assert_array_equal(b, g.normal(0, 2, 3))


def test_a_random_state_may_be_an_input():
    state = raw_random.random_state_type()
    after, draws = raw_random.uniform(state, (3,))
    f = theano.function([state], draws)
    np.testing.assert_array_equal(f(np.random.RandomState(7)), np.random.RandomState(7).uniform(size=3))
    kept = theano.In(state, value=np.random.RandomState(7), update=after, mutable=True)
    f, g = theano.function([kept], draws), np.random.RandomState(7)
    np.testing.assert_array_equal([f(), f()], g.uniform(size=(2, 3)))


def test_choice_takes_no_probabilities_for_a_number():
    """Theano's tests hand on 0."""
    chosen = RandomStreams(5).choice((4,), 10, True, 0).eval()
    np.testing.assert_array_equal(chosen, stream(5).choice(10, 4))


def test_raw_draws_make_streams_of_their_own():
    draws = RandomStreams(234).gen(raw_random.random_integers, (4,), 1, 6)
    np.testing.assert_array_equal(draws.eval(), stream(234).randint(1, 7, 4))


def test_only_a_random_state_makes_a_state():
    assert randomstate_constructor(np.random.RandomState(1)).get_value().uniform() == np.random.RandomState(1).uniform()
    with pytest.raises(TypeError, match=r"expected a numpy.random.RandomState"):
        randomstate_constructor(np.zeros(628))


def test_any_distribution_of_numpy_may_be_drawn():
    state = raw_random.random_state_type()
    after, first = raw_random.RandomFunction("beta", T.dvector)(state, (3,), 2.0, 5.0)
    last, second = raw_random.RandomFunction(np.random.RandomState.gumbel, T.dmatrix)(after, (2, 2), 0.0, 1.0)
    kept = theano.In(state, value=np.random.RandomState(7), update=last, mutable=True)
    f, g = pickle.loads(pickle.dumps(theano.function([kept], [first, second]))), np.random.RandomState(7)
    for _ in range(2):
        a, b = f()
        np.testing.assert_array_equal(a, g.beta(2.0, 5.0, 3))
        np.testing.assert_array_equal(b, g.gumbel(0.0, 1.0, (2, 2)))


def test_draws_may_have_dimensions_of_their_own():
    state = raw_random.random_state_type()
    draw = raw_random.RandomFunction(raw_random.permutation_helper, T.imatrix, ndim_added=1)
    f, g = theano.function([state], draw(state, (4,), 6)[1]), np.random.RandomState(7)
    np.testing.assert_array_equal(f(np.random.RandomState(7)), [g.permutation(6) for _ in range(4)])
    wrong = raw_random.RandomFunction(raw_random.permutation_helper, T.imatrix)
    with pytest.raises(ValueError, match=r"found 1 \+ 0 dimensions, expected the 2"):
        theano.function([state], wrong(state, (4,), 6)[1])(np.random.RandomState(7))


def test_sizes_of_numpys_functions_come_from_parameters():
    low, n, pvals = np.array([1, 5]), np.array([3, 4]), np.array([[0.25, 0.75]])
    g = np.random.RandomState(3)
    ours = np.random.RandomState(3)
    drawn = raw_random.random_integers_helper(ours, low, low + 2, None)
    np.testing.assert_array_equal(drawn, g.randint(low, low + 3))
    np.testing.assert_array_equal(raw_random.multinomial_helper(ours, n, pvals, None), [g.multinomial(k, pvals[0]) for k in n])
    np.testing.assert_array_equal(raw_random.choice_helper(ours, low, True, np.empty(0), (3,)), g.choice(low, 3))


def test_states_are_compared_in_either_form():
    kind, states = raw_random.random_state_type, [np.random.RandomState(seed) for seed in (1, 1, 2)]
    assert kind.values_eq(states[0], kind.filter(states[1]))
    assert not kind.values_eq(states[0], states[2])


def test_lengths_of_parameters_that_do_not_fit_are_a_value_error():
    state, low, high = raw_random.random_state_type(), T.dvector(), T.dvector()
    f = theano.function([state, low, high], raw_random.uniform(state, low=low, high=high)[1])
    with pytest.raises(ValueError, match="Could not broadcast"):
        f(np.random.RandomState(1), [0.0, 1.0], [1.0, 2.0, 3.0])


def test_draws_have_test_values():
    with theano.change_flags(compute_test_value="raise"):
        draws = RandomStreams(3).uniform((2,)) * 1
    # as of real Theano 1.0.5
    assert draws.tag.test_value.round(8).tolist() == [0.32425445, 0.65706762]

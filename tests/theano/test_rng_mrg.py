"""MRG_RandomStreams gives the numbers of real Theano, and every backend the same."""

from __future__ import annotations

import json

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from golden.figures import read_json
from golden.mrg_streams_cases import CASES, SEED, draws, fingerprint, states
from pytensor.gradient import NullTypeGradError

from symae import compile_time, function
from symae.theano._impl.variables import is_marked, known_type
from symae.theano.sandbox.rng_mrg import MRG_RandomStreams, guess_n_streams

THEANO = read_json("mrg_streams")


@pytest.fixture(scope="module", params=["float64", "float32"])
def both(request):
    """(all draws of symae, all of real Theano) for one floatX."""
    with pytensor.config.change_flags(floatX=request.param):
        ours = draws(MRG_RandomStreams(SEED), pt, function)
    return ours, THEANO[request.param]


@pytest.mark.table(3)
@pytest.mark.parametrize("case", CASES)
def test_draws_are_those_of_theano_bit_for_bit(both, case):
    ours, theano = both
    assert ours[case] == theano[case]


def test_states_and_numbers_of_streams_are_those_of_theano():
    assert json.loads(json.dumps(states(MRG_RandomStreams, guess_n_streams))) == THEANO["states"]


@pytest.mark.parametrize("case", ["uniform low high", "truncated_normal"])
def test_each_backend_draws_theanos_numbers(case, backend):
    names = list(CASES)
    with pytensor.config.change_flags(floatX="float32"):
        rng = MRG_RandomStreams(SEED)
        for name in names[: names.index(case)]:
            CASES[name](rng, pt)
        f = function([], CASES[case](rng, pt), backend=backend)
        assert [fingerprint(f()), fingerprint(f())] == THEANO["float32"][case]


def test_draws_agree_on_every_backend(backend):
    def made():
        rng, x = MRG_RandomStreams(7), pt.dmatrix("x")
        outputs = [
            rng.uniform((3, 211), low=-0.3, high=x[0, 0]),
            rng.uniform((2, 3), low=x[:1, :3], dtype="float32"),
            rng.uniform((), low=3.0, high=4.0),
            rng.binomial(x.shape, p=0.7),
            rng.normal((3, 5), std=np.arange(1.0, 6.0)),
            rng.normal(x.shape, avg=1.3, dtype="float32"),
            rng.truncated_normal((5, 201), avg=0.3),
            rng.multinomial(pvals=x, n=4),
            rng.choice(size=2, replace=False, p=x),
        ]
        return [x], outputs

    p = np.tile([0.25, 0.5, 0.125, 0.125], (6, 1))
    f, python = function(*made(), backend=backend), function(*made(), mode="FAST_COMPILE")
    for _ in range(2):
        for got, expected in zip(f(p), python(p), strict=True):
            assert fingerprint(np.asarray(got)) == fingerprint(expected)


def test_what_a_draw_returns_is_marked_and_knows_its_states():
    rng = MRG_RandomStreams(1)
    made = [
        rng.uniform((2,)),
        rng.binomial((2,)),
        rng.normal((2,)),
        rng.truncated_normal((3, 2)),
        rng.multinomial(pvals=[[0.5, 0.5]]),
    ]
    assert all(is_marked(v) for v in made)
    assert all(v.rstate.get_value().shape[1] == 6 and v.update[0] is v.rstate for v in made)
    assert len(rng.state_updates) == 6  # the truncated one has two


def test_a_function_draws_new_numbers_at_each_call_and_functions_share_their_streams():
    u, again = MRG_RandomStreams(1).uniform((2,)), MRG_RandomStreams(1).uniform((2,))
    f, g, alone = function([], u), function([], u), function([], again)
    for draw in (f, g, f):
        np.testing.assert_array_equal(draw(), alone())
    assert f().tolist() != g().tolist()


def test_updates_can_be_given_explicitly():
    rng = MRG_RandomStreams(1)
    u = rng.uniform((2,))
    f = function([], u, updates=rng.updates(), no_default_updates=True)
    assert f().tolist() != f().tolist()
    still = function([], u, no_default_updates=True)
    assert still().tolist() == still().tolist()


def test_seed_starts_all_draws_again():
    rng = MRG_RandomStreams(5)
    f = function([], [rng.uniform((2,)), rng.normal((3,)), rng.uniform((9,), nstreams=4)])
    first, after = f(), rng.rstate.tolist()
    f()
    rng.seed()
    assert rng.rstate.tolist() == after
    for again, before in zip(f(), first, strict=True):
        np.testing.assert_array_equal(again, before)
    rng.seed(6)
    np.testing.assert_array_equal(f()[0], function([], MRG_RandomStreams(6).uniform((2,)))())


def test_a_generator_can_be_put_to_a_state_without_touching_its_draws():
    rng = MRG_RandomStreams(5)
    f = function([], rng.uniform((2,)))
    first = f()
    rng.set_rstate(5)
    np.testing.assert_array_equal(function([], rng.uniform((2,)))(), first)
    assert f().tolist() != first.tolist()


def test_use_cuda_is_ignored():
    assert MRG_RandomStreams(seed=3, use_cuda=True).rstate.tolist() == [3] * 6


def test_a_mask_keeps_a_numba_function_cacheable():
    def masked():
        x = pt.dmatrix("x")
        return function([x], x * MRG_RandomStreams(3).binomial(size=x.shape, p=0.7, dtype="float64"), backend="numba")

    masked()
    assert compile_time(masked()).cached


def test_static_shapes_are_known_where_sizes_are():
    rng, x = MRG_RandomStreams(1), pt.tensor("x", shape=(None, 7))
    assert known_type(rng.uniform((2, 3))).shape == (2, 3)
    assert known_type(rng.normal((x.shape[0], 7))).shape == (None, 7)
    assert known_type(rng.multinomial(pvals=np.ones((4, 5)))).shape == (4, 5)
    assert known_type(rng.choice(size=2, replace=False, p=x)).shape == (None, 2)


def test_normal_parameters_larger_than_the_size_enlarge_the_result():
    z = MRG_RandomStreams(1).normal((3,), avg=np.array([[0.0], [10.0]]))
    first, second = function([], z)()
    np.testing.assert_allclose(first + 10, second)


def test_choice_leaves_out_what_no_probability_leads_to():
    chosen = MRG_RandomStreams(1).choice(size=3, replace=False, p=np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]))
    first, second = function([], chosen)()
    assert sorted(first) == [-1, 0, 1]
    assert second.tolist() == [-1, -1, -1]


def test_choosing_more_than_there_are_is_an_error(native_backend):
    n = pt.iscalar("n")
    f = function([n], MRG_RandomStreams(1).choice(size=n, replace=False, p=np.ones((2, 3)) / 3), backend=native_backend)
    assert sorted(f(3)[0]) == [0, 1, 2]
    with pytest.raises(ValueError, match="larger than the number of categories"):
        f(4)


def test_a_gradient_through_a_parameter_of_a_draw_is_refused():
    std = pt.dscalar("std")
    with pytest.raises(Exception, match="no gradient"):
        pt.grad(MRG_RandomStreams(1).normal((2,), std=std).sum(), std)


def test_a_gradient_through_the_probability_of_a_binomial_draw_is_refused():
    p = pt.dscalar("p")
    with pytest.raises(NullTypeGradError):
        pt.grad((MRG_RandomStreams(1).binomial((2,), p=p, dtype="float64") * p).sum(), p)


def test_the_target_is_ignored():
    rng, p = MRG_RandomStreams(1), [[0.5, 0.5]]
    draws = [
        *(draw((2,), target="cpu") for draw in (rng.uniform, rng.normal, rng.truncated_normal, rng.binomial)),
        rng.multinomial(pvals=p, target="cpu"),
        rng.choice(p=p, replace=False, target="cpu"),
        rng.multinomial_wo_replacement(pvals=p, target="cpu"),
    ]
    assert [d.ndim for d in draws] == [1, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda rng: rng.uniform((0, 3)), ValueError, "expected lengths of at least 1"),
        (lambda rng: rng.uniform("3"), ValueError, "expected a tuple of ints"),
        (lambda rng: rng.uniform((2, 3), ndim=1), ValueError, "size has 2 entries, but ndim is 1"),
        (lambda rng: rng.uniform((1, 3), low=np.zeros((2, 3))), ValueError, "the shape to which low and high are broadcast"),
        (lambda rng: rng.uniform((3,), dtype="float16"), ValueError, "found float16, expected float32 or float64"),
        (lambda rng: rng.uniform((3,), nstreams=0), ValueError, "nstreams: found 0"),
        (lambda rng: rng.binomial((3,), n=2), NotImplementedError, "use RandomStreams.binomial"),
        (lambda rng: rng.multinomial(pvals=[0.5, 0.5]), ValueError, "found 1 dimensions, expected a matrix"),
        (lambda rng: rng.multinomial(size=(2,), pvals=[[0.5, 0.5]]), ValueError, "the shape is that of pvals"),
        (lambda rng: rng.choice(size=2, p=[[0.5, 0.5]]), NotImplementedError, "found replace=True"),
        (lambda rng: rng.choice(size=2, a=3, replace=False), ValueError, "the categories are the columns of p"),
    ],
)
def test_what_theano_refused_is_refused_when_the_graph_is_built(make, error, message):
    with pytest.raises(error, match=message):
        make(MRG_RandomStreams(1))

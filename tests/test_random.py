"""RandomStreams gives the numbers of real Theano, and every backend the same."""

from __future__ import annotations

import pickle

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from golden.figures import read_json
from golden.random_streams_cases import CASES, SEED, draws
from hypothesis import given
from hypothesis import strategies as st

from symae import RandomStreams, compile_time, function
from symae.ops.random.draws import random_state, state_words
from symae.patches.numba_deferred_codegen import whole_programs

THEANO = read_json("random_streams")


@pytest.fixture(scope="module", params=["float64", "float32"])
def both(request):
    """(all draws of symae, all of real Theano) for one floatX."""
    with pytensor.config.change_flags(floatX=request.param):
        ours = draws(RandomStreams(SEED), pt, function)
    return ours, THEANO[request.param]


@pytest.mark.parametrize("case", CASES)
def test_draws_are_those_of_theano_bit_for_bit(both, case):
    ours, theano = both
    assert ours[case] == theano[case]


def streams_of_numpy(seed: int, count: int) -> list[np.random.RandomState]:
    seeds = np.random.RandomState(seed)
    return [np.random.RandomState(int(seeds.randint(2**30))) for _ in range(count)]


def test_uniform_and_binomial_agree_on_every_backend(backend):
    streams = RandomStreams(7)
    x = pt.dmatrix("x")
    p = np.array([0.0, 0.2, 0.5, 0.8, 1.0])
    outputs = [
        streams.uniform((3, 211), low=-1.0, high=2.0),
        streams.uniform((2, 2), dtype="float32"),
        streams.uniform((), low=3.0, high=4.0),
        streams.binomial((4, 200), n=1, p=0.7, dtype="float64"),
        streams.binomial((300,), n=1000, p=0.6),
        streams.binomial((2, -1), n=np.array([1, 2, 10, 100, 1000]), p=p),
    ]
    outputs += [
        streams.binomial(x.shape, n=1, p=0.3),
        streams.binomial((5,), n=300, dtype="bool"),
        streams.uniform((4, 3), low=x[:1, :3], high=x[:4, :1] + 1),
    ]
    f = function([x], outputs, backend=backend)
    expected = streams_of_numpy(7, len(outputs))
    for _ in range(2):
        got = f(np.zeros((5, 130)))
        want = [
            expected[0].uniform(-1.0, 2.0, (3, 211)),
            expected[1].uniform(size=(2, 2)).astype("float32"),
            expected[2].uniform(3.0, 4.0),
            expected[3].binomial(1, 0.7, (4, 200)),
            expected[4].binomial(1000, 0.6, 300),
            expected[5].binomial(np.array([1, 2, 10, 100, 1000]), p, (2, 5)),
            expected[6].binomial(1, 0.3, (5, 130)),
            expected[7].binomial(300, 0.5, 5).astype(bool),
            expected[8].uniform(np.zeros((1, 3)), np.ones((4, 1)), (4, 3)),
        ]
        for ours, numpys in zip(got, want, strict=True):
            np.testing.assert_array_equal(np.asarray(ours), numpys)
        assert set(np.asarray(got[7]).tobytes()) <= {0, 1}  # also in memory a bool is one of two


def test_normal_agrees_on_every_backend(backend):
    streams = RandomStreams(7)
    x = pt.dmatrix("x")
    std = np.array([0.0, 0.5, 1.0, np.nan])
    outputs = [
        streams.normal((3, 1367), avg=-1.0, std=2.0),
        streams.normal((3, 7), dtype="float32"),
        streams.normal((), avg=3.0, std=4.0),
        streams.normal((2, -1), avg=np.array([-1.0, 0.0, 1e300, np.inf]), std=std),
        streams.normal(x.shape, std=0.1),
        streams.normal((0, 3)),
        streams.normal((1367, 3), avg=x[:1, :3], std=x[:1, :1] + 1, dtype="float32"),
        streams.normal((5,), avg=1, std=2, dtype="float64"),
    ]
    f = function([x], outputs, backend=backend)
    expected = streams_of_numpy(7, len(outputs))
    for _ in range(3):  # the counts are odd: every other call begins with a number that waited
        got = f(np.zeros((5, 131)))
        want = [
            expected[0].normal(-1.0, 2.0, (3, 1367)),
            expected[1].normal(size=(3, 7)).astype("float32"),
            expected[2].normal(3.0, 4.0),
            expected[3].normal(np.array([-1.0, 0.0, 1e300, np.inf]), std, (2, 4)),
            expected[4].normal(0.0, 0.1, (5, 131)),
            np.empty((0, 3)),
            expected[6].normal(np.zeros((1, 3)), np.ones((1, 1)), (1367, 3)).astype("float32"),
            expected[7].normal(1, 2, 5),
        ]
        for ours, numpys in zip(got, want, strict=True):
            np.testing.assert_array_equal(np.asarray(ours), numpys)


def test_draws_that_only_numpy_makes_agree_on_every_backend(backend):
    streams = RandomStreams(7)
    draws = [streams.poisson((3,), lam=4.0), streams.permutation((2,), n=4), streams.multinomial((2,), n=5)]
    f = function([], draws, backend=backend)
    poisson, permutation, _ = streams_of_numpy(7, 3)
    got = [np.asarray(v) for v in f()]
    np.testing.assert_array_equal(got[0], poisson.poisson(4.0, 3))
    np.testing.assert_array_equal(got[1], [permutation.permutation(4) for _ in range(2)])
    assert got[2].sum(axis=1).tolist() == [5, 5]


def test_functions_on_different_backends_share_a_stream(backend):
    u = RandomStreams(1).uniform((2,))
    (numpys,) = streams_of_numpy(1, 1)
    for other in (backend, "c"):
        np.testing.assert_array_equal(np.asarray(function([], u, backend=other)()), numpys.uniform(size=2))


@pytest.mark.parametrize("p", [0.0, 0.001, 0.1, 0.3, 0.49999, 0.5, 0.6, 0.7, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("n", [0, 1, 2, 10, 59, 61, 300, 5000, 10**7])
def test_the_binomial_kernel_is_numpys_in_all_its_branches(binomial_kernel, n, p):
    ours, generator = state_words(np.random.RandomState(11)), np.random.RandomState(11)
    out = np.empty(3000)
    binomial_kernel(ours, n, p, out)
    np.testing.assert_array_equal(out, generator.binomial(n, p, out.size))
    np.testing.assert_array_equal(ours, state_words(generator))


@pytest.fixture(scope="module")
def binomial_kernel():
    import numba

    from symae.kernels.random.binomial import binomial

    @numba.njit
    def fill(state, n, p, out):
        for i in range(out.size):
            out[i] = binomial(state, n, p)

    return fill


@pytest.fixture(scope="module")
def block_kernels():
    import numba

    from symae.kernels.random.binomial import bernoullis
    from symae.kernels.random.mt19937 import gaussians, random_doubles

    @numba.njit
    def doubles(state, out):
        random_doubles(state, out)

    @numba.njit
    def masks(state, p, out):
        bernoullis(state, p, out)

    @numba.njit
    def normals(state, out):
        gaussians(state, out)

    return doubles, masks, normals


@given(
    position=st.integers(0, 624),
    sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=4),
    p=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]) | st.floats(0, 1),
)
def test_block_kernels_leave_the_state_where_numpy_does(block_kernels, position, sizes, p):
    doubles, masks, normals = block_kernels
    words = state_words(np.random.RandomState(5))
    words[624] = position
    generator = random_state(words)
    for size in sizes:
        gaussians, numbers, mask = np.empty(size), np.empty(size), np.empty(size, np.float32)
        with whole_programs():  # compiled as within functions
            normals(words, gaussians)
            doubles(words, numbers)
            masks(words, p, mask)
        np.testing.assert_array_equal(gaussians, generator.normal(size=size))
        np.testing.assert_array_equal(numbers, generator.uniform(size=size))
        np.testing.assert_array_equal(mask, generator.binomial(1, p, size))
    np.testing.assert_array_equal(words, state_words(generator))


def test_a_mask_keeps_a_numba_function_cacheable():
    def masked():
        x = pt.dmatrix("x")
        return function([x], x * RandomStreams(3).binomial(size=x.shape, n=1, p=0.7, dtype="float64"), backend="numba")

    masked()
    assert compile_time(masked()).cached


def test_noise_keeps_a_numba_function_cacheable():
    def noisy():
        x = pt.dmatrix("x")
        return function([x], x + RandomStreams(3).normal(size=x.shape, std=0.1), backend="numba")

    noisy()
    assert compile_time(noisy()).cached


def test_a_function_draws_new_numbers_at_each_call_and_functions_share_their_streams():
    streams = RandomStreams(1)
    u = streams.uniform((2,))
    f, g = function([], u), function([], u)
    (numpys,) = streams_of_numpy(1, 1)
    for draw in (f, g, f):
        np.testing.assert_array_equal(draw(), numpys.uniform(size=2))


def test_without_default_updates_the_numbers_repeat():
    u = RandomStreams(1).uniform((2,))
    f = function([], u, no_default_updates=True)
    np.testing.assert_array_equal(f(), f())


def test_one_draw_used_twice_is_one_draw():
    u = RandomStreams(1).uniform((3,))
    assert function([], pt.sum(abs(u - u)))() == 0


def test_state_updates_can_be_given_explicitly():
    streams = RandomStreams(1)
    u = streams.uniform((2,))
    f = function([], u, updates=streams.updates(), no_default_updates=True)
    (numpys,) = streams_of_numpy(1, 1)
    np.testing.assert_array_equal(np.concatenate([f(), f()]), numpys.uniform(size=4))
    assert streams.state_updates == [u.update]


def test_seed_starts_all_streams_again():
    streams = RandomStreams(5)
    f = function([], [streams.uniform((2,)), streams.binomial((4,))])
    first = f()
    f()
    streams.seed()
    for again, before in zip(f(), first, strict=True):
        np.testing.assert_array_equal(again, before)
    streams.seed(6)
    a, b = streams_of_numpy(6, 2)
    for ours, numpys in zip(f(), [a.uniform(size=2), b.binomial(1, 0.5, 4)], strict=True):
        np.testing.assert_array_equal(ours, numpys)


def test_a_streams_state_can_be_taken_out_changed_and_put_back():
    streams = RandomStreams(5)
    u = streams.uniform((2,))
    f = function([], u)
    generator = u.rng.get_value(borrow=True)
    assert isinstance(generator, np.random.RandomState)
    generator.seed(89234)
    u.rng.set_value(generator, borrow=True)
    np.testing.assert_array_equal(f(), np.random.RandomState(89234).uniform(size=2))
    saved = streams[u.rng]
    first = f()
    streams[u.rng] = saved
    np.testing.assert_array_equal(f(), first)


def test_the_cached_gaussian_is_part_of_the_state(native_backend):
    normal = RandomStreams(5).normal((3,))
    f = function([], normal, backend=native_backend)
    (numpys,) = streams_of_numpy(5, 1)
    np.testing.assert_array_equal(f(), numpys.normal(size=3))
    np.testing.assert_array_equal(normal.rng.words(), state_words(numpys))
    generator = normal.rng.get_value()
    assert generator.normal() == numpys.normal()
    normal.rng.set_value(generator)
    np.testing.assert_array_equal(f(), numpys.normal(size=3))
    generator.normal()  # now one waits in the generator that is put back
    normal.rng.set_value(generator)
    np.testing.assert_array_equal(f(), generator.normal(size=3))


@given(seed=st.integers(0, 2**32 - 1), gaussians=st.integers(0, 3), words=st.integers(0, 1000))
def test_state_words_keep_every_bit_of_a_generator(seed, gaussians, words):
    generator = np.random.RandomState(seed)
    generator.uniform(size=words)
    generator.normal(size=gaussians)
    copy = random_state(state_words(generator))
    assert pickle.dumps(copy.get_state()[2:]) == pickle.dumps(generator.get_state()[2:])
    np.testing.assert_array_equal(copy.normal(size=3), generator.normal(size=3))


def test_static_shapes_are_known_where_sizes_are():
    streams = RandomStreams(1)
    x = pt.tensor("x", shape=(None, 7))
    assert streams.uniform((2, 3)).type.shape == (2, 3)
    assert streams.permutation((4,), n=6).type.shape == (4, 6)
    assert streams.multinomial((4,), pvals=[0.5, 0.2, 0.3]).type.shape == (4, 3)
    assert streams.binomial((x.shape[0], 7)).type.shape == (None, 7)


def test_the_shape_of_a_draw_is_found_without_drawing():
    n = pt.lscalar("n")
    f = function([n], RandomStreams(1).uniform((n, 3)).shape, mode="FAST_RUN", no_default_updates=True)
    assert f(5).tolist() == [5, 3]
    assert not any("Draw" in type(node.op).__name__ for node in f.maker.fgraph.toposort())


def test_a_gradient_through_a_parameter_of_a_draw_is_refused():
    p = pt.dscalar("p")
    with pytest.raises(Exception, match="no gradient"):
        pt.grad(RandomStreams(1).uniform((2,), high=p).sum(), p)


def test_a_gradient_past_a_mask_ignores_the_mask():
    x = pt.dvector("x")
    gradient = pt.grad((x * RandomStreams(1).binomial(size=x.shape, n=1, p=0.5, dtype="float64")).sum(), x)
    assert set(function([x], gradient)(np.ones(50))) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda rs: rs.poisson(lam=3.0), TypeError, "size is None"),
        (lambda rs: rs.uniform((2, 3), ndim=1), ValueError, "size has 2 entries, but ndim is 1"),
        (lambda rs: rs.uniform((-2,)), ValueError, "size holds -2"),
        (lambda rs: rs.uniform((-1, 2)), ValueError, "no parameter reaches there"),
        (lambda rs: rs.uniform((2,), low=np.zeros((3, 2))), ValueError, "a parameter has 2 dimensions"),
        (lambda rs: rs.uniform(pt.dvector()), TypeError, "expected a vector of integers"),
        (lambda rs: rs.permutation(n=3, ndim=2), TypeError, "one permutation"),
        (lambda rs: rs.uniform((2.7, 3)), TypeError, "size holds 2.7 of dtype float64, expected integers"),
        (lambda rs: rs.uniform((pt.dscalar("half"),)), TypeError, "size holds half of dtype float64"),
        (lambda rs: rs.binomial((3,), n=10.7), TypeError, "a parameter has dtype float64, expected integers"),
    ],
)
def test_impossible_sizes_are_refused_when_the_graph_is_built(make, error, message):
    with pytest.raises(error, match=message):
        make(RandomStreams(1))


@pytest.mark.parametrize(
    "make",
    [
        lambda rs, p: rs.binomial((3,), n=1, p=p),
        lambda rs, p: rs.binomial((3,), n=1, p=pt.stack([p, p, p])),
        lambda rs, p: rs.binomial((3,), n=pt.cast(-1 * pt.ceil(p), "int64"), p=0.5),
    ],
)
def test_a_probability_outside_its_range_is_an_error(make, native_backend):
    p = pt.dscalar("p")
    f = function([p], make(RandomStreams(1), p), backend=native_backend)
    with pytest.raises(ValueError, match="expected n >= 0 and p in"):
        f(1.5)


@pytest.mark.parametrize("wrong", [-0.5, -0.0, -np.inf])
@pytest.mark.parametrize("elementwise", [False, True])
def test_a_negative_standard_deviation_is_an_error(elementwise, wrong, native_backend):
    std = pt.dscalar("std")
    given = pt.stack([1.0, 1.0, std]) if elementwise else std
    f = function([std], RandomStreams(1).normal((3,), std=given), backend=native_backend)
    assert f(0.0)[2] == 0.0
    with pytest.raises(ValueError, match="scale < 0"):
        f(wrong)


def test_limits_that_are_not_finite_are_an_error(native_backend):
    high = pt.dscalar("high")
    f = function([high], RandomStreams(1).uniform((3,), high=high), backend=native_backend)
    with pytest.raises(OverflowError, match="not finite"):
        f(np.inf)


@pytest.mark.parametrize("wrong", [[4], [2, 3, 4]])
def test_a_size_of_another_length_than_ndim_is_an_error_and_is_not_cut(wrong):
    size = pt.lvector("size")
    f = function([size], RandomStreams(1).uniform(size, ndim=2))
    assert f([2, 3]).shape == (2, 3)
    with pytest.raises(ValueError, match="size has another length than ndim, 2"):
        f(wrong)


def test_a_parameter_that_does_not_fit_the_size_is_an_error(native_backend):
    low = pt.dvector("low")
    f = function([low], RandomStreams(1).uniform((3,), low=low), backend=native_backend)
    assert f([5.0]).shape == f([1.0, 2.0, 3.0]).shape == (3,)
    with pytest.raises(ValueError, match=r"broadcast|shape"):
        f([1.0, 2.0])


def test_a_size_may_be_an_array():
    assert RandomStreams(1).permutation(np.array([2]), n=3).type.shape == (2, 3)

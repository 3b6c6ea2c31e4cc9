"""JAX draws masks, uniform and normal numbers in its own program, and they are NumPy's and Theano's to the last bit."""

from __future__ import annotations

import functools

import numpy as np
import pytensor.tensor as pt
import pytest

from symae.compile import function, pure_step
from symae.models import CoordinateVAE
from symae.ops.random.draws import random_state, state_words
from symae.ops.random.mrg import MRGNormal, MRGUniform
from symae.ops.random.mrg_states import seed_state, substreams
from symae.random import RandomStreams

jax = pytest.importorskip("jax")
# A plain run has one row of each folder on JAX.
pytestmark = [pytest.mark.on("jax"), pytest.mark.usefixtures("jax_in_double")]

CALLBACK = "callback"  # in the name of the call by which a program asks the host


def generator_at(position: int) -> np.random.RandomState:
    """Return a generator of which so many words of key are used: odd ones are reached by draws of 32 bits."""
    generator = np.random.RandomState(3)
    generator.tomaxint(300)  # another key than the seed's
    words = state_words(generator)
    words[624] = position
    return random_state(words)


@functools.cache
def drawing(size: int, p: float):
    from symae.kernels.random.mt19937_jax import bernoullis

    return jax.jit(lambda state: bernoullis(state, p, (size,), "int32"))


@pytest.mark.parametrize("position", [0, 1, 2, 311, 396, 397, 622, 623, 624])
@pytest.mark.parametrize("size", [0, 1, 2, 311, 312, 313, 1000])
def test_a_mask_and_the_state_after_it_are_numpys_from_every_position(position, size):
    generator = generator_at(position)
    after, mask = drawing(size, 0.7)(state_words(generator))
    np.testing.assert_array_equal(mask, generator.binomial(1, 0.7, size))
    np.testing.assert_array_equal(after, state_words(generator))


@pytest.mark.parametrize("p", [0.0, 2.0**-53, 1e-9, 0.001, 0.1, 0.3, 0.49999, 0.5, 0.6, 0.7, 0.9, 0.999, 1.0])
def test_masks_of_every_probability_are_numpys(p):
    streams, generators = RandomStreams(11), np.random.RandomState(11)
    f = function([], streams.binomial((40, 50), n=1, p=p), backend="jax")
    generator = np.random.RandomState(int(generators.randint(2**30)))
    for _ in range(3):
        np.testing.assert_array_equal(f(), generator.binomial(1, p, (40, 50)))


@pytest.mark.parametrize("p", [np.nextafter(0.5, 0), 1 - 2.0**-53, 0.123, 0.7])
def test_a_threshold_is_where_numpys_search_ends(p):
    """NumPy compares a number with the probability of 0: it lies between the threshold and the next numerator."""
    from symae.kernels.random.bernoulli import bernoulli_threshold

    most = bernoulli_threshold(p)
    if most is None:
        pytest.skip("NumPy may start again for this p: the host draws")
    less = min(p, 1 - p)
    nothing = np.exp(np.log(1 - less))
    assert most / 2**53 <= nothing < (most + 1) / 2**53 or nothing == 1.0


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 2.0), (0.1, 0.3), (-3e-5, 7e8)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_uniform_numbers_have_numpys_two_roundings(low, high, dtype):
    streams, generators = RandomStreams(7), np.random.RandomState(7)
    f = function([], streams.uniform((50, 61), low=low, high=high, dtype=dtype), backend="jax")
    generator = np.random.RandomState(int(generators.randint(2**30)))
    for _ in range(2):
        np.testing.assert_array_equal(f(), generator.uniform(low, high, (50, 61)).astype(dtype))


def test_uniform_numbers_with_limits_for_each_are_numpys():
    streams, generators = RandomStreams(7), np.random.RandomState(7)
    low, high = pt.dmatrix("low"), pt.dvector("high")
    f = function([low, high], streams.uniform((4, 3), low=low, high=high), backend="jax")
    limits = np.random.RandomState(0).rand(4, 1), np.random.RandomState(1).rand(3) + 5
    generator = np.random.RandomState(int(generators.randint(2**30)))
    np.testing.assert_array_equal(f(*limits), generator.uniform(*limits, (4, 3)))


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("size", [0, 1, 2, 311, 1000])
def test_normal_numbers_and_the_state_after_them_are_numpys_from_every_position(size, cached):
    from symae.kernels.random.mt19937_jax import normals

    draw = jax.jit(lambda state, avg, std: normals(state, avg, std, (size,), "float64"))
    for position in (0, 1, 397, 622, 623, 624):
        generator = generator_at(position)
        if cached:
            generator.normal()
        state = state_words(generator)
        for avg, std in ((0.0, 1.0), (0.3, 1.7), (-1e300, 0.0)):  # odd counts leave a number to the next draw
            state, numbers = draw(state, avg, std)
            np.testing.assert_array_equal(numbers, generator.normal(avg, std, size))
            np.testing.assert_array_equal(state, state_words(generator))


def test_normal_numbers_need_no_luck(monkeypatch):
    """Few points in a round are not enough for all numbers: more rounds follow, and nothing is lost between them."""
    from symae.kernels.random import mt19937_jax

    monkeypatch.setattr(mt19937_jax, "tries_of", lambda points: 5)
    generator = generator_at(100)
    draw = jax.jit(lambda state: mt19937_jax.normals(state, 0.0, 1.0, (101,), "float64"))
    after, numbers = draw(state_words(generator))
    np.testing.assert_array_equal(numbers, generator.normal(size=101))
    np.testing.assert_array_equal(after, state_words(generator))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("streams", "count"), [(7, 0), (7, 3), (7, 7), (7, 50), (600, 1500), (600, 1200), (1, 10)])
def test_mrg_streams_are_those_of_the_kernel(streams, count, dtype):
    from symae.kernels.random.mrg_jax import uniforms

    states = substreams(seed_state(12345), streams)
    outputs = [[None], [None]]
    MRGUniform(dtype, 1).perform(None, [states, np.array(count), np.array(0, dtype), np.array(1, dtype)], outputs)
    after, numbers = jax.jit(lambda state: uniforms(state, (count,), dtype))(states)
    np.testing.assert_array_equal(numbers, outputs[1][0])
    np.testing.assert_array_equal(after, outputs[0][0])


@pytest.mark.parametrize("std", [1.0, 0.1, np.linspace(0.5, 2, 501)[:, None]], ids=["1", "0.1", "of each row"])
@pytest.mark.parametrize("streams", [7, 600])
def test_mrg_normal_numbers_are_those_of_the_kernel(streams, std):
    from symae.kernels.random.mrg_jax import normals

    states, shape = substreams(seed_state(12345), streams), (501, 3)  # an odd count leaves out the last sine
    outputs = [[None], [None]]
    MRGNormal("float64", 2).perform(None, [states, *shape, np.zeros(()), np.asarray(std)], outputs)
    after, noisy = jax.jit(lambda state: (lambda drawn: (drawn[0], 0.3 + drawn[1]))(normals(state, std, shape)))(states)
    np.testing.assert_array_equal(noisy, 0.3 + outputs[1][0])
    np.testing.assert_array_equal(after, outputs[0][0])


@pytest.mark.parametrize(("avg", "dtype"), [(0.0, "float64"), (0.5, "float64"), (0.0, "float32")])
def test_mrg_normal_numbers_of_a_function_are_the_same_wherever_they_are_drawn(avg, dtype):
    from symae.theano.sandbox.rng_mrg import MRG_RandomStreams

    drawn = [
        function([], MRG_RandomStreams(7).normal(size=(5, 21), avg=avg, std=0.25, dtype=dtype), backend=backend)()
        for backend in ("jax", "numba")
    ]
    np.testing.assert_array_equal(*drawn)


def lowered(draw) -> str:
    """Return the program of a step that draws."""
    x = pt.dmatrix("x")
    step, state = pure_step((draw(x) * x).sum(), [], x)
    return jax.jit(step).lower(state, np.ones((20, 30))).as_text()


def mrg_mask(x):
    from symae.theano.sandbox.rng_mrg import MRG_RandomStreams

    return MRG_RandomStreams(5).binomial(size=(20, 30), p=0.7, dtype="float64")


def mrg_normal(x):
    from symae.theano.sandbox.rng_mrg import MRG_RandomStreams

    return MRG_RandomStreams(5).normal(size=(20, 30), std=0.1, dtype="float64")


@pytest.mark.parametrize(
    "draw",
    [
        lambda x: RandomStreams(5).binomial(x.shape, p=0.7, dtype="float64"),
        lambda x: RandomStreams(5).uniform(x.shape, low=-1.0),
        lambda x: RandomStreams(5).normal(x.shape, std=0.1),
        mrg_mask,
        mrg_normal,
    ],
    ids=["mask", "uniform", "normal", "MRG's mask", "MRG's normal"],
)
def test_a_step_with_a_mask_asks_the_host_for_nothing(draw):
    assert CALLBACK not in lowered(draw)


def test_a_step_of_a_variational_autoencoder_asks_the_host_for_nothing():
    model = CoordinateVAE(0)
    step, state = pure_step(*model.get_cost_updates(), model.x)
    images = np.zeros((4, 784), model.x.type.dtype)
    assert CALLBACK not in jax.jit(step).lower(state, images).as_text()


def test_what_is_searched_by_libms_logarithms_is_drawn_on_the_host():
    """So the tests above would see a callback."""
    assert CALLBACK in lowered(lambda x: RandomStreams(5).poisson(x.shape, dtype="float64"))

"""NumPy draws by its RandomState; its state goes in and out by itself or where it lies in memory, the numbers are the same."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from symae.ops.random import draws
from symae.ops.random.compiled_draws import BinomialDraw, NormalDraw, UniformDraw
from symae.ops.random.draws import NumpyDraw, state_words

OF_NUMPY = {
    "uniform": (UniformDraw("float64", 1), (-1.0, 2.5), lambda rng: rng.uniform(-1.0, 2.5, 5)),
    "normal": (NormalDraw("float64", 1), (1.0, 2.0), lambda rng: rng.normal(1.0, 2.0, 5)),
    "binomial": (BinomialDraw("int64", 1), (100, 0.4), lambda rng: rng.binomial(100, 0.4, 5)),
    "mask": (BinomialDraw("int64", 1), (1, 0.4), lambda rng: rng.binomial(1, 0.4, 5)),
    "poisson": (NumpyDraw("poisson", "int64", 1), (3.5,), lambda rng: rng.poisson(3.5, 5)),
    "integers": (NumpyDraw("random_integers", "int64", 1), (2, 9), lambda rng: rng.randint(2, 10, 5)),
    "permutation": (NumpyDraw("permutation", "int64", 1), (7,), lambda rng: [rng.permutation(7) for _ in range(5)]),
}


@pytest.mark.parametrize("name", OF_NUMPY)
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_draw_and_the_state_after_it_are_numpys_also_where_a_gaussian_waits(monkeypatch, name, in_memory):
    if not in_memory:
        monkeypatch.setattr(draws._thread, "memory", None)
    op, parameters, draw = OF_NUMPY[name]
    theirs = np.random.RandomState(5)
    theirs.normal(size=3)
    theirs.randint(2**31)  # one word: the position is odd
    for _ in range(200):  # over several ends of the key
        before = state_words(theirs)
        given = before.copy()
        after, found = op._on_host(given, 5, *parameters)
        np.testing.assert_array_equal(found, draw(theirs))
        np.testing.assert_array_equal(after, state_words(theirs))
        np.testing.assert_array_equal(given, before)


def test_every_thread_finds_its_own_generators_state():
    found = []

    def draw():
        found.append((draws._thread.memory is None, draws._thread.generator, draws._thread.memory.ctypes.data))

    threads = [threading.Thread(target=draw) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [none for none, _, _ in found] == [False, False]
    assert found[0][1] is not found[1][1]
    assert found[0][2] != found[1][2]


def test_a_state_that_is_none_is_refused():
    op, state = BinomialDraw("int64", 1), state_words(np.random.RandomState(5))
    for wrong in (state[:-1], np.where(np.arange(628) == 624, 625, state)):
        with pytest.raises(ValueError, match="a random state has shape"):
            op._on_host(wrong, 5, 1, 0.4)


def test_memory_that_is_no_generators_state_is_told_and_not_written_to():
    bits = np.random.MT19937(1)
    key = bits.state["state"]["key"]
    for lies_there in (np.zeros(625, np.uint32), np.append(key, np.uint32(7)), np.append(np.uint32(9), key)):
        before = lies_there.copy()

        class Elsewhere(np.random.MT19937):
            ctypes = SimpleNamespace(state_address=lies_there.ctypes.data)

        assert draws._key_and_position(Elsewhere(1)) is None
        np.testing.assert_array_equal(lies_there, before)
    assert draws._key_and_position(bits) is not None


def test_a_random_state_of_another_kind_is_refused_by_name():
    with pytest.raises(TypeError, match="the generator is a PCG64, expected MT19937"):
        state_words(np.random.RandomState(np.random.PCG64(1)))

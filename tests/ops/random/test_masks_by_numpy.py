"""Masks that NumPy draws for backends without a draw of their own are ``RandomState.binomial``'s, made by comparing."""

from __future__ import annotations

import numpy as np
import pytest

from symae.ops.random import compiled_draws
from symae.ops.random.compiled_draws import BinomialDraw
from symae.ops.random.draws import state_words

PROBABILITIES = [0.0, 1.0, 0.5, 0.7, 0.3, 0.1, 0.9, 1e-9, 1 - 1e-9, np.nextafter(0.5, 0), np.nextafter(0.5, 1), 1 - 2.0**-53]


@pytest.mark.parametrize("p", [*PROBABILITIES, *np.random.RandomState(0).random_sample(30)])
def test_a_mask_and_the_state_after_it_are_numpys(p):
    theirs, mine = np.random.RandomState(5), np.random.RandomState(5)
    expected = theirs.binomial(1, p, (40, 30))
    found = BinomialDraw("float32", 2).sample(mine, (40, 30), np.asarray(1), np.asarray(p))
    np.testing.assert_array_equal(np.asarray(found, "float32"), expected)
    np.testing.assert_array_equal(state_words(mine), state_words(theirs))


def test_what_is_no_mask_is_drawn_by_numpy():
    for n, p in ((2, 0.4), (1, np.linspace(0, 1, 30))):
        theirs, mine = np.random.RandomState(5), np.random.RandomState(5)
        found = BinomialDraw("int64", 2).sample(mine, (40, 30), np.asarray(n), np.asarray(p))
        np.testing.assert_array_equal(found, theirs.binomial(n, p, (40, 30)))


def test_a_search_that_starts_again_is_numpys(monkeypatch):
    """The highest number of all starts it for some p: here the probability of 1 is made so small that many do."""
    monkeypatch.setattr(compiled_draws, "search", lambda p: (0.7, 0.1))
    theirs, mine = np.random.RandomState(5), np.random.RandomState(5)
    found = BinomialDraw("int64", 2).sample(mine, (40, 30), np.asarray(1), np.asarray(0.3))
    np.testing.assert_array_equal(found, theirs.binomial(1, 0.3, (40, 30)))
    np.testing.assert_array_equal(state_words(mine), state_words(theirs))

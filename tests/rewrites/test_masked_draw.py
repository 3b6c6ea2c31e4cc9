"""A mask of random bits is drawn and applied in one pass, with the stream of the two steps."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import DenoisingAutoencoder, RandomStreams, function
from symae.compile import options
from symae.ops.random.compiled_draws import BinomialDraw
from symae.ops.random.draws import state_words
from symae.ops.random.masked_draw import MaskedDraw

X = np.random.default_rng(0).normal(size=(60, 90))


def corrupted(seed=7, n=1):
    x = pt.dmatrix("x")
    mask = RandomStreams(seed).binomial(size=x.shape, n=n, p=0.7, dtype="float64")
    return x, mask, mask * x


def test_corruption_is_one_op_and_draws_the_same(rewritten, ops_of):
    x, _, masked = corrupted()
    f = rewritten([x], masked)
    assert len(ops_of(f, MaskedDraw)) == 1
    x, _, masked = corrupted()
    plain = function([x], masked)
    for _ in range(3):
        np.testing.assert_array_equal(f(X), plain(X))


def test_a_mask_that_is_needed_itself_is_drawn_alone(rewritten, ops_of):
    x, mask, masked = corrupted()
    f = rewritten([x], [masked, mask])
    assert not ops_of(f, MaskedDraw)
    found, drawn = f(X)
    np.testing.assert_array_equal(found, drawn * X)


def test_a_mask_for_every_row_and_one_with_other_factors_are_drawn_alone(rewritten, ops_of):
    x, v = pt.dmatrix("x"), pt.dvector("v")
    row = RandomStreams(1).binomial(size=(1, x.shape[1]), n=1, p=0.5, dtype="float64")
    assert not ops_of(rewritten([x], row * x), MaskedDraw)
    mask = RandomStreams(1).binomial(size=x.shape, n=1, p=0.5, dtype="float64")
    assert not ops_of(rewritten([x, v], mask * v), MaskedDraw)
    assert not ops_of(rewritten([x], mask * x.astype("float32")), MaskedDraw)


def test_masks_that_do_not_fit_are_refused(rewritten):
    x, size = pt.dmatrix("x"), pt.lvector("size")
    mask = RandomStreams(1).binomial(size=(size[0], size[1]), n=1, p=0.5, dtype="float64")
    with pytest.raises(ValueError, match=r"found a mask of shape \(3, 4\), expected \(\d+, \d+\), that of the array"):
        rewritten([x, size], mask * x)(X, [3, 4])


def test_the_tutorials_denoising_autoencoder_has_it(rewritten, ops_of):
    da = DenoisingAutoencoder(np.random.RandomState(0), n_visible=6, n_hidden=3)
    cost, updates = da.get_cost_updates(0.3, 0.1)
    assert len(ops_of(rewritten([da.x], cost, updates=updates), MaskedDraw)) == 1


@pytest.mark.parametrize("n", [1, 3])
def test_machine_code_draws_the_same(n):
    x, _, masked = corrupted(n=n)
    f = function([x], masked, backend="numba")
    with options(exclude=["masked_draw"]):
        x, _, masked = corrupted(n=n)
        plain = function([x], masked, backend="numba")
    for values in (X, X[:, ::-1], X[:0], np.ones((1, 1))):
        np.testing.assert_array_equal(f(values), plain(values))
    size = pt.lvector("size")
    mask = RandomStreams(1).binomial(size=(size[0], size[1]), n=n, p=0.5, dtype="float64")
    refusing = function([x, size], mask * x, backend="numba")
    with pytest.raises(ValueError, match=r"product with a mask: found a mask of shape \(3, 4\), expected"):
        refusing(X, np.array([3, 4]))


def test_it_takes_what_has_the_masks_dtype_and_one_probability():
    state = pytensor.shared(np.zeros(628, "uint32"))
    with pytest.raises(ValueError, match="float64 of 2 dimensions"):
        MaskedDraw("float64", 2)(state, 2, 2, 1, 0.5, pt.fmatrix())
    with pytest.raises(ValueError, match="one of each"):
        MaskedDraw("float64", 2)(state, 2, 2, 1, pt.dvector(), pt.dmatrix())


def test_a_mask_of_what_is_drawn_after_it_is_drawn_alone(rewritten, ops_of):
    """The second op would need the state that the first leaves, and the first what the second draws."""
    state = pt.vector("state", dtype="uint32")
    draw = BinomialDraw("float64", 1)
    after, mask = draw(state, 50, 1, 0.5, return_list=True)
    masked = mask * (1 + draw(after, 50, 1, 0.5, return_list=True)[1])
    f = rewritten([state], [masked, mask])
    g = rewritten([state], masked)
    assert not ops_of(g, MaskedDraw)
    first = state_words(np.random.RandomState(1))
    np.testing.assert_array_equal(g(first), f(first)[0])

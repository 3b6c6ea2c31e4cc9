"""Masks that NumPy draws for backends without a draw of their own are ``RandomState.binomial``'s, made by comparing."""

from __future__ import annotations

import numpy as np
import pytest
from backend_params import on

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


PYTORCH = [on("pytorch", pytest.mark.backends)]


@pytest.fixture(scope="module", params=PYTORCH)
def recipe(request):
    pytest.importorskip("torch")
    from symae.kernels.random.mt19937_torch import compiler_and_source

    return compiler_and_source() or pytest.skip("PyTorch has no C++ compiler here")


@pytest.fixture(scope="module")
def machine_code(recipe, tmp_path_factory):
    """Masks for PyTorch, by machine code that is made here."""
    from symae.kernels.random.mt19937_torch import Masks

    masks = Masks(tmp_path_factory.mktemp("compiled") / "masks.so", *recipe)
    assert masks.wait()
    return masks


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8"])
def test_masks_in_machine_code_and_the_states_after_them_are_numpys(machine_code, dtype):
    import torch

    for p in (0.0, 1.0, 0.5, 0.7, 0.3, 1e-9, 1 - 2.0**-53, np.nextafter(0.5, 1)):
        theirs = np.random.RandomState(5)
        state = torch.from_numpy(state_words(theirs))
        for size in ((40, 30), (1,), (311,), (0, 3), (), (312, 2)):
            before = state.clone()
            after, mask = machine_code.draw(state, size, p, dtype)
            np.testing.assert_array_equal(state, before)
            np.testing.assert_array_equal(mask, theirs.binomial(1, p, size))
            np.testing.assert_array_equal(after, state_words(theirs))
            assert str(mask.dtype) == f"torch.{dtype}"
            state = after


def test_what_machine_code_cannot_draw_is_left_to_numpy(machine_code, monkeypatch):
    import torch

    from symae.kernels.random import bernoulli, mt19937_torch

    odd = np.random.RandomState(5)
    odd.randint(2**31)  # one word
    state = torch.from_numpy(state_words(np.random.RandomState(5)))
    assert machine_code.draw(torch.from_numpy(state_words(odd)), (5,), 0.3, "float32") is None
    assert machine_code.draw(state, (5,), 0.3, "float16") is None
    assert machine_code.draw(state, (5,), 1.5, "float32") is None
    assert machine_code.draw(state[:-1], (5,), 0.3, "float32") is None
    with pytest.raises(ValueError, match="negative dimensions"):
        machine_code.draw(state, (-1,), 0.3, "float32")
    monkeypatch.setattr(bernoulli, "search", lambda p: (0.7, 0.1))
    mt19937_torch._compared.cache_clear()
    assert machine_code.draw(state, (5,), 0.3, "float32") is None
    mt19937_torch._compared.cache_clear()


@pytest.mark.parametrize("words", [["no-such-compiler"], ["false"]])
def test_numpy_draws_where_the_compiler_fails(recipe, tmp_path, words):
    from symae.kernels.random.mt19937_torch import Masks

    masks = Masks(tmp_path / "masks.so", words, "")
    assert not masks.wait()
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_made_again(recipe, tmp_path):
    import torch

    from symae.kernels.random.mt19937_torch import Masks

    file = tmp_path / "masks.so"
    file.write_bytes(b"no machine code")
    masks = Masks(file, *recipe)
    assert masks.wait()
    assert file.stat().st_size > 1000
    again = Masks(file, ["no-such-compiler"], "")
    state = torch.from_numpy(state_words(np.random.RandomState(5)))
    np.testing.assert_array_equal(again.draw(state, (9,), 0.3, "int64")[1], np.random.RandomState(5).binomial(1, 0.3, 9))

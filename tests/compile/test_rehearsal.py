"""In a rehearsal every function computes once for inputs of a kind, and trainings are over at once."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from symae import function
from symae.compile.rehearsal import Enough, rehearsal, rehearsing
from symae.training import train_epochs


@pytest.fixture
def counting():
    """Return a function of a vector that counts its calls in a shared variable, and that variable."""
    calls = pytensor.shared(np.int64(0), "calls")
    x = pt.vector("x")
    return function([x], x.sum() + calls, updates=[(calls, calls + 1)]), calls


def test_a_call_with_inputs_of_a_known_kind_changes_nothing(counting):
    f, calls = counting
    with rehearsal(60):
        assert rehearsing()
        assert [float(f(np.full(3, k))) for k in (1.0, 2.0, 5.0)] == [3.0, 3.0, 3.0]
        assert calls.get_value() == 1
        assert float(f(np.ones(4))) == 5.0  # of another shape
        f(np.ones(3))[...] = 7  # an array of the caller's own
        assert float(f(np.ones(3))) == 3.0
    assert not rehearsing()
    assert float(f(np.ones(3))) == 5.0
    assert calls.get_value() == 3


def test_a_program_that_asks_for_nothing_new_is_ended(counting):
    f, _ = counting
    with rehearsal(0):
        f(np.ones(2))
        with pytest.raises(Enough) as end:
            f(np.ones(2))
    assert end.value.code == 0


def test_a_training_makes_one_step():
    done = []
    with rehearsal(60):
        history = train_epochs(lambda i: done.append(i) or 1.5, 10, 200, log=lambda line: None)
    assert (len(done), history.costs) == (1, [1.5])

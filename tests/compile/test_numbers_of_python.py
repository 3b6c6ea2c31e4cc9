"""Compiled functions take Python's numbers as PyTensor's own do, without its search for the smallest type of each."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor import In
from pytensor.tensor.type import TensorType

from symae import function


@pytest.fixture
def searched(monkeypatch):
    """Return what PyTensor was given to look at, that is no array."""
    given, stock = [], TensorType.filter

    def filter_(self, data, *arguments, **named):
        if not isinstance(data, np.ndarray):
            given.append(data)
        return stock(self, data, *arguments, **named)

    monkeypatch.setattr(TensorType, "filter", filter_)
    return given


@pytest.mark.parametrize("number", [3, np.int64(3), np.array(3), np.int8(3)])
def test_a_whole_number_of_any_kind_is_an_index(number):
    i = pt.lscalar("i")
    assert function([i], 2 * i)(number) == 6
    assert function([i], 2 * i)(i=number) == 6


def test_numbers_come_as_arrays(searched):
    i, rate, x = pt.lscalar("i"), pt.dscalar("rate"), pt.dvector("x")
    f = function([i, x, rate], i + rate * x.sum())
    assert f(2, np.ones(3), 0.5) == 3.5
    assert f(np.int64(2), np.ones(3), np.float64(0.5)) == 3.5
    assert searched == []


@pytest.mark.parametrize(("value", "message"), [(2**70, "too (large|big)"), (1.5, "cannot store accurately")])
def test_what_is_no_index_is_refused_in_pytensors_words(value, message):
    i = pt.lscalar("i")
    with pytest.raises((TypeError, OverflowError), match=message):
        function([i], 2 * i)(value)


def test_an_input_that_is_strict_takes_no_numbers():
    i = pt.lscalar("i")
    f = function([In(i, strict=True)], 2 * i)
    with pytest.raises(TypeError):
        f(3)
    assert f(np.array(3)) == 6


def test_an_input_that_may_be_changed_takes_numbers():
    i = pt.lscalar("i")
    f = function([In(i, mutable=True)], i + 1)
    number = np.int64(3)
    assert f(number) == 4
    assert number == 3


def test_too_many_or_too_few_numbers_are_refused():
    i = pt.lscalar("i")
    f = function([i], 2 * i)
    with pytest.raises(TypeError):
        f()
    with pytest.raises(TypeError):
        f(1, 2)

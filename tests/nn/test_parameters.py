"""Parameters by name."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest

from symae import InputError
from symae.nn import Parameters


@pytest.fixture
def params():
    parameters = Parameters(np.random.RandomState(0))
    for name in "abc":
        parameters.add(f"{name}_W", np.zeros((1, 2)))
    return parameters


def test_they_keep_their_names_and_their_order(params):
    assert params.names == ("a_W", "b_W", "c_W")
    assert [p.name for p in params] == ["a_W", "b_W", "c_W"]
    assert len(params) == 3


def test_they_are_had_by_name_by_place_and_by_slice(params):
    assert params["b_W"] is params[1]
    assert params[-1] is params["c_W"]
    assert params[1:] == [params["b_W"], params["c_W"]]
    assert [p.name for p in reversed(params)] == ["c_W", "b_W", "a_W"]


def test_they_can_be_asked_what_is_among_them(params):
    assert "a_W" in params
    assert "d_W" not in params
    assert params[0] in params
    assert pytensor.shared(0.0, name="a_W") not in params


def test_a_parameter_knows_its_whole_shape(params):
    assert params["a_W"].type.shape == (1, 2)


def test_a_second_one_of_a_name_is_refused_and_changes_nothing(params):
    first = params["a_W"]
    with pytest.raises(InputError, match="parameter: found a second a_W, expected a name for each"):
        params.add("a_W", np.ones(3))
    assert params["a_W"] is first
    assert len(params) == 3


def test_an_unknown_name_is_refused_with_those_there_are(params):
    with pytest.raises(InputError, match="parameter: found 'W', expected one of a_W, b_W, c_W"):
        params["W"]


def test_a_place_beyond_the_last_is_an_index_error(params):
    with pytest.raises(IndexError):
        params[3]

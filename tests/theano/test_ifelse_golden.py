"""theano.ifelse computes the branch that is asked for and no other: values, errors and calls are real Theano 1.0.5's."""

from __future__ import annotations

import pytest
from golden.figures import assert_same, read_json
from golden.theano_ifelse_cases import CASES, evaluate

import symae.theano as theano
import symae.theano.ifelse
import symae.theano.tensor.nlinalg  # noqa: F401
from symae.compile.backends import BY_NAME

GOLDEN = read_json("theano_ifelse")
# the steps of loops take long to compile, on Numba also without cache beside operations of a script's own
LOOPS = ["within_a_loop", "a_loop_in_a_branch"]
QUICK = {
    "FAST_COMPILE": [name for name in CASES if name not in LOOPS],
    "Mode": ["nested", "printing", "shared_by_one_condition", "shared_by_two_conditions", "gradient", "within_a_loop"],
    "c": ["nested"],
    # no operations of a script's own; JAX gives infinities for a singular inverse and takes the nearest entry for an index out
    # of range, PyTorch has no loops
    "jax": ["several_outputs", "gradient_of_several_outputs"],
    "pytorch": ["several_outputs"],
}
LONG = {
    "FAST_COMPILE": LOOPS,
    "Mode": [name for name in CASES if name not in QUICK["Mode"]],
    "c": [name for name in CASES if name not in QUICK["c"]],
    "jax": ["index_of_an_empty_vector", "gradient", "nested", "within_a_loop", "updates", "values_that_stay"],
    "pytorch": ["index_of_an_empty_vector", "nested", "gradient", "updates"],
}


def in_modes(names):
    """All cases of each mode; a backend's are its rows."""
    marks = {mode: [pytest.mark.on(mode)] if mode in BY_NAME else [] for mode in names}
    rows = [pytest.param(mode, name, marks=marks[mode]) for mode in names for name in names[mode]]
    return pytest.mark.parametrize(("mode", "name"), rows)


def assert_theanos(in_mode, mode, name):
    if mode in BY_NAME and not BY_NAME[mode].installed:
        pytest.skip(f"{mode} is not installed")
    with in_mode(mode):
        assert_same(evaluate(theano, name), GOLDEN[name])


@pytest.mark.table(3)
@in_modes(QUICK)
@pytest.mark.filterwarnings("ignore:Numba will use object mode")
def test_branches_are_theanos(in_mode, mode, name):
    assert_theanos(in_mode, mode, name)


@pytest.mark.long
@in_modes(LONG)
@pytest.mark.filterwarnings("ignore:Numba will use object mode")
def test_all_branches_are_theanos(in_mode, mode, name):
    assert_theanos(in_mode, mode, name)

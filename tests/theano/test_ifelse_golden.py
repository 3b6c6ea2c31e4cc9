"""theano.ifelse computes the branch that is asked for and no other: values, errors and calls are real Theano 1.0.5's."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytensor
import pytest

import symae.theano as theano
import symae.theano.ifelse
import symae.theano.tensor.nlinalg  # noqa: F401

FOLDER = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(FOLDER))
try:
    from theano_ifelse_cases import CASES, evaluate
finally:
    sys.path.pop(0)

GOLDEN = json.loads((FOLDER / "theano_ifelse.json").read_text())
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
MODULES = {"jax": "jax", "pytorch": "torch"}


def in_modes(names):
    return pytest.mark.parametrize(("mode", "name"), [(mode, name) for mode in names for name in names[mode]])


def assert_equal(found, expected):
    if isinstance(expected, list):
        assert isinstance(found, list)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_equal(one, other)
    elif isinstance(expected, str):
        assert found == expected
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@contextmanager
def in_mode(mode):
    """PyTensor's own setting, by which conftest makes tests quick, is put back to what users have."""
    with pytensor.config.change_flags(mode="Mode"), theano.change_flags(mode=mode):
        yield


def assert_theanos(mode, name):
    if mode in MODULES:
        pytest.importorskip(MODULES[mode])
    with in_mode(mode):
        assert_equal(evaluate(theano, name), GOLDEN[name])


@in_modes(QUICK)
@pytest.mark.filterwarnings("ignore:Numba will use object mode")
def test_branches_are_theanos(mode, name):
    assert_theanos(mode, name)


@pytest.mark.long
@in_modes(LONG)
@pytest.mark.filterwarnings("ignore:Numba will use object mode")
def test_all_branches_are_theanos(mode, name):
    assert_theanos(mode, name)

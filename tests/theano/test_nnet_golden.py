"""What legacy scripts call gives the values, dtypes, shapes and gradients of real Theano 1.0.5."""

from __future__ import annotations

import numpy as np
import pytensor
import pytest
from golden.figures import assert_same_array, read_arrays
from golden.theano_nnet_cases import CASES, evaluate
from pytensor.compile.mode import Mode

import symae.theano as theano
from symae.compile.backends import BY_NAME

# Rewritten as symae.function does it, because some of the values are infinite otherwise; computed without a compiler, and
# without fusion, because PyTensor 3.3 computes a fused function of two results in float32 then.
REWRITTEN = Mode("py", "fast_run").including(*BY_NAME["c"].tags).excluding("fusion")


@pytest.fixture(scope="module")
def golden() -> dict[str, dict[str, np.ndarray]]:
    found: dict[str, dict[str, np.ndarray]] = {}
    for key, value in read_arrays("theano_nnet").items():
        case, _, part = key.rpartition("/")
        found.setdefault(case, {})[part] = value
    return found


# Python 3.13, of the logical not that PyTensor computes so without a compiler
@pytest.mark.table(3)
@pytest.mark.filterwarnings("ignore:Bitwise inversion")
@pytest.mark.parametrize("floatX", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_a_case_is_what_theano_computes(name, floatX, golden):
    with pytensor.config.change_flags(floatX=floatX):
        found = evaluate(theano, name, floatX, REWRITTEN)
    expected = golden[f"{floatX}/{name}"]
    assert {key.rpartition("/")[2] for key in found} == set(expected)
    for key, value in found.items():
        assert_same_array(value, expected[key.rpartition("/")[2]], key)

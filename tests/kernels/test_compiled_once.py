"""Kernels that are compiled once have their machine code from the disk, for callers of any layout, and hand errors on."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from symae.kernels import compiled_once as once
from symae.kernels.compiled_once import compiled_once
from symae.kernels.parallel.parts import jit


@compiled_once(jit)
def halve(x, out):
    """Compute half of each number."""
    if x.size != out.size:
        raise ValueError("sizes differ")
    for i in range(x.size):
        out[i] = x[i] / 2


@numba.njit
def halved(x):
    out = np.empty(x.size)
    halve(x, out)
    return out


@numba.njit
def into_less(x):
    halve(x, np.empty(1))


def test_arrays_of_any_layout_share_the_machine_code():
    x = np.arange(6.0)
    np.testing.assert_array_equal(halved(x), x / 2)
    np.testing.assert_array_equal(halved(x[::2]), x[::2] / 2)
    symbols = once._once[f"{__name__}.halve"]._symbols
    assert len([key for key in symbols if key[0] != "library"]) == 1
    np.testing.assert_array_equal(halved(x.astype("float32")), x / 2)
    assert len([key for key in symbols if key[0] != "library"]) == 2


def test_an_error_is_the_callers():
    with pytest.raises(ValueError, match="sizes differ"):
        into_less(np.ones(3))


def test_a_call_names_arguments_like_any_other():
    assert halve.__doc__ == "Compute half of each number."
    with pytest.raises(numba.TypingError):
        numba.njit(lambda x: halve(x))(np.ones(3))


PROGRAM = """
import sys
import numpy as np
import pytensor.tensor as pt
from symae import compile_time, function
from symae.kernels import compiled_once as once

made = []
once._Once._compiled = lambda *given, make=once._Once._compiled: (made.append(given[0].name), make(*given))[1]
x, y = pt.dmatrix("x"), pt.dmatrix("y")
f = function([x, y], [x @ y, x + 1] if sys.argv[1] == "other" else x @ y)
X, Y = np.arange(200.0).reshape(10, 20), np.arange(300.0).reshape(20, 15)
got = f(X, Y)
print(made, compile_time(f).cached, np.abs((got[0] if sys.argv[1] == "other" else got) - X @ Y).max() < 1e-9)
"""


def test_another_process_and_another_graph_find_it_on_the_disk(tmp_path):
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}

    def run(graph):
        command = [sys.executable, "-c", PROGRAM, graph]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    name = "symae.kernels.gemm.threaded_gemms"
    assert run("one") == f"{[name]} False True"
    assert run("one") == "[] True True"
    assert run("other") == "[] False True"
    assert run("other") == "[] True True"  # compiled with a part that was read from the disk itself
    for file in tmp_path.rglob("symae_threaded_gemms-*.o"):
        file.write_bytes(b"damaged")
    assert run("one") == f"{[name]} True True"

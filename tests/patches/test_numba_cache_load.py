"""A function whose machine code is on the disk starts without what compiling needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.backends

PROGRAM = """
import sys
import numpy as np
import pytensor
import pytensor.tensor as pt
import symae
from symae.compile.loops import loop_over

if "moved" in sys.argv[1:]:  # what is on the disk was compiled by a symae whose modules lay elsewhere
    from numba.core import caching

    def _load_overload(self, sig, target_context):
        raise ModuleNotFoundError("No module named 'symae.where_it_was'")

    caching.Cache._load_overload = _load_overload

index = pt.lscalar("index")
W = pytensor.shared(np.eye(2), name="W")
draws = symae.RandomStreams(1).uniform(size=(2, 2))
step = symae.function([index], W.sum(), updates=[(W, pt.tanh(W * W.T + index) + draws)], backend="numba")
print(loop_over(step).run(0, 3), symae.compile.compile_time(step).cached)
print("numba.cpython.printimpl" in sys.modules)
x = pt.vector("x")
if "more" in sys.argv[1:]:  # what is not on the disk is still compiled
    print(symae.function([x], pt.exp(x) - 2.0, backend="numba")(np.zeros(2)))
"""


def test_what_is_on_the_disk_is_loaded_without_what_compiling_needs_and_compiling_goes_on(tmp_path):
    def lines_of(*arguments):
        environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
        command = [sys.executable, "-c", PROGRAM, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    cold = lines_of()
    figures = cold[0].removesuffix(" False")
    assert cold == [f"{figures} False", "True"]
    assert lines_of() == [f"{figures} True", "False"]
    assert lines_of("moved")[0] == f"{figures} False"
    assert lines_of("more") == [f"{figures} True", "False", "[-1. -1.]"]

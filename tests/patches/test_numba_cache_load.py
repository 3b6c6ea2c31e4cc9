"""A function whose machine code is on the disk starts without what compiling needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
import pytensor
import pytensor.tensor as pt
import symae
from symae.compile.loops import loop_over

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


SMALL = """
import numpy as np
import pytensor.tensor as pt
import symae

x = pt.vector("x")
f = symae.function([x], pt.tanh(x) - 2.0, backend="numba")
print(f(np.zeros(2)), symae.compile.compile_time(f).cached)
"""


def lines_of(folder, program, *arguments, patches="on"):
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={folder}", "SYMAE_PATCHES": patches}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def make_unreadable(folder):
    """Let all machine code there be of a symae whose modules lay elsewhere."""
    kept = list(folder.rglob("*.nbc"))
    assert kept
    for file in kept:
        file.write_bytes(b"csymae.where_it_was\nName\n.")


@pytest.mark.default_mode
def test_what_is_on_the_disk_is_loaded_without_what_compiling_needs_and_compiling_goes_on(tmp_path):
    cold = lines_of(tmp_path, PROGRAM)
    figures = cold[0].removesuffix(" False")
    assert cold == [f"{figures} False", "True"]
    assert lines_of(tmp_path, PROGRAM) == [f"{figures} True", "False"]
    assert lines_of(tmp_path, PROGRAM, "more") == [f"{figures} True", "False", "[-1. -1.]"]
    make_unreadable(tmp_path)
    assert lines_of(tmp_path, PROGRAM)[0] == f"{figures} False"


@pytest.mark.default_mode
def test_what_cannot_be_read_from_the_disk_is_compiled_again_without_patches_too(tmp_path):
    assert lines_of(tmp_path, SMALL, patches="off") == ["[-2. -2.] False"]
    make_unreadable(tmp_path)
    assert lines_of(tmp_path, SMALL, patches="off") == ["[-2. -2.] False"]
    assert lines_of(tmp_path, SMALL, patches="off") == ["[-2. -2.] True"]

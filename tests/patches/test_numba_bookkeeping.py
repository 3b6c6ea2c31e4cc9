"""What Numba leaves out while symae compiles changes no instruction, and is left out only then."""

from contextlib import nullcontext

import numba
import numpy as np
import pytensor.link.numba.dispatch.basic  # noqa: F401  (connects symae.patches.numba_bookkeeping)
import pytest
from numba.core import event

from symae.patches import numba_bookkeeping
from symae.patches.numba_deferred_codegen import whole_programs


def function():
    """Return a function that calls others of Numba's and its own, has loops and branches, and allocates."""

    @numba.njit
    def inner(x):
        return x if x > 0 else -x

    @numba.njit
    def outer(xs, n):
        sums = np.zeros(n)
        for i in range(n):
            sums[i] = inner(xs.sum()) + len(np.argwhere(xs > i))
        return sums.reshape(1, n), (n, "text")

    return outer


def instructions(compiled):
    """Return the names of all instructions of a function's machine code, in their order."""
    (assembly,) = compiled.inspect_asm().values()
    return [line.split()[0] for line in assembly.splitlines() if line.startswith("\t") and not line.startswith("\t.")]


def test_machine_code_and_results_are_the_same(monkeypatch):
    made = []
    for stock in (False, True):
        if stock:
            monkeypatch.setattr(numba_bookkeeping, "compiling_whole_programs", lambda: False)
        compiled = function()
        with whole_programs():
            sums, (n, text) = compiled(np.array([-1.0, 0.5]), 2)
        assert (sums.tolist(), n, text) == ([[1.5, 0.5]], 2, "text")
        made.append(instructions(compiled))
    assert len(made[0]) > 100
    assert made[0] == made[1]


@pytest.mark.parametrize(("within", "heard"), [(whole_programs, False), (nullcontext, True)], ids=["symae's", "others'"])
def test_timers_hear_of_functions_always_and_of_llvm_where_others_compile(within, heard):
    with event.install_recorder("numba:llvm_lock") as llvm, event.install_recorder("numba:compile") as functions, within():
        assert numba.njit(lambda x: x + 1)(1) == 2
    assert bool(llvm.buffer) == heard
    assert len(functions.buffer) == 2


def test_functions_for_c_have_their_entry_points():
    @numba.njit
    def compiled(x):
        return x + 1

    with whole_programs():
        callback = numba.cfunc("float64(float64)")(lambda x: compiled(x) * 2)
    assert callback.ctypes(1.0) == 4

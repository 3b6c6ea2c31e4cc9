"""What Numba compiles for others is optimised with them and once; nothing else about it changes."""

import signal
import subprocess
import sys

import numba
import numpy as np
import pytensor.link.numba.dispatch.basic  # noqa: F401  (connects symae.patches.numba_deferred_codegen)
import pytest
from numba.core import codegen

import symae
from symae.patches.numba_deferred_codegen import whole_programs


@pytest.fixture
def optimised(monkeypatch):
    """Return the names of the libraries that were optimised meanwhile."""
    names = []
    stock = codegen.CPUCodeLibrary._optimize_final_module

    def watched(self):
        names.append(self.name)
        stock(self)

    monkeypatch.setattr(codegen.CPUCodeLibrary, "_optimize_final_module", watched)
    return names


def nest():
    """Three functions within one another."""

    @numba.njit
    def innermost(x):
        if x < 0:
            raise ValueError("negative")
        return np.sqrt(x)

    @numba.njit
    def inner(xs):
        return [innermost(x) for x in xs]

    @numba.njit
    def outer(xs):
        return sum(inner(xs))

    return innermost, inner, outer


def test_only_the_outermost_function_is_optimised(optimised):
    *_, outer = nest()
    with whole_programs():
        assert outer(np.array([4.0, 9.0])) == 5
    assert len(optimised) == 1
    assert "outer" in optimised[0]


def test_elsewhere_numba_does_as_it_always_did(optimised):
    *_, outer = nest()
    assert outer(np.array([4.0, 9.0])) == 5
    assert len(optimised) > 2


def test_a_whole_program_stays_one_for_arguments_of_other_layouts_and_dtypes(optimised):
    *_, outer = nest()
    with whole_programs():
        outer(np.array([4.0, 9.0]))
    assert outer(np.array([4.0, 1.0, 9.0, 1.0])[::2]) == 5
    assert outer(np.array([4, 9])) == 5
    assert len(optimised) == 3


def test_an_inner_function_can_still_be_called_from_python():
    innermost, inner, outer = nest()
    with whole_programs():
        outer(np.array([4.0]))
    assert innermost(16.0) == 4
    assert inner(np.array([4.0, 9.0])) == [2, 3]
    assert innermost.nopython_signatures


def libraries(*functions):
    """Return the libraries of all that was compiled of the functions."""
    return [compiled.library for function in functions for compiled in function.overloads.values()]


def test_of_inner_functions_bitcode_alone_is_kept_until_they_are_called():
    innermost, inner, outer = nest()
    with whole_programs():
        outer(np.array([4.0]))
    # modules of LLVM take ten times as much, and linking made copies of them
    assert all(vars(library)["_final_module"] is None for library in libraries(innermost, inner))
    assert all(library._bitcode[:2] == b"BC" for library in libraries(innermost, inner))
    assert all(library._shared_module is None for library in libraries(innermost, inner, outer))
    assert innermost(16.0) == 4
    (library,) = libraries(innermost)
    assert library._bitcode is None
    assert "innermost" in library.get_llvm_str()


def test_an_inner_function_is_linked_into_what_is_compiled_later():
    innermost, _, outer = nest()
    with whole_programs():
        outer(np.array([4.0]))

    @numba.njit
    def another(x):
        return innermost(x) + 1

    assert another(16.0) == 5
    with whole_programs():
        assert numba.njit(lambda x: another(x) + innermost(x))(16.0) == 9


def test_errors_of_inner_functions_arrive():
    *_, outer = nest()
    with whole_programs(), pytest.raises(ValueError, match="negative"):
        outer(np.array([-1.0]))


def test_a_function_may_call_itself():
    @numba.njit
    def factorial(n):
        return n * factorial(n - 1) if n > 1 else 1

    @numba.njit
    def both(n):
        return factorial(n) + factorial(n + 1)

    with whole_programs():
        assert both(4) == 24 + 120
    assert factorial(5) == 120


def test_object_mode_within_an_inner_function():
    @numba.njit
    def inner(x):
        with numba.objmode(y="float64"):
            y = float(str(x))
        return y + 0.5

    @numba.njit
    def outer(x):
        return inner(x) + 1

    with whole_programs():
        assert outer(2.5) == 4
    assert inner(1.5) == 2


def test_threads_within_an_inner_function():
    @numba.njit(parallel=True)
    def inner(xs):
        total = 0.0
        for i in numba.prange(len(xs)):
            total += xs[i]
        return total

    @numba.njit
    def outer(xs):
        return inner(xs) * 2

    with whole_programs():
        assert outer(np.ones(1000)) == 2000


def test_pointers_to_inner_functions():
    @numba.njit
    def inner(x):
        return x + 1

    @numba.njit
    def outer(x):
        functions = (inner, inner)
        return functions[int(x) % 2](x)

    @numba.cfunc("float64(float64)")
    def callback(x):
        return inner(x)

    with whole_programs():
        assert outer(1.0) == 2
        assert callback.ctypes(2.0) == 3


def test_what_fails_to_compile_leaves_nothing_behind(optimised):
    *_, outer = nest()
    with whole_programs():
        with pytest.raises(numba.TypingError):
            outer(1)
        assert outer(np.array([4.0])) == 2
    assert len(optimised) == 1


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, as it does unless Python was started where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_while_machine_code_is_made_comes_after_it(monkeypatch):
    innermost, _, outer = nest()
    made, stock = [], codegen.JITCodeLibrary._finalize_specific

    def interrupted(self):
        if not made:
            signal.raise_signal(signal.SIGINT)
        stock(self)
        made.append(self)

    monkeypatch.setattr(codegen.JITCodeLibrary, "_finalize_specific", interrupted)
    with whole_programs(), pytest.raises(KeyboardInterrupt):
        outer(np.array([4.0]))
    assert made
    with whole_programs():
        assert outer(np.array([4.0, 9.0])) == 5
    assert innermost(4.0) == 2


FUNCTIONS = """
import numba
@numba.njit(cache=True)
def inner(x):
    if x < 0:
        raise ValueError("negative")
    return x + 1
@numba.njit(cache=True)
def outer(x):
    return inner(x) * 2
@numba.njit
def again(x):
    return inner(x) * 3
"""
CALLS = """
from functions import *
with {within}:
    print({call}, sum(inner.stats.cache_hits.values()), sum(outer.stats.cache_hits.values()))
    try:
        inner(-1)
    except ValueError as error:
        print(error)
"""
SYMAES = (
    "import pytensor.link.numba.dispatch.basic\nfrom symae.patches.numba_deferred_codegen import whole_programs",
    "whole_programs()",
)
STOCK = "from contextlib import nullcontext", "nullcontext()"


READERS = [pytest.param(SYMAES, id="symae"), pytest.param(STOCK, id="numba alone", marks=pytest.mark.default_mode)]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("call", "printed"), [("inner(1), outer(1)", "2 4 1 1"), ("again(1)", "6 1 0")])
@pytest.mark.default_mode
def test_what_the_disk_keeps_of_inner_functions_is_read_by_all(tmp_path, reader, call, printed):
    (tmp_path / "functions.py").write_text(FUNCTIONS)

    def lines_of(connect, within, call):
        (tmp_path / "program.py").write_text(connect + CALLS.format(within=within, call=call))
        command = [sys.executable, tmp_path / "program.py"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        return done.stdout.splitlines() or done.stderr

    assert lines_of(*SYMAES, "outer(1)") == ["4 0 0", "negative"]
    assert lines_of(*reader, call) == [printed, "negative"]


def test_functions_of_symae_are_whole_programs(optimised):
    import pytensor.tensor as pt

    x = pt.matrix("x")
    optimised.clear()
    compute = symae.function([x], pt.tanh(x).sum(axis=0).max(), backend="numba")
    assert np.allclose(compute(np.ones((2, 3))), 2 * np.tanh(1))
    assert len(optimised) <= 2

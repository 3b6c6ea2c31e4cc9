"""The kernels' threads: every part is done once, whoever calls, and a forked process computes without them."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytensor.tensor as pt
import pytest
from llvmlite import binding
from numba import carray, cfunc, types
from threadpoolctl import threadpool_info

import symae
from symae.kernels.parallel import blas_alone  # noqa: F401  (names symbols)
from symae.kernels.parallel import pool as thread_pool
from symae.kernels.parallel.pool import THREADS

TIME = 300  # seconds, for a process on a busy machine


@cfunc(types.void(types.CPointer(types.int64), types.int64))
def count_part(counts, part):
    """Count the part, after some work."""
    counts = carray(counts, (1024,))
    for _ in range(20):
        counts[part] += 1


def called(name, *kinds, releases_lock=True):
    kind = (ctypes.CFUNCTYPE if releases_lock else ctypes.PYFUNCTYPE)(None, *kinds)
    return kind(binding.address_of_symbol(name))


share = called("symae_share", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


def counted(regions, parts=THREADS):
    counts = np.zeros(1024, np.int64)
    for _ in range(regions):
        share(count_part.address, counts.ctypes.data, parts)
    return counts


def test_each_part_of_a_region_is_done_once():
    counts = counted(2000)
    assert (counts[:THREADS] == 2000 * 20).all()
    assert not counts[THREADS:].any()
    assert thread_pool.running() == THREADS - 1


@pytest.mark.parametrize("parts", [1, 2, 3, 8, 17])
def test_there_may_be_more_or_fewer_parts_than_threads(parts):
    counts = counted(200, parts)
    assert (counts[:parts] == 200 * 20).all()
    assert not counts[parts:].any()


def test_threads_that_call_at_the_same_time_do_not_wait_for_each_other():
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(counted(5000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIME)
    assert len(results) == 4
    assert all((counts[:THREADS] == 5000 * 20).all() for counts in results)


def test_waiting_threads_sleep():
    counted(10)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1


@pytest.mark.skipif(THREADS == 1, reason="there are no other threads")
def test_threads_are_awake_for_a_while_after_a_region():
    awake = ctypes.CFUNCTYPE(ctypes.c_int64)(binding.address_of_symbol("symae_awake"))
    time.sleep(0.05)
    assert not awake()
    tries = 0
    while not (counted(1).any() and awake()):  # another process may have this thread's core
        tries += 1
        assert tries < 1000


def blas():
    """Return the threads of the OpenBLAS that SciPy brings."""
    return [pool["num_threads"] for pool in threadpool_info() if "scipy" in Path(pool["filepath"]).parent.name]


begin, end = called("symae_blas_begin"), called("symae_blas_end")


@pytest.mark.skipif(not blas(), reason="SciPy has another BLAS")
def test_blas_has_one_thread_until_the_last_product_ends():
    with symae._runtime.blas_threads.blas_threads(2):
        begin()
        assert blas() == [1]
        begin()
        end()
        assert blas() == [1]
        end()
        assert blas() == [2]


@pytest.mark.skipif(not blas(), reason="SciPy has another BLAS")
def test_products_leave_the_limits_of_blas_as_they_were():
    x, y, a, b = pt.dmatrix("x"), pt.dmatrix("y"), pt.dtensor3("a"), pt.dtensor3("b")
    f = symae.function([x, y, a, b], [x @ y, a @ b], backend="numba")
    rng = np.random.default_rng(0)
    values = [rng.normal(size=size) for size in ((300, 784), (784, 100), (2, 30, 40), (2, 40, 50))]
    with symae._runtime.blas_threads.blas_threads(2):
        before = threadpool_info()
        product, products = f(*values)
        with pytest.raises(ValueError, match=r"size|shape|dimension"):
            f(values[0], values[1], values[2], values[2])
        assert threadpool_info() == before
    np.testing.assert_allclose(product, values[0] @ values[1])
    np.testing.assert_allclose(products, values[2] @ values[3])


def run(program):
    """Run a Python program in a process of its own, which must end by itself."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=TIME, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


MODEL = """
    import multiprocessing, os, threading
    import numpy as np
    import pytensor.tensor as pt
    import symae
    from symae.kernels.parallel import pool as thread_pool
    x, y = pt.dmatrix("x"), pt.dmatrix("y")
    f = symae.function([x, y], [x @ y, pt.exp(x)], backend="numba")
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(300, 784)), rng.normal(size=(784, 100))
    expected = f(X, Y)

    def same(_=None):
        return all(np.array_equal(a, b) for a, b in zip(f(X, Y), expected))
"""


@pytest.mark.default_mode
def test_machine_code_from_the_disk_is_right_with_another_number_of_threads(monkeypatch):
    program = """
    np.testing.assert_allclose(expected[0], X @ Y)
    np.testing.assert_allclose(expected[1], np.exp(X))
    print(thread_pool.THREADS)
    """
    for threads in ("3", "1", "2"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        assert run(MODEL + program) == f"{threads}\n"


@pytest.mark.default_mode
def test_threads_that_take_memory_do_not_wait_for_a_python_that_traces_it(monkeypatch):
    """tracemalloc takes Python's lock for each piece of memory; the caller, who waits for the threads, has it."""
    program = """
    import tracemalloc
    import numpy as np
    import pytensor.tensor as pt
    import symae
    from symae.kernels.parallel import pool as thread_pool
    from symae.ops import pool2d
    x = pt.tensor4("x", dtype="float32")
    f = symae.function([x], pool2d(x, 3, stride=1), backend="numba")  # whose threads have arrays of their own
    X = np.random.default_rng(0).normal(size=(64, 4, 64, 64)).astype("float32")

    def in_threads():
        found = {f(X).tobytes() for _ in range(20)}
        assert len(found) == 1
        return found

    traced = tracemalloc.is_tracing()
    tracemalloc.stop()
    first = in_threads()
    tracemalloc.start()
    assert in_threads() == first
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert in_threads() == first
    print(traced, peak > X.nbytes / 2, thread_pool.running() == thread_pool.THREADS - 1)
    """
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    assert run(program) == "False True True\n"
    monkeypatch.setenv("PYTHONTRACEMALLOC", "1")  # from its beginning, so that what Python would call itself is not seen
    assert run(program) == "True True True\n"


@pytest.mark.skipif(os.name != "posix", reason="where a function lies is not known there")
def test_another_tracer_of_memory_is_known_that_was_there_before():
    program = """
    import ctypes
    import sys
    from llvmlite import binding, ir
    from symae.kernels.machine_code import define, word

    at, bytes_ = ir.IntType(8).as_pointer(), ir.IntType(64)
    allocator = ctypes.c_void_p * 5
    own = allocator()
    ctypes.pythonapi.PyMem_GetAllocator(0, own)
    module = ir.Module()
    traced_malloc = ir.Function(module, ir.FunctionType(at, [at, bytes_]), "traced_malloc")  # in no library
    builder = ir.IRBuilder(traced_malloc.append_basic_block())
    builder.ret(builder.call(builder.inttoptr(word(own[1]), traced_malloc.type), traced_malloc.args))
    other = allocator(own[0], define(module)["traced_malloc"], *own[2:])
    ctypes.pythonapi.PyMem_SetAllocator(0, other)

    assert "symae.kernels.parallel.traced_memory" not in sys.modules
    import symae.kernels.parallel.traced_memory
    is_traced = ctypes.CFUNCTYPE(ctypes.c_int64)(binding.address_of_symbol("symae_traced"))
    before = is_traced()
    ctypes.pythonapi.PyMem_SetAllocator(0, own)
    print(before, is_traced())
    """
    assert run(program) == "1 0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_computes_the_same_and_ends():
    program = """
    for _ in range(3):
        assert thread_pool.running() == thread_pool.THREADS - 1
        child = os.fork()
        if child == 0:
            os._exit(0 if same() and thread_pool.running() == thread_pool.THREADS - 1 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert same()
    print("same")
    """
    assert run(MODEL + program) == "same\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_pool_of_forked_processes_works_after_threads_have_run():
    program = """
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(same, range(6)))
    """
    assert run(MODEL + program) == f"{[True] * 6}\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_process_may_be_forked_while_other_threads_compute():
    program = """
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons say that this may go wrong
    stop = threading.Event()
    wrong = []

    def work():
        while not stop.is_set():
            same() or wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        child = os.fork()
        if child == 0:
            os._exit(0 if same() else 1)  # also where a thread that is not here was in `f`
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    for thread in threads:
        thread.join()
    print(len(wrong))
    """
    assert run(MODEL + program) == "0\n"

"""Memory of large arrays that compiled functions free waits for their next ones, and none of it is lost or used twice."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
import tracemalloc

import numba
import numpy as np
import pytest

from symae.kernels import kept_memory
from symae.patches import status

pytestmark = pytest.mark.skipif(
    any(patch.name == "numba_kept_arrays" and patch.state == "switched off" for patch in status()),
    reason="SYMAE_PATCHES has switched it off",
)

LARGE = kept_memory.LEAST // 8  # numbers of an array that is kept


@pytest.fixture(scope="module")
def filled():
    import pytensor.link.numba.dispatch  # noqa: F401  the patch is applied when this is imported

    @numba.njit(nogil=True)
    def filled(n, number):
        values = np.empty(n)
        values[:] = number
        return values

    filled(1, 0.0)
    return filled


@pytest.fixture(autouse=True)
def nothing_kept():
    gc.collect()
    kept_memory.release()
    assert kept_memory.bytes_kept() == 0
    yield
    kept_memory.release()


def test_an_array_takes_the_memory_of_one_that_was_freed(filled):
    first = filled(LARGE, 1.0)
    place = first.ctypes.data
    del first
    assert kept_memory.bytes_kept() >= 8 * LARGE
    again = filled(LARGE, 2.0)
    assert again.ctypes.data == place
    assert kept_memory.bytes_kept() == 0
    assert (again == 2).all()


@pytest.mark.parametrize(("of_first", "taken"), [(1.0, True), (1.2, True), (1.3, False), (0.99, False)])
def test_memory_is_taken_for_arrays_that_need_at_least_four_fifths_of_it(filled, of_first, taken):
    size = 10 * LARGE
    first = filled(int(of_first * size), 1.0)
    place = first.ctypes.data
    del first
    second = filled(size, 2.0)
    assert (second.ctypes.data == place) == taken


def test_of_several_the_smallest_that_fits_is_taken(filled):
    arrays = [filled(size * LARGE // 100, 1.0) for size in (1240, 1010, 1100)]
    smallest = arrays[1].ctypes.data
    del arrays
    assert filled(10 * LARGE, 1.0).ctypes.data == smallest


def test_arrays_begin_where_a_line_of_the_cache_does(filled):
    arrays = [filled(LARGE + extra, 1.0) for extra in range(0, 40, 3)]
    assert {array.ctypes.data % 64 for array in arrays} == {0}


def test_small_arrays_are_left_to_malloc(filled):
    filled(LARGE - 1, 1.0)
    assert kept_memory.bytes_kept() == 0


def test_what_nobody_took_between_two_full_collections_goes_back_to_the_system(filled):
    filled(LARGE, 1.0)
    gc.collect()
    assert kept_memory.bytes_kept() > 0
    gc.collect()
    assert kept_memory.bytes_kept() == 0


def test_what_is_in_use_stays_between_full_collections(filled):
    for _ in range(3):
        filled(LARGE, 1.0)
        gc.collect()
        assert kept_memory.bytes_kept() > 0


class Table(kept_memory.Table):
    """A table of its own, with less room, and what Numba's functions do with it."""

    def __init__(self, most, blocks):
        super().__init__(most, blocks)
        self.take = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint32)(self.array)
        self.give = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(kept_memory.numbas_functions()[4])


def test_no_more_is_kept_than_there_is_room_for():
    table = Table(most=1_000_000, blocks=64)
    arrays = [table.take(300_000, 32) for _ in range(5)]
    for array in arrays:
        table.give(array)
    assert 900_000 <= table.bytes_kept() <= 1_000_000
    table.give(table.take(2_000_000, 32))
    assert table.bytes_kept() <= 1_000_000
    table.release()
    assert table.bytes_kept() == 0


def test_where_the_table_is_full_the_oldest_goes():
    table = Table(most=2**30, blocks=3)
    sizes = [200_000, 400_000, 800_000, 1_600_000]
    arrays = [table.take(size, 32) for size in sizes]
    for array in arrays:
        table.give(array)
    assert sum(sizes[1:]) <= table.bytes_kept() < sum(sizes)
    assert table.take(sizes[3], 32) == arrays[3]
    table.release()


def test_threads_never_get_the_same_memory(filled):
    wrong = []

    def work(number):
        for turn in range(300):
            sizes = [LARGE + (turn * k) % 50 * 100 for k in (1, 3, 7)]
            arrays = [filled(size, number + 0.1 * k) for k, size in enumerate(sizes)]
            if any((array != number + 0.1 * k).any() for k, array in enumerate(arrays)):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert kept_memory.bytes_kept() <= kept_memory.MOST


# In a process of its own: other tests' libraries warn of forks.
FORKED = """
import os
import threading
import numba, numpy as np
import pytensor.link.numba.dispatch, symae

@numba.njit(nogil=True)
def filled(n, number):
    values = np.empty(n)
    values[:] = number
    return values

filled(20_000, 1.0)
ended = threading.Event()

def work():
    while not ended.is_set():
        filled(20_000, 1.0)

thread = threading.Thread(target=work)
thread.start()
try:
    for _ in range(20):
        child = os.fork()
        if not child:
            arrays = [filled(20_000, float(n)) for n in range(3)]
            os._exit(0 if all((array == n).all() for n, array in enumerate(arrays)) else 1)
        assert os.waitpid(child, 0)[1] == 0
finally:
    ended.set()
    thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_is_forked_while_a_thread_makes_arrays_has_arrays_of_its_own():
    subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True, timeout=120)


def test_of_two_threads_that_fork_at_once_each_leaves_the_table_to_others():
    table = Table(most=2**30, blocks=3)
    table.before_fork()
    other = threading.Thread(target=table.before_fork)  # waits, and gives up
    other.start()
    other.join()
    table.after_fork()
    table.give(table.take(200_000, 32))
    assert table.bytes_kept() > 0
    table.release()


def test_it_works_while_python_traces_memory(filled):
    tracemalloc.start()
    try:
        for n in range(3):
            assert (filled(LARGE, float(n)) == n).all()
    finally:
        tracemalloc.stop()
    assert (filled(LARGE, 5.0) == 5).all()


@pytest.mark.parametrize("size", [2**50, 2**60 - 1])  # of the last one the bytes, with Numba's own, have no sign any more
def test_memory_that_the_system_has_not_is_an_error_of_python(filled, size):
    filled(LARGE, 1.0)
    with pytest.raises(MemoryError):
        filled(size, 1.0)


STEP = """
import resource
import numpy as np
import pytensor.tensor as pt
import symae

x = pt.fmatrix()
step = symae.function([x], pt.exp(x))
values = np.ones((1000, 10_000), "float32")
for _ in range(3):
    step(values)
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step(values)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults) // 5)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pages are counted as Linux does")
def test_the_system_clears_no_pages_for_what_a_compiled_function_returns_again_and_again():
    def faults(**environment):
        words = [sys.executable, "-c", STEP]
        return int(subprocess.run(words, env=os.environ | environment, capture_output=True, text=True, check=True).stdout)

    assert faults() < 50
    assert faults(SYMAE_PATCHES="-numba_kept_arrays") > 500


LIMITED = """
import resource
import numba, numpy as np
import pytensor.link.numba.dispatch, symae
from symae.kernels import kept_memory

@numba.njit
def made(n):
    return np.empty(n)

made(1)
room = resource.getrlimit(resource.RLIMIT_AS)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 500_000_000, room[1]))
made(25_000_000)
assert kept_memory.bytes_kept() > 0
made(50_000_000)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are as on Linux")
def test_what_is_kept_goes_back_before_memory_is_missing():
    subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are as on Linux")
def test_where_a_process_may_have_little_an_eighth_of_that_is_kept():
    script = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (3_200_000_000, resource.getrlimit(resource.RLIMIT_AS)[1]))
import numba, numpy as np
import pytensor.link.numba.dispatch, symae
from symae.kernels import kept_memory

@numba.njit
def made(n):
    return np.empty(n)

made(60_000_000)
assert kept_memory.bytes_kept() == 0
made(40_000_000)
assert kept_memory.bytes_kept() > 0
"""
    subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

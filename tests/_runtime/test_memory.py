"""What functions free stays with a process that is tuned, unless the user or the system says otherwise."""

from __future__ import annotations

import gc
import importlib
import os
import platform
import subprocess
import sys

import numba
import pytest

from symae._runtime import memory
from symae.patches.numba_deferred_codegen import whole_programs

CHILD = """
import resource
import numpy as np
from symae._runtime.memory import tune_process

def faults(size):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    values = np.empty(size // 8)
    values.fill(1)
    del values
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

{keep}
for size in (1_600_000, 80_000_000):
    faults(size)
    print(min(faults(size) for _ in range(3)))
"""
OF_THE_USER = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES"}

on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc is not glibc's here")


def page_faults(keep="tune_process()", **environment):
    """How often the system has to clear a page where 1.6 and 80 MB are allocated that were just freed."""
    own = {name: value for name, value in os.environ.items() if name not in OF_THE_USER}
    child = subprocess.run(
        [sys.executable, "-c", CHILD.format(keep=keep)], env=own | environment, capture_output=True, text=True, check=True
    )
    return [int(line) for line in child.stdout.split()]


@on_glibc
def test_memory_that_was_freed_is_there_at_the_next_call():
    small, large = page_faults()
    assert small < 10
    assert large < 10
    assert max(page_faults(keep="")) > 100  # so by default the system takes it back


@on_glibc
@pytest.mark.parametrize(("asked", "kept"), [("", False), ("symae.tune_process()", True)])
def test_a_compiled_function_keeps_it_only_if_the_process_asks(asked, kept):
    compiled = "import symae, pytensor.tensor as pt; x = pt.dscalar(); symae.function([x], x, mode='FAST_COMPILE')"
    assert (max(page_faults(keep=f"{compiled}; {asked}")) < 10) == kept


@on_glibc
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MALLOC_MMAP_THRESHOLD_", "65536"),
        ("MALLOC_TRIM_THRESHOLD_", "65536"),
        ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=65536"),
    ],
)
def test_the_users_own_settings_take_precedence(name, value):
    assert min(page_faults(**{name: value})) > 10


@pytest.fixture
def settings(monkeypatch):
    """Record what malloc is called with, instead of calling it."""
    told = []

    class Library:
        def __init__(self, name):
            pass

        def mallopt(self, parameter, value):
            told.append((parameter, value))

        def malloc_trim(self, kept):
            told.append(("trim", kept))

    monkeypatch.setattr(memory.ctypes, "CDLL", Library)
    for name in OF_THE_USER:
        monkeypatch.delenv(name, raising=False)
    return told


def tune_again():
    memory.tune_process.__wrapped__()


def test_malloc_is_told_to_keep_a_gigabyte_from_now_on_and_to_map_nothing(settings, monkeypatch):
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("glibc", "2.36"))
    tune_again()
    assert settings == [(-4, 0), (-1, 2**30), ("trim", 0)]


@pytest.mark.parametrize("name", sorted(OF_THE_USER))
def test_each_of_the_users_variables_is_respected(settings, monkeypatch, name):
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.setenv(name, "1")
    tune_again()
    assert settings == []


@pytest.mark.parametrize("library", [("", ""), ("musl", "1.2")])
def test_other_mallocs_are_left_alone(settings, monkeypatch, library):
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: library)
    tune_again()
    assert settings == []


def test_a_malloc_without_settings_is_no_error(monkeypatch):
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("glibc", "2.36"))
    for broken in (lambda name: object(), None):
        monkeypatch.setattr(memory.ctypes, "CDLL", broken or _missing)
        tune_again()


def _missing(name):
    raise OSError("no such library")


def test_it_is_done_once(settings, monkeypatch):
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("glibc", "2.36"))
    memory.tune_process.cache_clear()
    memory.tune_process()
    memory.tune_process()
    assert len(settings) == 3


@pytest.fixture
def thresholds():
    """Put back how often Python looks for garbage."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("thresholds")
def test_compiling_looks_for_garbage_mostly_among_young_objects_and_only_meanwhile():
    gc.set_threshold(700, 10, 10)
    with memory.collect_young():
        within = gc.get_threshold()
        with memory.collect_young():
            assert gc.get_threshold() == within
        assert gc.get_threshold() == within
    assert within[:2] == (700, 10)
    # a long compilation leaves more garbage than the younger generations can hold
    assert 10 < within[2] < 100
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.usefixtures("thresholds")
def test_it_looks_all_over_more_often_once_machine_code_is_made_anew():
    gc.set_threshold(700, 10, 1000)
    memory.collect_less_seldom()
    assert gc.get_threshold() == (700, 10, 1000)
    gc.set_threshold(700, 10, 10)
    for name in ("symae", "pytensor.link.numba.dispatch"):  # with which symae's changes to Numba come
        importlib.import_module(name)
    with memory.collect_young():
        seldom = gc.get_threshold()[2]
        dispatcher = numba.njit(lambda x: _added(x, 1))
        with whole_programs():
            dispatcher.compile((numba.int64,))
        assert gc.get_threshold()[2] < seldom
    assert gc.get_threshold() == (700, 10, 10)


@numba.njit
def _added(x, y):
    return x + y


@pytest.mark.usefixtures("thresholds")
def test_a_user_who_lets_python_look_for_it_less_often_has_it_so():
    gc.set_threshold(700, 10, 1000)
    with memory.collect_young():
        assert gc.get_threshold() == (700, 10, 1000)


def test_a_process_may_have_what_its_control_group_allows(monkeypatch):
    files = {
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/memory.max": "max\n",
        "/sys/fs/cgroup/a/b/memory.max": "1000000\n",
    }

    def read(path, encoding):
        if str(path) not in files:
            raise FileNotFoundError(path)
        return files[str(path)]

    monkeypatch.setattr(memory.Path, "read_text", read)
    assert memory.memory_limit() == 1_000_000
    files["/sys/fs/cgroup/a/b/memory.max"] = "max\n"
    assert memory.memory_limit() > 1_000_000
    files.clear()
    assert memory.memory_limit() > 1_000_000

"""BLAS is kept to one thread where products are small."""

from __future__ import annotations

import pytest
from threadpoolctl import threadpool_info

from symae import InputError
from symae._runtime.blas_threads import blas_threads


def threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def _nothing_chosen(monkeypatch):
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def test_one_thread_inside_and_as_before_outside():
    with blas_threads(2):
        before = threads()
        with blas_threads():
            assert threads() == {1}
        assert threads() == before


def test_blocks_of_two_threads_that_overlap_leave_nothing_set():
    with blas_threads(2):
        before = threads()
        first, second = blas_threads(), blas_threads(1)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == before


def test_the_users_environment_wins(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    with blas_threads(2):
        before = threads()
        with blas_threads():
            assert threads() == before


def test_no_threads_at_all_is_refused():
    with pytest.raises(InputError, match="threads: found 0, expected at least 1"), blas_threads(0):
        pass

"""Threads that begin in a block are such that interrupt no others."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from symae._runtime import yielding_threads
from symae._runtime.yielding_threads import threads_that_yield


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="the system has no such policy")
def test_threads_that_begin_in_the_block_yield_and_others_do_not():
    end = threading.Event()
    threads = [threading.Thread(target=end.wait) for _ in range(3)]
    try:
        threads[0].start()
        with threads_that_yield():
            threads[1].start()
        threads[2].start()
        here = os.sched_getscheduler(0)
        assert [os.sched_getscheduler(thread.native_id) for thread in threads] == [here, os.SCHED_BATCH, here]
    finally:
        end.set()
        for thread in threads:
            thread.join()


def test_where_the_system_lists_no_threads_nothing_happens(monkeypatch):
    monkeypatch.setattr(yielding_threads, "THREADS", Path("/nowhere"))
    with threads_that_yield():
        pass

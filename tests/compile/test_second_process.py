"""Kernels that several graphs share are compiled by a second process, and by this one if that cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from symae.compile import second_process
from symae.kernels.compiled_once import QUEUE, Job

PROGRAM = """
import time
import numpy as np
import pytensor.tensor as pt
from symae import function
from symae.compile import second_process
from symae.kernels import compiled_once as once
from symae.ops import max_pool2d_with_switches

import symae.compile.numba_calls as calls
second_process._busy = lambda: False
made = []
stock = once._Once._compiled
once._Once._compiled = lambda *given: (made.append(given[0].name), stock(*given))[1]
begin = calls.begin

def begin_and_wait():
    begin()
    while once.QUEUE.waiting or once.QUEUE.elsewhere:
        assert not second_process._process._thread is None and second_process._process._thread.is_alive()
        time.sleep(0.05)

calls.begin = begin_and_wait
x = pt.tensor4("x")
f = function([x], [*max_pool2d_with_switches(x, 2), *max_pool2d_with_switches(x, 3)], backend="numba")
print(made, [output.sum() for output in f(np.arange(36.0).reshape(1, 1, 6, 6))])
"""


@pytest.mark.default_mode
def test_it_compiles_what_is_not_on_the_disk(tmp_path):
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", "NUMBA_NUM_THREADS": "2"}
    command = [sys.executable, "-c", PROGRAM]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.startswith("[] [")
    assert len(list((tmp_path / "numba").glob("symae__maxima-*.o"))) == 2


@pytest.fixture
def jobs(monkeypatch, tmp_path):
    """Two kernels that nobody has compiled."""
    monkeypatch.setattr("symae.kernels.parallel.parts.THREADS", 2)
    monkeypatch.setattr(second_process, "_busy", lambda: False)
    two = [Job("no.kernel", (number,), (), tmp_path / str(number)) for number in range(2)]
    for job in two:
        QUEUE.add(job)
    yield two
    for job in two:
        QUEUE.take(job)


@pytest.mark.parametrize("python", ["/no/such/python", "false"])
def test_where_there_can_be_none_the_work_waits_for_this_process(jobs, monkeypatch, python):
    monkeypatch.setattr(second_process.sys, "executable", python)
    second_process.begin()
    second_process._process._thread.join(60)
    assert second_process._process._thread.is_alive() is False
    assert all(job in QUEUE.waiting for job in jobs)
    assert not QUEUE.elsewhere


def test_one_kernel_is_not_worth_it(jobs, monkeypatch):
    monkeypatch.setattr(second_process._process, "start", lambda: pytest.fail("started"))
    QUEUE.take(jobs[0])
    second_process.begin()


@pytest.mark.skipif(not hasattr(os, "getloadavg"), reason="the system does not say how busy it is")
@pytest.mark.parametrize(("load", "started"), [(0.0, 1), (1000.0, 0)])
def test_a_busy_machine_has_no_room_for_it(monkeypatch, load, started):
    monkeypatch.setattr("symae.kernels.parallel.parts.THREADS", 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    two, starts = [Job("no.kernel", (number,), (), None) for number in range(2)], []
    monkeypatch.setattr(second_process._process, "start", lambda: starts.append(1))
    for job in two:
        QUEUE.add(job)
    second_process.begin()
    for job in two:
        QUEUE.take(job)
    assert len(starts) == started


def test_a_job_that_another_process_has_is_waited_for():
    job = Job("no.kernel", None, (), None)
    QUEUE.add(job)
    assert QUEUE.take_elsewhere(0) == job
    QUEUE.add(job)  # asked for again meanwhile
    assert job not in QUEUE.waiting
    QUEUE.done(job)
    QUEUE.wait_for(job)
    assert QUEUE.take_elsewhere(0) is None

"""Kernels that several graphs share are compiled by a second process, and by this one if that cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from symae.compile import second_process
from symae.errors import InputError
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


@pytest.fixture(autouse=True)
def nothing_waits():
    """Leave out what graphs of other tests asked for, which were never called."""
    QUEUE.keep_only(())


@pytest.mark.default_mode
def test_it_compiles_what_is_not_on_the_disk(tmp_path):
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", "NUMBA_NUM_THREADS": "2"}
    command = [sys.executable, "-c", PROGRAM]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.startswith("[] [")
    assert len(list((tmp_path / "numba").glob("symae__maxima-*.o"))) == 2


def executable(monkeypatch, folder, script):
    """Let Python's program be a script of the shell, or one that is not there."""
    program = folder / "python3.99"
    if script is not None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setattr(second_process.sys, "executable", str(program))


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


@pytest.mark.parametrize("python", [None, "exit 1"])
def test_where_there_can_be_none_the_work_waits_for_this_process(jobs, monkeypatch, tmp_path, python):
    executable(monkeypatch, tmp_path, python)
    second_process.begin()
    second_process._process._thread.join(60)
    assert second_process._process._thread.is_alive() is False
    assert all(job in QUEUE.waiting for job in jobs)
    assert not QUEUE.elsewhere


def test_one_kernel_is_not_worth_it(jobs, monkeypatch):
    monkeypatch.setattr(second_process._process, "start", lambda: pytest.fail("started"))
    QUEUE.take(jobs[0])
    second_process.begin()


@pytest.mark.parametrize(
    ("running", "load", "started"),
    [
        ("1/84", 1000.0, 1),  # what ran in the last minute is over
        ("2/84", 0.0, 0),
        (None, 0.0, 1),  # where the system does not say what runs now
        (None, 1000.0, 0),
        ("a line of another system", 0.0, 1),
    ],
)
def test_a_busy_machine_has_no_room_for_it(monkeypatch, tmp_path, running, load, started):
    monkeypatch.setattr("symae.kernels.parallel.parts.THREADS", 2)
    if running is not None:
        (tmp_path / "loadavg").write_text(f"{load:.2f} 0.00 0.00 {running} 4711\n")
    monkeypatch.setattr(second_process, "_LOAD", tmp_path / "loadavg")
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    two, starts = [Job("no.kernel", (number,), (), None) for number in range(2)], []
    monkeypatch.setattr(second_process._process, "start", lambda: starts.append(1))
    for job in two:
        QUEUE.add(job)
    second_process.begin()
    for job in two:
        QUEUE.take(job)
    assert len(starts) == started


@pytest.mark.parametrize("program", [None, "", "/opt/application/application", "C:\\Blender\\blender.exe"])
def test_a_program_that_is_no_python_is_not_started_once_more(jobs, monkeypatch, program):
    monkeypatch.setattr(second_process._process, "start", lambda: pytest.fail("started"))
    monkeypatch.setattr(second_process.sys, "executable", program)
    second_process.begin()


def test_nor_is_a_frozen_one(jobs, monkeypatch):
    monkeypatch.setattr(second_process._process, "start", lambda: pytest.fail("started"))
    monkeypatch.setattr(second_process.sys, "frozen", True, raising=False)
    second_process.begin()


def test_whatever_is_started_starts_no_other(jobs, monkeypatch, tmp_path):
    executable(monkeypatch, tmp_path, f'printf %s "${second_process.VARIABLE}" > "{tmp_path}/said"')
    second_process.begin()
    second_process._process._thread.join(60)
    assert (tmp_path / "said").read_text() == "off"


def test_the_environment_switches_it_off(jobs, monkeypatch):
    started = []
    monkeypatch.setattr(second_process._process, "start", lambda: started.append(1))
    for value, expected in (("off", 0), ("on", 1), ("", 2)):
        monkeypatch.setenv(second_process.VARIABLE, value)
        second_process.begin()
        assert len(started) == expected
    monkeypatch.setenv(second_process.VARIABLE, "no")
    with pytest.raises(InputError, match="SYMAE_SECOND_PROCESS: found 'no', expected on or off"):
        second_process.begin()


def test_no_error_comes_from_its_thread(jobs, monkeypatch):
    errors = []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    monkeypatch.setattr(subprocess, "Popen", lambda *given, **named: [][1])
    second_process.begin()
    second_process._process._thread.join(60)
    assert errors == []
    assert all(job in QUEUE.waiting for job in jobs)


@pytest.mark.skipif(os.name != "posix", reason="there are no forks")
def test_a_fork_does_not_keep_it_alive():
    process = second_process._Process()
    process.child = child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(b"what the buffer has is not for it to read")
    process._forget()
    assert process.child is None
    ended = time.monotonic() + 60
    while os.waitpid(child.pid, os.WNOHANG)[0] == 0:
        assert time.monotonic() < ended
        time.sleep(0.01)
    for pipe in (child.stdin, child.stdout):
        pipe.close()


def test_a_job_that_another_process_has_is_waited_for():
    job = Job("no.kernel", None, (), None)
    QUEUE.add(job)
    assert QUEUE.take_elsewhere(0) == job
    QUEUE.add(job)  # asked for again meanwhile
    assert job not in QUEUE.waiting
    QUEUE.done(job)
    QUEUE.wait_for(job)
    assert QUEUE.take_elsewhere(0) is None


STEP = """
import numpy as np
import pytensor.tensor as pt
from symae import DenoisingAutoencoder, LogisticRegression, function
from symae.kernels.compiled_once import QUEUE

asked, stock = [], QUEUE.add
QUEUE.add = lambda job: (asked.append(job), stock(job))
da = DenoisingAutoencoder(np.random.RandomState(0), n_visible=6, n_hidden=3)
cost, updates = da.get_cost_updates(0.3, 0.1)
function([da.x], cost, updates=updates, backend="numba")(np.zeros((5, 6)))
x, y = pt.dmatrix("x"), pt.ivector("y")
loss = LogisticRegression(x, 6, 3).negative_log_likelihood(y)
function([x, y], [loss, pt.grad(loss, x)], backend="numba")(np.zeros((5, 6)), np.zeros(5, "int32"))
for job in asked:
    print(job.name.rpartition(".")[2], job.file.exists())
"""


@pytest.mark.default_mode
def test_what_a_layers_step_asks_for_is_what_it_calls(tmp_path):
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", second_process.VARIABLE: "off"}
    printed = subprocess.run([sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, check=True).stdout
    assert set(printed.splitlines()) == {f"{name} True" for name in ("threaded_gemms", "gemm", "masked", "log_likelihoods")}

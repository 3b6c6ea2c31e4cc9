"""A process of a training in which a thread of gloo's has failed ends in its own words, whatever its main thread does."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from symae._runtime.cpp_terminate import LIBRARY

pytest.importorskip("jax")
pytestmark = pytest.mark.backends  # each waits for seconds
try:
    ctypes.CDLL(LIBRARY)
except OSError:
    pytest.skip("the C++ library of Linux", allow_module_level=True)

# process 1 of two, with a coordination service that is a dictionary; `fail` is what C++ does where nobody catches gloo's error
PROGRAM = """
import ctypes, json, os, resource, signal, sys, threading, time
import jax
from jax._src import distributed
from symae._runtime.terminal import report_bad_input
from symae.errors import LostProcessError
from symae.training import processes
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.excepthook = report_bad_input
processes.BEAT, processes.LONGEST, processes.GRACE = 0.02, 1.5, 1.5
processes.SILENT = processes.SUSPICIOUS = 10**6  # beats: the other one gives none
said = {"symae/who/0": '{"host": "a", "pid": 7}'}

class Service:
    def key_value_set(self, key, value, allow_overwrite):
        said[key] = value
    def blocking_key_value_get(self, key, most):
        return said[key]
    def key_value_dir_get(self, folder):
        return [(key, said[key]) for key in list(said) if key.startswith(folder)]

def fail():
    threading.Thread(target=ctypes.CDLL("libstdc++.so.6")._ZSt9terminatev, daemon=True).start()
    time.sleep(0.1)

def peer_ends():
    said["symae/end/0"] = json.dumps({"training": None, "line": "killed"})
    raise RuntimeError("Gloo")

distributed.global_state.client = Service()
jax.process_index, jax.process_count = lambda: 1, lambda: 2
both = processes.Processes()
"""

SAVES = """
try:
    with both.together():
        fail()
        peer_ends()
except LostProcessError as error:
    time.sleep(3.5)  # longer than gloo's thread waits for a reason
    fail()
    print("saved:", error)
"""

INTERRUPTED = """
with both.together():
    fail()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(9)
"""


def ended(program: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", PROGRAM + program]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=settings, timeout=120)


def test_what_takes_long_after_a_lost_process_is_finished_whichever_threads_fail_meanwhile():
    result = ended(SAVES)
    assert (result.returncode, result.stderr) == (75, "")
    assert result.stdout.startswith("saved: process 0 of 2 (a, pid 7) has ended: killed; ")


def test_ctrl_c_while_a_thread_waits_is_one_line_and_status_130():
    result = ended(INTERRUPTED)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "interrupted\n")

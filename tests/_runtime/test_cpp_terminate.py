"""C++ asks before it aborts the process."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the C++ library of Linux")

# an exception that nobody catches, in a thread
PROGRAM = """
import ctypes, os, threading
from symae._runtime.cpp_terminate import call_before_abort
assert call_before_abort(lambda: {call})
thread = threading.Thread(target=ctypes.CDLL("libstdc++.so.6")._ZSt9terminatev)
thread.start()
thread.join()
"""


def ended(call: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM.format(call=call)], capture_output=True, text=True, check=False)


def test_the_process_can_be_ended_with_words_and_a_status_of_its_own():
    result = ended("(print('a peer is gone', flush=True), os._exit(75))")
    assert (result.returncode, result.stdout, result.stderr) == (75, "a peer is gone\n", "")


def test_cpp_goes_on_as_before_when_nobody_ends_the_process():
    result = ended("print('asked', flush=True)")
    assert result.returncode == -signal.SIGABRT
    assert result.stdout == "asked\n"
    assert "terminate called" in result.stderr

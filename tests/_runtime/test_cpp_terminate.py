"""C++ asks before it aborts the process."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys

import pytest

from symae._runtime.cpp_terminate import LIBRARY


def cpp_is_there() -> bool:
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return sys.platform == "linux"


pytestmark = pytest.mark.skipif(not cpp_is_there(), reason="the C++ library of Linux")

# an exception that nobody catches, in a thread
PROGRAM = """
import ctypes, os, resource, threading
from symae._runtime.cpp_terminate import abort_as_before, call_before_abort
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # an abort leaves no file
assert call_before_abort(lambda: {call})
{then}
thread = threading.Thread(target=ctypes.CDLL("libstdc++.so.6")._ZSt9terminatev)
thread.start()
thread.join()
"""


def ended(call: str, then: str = "") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(call=call, then=then)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_the_process_can_be_ended_with_words_and_a_status_of_its_own():
    result = ended("(print('a peer is gone', flush=True), os._exit(75))")
    assert (result.returncode, result.stdout, result.stderr) == (75, "a peer is gone\n", "")


def test_cpp_goes_on_as_before_when_nobody_ends_the_process():
    result = ended("print('asked', flush=True)")
    assert result.returncode == -signal.SIGABRT
    assert result.stdout == "asked\n"
    assert "terminate called" in result.stderr


def test_nothing_is_asked_any_more_once_python_is_about_to_end():
    result = ended("print('asked', flush=True)", then="abort_as_before()")
    assert result.returncode == -signal.SIGABRT
    assert result.stdout == ""
    assert "terminate called" in result.stderr

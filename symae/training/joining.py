"""Processes that train together find one another: `jax.distributed`, with errors of one line where that would end the process.

JAX's coordination service, by which processes know of each other, is a part of the first process, and JAX ends all others in
the very moment when it is gone, before anyone could say why. Here the service is a process beside the first one and outlives it
by some seconds, in which the others notice that it is gone, and say so.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from symae._runtime.terminal import BAD_INPUT, end_at_once
from symae._runtime.yielding_threads import threads_that_yield
from symae.compile.backends import BY_NAME
from symae.errors import BackendError, InputError
from symae.training.meeting import LINGERS, listen, meet
from symae.training.processes import processes

EXPECTED = "HOST:PORT,N,I (process 0's address, how many processes, the number of this one), or nothing under a launcher"
SECONDS = 300  # until all processes have to be there; JAX's own default
WAIT = "SYMAE_JOIN_SECONDS"  # another number of seconds, in the environment
JAX_SILENT = 3600  # seconds without a sign of life, after which JAX ends processes in its own words
LONGEST = 10**6  # seconds that may be asked for

# What the service's process runs: JAX's arguments, and the number of the process that it belongs to. A child of that one may
# have its end of the pipe and outlive it, so the pipe alone does not say that it is gone. Others that are there still are those
# whose connections are: a line of the system's table has the local port, in hexadecimal digits, and the state, 01, of each.
SERVICE = f"""
import json, os, sys, threading, time
from jaxlib import _jax
arguments, keywords = json.loads(sys.argv[1])
first, port = int(sys.argv[2]), int(arguments[0].rsplit(":", 1)[1])
try:
    service = _jax.get_distributed_runtime_service(*arguments, **keywords)
except BaseException as error:
    print(json.dumps(str(error)), flush=True)
    os._exit(1)
print('"ready"', flush=True)
said, heard = [], threading.Event()

def listen():
    said.append(sys.stdin.readline())
    heard.set()

def asking():  # how many are connected; one if that cannot be seen, which it can on Linux
    try:
        lines = [line.split() for name in ("tcp", "tcp6") if os.path.exists("/proc/self/net/" + name)
                 for line in open("/proc/self/net/" + name).readlines()[1:]]
    except OSError:
        return 1
    return sum(line[3] == "01" and int(line[1].rsplit(":", 1)[1], 16) == port for line in lines) if lines else 1

threading.Thread(target=listen, daemon=True).start()
while not heard.wait(0.2) and os.getppid() == first:
    pass
if said and said[0]:
    # the first process has left, and waits here; of the others one may still be told that it has, and JAX aborts it otherwise
    for _ in range(15):
        if asking() <= 1:
            break
        time.sleep(0.2)
    service.shutdown()
else:
    for _ in range({LINGERS * 5}):  # not by the clock: all processes may be stopped for a while
        time.sleep(0.2)
        if not asking():
            break
os._exit(0)
"""


def parse(text: str) -> tuple[str, int, int] | None:
    """Return (address, number of processes, number of this one) of ``HOST:PORT,N,I``, and None of an empty text."""
    if not text:
        return None
    found = re.fullmatch(r"(?P<host>[^,\s]+):(?P<port>\d{1,5}),(?P<n>\d{1,6}),(?P<i>\d{1,6})", text, re.ASCII)
    if found is None or not 0 < int(found["port"]) < 2**16:
        raise InputError("distributed", repr(text), EXPECTED)
    count, number = int(found["n"]), int(found["i"])
    if number >= count:
        raise InputError("distributed", f"process {number} of {count}", f"a number from 0 to {count - 1}, of {count} processes")
    return f"{found['host']}:{found['port']}", count, number


def join(distributed: bool | str) -> None:
    """Let this process be one of several that train together, before anything of JAX has been computed.

    Parameters
    ----------
    distributed : True or str
        True: as JAX finds out by itself under SLURM, Open MPI and on Kubernetes. ``"HOST:PORT,N,I"``: process number I of N,
        of which number 0 listens at that address. In a process that has joined already, nothing happens.

    Raises
    ------
    InputError
        Nothing of the kind is found; the port is taken; JAX has computed already; not all processes are there within 300 s,
        or ``SYMAE_JOIN_SECONDS`` in the environment. Under a launcher this process ends then with one line and status 2.
    BackendError
        JAX is not installed.
    """
    if distributed is not True and not isinstance(distributed, str):
        raise InputError("distributed", repr(distributed), f"True, or {EXPECTED}")
    chosen = None if distributed is True else parse(distributed)
    missing = BY_NAME["jax"].missing()
    if missing is not None:
        raise BackendError("distributed", *missing)
    import jax

    initialize: Any = jax.distributed.initialize
    if not hasattr(jax.config, "jax_enable_recoverability"):
        raise InputError("distributed", f"JAX {jax.__version__}", "JAX 0.7 or later, which has jax_enable_recoverability")
    if jax.distributed.is_initialized():
        return
    if _has_computed():
        raise InputError("distributed", "JAX that has computed already", "to join before anything of JAX")
    address, count, number = chosen or (None, None, None)
    seconds = _seconds()
    if address is not None and count is not None and number is not None:
        meet(address, count, number, seconds)
    # a SIGTERM would be kept for a program that asks for it, and end nothing
    jax.config.update("jax_enable_preemption_service", False)
    # no process waits at its end for one that is gone: `Processes` sees to the order in which they end
    jax.config.update("jax_enable_recoverability", True)
    try:
        with _at_most(seconds, address, count), _served_apart():
            # `Processes` knows who is gone, and not by the clock: all processes may be stopped for a while
            initialize(address, count, number, initialization_timeout=seconds + 60, heartbeat_timeout_seconds=JAX_SILENT)
    except InputError:
        raise
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        text = " ".join(str(error).split())
        if "should be defined" in text or "must be defined" in text:
            raise InputError("distributed", "no launcher that JAX knows (SLURM, Open MPI, Kubernetes)", EXPECTED) from error
        raise InputError("distributed", text or type(error).__name__, "a place in which JAX can join processes") from error
    with _gloo_yields():
        processes()


def _has_computed() -> bool:
    """Return whether JAX has chosen its devices already: it cannot have those of other processes then."""
    from jax._src import xla_bridge

    return bool(getattr(xla_bridge, "backends_are_initialized", bool)())


def _seconds() -> int:
    text = os.environ.get(WAIT, "")
    return min(int(text[:7]), LONGEST) if text.isdecimal() and int(text[:7]) > 0 else SECONDS


@contextmanager
def _at_most(seconds: int, address: str | None, count: int | None) -> Iterator[None]:
    """End the process if the block takes longer: JAX would end it too, with a trace of its machine code."""

    def end() -> None:
        all_of_them = "all processes" if count is None else f"all {count} processes"
        where = address or "the address of process 0"
        error = InputError("distributed", f"not {all_of_them} at {where} in {seconds} s", "them")
        end_at_once(str(error), BAD_INPUT)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Apart:
    """JAX's coordination service in a process of its own, which ends when it is told to or some time after this one."""

    def __init__(self, arguments: tuple[Any, ...], keywords: dict[str, Any]):
        # a service that outlives another training would take calls that are meant for this one: JAX lets both have the port
        listen(int(arguments[0].rpartition(":")[2]), LINGERS + 5).close()
        with tempfile.TemporaryFile("w+", errors="replace") as errors:
            self._process = subprocess.Popen(
                # -P: nothing that lies in the working folder is a module of Python's
                [sys.executable, "-P", "-c", SERVICE, json.dumps([arguments, keywords]), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
                env={**os.environ, "JAX_PLATFORMS": "cpu"},
            )
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            if line == '"ready"\n':
                return
            self._close()
            errors.seek(0)
            said = errors.read().strip().splitlines()
        raise RuntimeError(json.loads(line) if line else f"a coordination service that did not start: {(said or [''])[-1]}")

    def shutdown(self) -> None:
        """End the service: all processes have left it."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write("end\n")
        self._close()

    def _close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.stdout.close()


@contextmanager
def _gloo_yields() -> Iterator[None]:
    """Let gloo's thread, if JAX starts it in the block, interrupt no thread that computes.

    gloo is what JAX's processes add up with on CPUs. Its thread is woken by what another process sends, often while the one
    that computes holds a lock. It asks the system for news again and again then, without waiting, and has the core for
    milliseconds of it, for each array: 4.5 ms of CPU time for a sum of 18 kB where processes have a core each, of which 0.4
    remain (jaxlib 0.10; gloo's issue 246 is about it).
    """
    from jax._src import xla_bridge

    inside, name = getattr(xla_bridge, "_jax", None), "make_gloo_tcp_collectives"
    if not hasattr(inside, name):  # another JAX: the thread does as it likes
        yield
        return
    before = getattr(inside, name)

    def make(*arguments: Any, **keywords: Any) -> Any:
        with threads_that_yield():
            return before(*arguments, **keywords)

    setattr(inside, name, make)
    try:
        yield
    finally:
        setattr(inside, name, before)


@contextmanager
def _served_apart() -> Iterator[None]:
    """Let JAX, if it starts a coordination service in the block, start it beside this process."""
    from jax._src import distributed

    inside = getattr(distributed, "_jax", None)
    name = "get_distributed_runtime_service"
    if not hasattr(inside, name):  # another JAX: all processes end with the first one then, with JAX's own words
        yield
        return
    before = getattr(inside, name)
    setattr(inside, name, lambda *arguments, **keywords: _Apart(arguments, keywords))
    try:
        yield
    finally:
        setattr(inside, name, before)

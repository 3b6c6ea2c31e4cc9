"""Processes that train together find one another: `jax.distributed`, with errors of one line where that would end the process.

JAX's coordination service, by which processes know of each other, is a part of the first process, and JAX ends all others in
the very moment when it is gone, before anyone could say why. Here the service is a process beside the first one and outlives it
by some seconds, in which the others notice that it is gone, and say so.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from symae._runtime.terminal import BAD_INPUT, end_at_once
from symae.compile.backends import BY_NAME
from symae.errors import BackendError, InputError
from symae.training.processes import processes

EXPECTED = "HOST:PORT,N,I (process 0's address, how many processes, the number of this one), or nothing under a launcher"
SECONDS = 300  # until all processes have to be there; JAX's own default
WAIT = "SYMAE_JOIN_SECONDS"  # another number of seconds, in the environment
JAX_SILENT = 3600  # seconds without a sign of life, after which JAX ends processes in its own words
LINGERS = 25  # seconds that the service outlives the first process

SERVICE = f"""
import json, os, sys, time
from jaxlib import _jax
arguments, keywords = json.loads(sys.argv[1])
try:
    service = _jax.get_distributed_runtime_service(*arguments, **keywords)
except BaseException as error:
    print(json.dumps(str(error)), flush=True)
    os._exit(1)
print('"ready"', flush=True)
if sys.stdin.readline() == "":
    for _ in range({LINGERS * 5}):  # not by the clock: all processes may be stopped for a while
        time.sleep(0.2)
else:
    service.shutdown()
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
    address, count, number = chosen or (None, None, None)
    seconds = _seconds()
    if address is not None and count is not None and number is not None:
        _meet(address, count, number, seconds)
    # a SIGTERM would be kept for a program that asks for it, and end nothing
    jax.config.update("jax_enable_preemption_service", False)
    # no process waits at its end for one that is gone: `Processes` sees to the order in which they end
    jax.config.update("jax_enable_recoverability", True)
    try:
        with _at_most(seconds, address, count), _served_apart():
            # `Processes` knows who is gone, and not by the clock: all processes may be stopped for a while
            initialize(address, count, number, initialization_timeout=seconds + 60, heartbeat_timeout_seconds=JAX_SILENT)
    except (ValueError, RuntimeError, OSError, KeyError) as error:
        text = " ".join(str(error).split())
        if "must be called before" in text:
            raise InputError("distributed", "JAX that has computed already", "to join before anything of JAX") from error
        if "should be defined" in text or "must be defined" in text:
            raise InputError("distributed", "no launcher that JAX knows (SLURM, Open MPI, Kubernetes)", EXPECTED) from error
        raise InputError("distributed", text or type(error).__name__, "a place in which JAX can join processes") from error
    processes()


def _meet(address: str, count: int, number: int, seconds: int) -> None:
    """Come back when all processes are there, in each of them, or raise InputError, which says which ones are not.

    JAX would wait for them too, but ends the process where they do not come, and cannot be stopped meanwhile.
    """
    host, _, port = address.rpartition(":")
    until = time.monotonic() + seconds
    if number == 0:
        _receive(int(port), count, until)
        return
    mine = json.dumps({"symae": number, "count": count}).encode() + b"\n"
    while (left := until - time.monotonic()) > 0:
        try:
            with socket.create_connection((host.strip("[]"), int(port)), timeout=left) as found:
                found.sendall(mine)
                answer = json.loads(found.makefile("rb").readline(10000))
        except (OSError, ValueError):  # not there yet, or something else
            time.sleep(min(0.2, left))
            continue
        if answer != "all there":
            raise InputError("distributed", *answer)
        return
    raise InputError("distributed", f"no process 0 at {address} in {seconds} s", f"it, as {address},{count},0")


def _receive(port: int, count: int, until: float) -> None:
    """Wait for the other processes, and tell them that all are there, or what is wrong."""
    try:
        dual = socket.has_dualstack_ipv6()
        server = socket.create_server(
            ("", port), family=socket.AF_INET6 if dual else socket.AF_INET, dualstack_ipv6=dual, backlog=count
        )
    except OSError as error:
        taken = f"the port {port}: {os.strerror(error.errno or 0)}"
        raise InputError("distributed", taken, "one that is free on this machine") from error
    others: dict[int, socket.socket] = {}
    wrong: tuple[str, str] | None = None
    with ExitStack() as held:
        held.enter_context(server)
        begun = time.monotonic()
        while len(others) < count - 1 and wrong is None:
            server.settimeout(max(0.01, until - time.monotonic()))
            try:
                other = held.enter_context(server.accept()[0])
                other.settimeout(5)
                said = json.loads(other.makefile("rb").readline(10000))
                number, of = int(said["symae"]), int(said["count"])
            except TimeoutError:
                if time.monotonic() > until:
                    missing = ", ".join(str(i) for i in range(1, count) if i not in others)
                    wrong = f"no process {missing} of {count} in {time.monotonic() - begun:.0f} s", f"{count} processes"
                continue
            except (OSError, ValueError, KeyError, TypeError):
                continue  # somebody else who looks what is at the port
            if of != count:
                wrong = f"{of} processes in process {number}", f"{count}, as in process 0"
            elif number in others:
                wrong = f"two processes with the number {number}", f"numbers from 0 to {count - 1}, each once"
            others[number if number not in others else -number] = other
        for other in others.values():
            with suppress(OSError):
                other.sendall(json.dumps("all there" if wrong is None else wrong).encode() + b"\n")
    if wrong is not None:
        raise InputError("distributed", *wrong)


def _seconds() -> int:
    text = os.environ.get(WAIT, "")
    return int(text) if text.isdecimal() and int(text[:6]) > 0 else SECONDS


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
        call = json.dumps([arguments, keywords])
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVICE, call],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, "JAX_PLATFORMS": "cpu"},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line != '"ready"\n':
            self._process.wait()
            raise RuntimeError(json.loads(line) if line else "the coordination service did not start")

    def shutdown(self) -> None:
        """End the service: all processes have left it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("end\n")
            self._process.stdin.close()
            self._process.wait(timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()


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

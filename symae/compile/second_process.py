"""A second process that compiles kernels meanwhile, so that a first start uses both cores.

Numba compiles with one thread. Kernels that are compiled once for all graphs (`symae.kernels.compiled_once`) need nothing of
the graph that they are for: another process takes those that are not on the disk from the queue, one after the other, and puts
them there. This process compiles the rest of the graph, and then what is left in the queue.

It is a Python of its own, not a fork of this one, whose threads may hold locks. It ends when nothing has been asked of it for a
while, or when this process ends. There is none where Numba has one thread, where other work keeps the cores busy, or where no
program can be started; none in a program that is no Python, a frozen one or a host that embeds Python, which would only start
once more; and none where the environment variable ``SYMAE_SECOND_PROCESS`` is ``off``, as it is in the second process itself.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from symae.errors import InputError

VARIABLE = "SYMAE_SECOND_PROCESS"
_log = logging.getLogger("symae.compile.second_process")
_PROGRAM = "import sys; sys.path[:] = {path!r}; from symae.compile.second_process import work; work()"
_IDLE = 5.0  # seconds
_LOAD = Path("/proc/loadavg")
_LOOKS = 5
_ENOUGH = 2  # kernels that are missing: it takes a second to start


def begin() -> None:
    """Let another process compile the kernels that were asked for and are missing, if there are several.

    InputError is raised for a `VARIABLE` that is neither ``on`` nor ``off``.
    """
    chosen = os.environ.get(VARIABLE, "").strip()
    if chosen not in ("", "on", "off"):
        raise InputError(VARIABLE, repr(chosen), "on or off")
    if chosen == "off":
        return
    from symae.kernels.compiled_once import QUEUE
    from symae.kernels.parallel.parts import THREADS

    if THREADS > 1 and len(QUEUE.waiting) >= _ENOUGH and _is_python() and not _busy():
        _process.start()


def _is_python() -> bool:
    """Return True if this program is one that runs ``-c``: any other might only start once more."""
    name = Path(sys.executable or "").name.lower()
    return name.startswith(("python", "pypy")) and not getattr(sys, "frozen", False)


def _busy() -> bool:
    """Return True if no core is left beside the one that this process takes: now, or if that is not known, in the last minute.

    The last minute has the start of another program, which is no reason.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        return sorted(_running() for _ in range(_LOOKS))[_LOOKS // 2] >= cores
    except (OSError, ValueError, IndexError):  # not on Linux
        return hasattr(os, "getloadavg") and os.getloadavg()[0] > cores - 0.5


def _running() -> int:
    """Return how many threads have a core, or wait for one, a moment later."""
    time.sleep(0.001)
    return int(_LOAD.read_text().split()[3].partition("/")[0])


class _Process:
    """Hold the thread that hands out jobs to another process as long as that lives."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self.child: subprocess.Popen[bytes] | None = None
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """Leave the other process to the one that this is forked from: with pipes that are open here it would not end."""
        self._thread, child, self.child = None, self.child, None
        if child is None:
            return
        child.returncode = 0  # it is no child of this process
        with contextlib.suppress(OSError):
            null = os.open(os.devnull, os.O_RDWR)
            for pipe in (child.stdin, child.stdout):
                # not closed, because what is still in the buffer would be written, now or into another file later
                with contextlib.suppress(OSError, ValueError):  # it is closed already
                    os.dup2(null, pipe.fileno(), inheritable=False)  # type: ignore[union-attr]
            os.close(null)

    def start(self) -> None:
        """Start it, unless there is one."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._thread = threading.Thread(target=self._run, name="symae, kernels compiled elsewhere", daemon=True)
        with contextlib.suppress(RuntimeError):  # the system gives no more threads, or the interpreter ends
            self._thread.start()

    def _run(self) -> None:
        try:
            self._hand_out()
        except Exception:  # this process compiles all by itself then
            _log.debug("the second process has failed", exc_info=True)
        finally:
            self.child = None

    def _hand_out(self) -> None:
        """Start the process, hand it a job whenever it is ready, and end it when there has been none for a while."""
        from symae.kernels.compiled_once import QUEUE

        command = [sys.executable, "-c", _PROGRAM.format(path=[str(Path(folder).absolute()) for folder in sys.path])]
        process = self.child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {VARIABLE: "off"},  # whatever it is that has been started, it starts no other
        )
        assert process.stdin is not None
        assert process.stdout is not None
        job = None
        try:
            while process.stdout.read(1):
                if job is not None:
                    QUEUE.done(job)
                job = QUEUE.take_elsewhere(_IDLE)
                if job is None:
                    break
                pickle.dump(job, process.stdin)
                process.stdin.flush()
        finally:
            if job is not None:
                QUEUE.done(job)
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.stdout.close()
            process.wait()


_process = _Process()


def work() -> None:
    """Compile what stands on the standard input until that ends, and say when ready for the next on the standard output."""
    import importlib

    from symae._runtime.memory import collect_young
    from symae._runtime.roomy_calls import roomy
    from symae.patches.numba_deferred_codegen import whole_programs

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, and ends its input
    ready = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    importlib.import_module("pytensor.link.numba.dispatch.basic")
    from symae.kernels.compiled_once import find

    with collect_young(), whole_programs():
        while True:
            ready.write(b".")
            try:
                job = pickle.load(sys.stdin.buffer)
            except EOFError:
                return
            once = find(job.name, job.settings)
            if once.named(job.arguments)[1] == job.file:  # the same kernels, in the same caches
                with contextlib.suppress(Exception):  # the other process will see it too
                    roomy(once.symbol)(job.arguments)

"""A thread pool for kernels, called from machine code: threads that soon sleep, and that a forked process can do without.

GNU's OpenMP, which Numba would use, ends a process that was forked after its threads had run, and lets threads that wait spin
while other processes want the cores. Here a region is a call of ``symae_share(function, argument, parts)``, which has
``function(argument, part)`` called once for each part from 0 to ``parts - 1``, whatever the number of threads: the code may
have been compiled, and kept on the disk, where there were others. Whoever comes first takes a share of the parts: the caller
never waits for a thread that has not begun, only for parts that are being worked on. So the results do not depend on which
threads there are. A region within a region, a call while another thread has one, a forked process whose threads are gone, and
one whose memory is traced: the caller does all parts itself.

The threads are started from Python at the first region, wait in machine code without Python's lock, and end before a fork and
before the interpreter does. They sleep by the locks of Python's C interface, which are there on every system and need no
interpreter. The machine code is made from LLVM's intermediate representation, in some milliseconds, as this module is
imported; other code refers to it by name, so that it can be kept on the disk.
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir

from symae.kernels import tuning
from symae.kernels.machine_code import Builder, define, word
from symae.kernels.parallel.traced_memory import TRACED

# How many threads there are, with the caller; also the number of parts in what is compiled in this process.
THREADS: int = numba.config.NUMBA_NUM_THREADS

_WORD, _BYTES = ir.IntType(64), ir.IntType(8).as_pointer()
_NOTHING = ir.VoidType()
# what a region calls: argument, number of the part
PART = ir.FunctionType(_NOTHING, [_BYTES, _WORD])
# symae_share(function, argument, how many parts)
SHARE = ir.FunctionType(_NOTHING, [PART.as_pointer(), _BYTES, _WORD])
# symae_awake(): 1 if there are other threads and none of them sleeps, else 0
AWAKE = ir.FunctionType(_WORD, [])

_LINE = 16  # words between what different threads write to, more than a line of any cache
_PER_PART = 3
# Lines of the pool's memory, and in the last lines of each thread's share of the parts: the region that claimed it, the last
# one that has it done, whether the thread sleeps.
_BUSY, _REGION, _WORK, _CALLER_SLEEPS, _STARTED, _STOP, _PARTS = range(7)
_CLAIMED, _DONE, _SLEEPS = range(_PER_PART)
# Words of the line of the work: function, argument, what starts the threads, what takes and frees a lock, how many parts there
# are, and how often a thread looks for work before it sleeps.
_FUNCTION, _ARGUMENT, _STARTS, _TAKES_LOCK, _FREES_LOCK, _HOW_MANY, _SPINS = range(7)

_PAUSES = 500  # that are timed


class _Lock:
    """Make Python's locks, taken, which any thread may release, by their address for machine code."""

    _allocate = ctypes.pythonapi.PyThread_allocate_lock
    _allocate.restype, _allocate.argtypes = ctypes.c_void_p, []
    _acquire = ctypes.pythonapi.PyThread_acquire_lock
    _acquire.restype, _acquire.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]

    @classmethod
    def taken(cls) -> int:
        lock = cls._allocate()
        if lock is None:
            raise MemoryError
        cls._acquire(lock, 1)
        return int(lock)


_ACQUIRE = ir.FunctionType(ir.IntType(32), [_BYTES, ir.IntType(32)])
_RELEASE = ir.FunctionType(_NOTHING, [_BYTES])


class _Pool:
    """Hold the pool's memory, its machine code, and the life of its threads."""

    def __init__(self) -> None:
        words = (_PARTS + _PER_PART * THREADS + 1) * _LINE
        # never freed: threads may wait in it while the interpreter ends
        self._memory = (ctypes.c_int64 * words)()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._memory))
        self._base = (ctypes.addressof(self._memory) + 127) // 128 * 128
        self._lives = threading.Lock()  # held while threads are started or ended, and during a fork
        self._threads: list[tuple[Any, list[int]]] = []  # of each, a lock that it releases as it ends, and its number
        self._start_callback = ctypes.CFUNCTYPE(None)(self._start)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._start_callback))
        self._make_locks()
        self._put(_WORK, _STARTS, ctypes.cast(self._start_callback, ctypes.c_void_p).value or 0)
        acquire, release = ctypes.pythonapi.PyThread_acquire_lock, ctypes.pythonapi.PyThread_release_lock
        for position, function in ((_TAKES_LOCK, acquire), (_FREES_LOCK, release)):
            self._put(_WORK, position, ctypes.cast(function, ctypes.c_void_p).value or 0)
        module = ir.Module("symae_pool")
        for emit in (self._emit_share, self._emit_awake, self._emit_worker, self._emit_stop, self._emit_spin):
            emit(module)
        addresses = define(module)
        self._stop = ctypes.CFUNCTYPE(None)(addresses["symae_stop"])
        self._spin = ctypes.CFUNCTYPE(None, ctypes.c_int64)(addresses["symae_spin"])
        self._worker = ctypes.CFUNCTYPE(None, ctypes.c_int64)(addresses["symae_worker"])

    # memory

    def _address(self, line: int, position: int = 0) -> int:
        return self._base + 8 * (_LINE * line + position)

    def _put(self, line: int, position: int, value: int) -> None:
        ctypes.c_int64.from_address(self._address(line, position)).value = value

    def _get(self, line: int, position: int = 0) -> int:
        return ctypes.c_int64.from_address(self._address(line, position)).value

    def _make_locks(self) -> None:
        """Make the locks by which the caller and the thread of each part sleep. After a fork, old ones may be in any state."""
        self._put(_CALLER_SLEEPS, 1, _Lock.taken())
        for part in range(THREADS):
            self._put(_PARTS + _PER_PART * part + _SLEEPS, 1, _Lock.taken())

    # machine code

    def _of_part(self, b: Builder, part: Any, line: int) -> Any:
        """Return the address of a part's line."""
        first = word(self._address(_PARTS + line))
        return b.add(first, b.mul(part, word(8 * _LINE * _PER_PART)))

    def _sleep(self, b: Builder, sleeps: Any, has_work: Callable[[], Any]) -> None:
        """Sleep until another thread wakes this one, unless there is work by now; `sleeps` is the address of its flag.

        Whoever resets the flag of a thread that sleeps releases the thread's lock once, and the thread takes it once.
        """
        b.write(word(1), sleeps)
        wait = b.variable()
        b.store(word(1), wait)
        with b.if_then(has_work()):
            b.store(b.sub(word(1), b.exchange(sleeps, 0)), wait)  # another thread was faster: it has released the lock
        with b.if_then(b.equal(b.load(wait), word(1))):
            lock = b.inttoptr(b.read(b.add(sleeps, word(8))), _BYTES)
            b.call_address(word(self._address(_WORK, _TAKES_LOCK)), _ACQUIRE, lock, ir.Constant(ir.IntType(32), 1))

    def _wake(self, b: Builder, sleeps: Any) -> None:
        with b.if_then(b.equal(b.read(sleeps), word(1))), b.if_then(b.equal(b.exchange(sleeps, 0), word(1))):
            lock = b.inttoptr(b.read(b.add(sleeps, word(8))), _BYTES)
            b.call_address(word(self._address(_WORK, _FREES_LOCK)), _RELEASE, lock)

    def _wait(self, b: Builder, sleeps: Any, has_work: Callable[[], Any]) -> None:
        """Wait until there is work: spin for a while, then sleep."""
        spins = b.variable()
        b.store(word(0), spins)
        with b.loop() as after:
            with b.if_then(has_work()):
                b.branch(after)
            spun = b.load(spins)
            with b.if_else(b.icmp_signed("<", spun, b.read(word(self._address(_WORK, _SPINS))))) as (spin, sleep):
                with spin:
                    b.pause()
                    b.store(b.add(spun, word(1)), spins)
                with sleep:
                    self._sleep(b, sleeps, has_work)

    def _take(self, b: Builder, part: Any, region: Any, finish: Callable[[], None] = lambda: None) -> None:
        """Do a thread's share of the region, if nobody has claimed it, so that the region before was the last to do so."""
        claimed, before = self._of_part(b, part, _CLAIMED), b.sub(region, word(1))
        with b.if_then(b.equal(b.read(claimed), before)), b.if_then(b.replace(claimed, before, region)):
            # only now: until this part is done the region lasts, and these are its own
            function = b.inttoptr(b.read(word(self._address(_WORK, _FUNCTION))), PART.as_pointer())
            argument = b.inttoptr(b.read(word(self._address(_WORK, _ARGUMENT))), _BYTES)
            with b.repeat(part, b.read(word(self._address(_WORK, _HOW_MANY))), THREADS) as number:
                b.call(function, [argument, number])
            b.write(region, self._of_part(b, part, _DONE))
            finish()

    def _emit_share(self, module: ir.Module) -> None:
        """Emit symae_share(function, argument, parts)."""
        share = ir.Function(module, SHARE, "symae_share")
        function, argument, parts = share.args
        b = Builder(share)
        started, busy, number = (word(self._address(line)) for line in (_STARTED, _BUSY, _REGION))
        with b.if_then(b.equal(b.read(started), word(0)), likely=False):
            b.call_address(word(self._address(_WORK, _STARTS)), ir.FunctionType(_NOTHING, []))
        traced = ir.Function(module, TRACED, "symae_traced")
        has_threads, untraced = b.equal(b.read(started), word(1)), b.equal(b.call(traced, []), word(0))
        with b.if_then(b.and_(has_threads, untraced)), b.if_then(b.replace(busy, word(0), word(1))):
            b.write(b.ptrtoint(function, _WORD), word(self._address(_WORK, _FUNCTION)))
            b.write(b.ptrtoint(argument, _WORD), word(self._address(_WORK, _ARGUMENT)))
            b.write(parts, word(self._address(_WORK, _HOW_MANY)))
            region = b.add(b.read(number), word(1))
            b.write(region, number)
            with b.repeat(1, THREADS) as part:
                self._wake(b, self._of_part(b, part, _SLEEPS))
            with b.repeat(0, THREADS) as part:
                self._take(b, part, region)
            with b.repeat(0, THREADS) as part:
                done = self._of_part(b, part, _DONE)
                self._wait(b, word(self._address(_CALLER_SLEEPS)), lambda: b.equal(b.read(done), region))
            b.write(word(0), busy)
            b.ret_void()
        with b.repeat(0, parts) as part:
            b.call(function, [argument, part])
        b.ret_void()

    def _emit_awake(self, module: ir.Module) -> None:
        """Emit symae_awake()."""
        b = Builder(ir.Function(module, AWAKE, "symae_awake"))
        with b.if_then(b.icmp_signed("!=", b.read(word(self._address(_STARTED))), word(1))):
            b.ret(word(0))
        if THREADS == 1:
            b.ret(word(0))
            return
        with b.repeat(1, THREADS) as part, b.if_then(b.equal(b.read(self._of_part(b, part, _SLEEPS)), word(1))):
            b.ret(word(0))
        b.ret(word(1))

    def _emit_worker(self, module: ir.Module) -> None:
        """Emit symae_worker(part): what a thread does all its life; its own part first, then what others have left."""
        worker = ir.Function(module, ir.FunctionType(_NOTHING, [_WORD]), "symae_worker")
        (own,) = worker.args
        b = Builder(worker)
        seen = b.variable()
        b.store(b.read(word(self._address(_REGION))), seen)
        with b.loop() as after:
            last = b.load(seen)

            def changed() -> Any:
                stop = b.equal(b.read(word(self._address(_STOP))), word(1))
                return b.or_(stop, b.icmp_signed("!=", b.read(word(self._address(_REGION))), last))

            self._wait(b, self._of_part(b, own, _SLEEPS), changed)
            with b.if_then(b.equal(b.read(word(self._address(_STOP))), word(1))):
                b.branch(after)
            region = b.read(word(self._address(_REGION)))
            b.store(region, seen)
            with b.repeat(0, THREADS) as step:
                part = b.srem(b.add(own, step), word(THREADS))
                self._take(b, part, region, lambda: self._wake(b, word(self._address(_CALLER_SLEEPS))))
        b.ret_void()

    def _emit_stop(self, module: ir.Module) -> None:
        """Emit symae_stop(): let the threads end."""
        b = Builder(ir.Function(module, ir.FunctionType(_NOTHING, []), "symae_stop"))
        b.write(word(0), word(self._address(_STARTED)))
        b.write(word(1), word(self._address(_STOP)))
        with b.repeat(1, THREADS) as part:
            self._wake(b, self._of_part(b, part, _SLEEPS))
        b.ret_void()

    def _emit_spin(self, module: ir.Module) -> None:
        """Emit symae_spin(times): what a thread does between two looks for work."""
        function = ir.Function(module, ir.FunctionType(_NOTHING, [_WORD]), "symae_spin")
        b = Builder(function)
        with b.repeat(0, function.args[0]):
            b.pause()
        b.ret_void()

    # life

    def _measure(self) -> None:
        """Find how often threads look for work before they sleep: a pause takes 40 cycles on one processor, 140 on another."""
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            self._spin(_PAUSES)
            times.append(time.perf_counter() - begun)
        self._put(_WORK, _SPINS, max(1, int(_PAUSES * tuning.WAITING_SECONDS / min(times))))

    def _start(self) -> None:
        """Start the threads, and return when they are about to wait; called by the first region.

        Where that is not possible the callers do all parts themselves.
        """
        if not self._lives.acquire(blocking=False):
            return  # another thread is at it, or this one was interrupted while it was
        try:
            if self._get(_STARTED) == 0:
                self._start_all()
        finally:
            self._lives.release()

    def _start_all(self) -> None:
        try:
            self._measure()
            for part in range(1, THREADS):
                begun, ended = _thread.allocate_lock(), _thread.allocate_lock()
                begun.acquire()
                ended.acquire()
                numbers: list[int] = []
                _thread.start_new_thread(self._live, (part, begun, ended, numbers))
                self._threads.append((ended, numbers))
                begun.acquire()
            self._put(_STARTED, 0, 1)
        except RuntimeError:  # the system gives no more threads, or the interpreter ends
            self._end()
            self._put(_STARTED, 0, -1)

    def _live(self, part: int, begun: Any, ended: Any, numbers: list[int]) -> None:
        numbers.append(_thread.get_native_id())
        begun.release()
        self._worker(part)
        ended.release()

    def _end(self) -> None:
        """End the threads, each when it is done with its part."""
        self._stop()
        for ended, _ in self._threads:
            ended.acquire()
        for _, numbers in self._threads:
            _wait_for_end(numbers[0])
        self._threads.clear()
        self._put(_STOP, 0, 0)

    def running(self) -> int:
        return len(self._threads)

    def before_fork(self) -> None:
        self._lives.acquire()
        self._end()

    def after_fork_in_parent(self) -> None:
        self._lives.release()

    def after_fork_in_child(self) -> None:
        # A region of another thread, which is not in this process, will never end here.
        region = self._get(_REGION)
        for part in range(THREADS):
            for line in (_CLAIMED, _DONE):
                self._put(_PARTS + _PER_PART * part + line, 0, region)
            self._put(_PARTS + _PER_PART * part + _SLEEPS, 0, 0)
        for line in (_BUSY, _CALLER_SLEEPS):
            self._put(line, 0, 0)
        self._make_locks()
        self._lives.release()

    def at_exit(self) -> None:
        with self._lives:
            self._end()
            self._put(_STARTED, 0, -1)


def _wait_for_end(thread: int) -> None:
    """Give a thread that is done a moment to be gone, where the system tells: Python warns of forks with several threads."""
    for _ in range(100):
        if not Path(f"/proc/self/task/{thread}").exists():
            return
        time.sleep(1e-4)


_pool = _Pool()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_pool.before_fork, after_in_parent=_pool.after_fork_in_parent, after_in_child=_pool.after_fork_in_child
    )
atexit.register(_pool.at_exit)


def connect() -> None:
    """Do nothing: importing this module is what machine code that is read from a cache needs."""


def running() -> int:
    """Return how many threads the pool has now, besides those that call it."""
    return _pool.running()

"""The processes of one training: whether they all compute the same, what they do together, and which of them has ended."""

from __future__ import annotations

import atexit
import json
import math
import os
import platform
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from symae._runtime.cpp_terminate import abort_as_before, call_before_abort
from symae._runtime.terminal import INTERRUPTED, TRY_AGAIN, end_at_once, leave_at_once, status_of
from symae._runtime.versions import versions
from symae.errors import InputError, LostProcessError, one_line
from symae.training.engine import TrainingState

BEAT = 1.0  # seconds between two signs of life
SILENT = 20  # beats without one, after which a process counts as gone
SUSPICIOUS = 4  # the same, once a step has failed that all make together
ACQUAINTED = 300.0  # seconds until all processes have said who they are
COMPARED = ("symae", "pytensor", "numpy", "scipy", "jax", "jaxlib")  # versions
LONGEST = 18.0  # seconds until it is known why a step has failed
ENDED = 3  # beats that a process says that it has ended until that counts: the others may be ending too
TOLD = 2.0  # seconds at most that a process takes to tell the others why it ends
GRACE = 3.0  # seconds that the main thread has to end the process, once one is gone; it may never come back from a step
LAST = 2**31 - 1  # the largest number that processes agree on
ROOT = "symae"  # of keys in JAX's coordination service

_joined: Processes | None = None


def processes_of(devices: Any) -> Processes | None:
    """Return the processes that have some of `devices`, as `symae.training.fit` takes them, or None if this one has all."""
    import jax

    if isinstance(devices, jax.sharding.Mesh) and {d.process_index for d in devices.devices.flat} == {jax.process_index()}:
        return None
    return processes()


def processes() -> Processes | None:
    """Return the processes that JAX has joined, this one among them, or None if it is alone."""
    global _joined
    import jax

    if _joined is None and jax.process_count() > 1:
        _joined = Processes()
    return _joined


class Processes:
    """Know the processes that JAX has joined.

    Each gives signs of life through JAX's coordination service, from a thread. A process whose signs end, or that says that it
    has ended, ends the others while they are `together`: they could never finish a step.
    """

    def __init__(self) -> None:
        import jax
        from jax._src import distributed

        self._client: Any = distributed.global_state.client
        self.number: int = jax.process_index()
        self.count: int = jax.process_count()
        self.state: TrainingState | None = None  # of the training that goes on
        self._pid = os.getpid()
        self._begun = 0  # trainings, which have the same numbers in all processes
        self._open: list[int] = []  # the number of the training that goes on, after those within which it was begun
        self._changing = threading.Lock()  # which trainings are open, and whether a process is lost
        self._calls: Counter[int] = Counter()
        self._checkpoints = True
        self._largest: Any = None
        self._lost = threading.Event()
        self._leaving = threading.Event()  # this process ends
        self._over = threading.Event()  # and so do its threads
        self._waits = False  # a thread of gloo's
        self._reason = ""
        self._suspicious = False
        self._line = ""  # why the last training has ended with an error
        self._status = 0  # of a process that ends because of it
        self._sayings: queue.SimpleQueue[tuple[dict[str, Any] | None, threading.Event]] = queue.SimpleQueue()
        self._told = threading.Event()  # the others know that a process is lost
        self._set("who", {"host": platform.node(), "pid": os.getpid()})
        self._who = [self._get("who", i, ACQUAINTED) for i in range(self.count)]
        self._silent = [0] * self.count  # beats without a sign of life
        self._unanswered = 0  # beats since the service has answered
        self._heard: tuple[int, dict[int, str], dict[int, Any]] = 0, {}, {}  # number of the answer, signs of life, ends
        self._ended: Counter[tuple[int, int | None]] = Counter()  # beats since process i has ended that training, or all
        self._threads = [
            threading.Thread(target=self._ask, name="symae-asks-for-processes", daemon=True),
            threading.Thread(target=self._watch, name="symae-watches-processes", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self._leave)
        call_before_abort(self._wait_to_be_ended)

    def words(self, number: int) -> str:
        """Return which process that is, for people."""
        who = self._who[number]
        return f"process {number} of {self.count} ({who['host']}, pid {who['pid']})"

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes."""
        return self.number == 0

    def compare_versions(self) -> None:
        """Raise InputError, in all processes, for the first package that is of another version in one."""
        found = versions(("jax", "jaxlib"))
        self.compare({package: found.get(package) for package in COMPARED})

    def compare(self, mine: Mapping[str, Any]) -> None:
        """Raise InputError, in all processes, for the first entry that is not the same in all; all call this."""
        training = self._open[-1] if self._open else 0
        self._calls[training] += 1
        key = f"compare {training} {self._calls[training]}"
        self._set(key, dict(mine))
        found = [self._get(key, i) for i in range(self.count)]
        for number, other in enumerate(found):
            for name, expected in found[0].items():
                if other.get(name) != expected:
                    value, where = other.get(name), self.words(number)
                    raise InputError(name, f"{_shown(value)} in {where}", f"{_shown(expected)}, as in {self.words(0)}")

    def agree(self, *numbers: int) -> list[int]:
        """Return the largest of each of the `numbers` of all processes; all call this."""
        import jax
        from jax.sharding import Mesh, NamedSharding, PartitionSpec

        devices = [next(d for d in jax.devices() if d.process_index == i) for i in range(self.count)]
        mesh = Mesh(np.array(devices), ("processes",))
        rows, row = NamedSharding(mesh, PartitionSpec("processes")), np.array([numbers], np.int32)
        if self._largest is None:
            self.compare({})  # gloo gives up where a process is half a minute later than another
            everywhere = NamedSharding(mesh, PartitionSpec())
            self._largest = jax.jit(lambda x: x.max(axis=0), out_shardings=everywhere)
        array = jax.make_array_from_callback((self.count, len(numbers)), rows, lambda index: row)
        return [int(n) for n in np.asarray(self._largest(array))]

    def agree_on_steps(self, count: int) -> int:
        """Return how many steps all make next, of at most `count`; Ctrl-C in any process is one in all after them."""
        state = self.state
        if state is None:
            return -self.agree(-count)[0]
        pause = min(-1 if state.pause_at is None else math.ceil(min(state.pause_at, LAST)), LAST)
        least, asked, latest, earliest = self.agree(-count, int(state.asked), pause, -pause)
        if latest != -earliest:
            raise InputError("pause_at", f"{state.pause_at} in {self.words(self.number)}", "the same step in all processes")
        if asked:
            state.interrupting = True
        return -least

    @contextmanager
    def together(self, checkpoints: bool = True) -> Iterator[None]:
        """Let this process end, with a LostProcessError, when another one ends before all have come to the block's end.

        All processes come to as many such blocks. Without `checkpoints` the error does not speak of them.
        """
        with self._changing:
            if self._lost.is_set():
                raise LostProcessError(self._reason)
            self._begun += 1
            self._open.append(self._begun)
            self._suspicious, self._line, self._status, self._checkpoints = False, "", 0, checkpoints
        try:
            yield
            self.agree(0)
        except BaseException as error:
            if not isinstance(error, InputError | LostProcessError | KeyboardInterrupt) and self._wait_for_reason(error):
                raise LostProcessError(self._reason) from error
            if isinstance(error, KeyboardInterrupt):
                self._line, self._status = "it was interrupted by Ctrl-C", INTERRUPTED
            else:
                line = one_line(error)
                self._line = line or f"{type(error).__name__}: {error}"[:300]
                self._status = status_of(error) if line else 1
            if not self._lost.is_set():  # the others know more then
                self._say({"training": self._open[-1], "line": self._line})
            raise
        finally:
            with self._changing:
                self._open.pop()

    def _wait_for_reason(self, error: BaseException) -> bool:
        """Return whether a step has failed because a process is gone, when that is known."""
        import jax

        failed = getattr(jax.errors, "JaxRuntimeError", RuntimeError)
        if isinstance(error, failed) or "Gloo" in str(error) or "NCCL" in str(error) or self._lost.is_set():
            self._suspicious = True
            for _ in range(round(LONGEST / BEAT * 5)):  # not by the clock: all processes may be stopped for a while
                if self._lost.wait(BEAT / 5):
                    break
        return self._lost.is_set()

    def _wait_to_be_ended(self) -> None:
        """Let a thread of gloo's wait whose connections are broken: `_watch` knows who is gone, and `_leave` ends the process.

        gloo takes what a process sends after a step that failed for what it still expects of that step, and of another size.
        """
        if os.getpid() != self._pid or not (self._open or self._lost.is_set() or self._leaving.is_set()):
            return
        self._suspicious = self._waits = True
        for _ in range(round((LONGEST + GRACE) / BEAT * 5)):  # not by the clock: all processes may be stopped for a while
            if self._lost.is_set() or self._leaving.is_set():
                threading.Event().wait()  # for ever: what the main thread still saves takes its time
            time.sleep(BEAT / 5)

    def _ask(self) -> None:
        """Give signs of life and ask for those of the others; a call to a machine that is gone may never come back."""
        beats = 0
        while not self._lost.is_set() or not self._sayings.empty():
            beats += 1
            with suppress(Exception):  # whatever JAX raises where the service does not answer
                self._client.key_value_set(f"{ROOT}/beat/{self.number}", str(beats), allow_overwrite=True)
                signs, ends = self._all("beat"), self._all("end")
                self._heard = beats, signs, {i: json.loads(end) for i, end in ends.items()}
            with suppress(queue.Empty):
                said, told = self._sayings.get(timeout=BEAT)
                if said is None:
                    return
                with suppress(Exception):
                    self._set("end", said)
                told.set()

    def _watch(self) -> None:
        """Count beats, and end this process when another one is gone."""
        answer, last = 0, ["" for _ in range(self.count)]
        while not self._lost.is_set():
            if self._over.is_set():
                return
            number, signs, ends = self._heard
            self._unanswered = 0 if number != answer else self._unanswered + 1
            for i in range(self.count if number != answer else 0):
                self._silent[i] = 0 if signs.get(i, "") != last[i] else self._silent[i] + 1
                last[i] = signs.get(i, "")
                if i in ends:
                    self._ended[i, ends[i]["training"]] += 1
            answer = number
            self._judge(ends)
            self._over.wait(BEAT)
        told = time.monotonic() + GRACE
        while time.monotonic() < told:
            time.sleep(0.1)
        if self._open:  # a step that never ends
            end_at_once(self._reason, TRY_AGAIN)

    def _judge(self, ends: Mapping[int, Any]) -> None:
        """Decide whether a process is gone without which a training cannot go on, and tell the others."""
        with self._changing:
            reason = self._gone(ends) if self._open else None
            if reason is None:
                return
            after = (
                "the last checkpoint is whole, and the training goes on from it when it is resumed"
                if self._checkpoints
                else "there are no checkpoints, because the training has no folder"
            )
            self._reason = f"{reason}; {after}"
            told = self._say({"training": None, "line": self._reason, "lost": reason}, wait=False)
            self._lost.set()
        told.wait(TOLD)
        self._told.set()

    def _gone(self, ends: Mapping[int, Any]) -> str | None:
        """Return which process is gone and why, if one is."""
        others = [i for i in range(self.count) if i != self.number]
        # a process that is ending too has an error of its own to tell
        ending = self.state is not None and self.state.error is not None
        counted = [None, *([] if ending else self._open)]
        for i in others:
            if i in ends and ends[i]["training"] in counted and self._ended[i, ends[i]["training"]] >= ENDED:
                lost = ends[i].get("lost", "")
                # of a process that ended because of another one it is that one that counts
                return lost if lost and self.words(self.number) not in lost else f"{self.words(i)} has ended: {ends[i]['line']}"
        most = SUSPICIOUS if self._suspicious else SILENT
        silent = max(others, key=lambda i: self._silent[i])
        if self._unanswered >= most:
            if not self.number:
                return "JAX's coordination service, a process beside this one, does not answer any more"
            silent = 0
        elif self._silent[silent] < most:
            return None
        return f"{self.words(silent)} has ended, or its machine cannot be reached any more"

    def _say(self, end: dict[str, Any], wait: bool = True) -> threading.Event:
        """Tell the others why a training, or this process if it has no number, has ended; wait a moment until they know."""
        told = threading.Event()
        self._sayings.put((end, told))
        if wait:
            told.wait(TOLD)
        return told

    def _leave(self) -> None:
        """Say that this process ends, at its end; where another one is gone, JAX would wait for it."""
        if os.getpid() != self._pid:  # a child that was forked
            return
        self._leaving.set()
        if self._lost.is_set():
            self._told.wait(TOLD)
            if self.writes:
                time.sleep(2 * BEAT)  # the service ends some time after this process, and others ask it who is gone
            leave_at_once(TRY_AGAIN)
        self._say({"training": None, "line": self._line or "it has left the training"})
        # the service ends with the first process, and JAX ends all that still have it then
        others = {i for i in range(self.count) if i != self.number} if self.writes else set()
        while self._unanswered < SILENT and any(self._silent[i] < SILENT for i in others - self._left()):
            time.sleep(BEAT / 5)
        # a thread that came back from JAX while Python ends would end the process in C++'s words
        self._over.set()
        self._sayings.put((None, threading.Event()))
        for thread in self._threads:
            thread.join(TOLD)
        abort_as_before()
        if self._waits:  # a thread that JAX would wait for, and that C++ aborts where it comes back while Python ends
            leave_at_once(self._status)

    def _left(self) -> set[int]:
        """Return which processes have said that they end."""
        return {i for i, end in self._heard[2].items() if end["training"] is None}

    def _set(self, what: str, value: Any) -> None:
        self._client.key_value_set(f"{ROOT}/{what}/{self.number}", json.dumps(value), allow_overwrite=True)

    def _get(self, what: str, number: int, most: float = float("inf")) -> Any:
        """Wait for what process `number` says, `most` seconds at most."""
        until = time.monotonic() + most
        while True:
            try:
                return json.loads(self._client.blocking_key_value_get(f"{ROOT}/{what}/{number}", 1000))
            except Exception as error:
                if self._lost.is_set():
                    raise LostProcessError(self._reason) from error
                if "DEADLINE" not in str(error):
                    raise
                if time.monotonic() > until:
                    raise LostProcessError(f"process {number} of {self.count} has said nothing in {most:.0f} s") from error

    def _all(self, what: str) -> dict[int, str]:
        found: Sequence[tuple[str, str]] = self._client.key_value_dir_get(f"{ROOT}/{what}/")
        return {int(key.rsplit("/", 1)[1]): value for key, value in found}


def _shown(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)

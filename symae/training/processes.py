"""The processes of one training: whether they all compute the same, what they do together, and which of them has ended."""

from __future__ import annotations

import atexit
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from symae._runtime.terminal import TRY_AGAIN, end_at_once
from symae._runtime.versions import versions
from symae.errors import InputError, LostProcessError, one_line
from symae.training.checkpoints import Checkpoint
from symae.training.engine import Callback, Callbacks, TrainingState
from symae.training.identity import Identity

BEAT = 1.0  # seconds between two signs of life
SILENT = 20  # beats without one, after which a process counts as gone
SUSPICIOUS = 4  # the same, once a step has failed that all make together
ACQUAINTED = 300.0  # seconds until all processes have said who they are
COMPARED = ("symae", "pytensor", "numpy", "scipy", "jax", "jaxlib")  # versions
LONGEST = 18.0  # seconds until it is known why a step has failed
ENDED = 3  # beats that a process says that it has ended until that counts: the others may be ending too
GRACE = 3.0  # seconds that the main thread has to end the process, once one is gone; it may never come back from a step
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
        self._together = 0
        self._calls = 0
        self._largest: Any = None
        self._lost = threading.Event()
        self._reason = ""
        self._suspicious = False
        self._said = False  # that it ends, and why
        self._set("who", {"host": platform.node(), "pid": os.getpid()})
        self._who = [self._get("who", i, ACQUAINTED) for i in range(self.count)]
        self._silent = [0] * self.count  # beats without a sign of life
        self._ended = [0] * self.count  # beats that say that the process has ended
        threading.Thread(target=self._watch, name="symae-watches-processes", daemon=True).start()
        atexit.register(self._leave)

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
        self._calls += 1
        key = f"compare {self._calls}"
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
        least, asked = self.agree(-count, int(state is not None and state.asked))
        if asked and state is not None:
            state.interrupting = True
        return -least

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let this process end, with a LostProcessError, when another one ends before all have come to the block's end."""
        self._together += 1
        try:
            yield
            self.agree(0)
        except BaseException as error:
            if not isinstance(error, InputError | LostProcessError | KeyboardInterrupt) and self._wait_for_reason(error):
                raise LostProcessError(self._reason) from error
            self._said = True
            self._set("end", {"line": one_line(error) or f"{type(error).__name__}: {error}"[:300]})
            raise
        finally:
            self._together -= 1
            self._ended = [0] * self.count

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

    def _watch(self) -> None:
        beats, unanswered = 0, 0
        last = ["" for _ in range(self.count)]
        while not self._lost.is_set():
            beats += 1
            try:
                self._client.key_value_set(f"{ROOT}/beat/{self.number}", str(beats), allow_overwrite=True)
                signs, ends = self._all("beat"), self._all("end")
                unanswered = 0
            except Exception:  # whatever JAX raises where the service does not answer
                unanswered += 1
                signs, ends = {}, {}
            for i in range(self.count):
                self._silent[i] = 0 if signs.get(i, last[i]) != last[i] or not signs else self._silent[i] + 1
                last[i] = signs.get(i, last[i])
                self._ended[i] = self._ended[i] + 1 if i in ends else 0
            self._judge(ends, unanswered)
            time.sleep(BEAT)
        told = time.monotonic() + GRACE
        while time.monotonic() < told:
            time.sleep(0.1)
        if self._together:  # a step that never ends
            end_at_once(self._reason, TRY_AGAIN)

    def _judge(self, ends: Mapping[int, str], unanswered: int) -> None:
        """Decide whether a process is gone, and which."""
        if not self._together:
            return None
        others = [i for i in range(self.count) if i != self.number]
        for i in others:
            if self._ended[i] >= ENDED:
                said = json.loads(ends[i])
                # of a process that ended because of another one it is that one that counts
                return self._lose(said.get("lost") or f"{self.words(i)} has ended: {said['line']}")
        most = SUSPICIOUS if self._suspicious else SILENT
        silent = max(others, key=lambda i: self._silent[i])
        if unanswered >= most and self.number:
            silent = 0
        elif self._silent[silent] < most:
            return None
        return self._lose(f"{self.words(silent)} has ended, or its machine cannot be reached any more")

    def _lose(self, reason: str) -> None:
        self._reason = f"{reason}; the last checkpoint is whole, and the training goes on from it when it is resumed"
        with suppress(Exception):  # the service may be gone too
            self._set("end", {"line": self._reason, "lost": reason})
        self._lost.set()

    def _leave(self) -> None:
        """Say that this process ends, at its end; where another one is gone, JAX would wait for it."""
        if self._lost.is_set():
            sys.stdout.flush()
            sys.stderr.flush()
            if self.writes:
                time.sleep(2 * BEAT)  # the service ends some time after this process, and others ask it who is gone
            os._exit(TRY_AGAIN)
        if not self._said:
            self._set("end", {"line": "it has left the training"})
        # the service ends with the first process, and JAX ends all that still have it then
        others = [i for i in range(self.count) if i != self.number] if self.writes else []
        while any(not self._ended[i] and self._silent[i] < SILENT for i in others):
            time.sleep(BEAT / 5)

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


class Together(Callback):
    """Lets Ctrl-C and a callback that ends the training in one process do so in all, and no process be waited for in vain."""

    def __init__(self, processes: Processes):
        self.processes = processes

    def on_train_begin(self, state: TrainingState) -> None:
        state.alone, self.processes.state = False, state

    def on_epoch_end(self, state: TrainingState) -> None:
        (stop,) = self.processes.agree(int(state.stop))
        state.stop = bool(stop)

    def on_train_end(self, state: TrainingState) -> None:
        self.processes.state = None


def _shown(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)


def compared(
    settings: Mapping[str, Any], n_epochs: int, devices: Any, identity: Identity, resumed: Checkpoint | None
) -> dict[str, Any]:
    """Return what has to be the same in all processes of a training, each entry by the name that errors have."""
    described = identity.description()
    return {
        **settings,
        "n_epochs": int(n_epochs),
        "devices": str(devices),
        "updates": described["graph"],
        **{f"value of {name}": digest for name, digest in described["read"].items()},
        # a model whose weights were drawn without a seed
        **({} if resumed else {f"first value of {name}": digest for name, digest in described["began with"].items()}),
        "checkpoint": "none" if resumed is None else f"epoch {resumed.epoch} of the training {resumed.training.get('id')}",
    }


def callbacks_here(callbacks: Callbacks, writes: bool) -> Callbacks:
    """Return those callbacks that are called in this process."""
    return [c for c in callbacks if writes or not getattr(c, "first_process_only", False)]


def no_line(line: str) -> None:
    """Print nothing: the first process prints."""

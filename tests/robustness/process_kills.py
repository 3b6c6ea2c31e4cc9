"""Trainings of several processes, one of which is killed at a random moment: the others end, say which, and are resumed.

    python tests/robustness/process_kills.py --kills 20 --processes 2 4

The training is small, with a random mask and an optimizer that remembers. It is run whole once for each number of processes;
then any of its processes is killed with SIGKILL, all others have to end within 30 seconds, each with one line that names it,
and the same command, with the same port, goes on at once, until nothing is left to train. What comes out is the same to the
last bit.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("SYMAE_JOIN_SECONDS", "120")

import jax  # before processes are forked: importing everything takes longer than training
import numpy as np
import pytensor
import pytensor.link.jax.dispatch
import pytensor.tensor as pt
from jax._src.distributed import global_state as distributed_state
from kills import state

sys.path.insert(0, str(Path(__file__).parents[1]))
from free_ports import free_port

import symae.training
from symae import RandomStreams
from symae._runtime.terminal import TRY_AGAIN, report_bad_input
from symae.errors import DivergedError, InputError
from symae.optimizers import adam

NO_ERRORS = r"Training |\[Gloo\]|\d+ rows"  # lines of a training that ends well
ENDED = 30  # seconds in which all others have to end, unless --within says otherwise


class Rows:
    """Data that is not in memory, and knows how many of its examples were read."""

    def __init__(self, values: np.ndarray):
        self.values, self.read = values, 0

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        self.read += len(places)
        return self.values[places]


def train(folder: Path, distributed: str, epochs: int, **different: Any) -> None:
    """Train in process ``distributed``; the folder has what there is to go on from."""
    x = pt.matrix("x", dtype="float64")
    W = pytensor.shared(np.random.RandomState(0).normal(size=(6, 4)), name="W")
    mask = RandomStreams(3).binomial(size=x.shape, n=1, p=0.7, dtype="float64")
    cost = ((pt.tanh((x * mask).dot(W)).dot(W.T) - x) ** 2).sum(axis=1).mean()
    X = np.random.RandomState(1).rand(80, 6)
    rows = Rows(different.pop("X", X))
    settings = {
        "batch_size": 8,
        "folder": folder,
        "resume": True,
        "validation": {x: X[:20]},
        "log_every": 1,
        "distributed": distributed,
        "on_epoch": lambda *_: time.sleep(0.02),
    }
    W.set_value(W.get_value() * different.pop("scale", 1))
    symae.training.fit(cost, adam(cost, [W], 0.01), {x: rows}, params=[W], n_epochs=epochs, **(settings | different))
    print(f"{rows.read} rows were read", flush=True)


def different_data(folder: Path, distributed: str, epochs: int) -> None:
    X = np.random.RandomState(1).rand(80, 6)
    X[0, 0] += int(distributed[-1])
    train(folder, distributed, epochs, X=X)


def different_weights(folder: Path, distributed: str, epochs: int) -> None:
    train(folder, distributed, epochs, scale=1 + int(distributed[-1]))


def different_settings(folder: Path, distributed: str, epochs: int) -> None:
    train(folder, distributed, epochs, seed=int(distributed[-1]))


def different_versions(folder: Path, distributed: str, epochs: int) -> None:
    if distributed.endswith("1"):
        symae.training.processes.versions = lambda packages: {"symae": "0.0.9"}
    train(folder, distributed, epochs)


def too_little_data(folder: Path, distributed: str, epochs: int) -> None:
    train(folder, distributed, epochs, X=np.ones((1, 6)))


def undivided(folder: Path, distributed: str, epochs: int) -> None:
    train(folder, distributed, epochs, batch_size=9)


def one_with_an_error(folder: Path, distributed: str, epochs: int, **different: Any) -> None:
    train(folder, distributed, epochs, on_epoch=(lambda *_: 1 / 0) if distributed.endswith("1") else None, **different)


def interrupted(folder: Path, distributed: str, epochs: int) -> None:
    def at_epoch(epoch: int, *_: Any) -> None:
        if epoch == 2 and distributed.endswith("1"):
            os.kill(os.getpid(), signal.SIGINT)

    train(folder, distributed, epochs, on_epoch=at_epoch)


def programs(folder: Path, distributed: str, epochs: int) -> None:
    """Print the sums that processes make in a step, what else they send, and whether gloo's thread yields."""
    from symae.compile.sharded import ShardedFunction

    run = ShardedFunction._run

    def shown(self: Any, minibatches: Any, length: int, whole: Any) -> Any:
        minibatches = list(minibatches)
        if self._updates:
            text = self.compiled_text(minibatches[0], length)
            reduced = re.findall(r"= (.*) all-reduce\(", text)
            others = re.findall(r"all-gather|all-to-all|collective-permute|pure_callback", text)
            sums = [sorted(set(re.findall(r"(\w+)\[", found))) for found in reduced]
            print(json.dumps([sums, others, a_thread_yields()]), flush=True)
        return run(self, minibatches, length, whole)

    ShardedFunction._run = shown
    train(folder, distributed, 1)


def a_thread_yields() -> bool:
    if sys.platform != "linux":
        return True
    threads = [int(path.name) for path in Path("/proc/self/task").iterdir()]
    return os.SCHED_BATCH in {os.sched_getscheduler(thread) for thread in threads}


def quickly(seconds: float = 0.2) -> None:
    """Let signs of life come more often, so that tests of what happens some of them later take little time."""
    symae.training.processes.BEAT = symae.training.processes.GRACE = seconds


def trained_again(folder: Path, distributed: str, epochs: int) -> None:
    """Train after trainings that have ended with the same error in all processes, one before and one within its steps."""
    quickly()
    train(folder, distributed, 1)
    for error, different in ((InputError, {"seed": 1}), (DivergedError, {"scale": 1e200, "resume": False})):
        try:
            train(folder, distributed, epochs, **different)
        except error as expected:
            print("rows: 0 rows", type(expected).__name__)
        else:
            raise AssertionError(f"no {error.__name__}")
    train(folder, distributed, epochs, resume=False, on_epoch=lambda *_: time.sleep(0.3))


def interrupted_twice(folder: Path, distributed: str, epochs: int) -> None:
    """Press Ctrl-C in one process, and again where the first one does not count yet."""
    quickly()

    def at_epoch(epoch: int, *_: Any) -> None:
        if epoch == 2 and distributed.endswith("1"):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)

    train(folder, distributed, epochs, on_epoch=at_epoch)


class Pausing(symae.training.Callback):
    """Pauses after some steps, and ends the training there in one process."""

    def __init__(self, at: float, stops: bool):
        self.at, self.stops = at, stops

    def on_train_begin(self, state: Any) -> None:
        state.pause_at = self.at

    def on_pause(self, state: Any) -> None:
        state.stop, state.pause_at = self.stops, state.n_epochs * state.n_batches


def paused(folder: Path, distributed: str, epochs: int) -> None:
    quickly()
    train(folder, distributed, epochs, callbacks=[Pausing(25, distributed.endswith("1"))])


def paused_apart(folder: Path, distributed: str, epochs: int) -> None:
    quickly()
    train(folder, distributed, epochs, callbacks=[Pausing(25 + int(distributed[-1]), False)])


def different_shards(folder: Path, distributed: str, epochs: int) -> None:
    spec = jax.sharding.PartitionSpec("data" if distributed.endswith("1") else None)
    train(folder, distributed, epochs, shard={"W": spec})


def without_a_folder(folder: Path, distributed: str, epochs: int) -> None:
    one_with_an_error(None, distributed, epochs, resume=False)  # type: ignore[arg-type]


def service_stops(folder: Path, distributed: str, epochs: int) -> None:
    """Let JAX's coordination service answer nobody, as where its machine cannot be reached any more."""
    quickly()

    def at_epoch(epoch: int, *_: Any) -> None:
        service = distributed_state.service
        if epoch == 2 and service is not None:
            os.kill(service._process.pid, signal.SIGSTOP)
            subprocess.Popen(["sh", "-c", f"sleep 30; kill -9 {service._process.pid}"])
        time.sleep(3 if epoch >= 2 else 0)

    train(folder, distributed, epochs, on_epoch=at_epoch)


# what is different in two processes, or wrong: each says so in one line, or is ended by Ctrl-C in one
DIFFERENCES = [
    different_data,
    different_weights,
    different_settings,
    different_versions,
    too_little_data,
    undivided,
    one_with_an_error,
    interrupted,
    programs,
    interrupted_twice,
    trained_again,
    paused,
    paused_apart,
    different_shards,
    without_a_folder,
    service_stops,
]


@dataclass
class Ended:
    """How a process ended: its status, what it printed, and when."""

    status: int
    printed: str
    at: float


class Child:
    """A process of a training, forked."""

    def __init__(self, run: Callable[..., None], folder: Path, distributed: str, epochs: int, output: Path):
        self.output = output
        self.ended: Ended | None = None
        self.pid = os.fork()
        if self.pid:
            return
        status = 1
        try:
            with output.open("wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1)
            run(folder, distributed, epochs)
            status = 0
        except BaseException as error:
            try:
                report_bad_input(type(error), error, error.__traceback__)
            except SystemExit as end:
                status = int(end.code or 0)
            except BaseException:
                traceback.print_exc()
        finally:
            sys.stdout.flush()
            atexit._run_exitfuncs()  # what a process of its own does at its end: JAX's part and symae's
            os._exit(status)

    def poll(self) -> Ended | None:
        if self.ended is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.ended = Ended(os.waitstatus_to_exitcode(status), self.output.read_text(errors="replace"), time.monotonic())
        return self.ended


def together(
    folder: Path,
    count: int,
    epochs: int,
    killed: int | None,
    rng: random.Random,
    run: Callable[..., None] = train,
    port: int | None = None,
    within: float = ENDED,
) -> list[Ended]:
    """Train in `count` processes, of which one is killed at some moment, if that comes before the end; how each ended."""
    address = f"127.0.0.1:{port or free_port()}"
    outputs = [folder.parent / f"{folder.name}.{i}.txt" for i in range(count)]
    for output in outputs:
        output.unlink(missing_ok=True)  # what the training before has printed says nothing about this one
    children = [Child(run, folder, f"{address},{count},{i}", epochs, outputs[i]) for i in range(count)]
    # a moment of any part of a training: in an epoch, between two, while something is written
    lines, wait = rng.choice([1, 1, 2, 3, 5]), rng.random() * 0.3
    dies: float | None = None
    patience = time.monotonic() + 300
    try:
        while None in [child.poll() for child in children]:  # of all of them: each has its time
            text = outputs[0].read_text(errors="replace") if outputs[0].exists() else ""
            if killed is not None and dies is None and text.count("Training epoch") >= lines:
                time.sleep(wait)
                if children[killed].poll() is None:
                    os.kill(children[killed].pid, signal.SIGKILL)
                dies = time.monotonic()
            if time.monotonic() > (patience if dies is None else dies + 2 * within):
                break
            time.sleep(0.02)
    finally:
        for child in children:
            if child.poll() is None:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
                child.ended = Ended(-signal.SIGKILL, f"HANGING\n{child.output.read_text(errors='replace')}", time.monotonic())
    found = [child.ended for child in children]
    assert all(found)
    return [end for end in found if end is not None]


def faults(ended: list[Ended], killed: int, over: bool, within: float = ENDED) -> list[str]:
    """Return what is wrong about how the processes ended, of which one was killed; `over` is whether the training was."""
    wrong, at = [], ended[killed].at
    for i, end in enumerate(ended):
        if i == killed or (end.status == 0 and over):
            continue
        lines = [line for line in end.printed.splitlines() if not re.match(NO_ERRORS, line)]
        if end.status != TRY_AGAIN:
            wrong.append(f"process {i} has status {end.status}: {end.printed[-1500:]}")
        elif len(lines) != 1 or f"process {killed} of {len(ended)} (" not in lines[0]:
            wrong.append(f"process {i} says {lines}")
        elif end.at - at > within:
            wrong.append(f"process {i} ended after {end.at - at:.1f} s")
    return wrong


def run(count: int, kills: int, epochs: int, seed: int, within: float) -> int:
    """Kill so often, in as many trainings as that takes; returns how many faults there were."""
    rng, wrong, done, number, longest = random.Random(f"{count} {seed}"), 0, 0, 0, 0.0
    temporary = tempfile.mkdtemp()  # at the end of a process that was forked Python would remove a TemporaryDirectory
    try:
        whole = together(Path(temporary) / "whole", count, epochs, None, rng)
        if any(end.status for end in whole):
            raise RuntimeError("\n".join(f"{end.status}: {end.printed[-3000:]}" for end in whole))
        expected = state(Path(temporary) / "whole")
        read = {re.findall(r"(\d+) rows", end.printed)[0] for end in whole}
        print(f"{count} processes: {', '.join(sorted(read))} rows read by each of 80 in {epochs} epochs", flush=True)
        while done < kills:
            folder, of_this, port = Path(temporary) / str(number), 0, free_port()
            while True:
                killed = rng.randrange(count) if done < kills else None
                ended = together(folder, count, epochs, killed, rng, port=port, within=within)
                if all(end.status == 0 for end in ended):
                    break
                if killed is None:  # nobody was killed
                    wrong += 1
                    print("\n".join(f"status {end.status}: {end.printed[-1500:]}" for end in ended), flush=True)
                    break
                done, of_this = done + 1, of_this + 1
                longest = max(longest, *(end.at - ended[killed].at for end in ended))
                for fault in faults(ended, killed, finished(folder, epochs), within):
                    print(fault, flush=True)
                    wrong += 1
            found = state(folder) if (folder / "last.safetensors").exists() else {}
            unlike = sorted(key for key in expected.keys() | found.keys() if found.get(key) != expected.get(key))
            wrong += bool(unlike)
            left = [path.name for path in folder.iterdir() if path.suffix in (".part", ".old", ".lock")]
            wrong += bool(left)
            print(
                f"{count} processes, training {number}: {of_this} killed; "
                + (f"unlike: {', '.join(unlike)[:300]}" if unlike else "the same to the last bit")
                + (f"; left: {', '.join(left)}" if left else ""),
                flush=True,
            )
            number += 1
    finally:
        shutil.rmtree(temporary)
    print(f"{count} processes: the others ended at most {longest:.1f} s after the one that was killed", flush=True)
    return wrong


def finished(folder: Path, epochs: int) -> bool:
    history = folder / "history.jsonl"
    return history.exists() and history.read_text().count("\n") >= epochs


def show_differences(names: list[str]) -> int:
    """Print as JSON how two processes end that differ, or one of which ends: status, lines, and what they have left."""
    temporary, found = Path(tempfile.mkdtemp()), {}
    try:
        for case in DIFFERENCES:
            if case.__name__ in names or "all" in names:
                folder = temporary / case.__name__
                ended = together(folder, 2, 6, None, random.Random(0), case)
                lines = [[line for line in end.printed.splitlines() if not re.match(NO_ERRORS, line)] for end in ended]
                left = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
                found[case.__name__] = {"status": [end.status for end in ended], "lines": lines, "left": left}
    finally:
        shutil.rmtree(temporary)
    print(json.dumps(found, indent=1))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="for each number of processes")
    parser.add_argument("--processes", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--differences", nargs="+", help="show instead how processes end that differ: names, or all")
    parser.add_argument("--within", type=float, default=ENDED, help="seconds in which the others have to end")
    options = parser.parse_args()
    if options.differences:
        return show_differences(options.differences)
    wrong = sum(run(count, options.kills, options.epochs, options.seed, options.within) for count in options.processes)
    print(f"{wrong} faults")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

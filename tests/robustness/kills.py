"""Trainings that are killed at random moments and resumed, until they are finished: the same to the last bit as without.

    python tests/robustness/kills.py --kills 200 --seed 0

A training by `symae.fit`, and worksheets 04 and 06 with few images, on Numba. Each is run whole once; then it is killed with
SIGKILL, at a moment between its first line and its end, and resumed until nothing is left to train.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytensor
import pytensor.link.numba.dispatch
import pytensor.tensor as pt

import symae.training
from symae import RandomStreams
from symae.optimizers import adam
from symae.training.checkpoints import read_checkpoint


def fit(folder: Path) -> None:
    """Train by `symae.fit`, with a random mask, averages and an optimizer that remembers."""
    x = pt.matrix("x", dtype="float64")
    W = pytensor.shared(np.random.RandomState(0).normal(size=(30, 20)), name="W")
    mask = RandomStreams(3).binomial(size=x.shape, n=1, p=0.7, dtype="float64")
    cost = ((pt.tanh((x * mask).dot(W)).dot(W.T) - x) ** 2).sum(axis=1).mean()
    X = np.random.RandomState(1).rand(400, 30)
    settings = {
        "batch_size": 20,
        "n_epochs": 400,
        "validation": {x: X[:70]},
        "average": 0.9,
        "restore_best": True,
        "log_every": 1,
    }
    symae.training.fit(cost, adam(cost, [W], 0.01), {x: X}, params=[W], folder=folder, resume=True, **settings)


def worksheet(number: str, epochs: int, *options: str) -> Callable[[Path], None]:
    """Return a worksheet with few images, as its command runs it."""

    def run(folder: Path) -> None:
        # a fresh interpreter: in a forked one Numba's threads end the process
        settings = ["--data", "digits", "--images", "256", "--epochs", str(epochs), "--out", str(folder), "--resume"]
        os.execv(sys.executable, [sys.executable, "-m", "symae", "run", number, *settings, *options])

    return run


@dataclass
class Training:
    """A function that trains in a folder and takes up what it finds there."""

    name: str
    run: Callable[[Path], None]
    share: int  # of a hundred kills
    longest: float  # seconds from the first epoch to the last


TRAININGS = [
    Training("fit", fit, 80, 4.0),
    Training("worksheet 04", worksheet("04", 60), 10, 20.0),
    Training("worksheet 06", worksheet("06", 25, "--affine"), 10, 20.0),
]


class Child:
    """A process that trains. It is forked, because importing everything takes longer than training; worksheets begin anew."""

    def __init__(self, training: Training, folder: Path):
        reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                os.dup2(writing, 1)
                os.dup2(writing, 2)
                os.close(reading)
                sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1)
                training.run(folder)
                status = 0
            except SystemExit as error:
                status = int(error.code or 0)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)
        os.close(writing)
        self._output = os.fdopen(reading)
        self._lines: list[str] = []

    def read_line(self) -> str:
        """Wait for the next line that it prints; empty if it has ended."""
        self._lines.append(self._output.readline())
        return self._lines[-1]

    def end(self) -> tuple[int, str]:
        """Wait for its end: its status, and what it has printed."""
        with self._output:
            self._lines.append(self._output.read())
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), "".join(self._lines)


def state(folder: Path) -> dict[str, object]:
    """Return what a training has come to, without the seconds that it took."""
    found: dict[str, object] = {}
    for name in ("last", "best"):
        checkpoint = read_checkpoint(folder / f"{name}.safetensors")
        history = checkpoint.history
        found[name] = (repr(history.costs), repr(history.measures), history.best_epoch, checkpoint.shuffling.tobytes())
        found |= {f"{name}: {key}": (a.dtype.str, a.shape, a.tobytes()) for key, a in checkpoint.arrays.items()}
    if (folder / "model.safetensors").exists():
        found["model"] = (folder / "model.safetensors").read_bytes()
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    found["log"] = [{key: value for key, value in line.items() if key != "seconds"} for line in lines]
    return found


def finished(folder: Path) -> int:
    path = folder / "last.safetensors"
    return len(read_checkpoint(path).history) if path.exists() else 0


def resumed(training: Training, folder: Path, rng: random.Random, most: int) -> tuple[int, int]:
    """Kill and resume until the training is finished or was killed `most` times: kills, and those that were in time."""
    kills, during = 0, 0
    while True:
        child = Child(training, folder)
        if kills < most:
            # a moment of any part of a run: while it is compiled, in an epoch, while something is written
            until_line, wait = rng.choice([0, 1, 1, 1, 2, 3, 5]), rng.random() ** 2 * training.longest / 10
            while until_line and (line := child.read_line()):
                until_line -= line.startswith("Training epoch")
            time.sleep(wait)
            os.kill(child.pid, signal.SIGKILL)
        status, printed = child.end()
        if status == 0:
            return kills, during
        if status != -signal.SIGKILL:
            raise RuntimeError(f"{training.name}: status {status}: {printed[-2000:]}")
        kills += 1
        during += finished(folder) > 0


def run(training: Training, kills: int, seed: int, report: Callable[[str], None] = print) -> int:
    """Kill so often, in as many trainings as that takes; returns how many of them came to something else."""
    rng, done, different, number = random.Random(f"{training.name} {seed}"), 0, 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary) / "whole"
        status, printed = Child(training, whole).end()
        if status:
            raise RuntimeError(f"{training.name}: status {status}: {printed[-2000:]}")
        expected = state(whole)
        while done < kills:
            folder = Path(temporary) / str(number)
            count, during = resumed(training, folder, rng, kills - done)
            found = state(folder)
            unlike = sorted(key for key in expected.keys() | found.keys() if found.get(key) != expected.get(key))
            different += bool(unlike)
            done += count
            left = sorted(path.name for path in folder.iterdir() if path.suffix in (".part", ".old", ".lock"))
            report(
                f"{training.name}, training {number}: {count} kills, {during} after an epoch was finished; "
                + (f"unlike: {', '.join(unlike)[:300]}" if unlike else "the same to the last bit")
                + (f"; left: {', '.join(left)}" if left else "")
            )
            different += bool(left)
            shutil.rmtree(folder)
            number += 1
    return different


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[training.name for training in TRAININGS])
    options = parser.parse_args()
    different = 0
    for training in TRAININGS:
        if options.only in (None, training.name):
            share = options.kills if options.only else round(options.kills * training.share / 100)
            different += run(training, share, options.seed, lambda line: print(line, flush=True))
    print(f"{different} trainings came to something else")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())

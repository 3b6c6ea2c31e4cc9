"""Processes that meet: at one empty cache, in one folder of results; and Ctrl-C while machine code is made.

    python tests/robustness/races.py --count 50 --seed 0

Of each kind as many as wanted; prints a line for each that went wrong, and their number. Trainings that are killed and resumed
are in ``kills.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMPILED = """
import sys, numpy as np, pytensor.tensor as pt
from symae import function
x = pt.vector("x", dtype="float64")
print("compiling", flush=True)
f = function([x], [pt.tanh(x) * 2 + x[::-1], (x > 1).sum()])
print(*f(np.arange(4.0))[0].tolist(), flush=True)
"""
RESULT = [3.0, 3.5231883119115297, 2.928055160151634, 1.990109507373461]
PATIENCE = 600.0  # seconds, on a machine that has much else to do


def _environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={cache}", "OPENBLAS_NUM_THREADS": "1"}


def _started(cache: Path, *command: str) -> subprocess.Popen[str]:
    line = command or ("-c", COMPILED)
    return subprocess.Popen(
        [sys.executable, *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment(cache)
    )


def _computed(process: subprocess.Popen[str]) -> str | None:
    """Return what is wrong with the result of a process that compiles; None if nothing is."""
    out, error = process.communicate(timeout=PATIENCE)
    return None if process.returncode == 0 and _right(out) else f"exit {process.returncode}: {out[-200:]} {error[-600:]}"


def _right(out: str) -> bool:
    """Whether the last line has the function's values, which vary in their last bits with what vectors a processor has."""
    numbers = [float(word) for word in out.splitlines()[-1].split()] if "compiling\n" in out and out.count("\n") > 1 else []
    return len(numbers) == len(RESULT) and all(abs(a - b) < 1e-12 for a, b in zip(numbers, RESULT, strict=True))


def cold_cache(chance: random.Random, folder: Path) -> str | None:
    """Two processes compile the same function at the same time, from one empty cache."""
    first, second = _started(folder), _started(folder)
    return _computed(first) or _computed(second)


def interrupt(chance: random.Random, folder: Path) -> str | None:
    """Ctrl-C while Numba compiles: KeyboardInterrupt, and a cache from which the next process gets the right function."""
    process = _started(folder)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(chance.uniform(0, 4))
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=PATIENCE)
    if not (_right("compiling\n" + out) or (process.returncode != 0 and "KeyboardInterrupt" in error)):
        return f"exit {process.returncode}: {out[-200:]} {error[-600:]}"
    return _computed(_started(folder))


def same_folder(chance: random.Random, folder: Path) -> str | None:
    """``symae run`` twice into one folder: what is refused is refused in words, and what is there at the end is whole."""
    cache, out = Path(tempfile.gettempdir()) / "symae races", folder / "out"
    command = ("-m", "symae", "run", "01", "--data", "digits", "--epochs", "1", "--out", str(out))
    processes = [_started(cache, *command)]
    time.sleep(chance.uniform(0, 2))
    processes.append(_started(cache, *command))
    ended = [(*process.communicate(timeout=PATIENCE), process.returncode) for process in processes]
    if not any(code == 0 for *_, code in ended):
        return f"both failed: {[error[-300:] for _, error, _ in ended]}"
    refusals = [error for _, error, code in ended if code]
    if any("Traceback" in error for error in refusals):
        return f"a traceback: {refusals[0][-600:]}"
    return _incomplete(out)


def _incomplete(out: Path) -> str | None:
    """Return what is wrong with a folder of results."""
    from safetensors.numpy import load_file

    try:
        for file in out.glob("*.json"):
            json.loads(file.read_text())
        for file in out.glob("*.jsonl"):
            for line in file.read_text().splitlines():
                json.loads(line)
        models = [load_file(file) for file in out.rglob("*.safetensors")]
    except Exception as error:  # whatever a reader says of a file that is not whole
        return f"{type(error).__name__}: {error}"
    return None if models else f"no model among {sorted(p.name for p in out.iterdir())}"


KINDS = {"cold_cache": cold_cache, "interrupt": interrupt, "same_folder": same_folder}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=KINDS, help="one kind")
    arguments = parser.parse_args()
    wrong = 0
    for name in [arguments.only] if arguments.only else KINDS:
        chance = random.Random(arguments.seed)
        failures = 0
        for i in range(arguments.count):
            with tempfile.TemporaryDirectory(prefix="symae-race") as folder:
                found = KINDS[name](chance, Path(folder))
            if found is not None:
                failures += 1
                print(f"{name} {i}: {found}", flush=True)
        print(f"{name}: {arguments.count - failures} of {arguments.count} as they should be", flush=True)
        wrong += failures
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

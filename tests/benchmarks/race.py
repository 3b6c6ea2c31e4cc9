"""Contenders that take turns: processes that compile once and then run an epoch each time they are asked.

A contender prints a JSON line {"compile": seconds} when it is ready, reads a line from its standard input for each epoch that
it is to run, and answers with {"seconds": …, "cost": …}, perhaps also with the processor's time that it took, {"cpu": …}, and
the most memory that it has had, {"megabytes": …}.
Whatever else it prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

# Seconds. After a pause, a process finds others' numbers in the caches, and on a virtual machine the host has taken its memory:
# its first epoch takes some tenths of a second longer, the more the more memory it has. Of longer epochs that is no great part.
WARMED_UP = 2.0


class Contender:
    """One process in the race; `threads` says in words how many it has."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], threads: str = ""):
        self.name = name
        self.threads = threads
        self.seconds: list[float] = []
        self.cpu: list[float] = []
        self.costs: list[float] = []
        self.seconds_before = 0.0  # of the epoch before, whether it counts or not
        self.megabytes: float | None = None
        self.complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 (`close` does)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            text=True,
            env={**os.environ, **environment},
        )
        self.compile = self._answer()["compile"]

    def take_turn(self) -> None:
        """Run an epoch that counts; before it one that does not, as epochs of a training follow upon each other."""
        if self.seconds_before < WARMED_UP:
            self.run_epoch(counts=False)
        self.run_epoch()

    def run_epoch(self, counts: bool = True) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("epoch\n")
        self.process.stdin.flush()
        answer = self._answer()
        self.seconds_before = answer["seconds"]
        if counts:
            self.seconds.append(answer["seconds"])
            self.cpu.append(answer.get("cpu", float("nan")))
        self.costs.append(answer["cost"])
        self.megabytes = answer.get("megabytes")

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # of a process that has died
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.complaints.close()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.complaints.seek(0)
            raise RuntimeError(f"{self.name} ended with status {status} before it answered:\n{self.complaints.read()[-2000:]}")
        return json.loads(line)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def summary(self) -> dict[str, Any]:
        return {
            "compile": self.compile,
            "median": self.median,
            "fastest": min(self.seconds),
            "slowest": max(self.seconds),
            "seconds": self.seconds,
            "median cpu": statistics.median(self.cpu),
            "first cost": self.costs[0],
            "megabytes": self.megabytes,
            "threads": self.threads,
        }


def race(contenders: Sequence[Contender], rounds: int) -> dict[str, dict[str, Any]]:
    """Let each contender run an epoch that does not count; then `rounds` times each take its turn."""
    for contender in contenders:
        contender.run_epoch(counts=False)
    for _ in range(rounds):
        for contender in contenders:
            contender.take_turn()
    for contender in contenders:
        contender.close()
    return {contender.name: contender.summary() for contender in contenders}


def show(title: str, results: Mapping[str, Mapping[str, Any]], reference: str, minibatches: int | None = None) -> None:
    """Print the medians, their spread, and the ratio to `reference`; in ms a minibatch for rounds of so many `minibatches`."""
    base = results[reference]["median"]
    unit, scale, digits = ("s", 1, 4) if minibatches is None else ("ms", 1000 / minibatches, 2)
    width = max(26, 1 + max(map(len, results)))
    print(f"{title}\n{'':{width}}{f'median {unit}':>10}{'fastest':>10}{'slowest':>10}{'ratio':>8}{'first cost':>13}{'MB':>7}")
    for name, r in results.items():
        ratio = r["median"] / base
        megabytes = "" if r["megabytes"] is None else f"{r['megabytes']:.0f}"
        times = "".join(f"{scale * r[figure]:10.{digits}f}" for figure in ("median", "fastest", "slowest"))
        print(f"{name:{width}}{times}{ratio:8.2f}{r['first cost']:13.6f}{megabytes:>7}")


def machine() -> dict[str, Any]:
    """Return what the figures were measured on: the processor's name, how many cores, and the versions of what takes part."""
    versions = {}
    for package in ("pytensor", "numba", "numpy", "jax", "torch"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(": ")[1]
    if sys.platform == "darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
        if asked.stdout.strip():
            return asked.stdout.strip()
    return platform.processor() or platform.machine()


def write(path: Path | None, results: Any) -> None:
    if path is not None:
        path.write_text(json.dumps({"machine": machine(), **results}, indent=2) + "\n")


def contender_command(script: str, *arguments: Any, python: str = sys.executable) -> list[str]:
    return [python, str(HERE / "contenders" / script), *map(str, arguments)]

"""What every contender answers: seconds, those of all cores, cost, and the largest memory its process has had."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["answer"]


def answer(compile_seconds: float, epoch: Callable[[], float]) -> None:
    """Say that the contender is ready; then run an epoch for each line of the standard input, and say what it took."""
    # as worksheets do; a symae of before did so by itself
    getattr(sys.modules.get("symae"), "tune_process", lambda: None)()
    print(json.dumps({"compile": compile_seconds}), flush=True)
    for _ in sys.stdin:
        started, used = time.perf_counter(), time.process_time()
        cost = epoch()
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
        print(json.dumps({"seconds": seconds, "cpu": cpu, "cost": cost, "megabytes": _most_megabytes()}), flush=True)


def _most_megabytes() -> float:
    """Return the most memory that this process has had; getrusage counts on Linux what its parent had when it was started."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (peak,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024

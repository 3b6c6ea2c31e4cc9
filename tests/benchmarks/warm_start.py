"""From the command to the end of the first epoch of worksheet 01, on a machine that ran it before."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from race import write

WORKSHEET = Path(__file__).parents[2] / "worksheets" / "01_autoencoder.py"


def first_epoch(folder: str) -> tuple[float, float]:
    """Seconds until training begins, and until the first epoch's cost is printed."""
    started = time.perf_counter()
    command = [sys.executable, str(WORKSHEET), "--epochs", "1", "--out", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        compiled = printed = float("nan")
        for line in process.stdout:
            if line.startswith("Compiling the training step"):
                compiled = time.perf_counter() - started
            if line.startswith("Training epoch 0"):
                printed = time.perf_counter() - started
    return compiled, printed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first_epoch(folder)
        times = [first_epoch(folder) for _ in range(settings.rounds)]
    begins, ends = (statistics.median(t) for t in zip(*times, strict=True))
    print(
        f"training begins {begins:.2f} s after the command, the first epoch ends after {ends:.2f} s (medians of {len(times)})"
    )
    write(settings.out, {"warm start": {"begins": begins, "first epoch ends": ends}})


if __name__ == "__main__":
    main()

"""A large convolution and its gradients (64 images of 28 x 28, 32 -> 64 maps, 5 x 5, float32): symae against PyTorch."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from race import Contender, contender_command, race, show, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="calls of each contender that count")
    parser.add_argument("--backends", nargs="+", default=["numba", "c"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="of Numba and PyTorch; BLAS has one in each")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    settings = parser.parse_args()

    results = {}
    for threads in settings.threads:
        for what in ("forward", "input gradient", "filter gradient"):
            sizes = (settings.batch, 32, 64, 5, 28)
            environment = {"OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": str(threads)}
            contenders = [
                Contender(f"symae {backend}", contender_command("symae_convolution.py", what, backend, *sizes), environment)
                for backend in settings.backends
            ]
            if importlib.util.find_spec("torch") is not None:
                contenders.append(Contender("PyTorch", contender_command("torch_convolution.py", what, threads, *sizes), {}))
            else:
                print("PyTorch is left out: torch is not installed")
            title = f"{what}, {threads} thread{'s' if threads > 1 else ''}"
            results[title] = race(contenders, settings.rounds)
            show(f"\n{title}", results[title], contenders[-1].name)
    write(settings.out, {"floatX": "float32", "batch": settings.batch, "races": results})


if __name__ == "__main__":
    main()

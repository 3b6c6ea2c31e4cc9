"""What checking indices costs: steps with a look-up and labels, as symae compiles them and without its patch of indexing.

Without the patch, indices out of range are read beside the array, or taken for others in silence, on Numba, JAX and MLX.
PyTorch and C check them themselves.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from minibatch_race import ONE_BLAS_THREAD
from race import Contender, contender_command, race, show, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each that count (default: 15)")
    parser.add_argument("--steps", type=int, default=2000, help="minibatches a round (default: 2000)")
    parser.add_argument("--only", nargs="+", default=["numba", "jax", "pytorch", "mlx"], metavar="BACKEND")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()

    results = {}
    for way in given.only:
        command = contender_command("symae_labels.py", way, given.steps)
        without = ONE_BLAS_THREAD | {"SYMAE_PATCHES": f"-{way}_indexing"}
        contenders = [Contender("unchecked", command, without), Contender("checked", command, ONE_BLAS_THREAD)]
        results[way] = race(contenders, given.rounds)
        show(f"\n{way}", results[way], "unchecked", given.steps)
    write(given.out, {"races": results})


if __name__ == "__main__":
    main()

"""Steps of stacks of dense layers, minibatches of 1 to 1000: which part of the machine's matrix product symae reaches.

The machine is NumPy's product of two matrices of 4096 x 4096 on all cores, its rounds among those of the stacks. What counts is
what the layers' products multiply and add: of a layer forward, for its weights, and, but for the first, for what it sees.
Elementwise work, such as of an autoencoder's cross-entropy, counts for nothing and is paid for.
"""

from __future__ import annotations

import argparse
import itertools
import os
from pathlib import Path

from race import Contender, contender_command, race, write

SIZE = 4096
# (kind, units): the tutorial's mlp, a stacked denoising autoencoder while its first layer is trained and while all are, and the
# encoder of worksheet 06
STACKS = {
    "mlp": ("classifier", (784, 500, 10)),
    "SdA, one layer": ("autoencoder", (784, 1000)),
    "SdA, all": ("classifier", (784, 1000, 1000, 1000, 10)),
    "06's encoder": ("classifier", (784, 256, 256, 16)),
    **{f"01, {hidden} units": ("autoencoder", (784, hidden)) for hidden in (100, 500, 800)},
}
BATCHES = (1, 5, 10, 20, 50, 100, 200, 1000)
ROUND = 60e9  # operations of a round, some tenths of a second: BLAS's threads look for work for a while after theirs


def operations(kind: str, units: tuple[int, ...], batch: int) -> int:
    """Return the multiplications and additions of a step's products."""
    if kind == "autoencoder":  # forward, and back, of the code's weights twice and of the code
        return 2 * batch * units[0] * units[1] * 5
    products = [2 * batch * below * above for below, above in itertools.pairwise(units)]
    return 2 * products[0] + 3 * sum(products[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each contender that count")
    parser.add_argument("--floatX", choices=["float32", "float64"], default="float32")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--only", nargs="+", choices=STACKS, default=list(STACKS))
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    results = {}
    for name in given.only:
        kind, units = STACKS[name]
        shape = "-".join(map(str, units))
        print(f"\n{name}, {shape}, {given.floatX}")
        print(f"{'minibatch':>12}{'MFLOP':>10}{'ms a step':>12}{'GFLOP/s':>10}{'of the product':>17}")
        for batch in given.batches:
            work = operations(kind, units, batch)
            steps = max(1, round(ROUND / work))
            stack = contender_command("symae_stack.py", kind, shape, batch, given.floatX, steps)
            product = contender_command("numpy_product.py", SIZE, given.floatX)
            result = race(
                [
                    Contender("stack", stack, {"OPENBLAS_NUM_THREADS": "1"}),
                    Contender("product", product, {"OPENBLAS_NUM_THREADS": str(cores)}),
                ],
                given.rounds,
            )
            seconds = result["stack"]["median"] / steps
            rate, most = work / seconds / 1e9, 2 * SIZE**3 / result["product"]["median"] / 1e9
            print(f"{batch:12}{work / 1e6:10.1f}{1000 * seconds:12.3f}{rate:10.1f}{rate / most:17.2f}", flush=True)
            results[f"{name}, {batch}"] = {"MFLOP": work / 1e6, "seconds": seconds, "GFLOP/s": rate, "product": most}
    write(given.out, {"floatX": given.floatX, "stacks": results})


if __name__ == "__main__":
    main()

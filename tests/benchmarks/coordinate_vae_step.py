"""The training of worksheet 06, minibatch by minibatch, float32: symae against PyTorch, JAX, and the machine itself.

The machine is the product of two matrices of 4096 x 4096 by NumPy, its rounds among those of the others. Each contender draws
random numbers of its own, so that costs agree to two or three digits only.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from minibatch_race import installed, save_images, show_by_hand, start, start_jax, start_mlx
from race import Contender, contender_command, race, show, write

from symae.models import CoordinateVAE

BATCH, PIXELS, UNITS, LATENT, SIZE = 64, 784, 256, 8, 4096
# Multiplications and additions of the layers that are wide: each in the network, and in its gradients with respect to what it
# sees and to its weights. The decoder's first layer, which need not be one, counts for nobody.
DECODER = 3 * 2 * BATCH * PIXELS * (2 * UNITS**2 + UNITS)
ENCODER = 3 * 2 * BATCH * (PIXELS * UNITS + UNITS**2 + UNITS * 2 * LATENT)
PRODUCT = 2 * SIZE**3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each contender that count")
    parser.add_argument("--minibatches", type=int, default=5, help="in a round")
    parser.add_argument("--backends", nargs="+", default=["numba"], help="of symae: numba, c, jax, pytorch, mlx")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch and of NumPy's product; symae takes all by itself")
    parser.add_argument("--compile", action="store_true", help="PyTorch with torch.compile, too")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()

    model = CoordinateVAE(np.random.RandomState(0))
    common = {"batch": BATCH, "minibatches": given.minibatches}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{save_images(folder, rows=True)}; {given.rounds} interleaved rounds of {given.minibatches} minibatches")
        print(f"threads of PyTorch and of NumPy's product: {given.threads}")
        contenders = [start(f"symae {b}", "symae_minibatches.py", model, folder, way=b, **common) for b in given.backends]
        for way in ("two terms", "concatenated") if installed("PyTorch", "torch") else ():
            for compiled in (False, True) if given.compile else (False,):
                title = f"PyTorch, {way}{', compiled' if compiled else ''}"
                options = common | {"way": way, "threads": given.threads} | ({"compiled": True} if compiled else {})
                contenders.append(start(title, "torch_coordinate_vae.py", model, folder, **options))
        if installed("JAX", "jax"):
            contenders += start_jax("jax_coordinate_vae.py", model, folder, **common)
        contenders += start_mlx("mlx_coordinate_vae.py", model, folder, given.backends, **common)
        environment = {"OPENBLAS_NUM_THREADS": str(given.threads)}
        product = Contender("NumPy's product", contender_command("numpy_product.py", SIZE), environment)
        results = race([*contenders, product], given.rounds)
    of_machine = results.pop(product.name)
    most = PRODUCT / of_machine["median"] / 1e9
    peers = [name for name in results if name.startswith("PyTorch")] or list(results)
    show("\nms a minibatch", results, min(peers, key=lambda name: results[name]["median"]), given.minibatches)
    show_by_hand(results)
    print(f"\n{'':32}{'GFLOP/s':>10}{'of the product':>16}")
    for name, r in results.items():
        r["GFLOP/s"] = given.minibatches * (DECODER + ENCODER) / r["median"] / 1e9
        print(f"{name:32}{r['GFLOP/s']:10.1f}{r['GFLOP/s'] / most:16.1%}")
    print(f"{product.name:32}{most:10.1f}{1:16.1%}   {1000 * of_machine['median']:.0f} ms")
    of_machine["GFLOP/s"] = most
    race_results = {"coordinate VAE": results | {product.name: of_machine}}
    write(given.out, {"floatX": "float32", "threads": given.threads, "minibatches": given.minibatches, "races": race_results})


if __name__ == "__main__":
    main()

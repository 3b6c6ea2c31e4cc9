"""Keras's convolutional autoencoders, minibatch by minibatch, float32: symae against PyTorch and JAX.

The plain and the strided model of worksheet 04, and worksheet 05's for denoising. That draws its input here: the noise of the
worksheet is drawn once, before the training, and changes nothing of what a minibatch takes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from minibatch_race import installed, save_images, show_by_hand, start, start_jax, start_mlx
from race import race, show, write

from symae.models import ConvolutionalAutoencoder, StridedAutoencoder

MAPS = {"plain": (16, 8, 8), "denoising": (32, 32)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each contender that count")
    parser.add_argument("--minibatches", type=int, default=30, help="in a round")
    parser.add_argument("--models", nargs="+", choices=("plain", "strided", "denoising"), default=["plain", "strided"])
    parser.add_argument("--backends", nargs="+", default=["numba"], help="of symae: numba, c, jax, pytorch, mlx")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch; JAX and symae take what they take by themselves")
    parser.add_argument("--compile", action="store_true", help="PyTorch with torch.compile, too")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()

    results, torch, jax = {}, installed("PyTorch", "torch"), installed("JAX", "jax")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{save_images(folder)}; {given.rounds} interleaved rounds of {given.minibatches} minibatches")
        print(f"PyTorch threads: {given.threads}")
        for which in given.models:
            strided = which == "strided"
            rng = np.random.RandomState(0)
            model = StridedAutoencoder(rng, code=10) if strided else ConvolutionalAutoencoder(rng, maps=MAPS[which])
            common = {"batch": 256 if strided else 128, "minibatches": given.minibatches}
            contenders = [start(f"symae {b}", "symae_minibatches.py", model, folder, way=b, **common) for b in given.backends]
            for way in (("padded", "turned") if strided else ("padded",)) if torch else ():
                for compiled in (False, True) if given.compile else (False,):
                    title = f"PyTorch{', padding=2' if way == 'turned' else ''}{', compiled' if compiled else ''}"
                    options = common | {"way": way, "threads": given.threads} | ({"compiled": True} if compiled else {})
                    contenders.append(start(title, "torch_convolutional.py", model, folder, **options))
            if jax:
                contenders += start_jax("jax_convolutional.py", model, folder, **common)
            contenders += start_mlx("mlx_convolutional.py", model, folder, given.backends, **common)
            title = f"{which} model, minibatches of {common['batch']}"
            results[title] = race(contenders, given.rounds)
            compared = [name for name in results[title] if name.startswith("PyTorch")] or list(results[title])
            fastest = min(compared, key=lambda name: results[title][name]["median"])
            show(f"\n{title}, ms a minibatch", results[title], fastest, given.minibatches)
            show_by_hand(results[title])
            costs = [r["first cost"] for r in results[title].values()]
            print(f"the costs of the first round differ by {(max(costs) - min(costs)) / min(costs):.1e} of themselves")
    write(given.out, {"floatX": "float32", "threads": given.threads, "minibatches": given.minibatches, "races": results})


if __name__ == "__main__":
    main()

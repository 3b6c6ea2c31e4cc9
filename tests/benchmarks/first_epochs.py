"""The first epochs of Keras's plain convolutional autoencoder, float32: symae and PyTorch learn alike.

Both begin with the same weights, other ones for each seed, and each sees the images in an order of its own. The figures are
binary cross-entropies of the test images, in nats per pixel.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from minibatch_race import save_images, start
from race import write

from symae.models import ConvolutionalAutoencoder

BATCH = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1, help="how many trainings of each")
    parser.add_argument("--images", type=int, help="train on the first so many; on all by default")
    parser.add_argument("--backend", default="numba", help="of symae")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()

    curves: dict[str, list[list[float]]] = {"symae": [], "PyTorch": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        described = save_images(folder, count=given.images)
        n = len(np.load(folder / "images.npy", mmap_mode="r"))
        if n < BATCH:
            parser.error(f"--images: found {n}, expected at least a minibatch, {BATCH}")
        print(f"{described} in minibatches of {BATCH}; test cross-entropy after each epoch")
        options = {"batch": BATCH, "minibatches": n // BATCH, "test": folder / "test.npy"}
        for seed in range(given.seeds):
            model = ConvolutionalAutoencoder(np.random.RandomState(seed), maps=(16, 8, 8))
            ways = {"symae": {"way": given.backend}, "PyTorch": {"threads": given.threads}}
            scripts = {"symae": "symae_minibatches.py", "PyTorch": "torch_convolutional.py"}
            contenders = [
                start(name, scripts[name], model, folder, seed=2 * seed + number, **options, **ways[name])
                for number, name in enumerate(scripts)
            ]
            print(f"\nseed {seed}\n{'epoch':>7}{'symae':>12}{'PyTorch':>12}{'difference':>12}")
            for epoch in range(given.epochs):
                for contender in contenders:
                    contender.run_epoch()
                a, b = (contender.costs[-1] for contender in contenders)
                print(f"{epoch:7}{a:12.6f}{b:12.6f}{a - b:12.6f}", flush=True)
            for contender in contenders:
                contender.close()
                curves[contender.name].append(contender.costs)
    if given.seeds > 1:
        print(f"\nmean and standard deviation over {given.seeds} seeds\n{'epoch':>7}{'symae':>22}{'PyTorch':>22}")
        for epoch in range(given.epochs):
            of_epoch = [[costs[epoch] for costs in curves[name]] for name in ("symae", "PyTorch")]
            print(f"{epoch:7}" + "".join(f"{np.mean(c):13.6f} ±{np.std(c, ddof=1):.5f}" for c in of_epoch))
    write(given.out, {"floatX": "float32", "images": n, "test cross-entropies": curves})


if __name__ == "__main__":
    main()

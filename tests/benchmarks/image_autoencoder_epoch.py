"""One epoch of worksheet 03 (60000 images in minibatches of 64, float32): symae against PyTorch and JAX."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from minibatch_race import ONE_BLAS_THREAD, installed
from race import Contender, contender_command, race, show, write

from symae import ImageAutoencoder
from symae.datasets import available, read

CONFIGURATIONS = {"1 map, 4 x 4": (1, 4), "3 maps, 4 x 4": (3, 4), "1 map, 2 x 2": (1, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="epochs of each contender that count")
    parser.add_argument("--backends", nargs="+", default=["numba"])
    parser.add_argument("--images", type=int, help="train on so many only")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch; JAX and symae take what they take by themselves")
    parser.add_argument("--compile", action="store_true", help="PyTorch with torch.compile, too")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    settings = parser.parse_args()

    results = {}
    with tempfile.TemporaryDirectory() as folder:
        dataset = read("mnist" if "mnist" in available() else None)
        pixels = np.concatenate([dataset.train.x, dataset.valid.x])[: settings.images]
        images = Path(folder) / "images.npy"
        np.save(images, pixels.astype("float32") / np.float32(256 if pixels.dtype == np.uint8 else 1))
        print(
            f"{dataset.name}: {len(pixels)} images; PyTorch threads: {settings.threads}; {settings.rounds} interleaved epochs"
        )
        for title, (maps, pool) in CONFIGURATIONS.items():
            weights = Path(folder) / f"{maps} {pool}.npz"
            np.savez(weights, **ImageAutoencoder(np.random.RandomState(0), maps=maps, pool=pool).parameters())
            common = (images, weights, pool)
            contenders = [
                Contender(f"symae {b}", contender_command("symae_image_autoencoder.py", *common, b), ONE_BLAS_THREAD)
                for b in settings.backends
            ]
            ways = ("eager", "compiled") if settings.compile else ("eager",)
            peers = {f"PyTorch, {way}": ("torch", settings.threads, way) for way in ways} | {"JAX, lax.scan": ("jax",)}
            for name, (module, *arguments) in peers.items():
                if installed(name, module):
                    script = f"{module}_image_autoencoder.py"
                    contenders.append(Contender(name, contender_command(script, *common, *arguments), {}))
            results[title] = race(contenders, settings.rounds)
            others = [name for name in results[title] if not name.startswith("symae")]
            fastest = min(others or results[title], key=lambda name: results[title][name]["median"])
            show(f"\n{title}", results[title], fastest)
    write(settings.out, {"floatX": "float32", "threads": settings.threads, "images": len(pixels), "races": results})


if __name__ == "__main__":
    main()

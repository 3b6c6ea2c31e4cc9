"""One epoch of worksheets 01 and 02 (250 minibatches of 20): symae against Theano 1.0.5 and PyTensor without symae."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
from race import Contender, contender_command, race, show, write

from symae.datasets import read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument(
        "--theano", default=os.environ.get("SYMAE_THEANO"), metavar="PYTHON", help="an interpreter with Theano 1.0.5"
    )
    parser.add_argument("--rounds", type=int, default=9, help="epochs of each contender that count")
    parser.add_argument("--floatX", default="float64", choices=["float64", "float32"])
    parser.add_argument("--backends", nargs="+", default=["numba", "c"])
    parser.add_argument("--threads", type=int, default=1, help="of BLAS, for all contenders")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    settings = parser.parse_args()

    results = {}
    with tempfile.TemporaryDirectory() as folder:
        dataset = read()
        images = Path(folder) / "images.npy"
        np.save(images, dataset.train.x[:5000] / (256.0 if dataset.train.x.dtype == np.uint8 else 1.0))
        print(f"{dataset.name}; {settings.floatX}; BLAS threads: {settings.threads}; {settings.rounds} interleaved epochs")
        environment = {name: str(settings.threads) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")}
        for title, level in (("worksheet 01, autoencoder", 0.0), ("worksheet 02, denoising", 0.3)):
            common = (images, settings.floatX, level)
            contenders = [
                Contender(f"symae {b}", contender_command("symae_autoencoder.py", b, *common, settings.threads), environment)
                for b in settings.backends
            ]
            if not level:
                contenders.append(
                    Contender("PyTensor, stock Numba", contender_command("theano_style.py", "pytensor", *common), environment)
                )
            if settings.theano:
                theano = contender_command("theano_style.py", "theano", *common, python=settings.theano)
                flags = {"THEANO_FLAGS": f"floatX={settings.floatX}"}
                contenders.append(Contender("Theano 1.0.5", theano, {**environment, **flags}))
            else:
                print("Theano is left out: --theano names no interpreter that has it")
            results[title] = race(contenders, settings.rounds)
            show(f"\n{title}", results[title], "Theano 1.0.5" if settings.theano else "PyTensor, stock Numba")
    write(settings.out, {"floatX": settings.floatX, "threads": settings.threads, "races": results})


if __name__ == "__main__":
    main()

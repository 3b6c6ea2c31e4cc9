"""Lasagne's example ``mnist.py``, the MLP and the CNN: on symae against real Theano 1.0.5 with its C compiler.

    python tests/benchmarks/lasagne_mnist.py Lasagne/examples --theano PYTHON

The example is not changed: it builds and compiles, and when it begins to train, what it trains on is a few minibatches a round,
with the two taking turns. `PYTHON`, with real Theano, and this Python both have Lasagne. Each is started twice, the first time
with empty caches, and the costs of the first rounds have to agree to nine digits.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from race import Contender, contender_command, race, show, write

from symae.datasets import available, read

IMAGES = 10000
DIGITS = 9


def start(name: str, images: Path, settings: argparse.Namespace, model: str, caches: Path) -> Contender:
    """Start one of the two; it is ready when all is compiled."""
    arguments = [settings.examples.resolve(), images, model, settings.batch, settings.minibatches]
    if name == "symae":
        python, *before = contender_command("lasagne_mnist.py", *arguments)
        command = [python, "-W", "ignore", "-m", "symae.theano", *before]
    else:
        command = contender_command("lasagne_mnist.py", *arguments, python=settings.theano)
    flags = f"floatX={settings.floatX},device=cpu"
    environment = {
        "THEANO_FLAGS": f"{flags},base_compiledir={caches / 'theano'}",
        "PYTENSOR_FLAGS": f"base_compiledir={caches / 'pytensor'}",
        "PYTHONWARNINGS": "ignore",
    }
    return Contender(name, command, environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", type=Path, help="Lasagne's folder of that name")
    parser.add_argument("--theano", required=True, metavar="PYTHON", help="with Theano 1.0.5 and Lasagne")
    parser.add_argument("--models", nargs="+", default=["mlp", "cnn"])
    parser.add_argument("--floatX", default="float64", choices=["float64", "float32"])
    parser.add_argument("--batch", type=int, default=500, help="images in a minibatch; the example has 500")
    parser.add_argument("--minibatches", type=int, default=10, help="in a round")
    parser.add_argument("--rounds", type=int, default=5, help="that count")
    parser.add_argument("--caches", type=Path, help="a folder for compiled code; by default an empty one")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    settings = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        dataset = read("mnist" if "mnist" in available() else None)
        pixels = dataset.train.x[:IMAGES].reshape(-1, 1, 28, 28) / np.float32(256)
        np.savez(Path(folder) / "images.npz", x=pixels, y=dataset.train.y[:IMAGES].astype(np.uint8))
        for model in settings.models:
            caches = settings.caches or Path(folder) / model
            results[model] = _raced(settings, Path(folder) / "images.npz", model, caches)
    write(settings.out, results)


def _raced(settings: argparse.Namespace, images: Path, model: str, caches: Path) -> dict[str, Any]:
    first = {}
    print(f"\n{model}, {settings.floatX}, minibatches of {settings.batch}")
    for name in ("symae", "Theano 1.0.5"):
        contender = start(name, images, settings, model, caches)
        first[name] = contender.compile
        contender.close()
        print(f"{name}: {first[name]:.1f} s until the first minibatch is done", flush=True)
    contenders = [start(name, images, settings, model, caches) for name in first]
    again = {contender.name: contender.compile for contender in contenders}
    print("; ".join(f"{name}: {again[name]:.1f} s with nothing left to compile" for name in first), flush=True)
    result = race(contenders, settings.rounds)
    show("", result, "Theano 1.0.5", settings.minibatches)
    ours, theirs = (r["first cost"] for r in result.values())
    print(f"the first costs, {ours!r} and {theirs!r}, differ by {abs(ours / theirs - 1):.1e} of themselves", flush=True)
    if settings.floatX == "float64" and abs(ours / theirs - 1) > 10**-DIGITS:
        raise SystemExit(f"they were to agree to {DIGITS} digits")
    return {"cold": first, "warm": again, "race": result}


if __name__ == "__main__":
    main()

"""One epoch of worksheets 01 and 02, the first 5000 images: symae against PyTorch, JAX, MLX, PyTensor, NumPy and Theano 1.0.5.

`--floatX`, `--batch` and `--hidden` take several values: every combination of them is a race.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from race import Contender, contender_command, race, show, write

from symae.datasets import read

LEVELS = {"01": 0.0, "02": 0.3}
TITLES = {"01": "worksheet 01, autoencoder", "02": "worksheet 02, denoising"}
IMAGES = 5000


@dataclass(frozen=True)
class Entry:
    """Who can take part: a script, its way of doing it, what has to be installed, and whether it gets one thread of BLAS.

    None is for whoever gets what there is when nobody sets anything.

    symae's kernels have threads of their own, one for each core; PyTorch, JAX and NumPy get those that they are given.
    """

    script: str
    way: str
    module: str = "symae"
    one_blas_thread: bool | None = True

    def threads(self, threads: int) -> str:
        if self.module == "jax" or self.one_blas_thread is None:
            return "all"
        if self.script.startswith("symae") and self.way == "numba":
            return "1 BLAS, own: all"
        return "1" if self.one_blas_thread else str(threads)


ENTRIES = {
    "symae, Numba": Entry("symae_autoencoder.py", "numba"),
    "symae, own loop": Entry("symae_own_loop.py", "numba", one_blas_thread=None),
    "symae, C": Entry("symae_autoencoder.py", "c"),
    "symae, JAX": Entry("symae_autoencoder.py", "jax", "jax", False),
    "symae, PyTorch": Entry("symae_autoencoder.py", "pytorch", "torch", False),
    "symae, MLX": Entry("symae_autoencoder.py", "mlx", "mlx", None),
    "JAX, scan": Entry("jax_autoencoder.py", "scan", "jax", False),
    "JAX, step": Entry("jax_autoencoder.py", "step", "jax", False),
    "PyTorch": Entry("torch_autoencoder.py", "eager", "torch", False),
    "torch.compile": Entry("torch_autoencoder.py", "compiled", "torch", False),
    "MLX": Entry("mlx_autoencoder.py", "", "mlx", None),
    "NumPy": Entry("numpy_autoencoder.py", "", "numpy", False),
    "PyTensor, Numba": Entry("theano_style.py", "pytensor"),
    "Theano 1.0.5": Entry("theano_style.py", "theano", "theano"),
}

# MLX is for Apple's machines: on others a minibatch takes it 40 times as long
USUAL = [name for name, entry in ENTRIES.items() if entry.module != "mlx"]


def save_images(path: Path, copies: int = 1) -> str:
    """Write the images, from 0 to 1, to `path`, several times over if there are to be `copies`; say in words what they are."""
    dataset = read()
    x = dataset.train.x[:IMAGES]
    np.save(path, np.concatenate([x / (256.0 if x.dtype == np.uint8 else 1.0)] * copies))
    return f"{copies * len(x)} images of {dataset.name}"


def missing(name: str, theano: str | None, floats: Sequence[str] = ()) -> str:
    """Why a contender cannot take part; empty if it can."""
    module = ENTRIES[name].module
    if module == "mlx" and "float64" in floats:
        return "it computes in float32 only"
    if module == "theano":
        return "" if theano else "--theano names no interpreter that has it"
    return "" if importlib.util.find_spec(module) else f"{module} is not installed"


def start(
    name: str, images: Path, floatX: str, level: float, batch: int, hidden: int, threads: int, theano: str | None = None
) -> Contender:
    """Start a contender by its name, compiled and ready."""
    entry = ENTRIES[name]
    blas = 1 if entry.one_blas_thread else threads
    given = {"images": images, "floatX": floatX, "level": level, "batch": batch, "hidden": hidden, "way": entry.way}
    words = [word for option, value in given.items() for word in (f"--{option}", value)]
    limits = () if entry.one_blas_thread is None else ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    environment = {variable: str(blas) for variable in limits}
    python = {}
    if entry.module == "theano":
        environment["THEANO_FLAGS"] = f"floatX={floatX}"
        python = {"python": theano}
    command = contender_command(entry.script, *words, "--threads", blas, **python)
    return Contender(name, command, environment, entry.threads(threads))


def costs_differ(results: dict[str, dict[str, Any]]) -> float:
    """Return the largest difference between costs of the first epoch, as a part of the smallest."""
    costs = [r["first cost"] for r in results.values()]
    return (max(costs) - min(costs)) / min(costs)


def races(names: Iterable[str], given: argparse.Namespace) -> dict[str, Any]:
    """Run them; by title the settings of each and its results."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        print(f"{save_images(images)}; {given.rounds} interleaved epochs", flush=True)
        for sheet, floatX, batch, hidden in itertools.product(given.worksheets, given.floatX, given.batch, given.hidden):
            title = f"{TITLES[sheet]}, {floatX}, batch {batch}, hidden {hidden}"
            contenders = [
                start(name, images, floatX, LEVELS[sheet], batch, hidden, given.threads, given.theano) for name in names
            ]
            result = race(contenders, given.rounds)
            show(f"\n{title}", result, next(iter(result)))
            print(f"the costs of the first epoch differ by {costs_differ(result):.1e} of themselves", flush=True)
            settings = {"worksheet": sheet, "floatX": floatX, "batch": batch, "hidden": hidden}
            results[title] = {"settings": settings, "results": result}
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument(
        "--theano", default=os.environ.get("SYMAE_THEANO"), metavar="PYTHON", help="an interpreter with Theano 1.0.5"
    )
    parser.add_argument("--rounds", type=int, default=9, help="epochs of each contender that count")
    parser.add_argument("--worksheets", nargs="+", default=list(LEVELS), choices=LEVELS)
    parser.add_argument("--floatX", nargs="+", default=["float64"], choices=["float64", "float32"])
    parser.add_argument("--batch", nargs="+", type=int, default=[20], help="images in a minibatch")
    parser.add_argument("--hidden", nargs="+", type=int, default=[100], help="units")
    parser.add_argument("--contenders", nargs="+", default=USUAL, choices=ENTRIES, help="the first is compared with")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch and NumPy; JAX takes all, the others one of BLAS")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()

    there = []
    for name in given.contenders:
        if reason := missing(name, given.theano, given.floatX):
            print(f"{name} is left out: {reason}")
        else:
            there.append(name)
    write(given.out, {"threads": given.threads, "rounds": given.rounds, "races": races(there, given)})


if __name__ == "__main__":
    main()

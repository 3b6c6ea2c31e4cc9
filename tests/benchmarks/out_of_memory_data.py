"""Epochs over images in memory, in a file that is mapped, and in HDF5: how fast what is read is gone over.

    python tests/benchmarks/out_of_memory_data.py --images 60000

The model is worksheet 01's, whose steps take least time, in minibatches of 20 and 200; then two convolutions, of 64. All take
turns in one process, on random pixels. The file is in the system's cache: it has just been written. Costs have to be the same.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from race import write

import symae
from symae import nn
from symae.optimizers import sgd
from symae.training import train_epochs
from symae.training.streams import examples_of, pass_over


def main() -> None:
    pytensor.config.floatX = "float32"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=60000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        sources = _sources(Path(folder), given.images)
        for name, batch_size, model, part in (
            ("784-100-784, minibatches of 20", 20, _dense, 1),
            ("784-100-784, minibatches of 200", 200, _dense, 1),
            ("two convolutions, minibatches of 64", 64, _convolutional, 10),
        ):
            results[name] = _race(sources, batch_size, model, part, given.rounds)
    write(given.out, {"data outside of memory": results})


def _sources(folder: Path, images: int) -> dict[str, Any]:
    pixels = np.random.RandomState(0).uniform(size=(images, 784)).astype("float32")
    pixels.tofile(folder / "pixels")
    sources: dict[str, Any] = {
        "memory": pixels,
        "memmap": np.memmap(folder / "pixels", np.float32, "r", shape=pixels.shape),
    }
    try:
        import h5py
    except ImportError:
        print("h5py is not installed, and left out")
    else:
        with h5py.File(folder / "pixels.h5", "w") as file:
            file["x"] = pixels
        sources["h5py, in order"] = h5py.File(folder / "pixels.h5", "r")["x"]
    return sources


def _race(sources: dict[str, Any], batch_size: int, model: Any, part: int, rounds: int) -> dict[str, float]:
    order = np.random.RandomState(1).permutation(len(sources["memory"]) // part)
    passes = {}
    for name, source in sources.items():
        x, cost, params = model()
        examples = examples_of("data", {x: source})
        shuffled = pytensor.shared(order if "order" not in name else np.sort(order))
        passes[name] = pass_over(examples)(symae.function, examples, batch_size, [cost], sgd(cost, params, 0.1), order=shuffled)
    seconds: dict[str, list[float]] = {name: [] for name in passes}
    costs: dict[str, float] = {}
    for counts in [False] + [True] * rounds:
        for name, step in passes.items():
            begun = time.perf_counter()
            history = train_epochs(step, len(order) // batch_size, 1, log_every=0)
            if counts:
                seconds[name].append(time.perf_counter() - begun)
            costs[name] = history.costs[-1]
    assert costs["memory"] == costs["memmap"], costs
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"{model.__name__[1:]}, minibatches of {batch_size}")
    for name, median in medians.items():
        print(f"  {name:20} {median:.4f} s an epoch, {medians['memory'] / median:.2f} of the speed from memory")
    return medians


def _dense() -> tuple[Any, Any, Any]:
    model = symae.Autoencoder(0, input=pt.tensor("x", shape=(None, 784), dtype="float32"), n_visible=784, n_hidden=100)
    cost, _ = model.get_cost_updates(0.0, 0.1)
    return model.x, cost, model.params


def _convolutional() -> tuple[Any, Any, Any]:
    params, x = nn.Parameters(np.random.RandomState(0)), pt.tensor("x", shape=(None, 784), dtype="float32")
    images = x.reshape((-1, 1, 28, 28))
    code = nn.conv(params, "code", images, 16, 5, activation="relu")
    drawn = nn.conv(params, "drawn", code, 1, 5)
    return x, ((drawn - images) ** 2).mean(), params


if __name__ == "__main__":
    main()

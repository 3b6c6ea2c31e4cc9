"""What the races over minibatches have in common: images and first weights in a folder, and the contenders' commands."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
from race import Contender, contender_command

from symae.datasets import available, read
from symae.images import unit_images

pytensor.config.floatX = "float32"  # of every model that takes part
BY_HAND = {"jax": "JAX", "pytorch": "PyTorch", "mlx": "MLX"}  # what names of contenders on a backend's own library begin with
ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1"}  # symae's kernels have threads of their own


def save_images(folder: Path, *, rows: bool = False, count: int | None = None) -> str:
    """Write ``images.npy``, the first `count`, and ``test.npy``, float32 from 0 to 1; say in words what they are.

    They are (n, 1, 28, 28), or `rows` of 784 pixels.
    """
    dataset = read("mnist" if "mnist" in available() else None)
    pixels = {"images": np.concatenate([dataset.train.x, dataset.valid.x])[:count], "test": dataset.test.x}
    for name, values in pixels.items():
        images = unit_images(values)
        np.save(folder / f"{name}.npy", images.reshape(len(images), -1) if rows else images)
    return f"{len(pixels['images'])} of {dataset.name}"


def start(
    name: str, script: str, model: Any, folder: Path, environment: Mapping[str, str] | None = None, **options: Any
) -> Contender:
    """Start a contender that trains `model`, a symae model, from its present weights; an option that is True is a bare flag."""
    weights = folder / f"{type(model).__name__}.npz"
    np.savez(weights, **model.parameters())
    given = {"images": folder / "images.npy", "weights": weights} | options
    words = [word for option, value in given.items() for word in ([f"--{option}"] if value is True else [f"--{option}", value])]
    threads = ONE_BLAS_THREAD if script.startswith("symae") else {}
    return Contender(name, contender_command(script, type(model).__name__, *words), threads | dict(environment or {}))


def start_jax(script: str, model: Any, folder: Path, **options: Any) -> list[Contender]:
    """JAX in both ways: a compiled function for each minibatch, and one for all those of a round."""
    return [start(f"JAX, {way}", script, model, folder, way=way, **options) for way in ("step", "scan")]


def start_mlx(script: str, model: Any, folder: Path, backends: Sequence[str], **options: Any) -> list[Contender]:
    """MLX by hand, where symae on MLX takes part: others need not wait for it."""
    return [start("MLX", script, model, folder, **options)] if "mlx" in backends else []


def show_by_hand(results: Mapping[str, Mapping[str, Any]]) -> None:
    """Print for each backend of symae that is a library what part of the fastest written by hand for it symae takes."""
    for backend, title in BY_HAND.items():
        medians = [r["median"] for name, r in results.items() if name.startswith(title)]
        if f"symae {backend}" in results and medians:
            print(f"symae {backend} takes {results[f'symae {backend}']['median'] / min(medians):.2f} of {title} by hand")


def installed(name: str, module: str) -> bool:
    if importlib.util.find_spec(module) is None:
        print(f"{name} is left out: {module} is not installed")
        return False
    return True

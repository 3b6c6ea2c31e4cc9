"""What a model's nodes compute for images, as a picture and as numbers in text files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
from PIL import Image

from symae._runtime.atomic_files import replacing
from symae.compile import function
from symae.datasets import read
from symae.datasets.pixel_scale import TUTORIALS, scaled
from symae.errors import InputError, MissingFileError
from symae.images import node_picture, save_png
from symae.models.base import Model


@dataclass(frozen=True)
class Shown:
    """Hold the values of nodes by name, their picture, and the files that hold them."""

    values: dict[str, np.ndarray]
    picture: Image.Image
    files: list[Path]


def find_models(path: str | Path) -> dict[str, Model]:
    """Find the saved models at `path`, by name: those of a run's folder, or the one that `path` names."""
    path = Path(path)
    if path.is_dir():
        found = sorted(file for file in path.glob("*.safetensors") if file.with_suffix(".json").is_file())
        if not found:
            raise MissingFileError(path, "no saved model", "a run's folder, with .safetensors and .json")
        return {file.stem: Model.load(file) for file in found}
    return {path.stem if path.suffix in {".safetensors", ".json"} else path.name: Model.load(path)}


def first_images(
    data: str | Path | None, count: int, pixel_scale: int = TUTORIALS, image_shape: Sequence[int] | None = None
) -> np.ndarray:
    """Return the first test images of a data set in floatX, bytes divided by `pixel_scale`, by default as `load_data` does."""
    return scaled(read(data, image_shape=image_shape).test.x[:count], pixel_scale, pytensor.config.floatX)


def list_nodes(model: Model) -> list[tuple[str, tuple[int, ...]]]:
    """List the names of a model's nodes, and the shapes of what they compute of one image.

    Raises
    ------
    InputError
        The model does not say how many numbers an image has.
    """
    pixels = model.describe().pixels
    if pixels is None:
        raise InputError(type(model).__name__, "no number of pixels", "a model with an image_shape")
    declared = model.x.type.shape[1:]
    values = _values(model, model.node_names(), np.zeros((1, *(declared if None not in declared else (pixels,)))))
    return [(name, value.shape[1:]) for name, value in values.items()]


def _values(model: Model, names: Sequence[str], images: Any) -> dict[str, np.ndarray]:
    # Interpreted, in NumPy: for a few images that is done before a compiler has begun.
    compute = function([model.x], [model.node(name) for name in names], mode="FAST_COMPILE", on_unused_input="ignore")
    values = compute(model.checked_input("images", images))
    return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}


def write_numbers(path: Path, values: np.ndarray) -> None:
    """Write an image's values a line, map by map and row by row, with six decimals, as CNTK's visualiser does."""
    text = io.BytesIO()
    np.savetxt(text, np.asarray(values).reshape((len(values), -1)), fmt="%.6f")
    with replacing(path) as file:
        file.write(text.getvalue())


def show_nodes(
    model: Model, names: Sequence[str], images: Any, folder: Path, stem: str, *, picture: str | None = None
) -> Shown:
    """Compute nodes of a model, write a picture of them all, from top to bottom, and a text file of each one's numbers.

    The files are ``<stem>_<picture>.png``, by default with the names of the nodes in the place of `picture`, and
    ``<stem>_<node>.txt``. No such node or no image is an InputError.
    """
    names = list(dict.fromkeys(names))
    if not names or not len(images):
        raise InputError("show_nodes", f"{len(names)} nodes and {len(images)} images", "at least one of each")
    values = _values(model, names, images)
    drawn = node_picture([(_label(name, value), value) for name, value in values.items()], coloured=_coloured(model, values))
    files = [folder / f"{stem}_{picture or '_'.join(names)}.png", *(folder / f"{stem}_{name}.txt" for name in names)]
    save_png(files[0], drawn)
    for file, value in zip(files[1:], values.values(), strict=True):
        write_numbers(file, value)
    return Shown(values, drawn, files)


def _coloured(model: Model, values: Mapping[str, np.ndarray]) -> list[str]:
    """Return the labels of nodes that are images in red, green and blue, as the input and the reconstruction of some models."""
    known = model.describe()
    shape = known.image_shape if known.channels_first else None
    if shape is None or shape[0] != 3:
        return []
    return [
        _label(name, values[name]) for name in values if name in ("input", known.output) and values[name].shape[1:] == shape
    ]


def _label(name: str, value: np.ndarray) -> str:
    return f"{name}, {' x '.join(map(str, value.shape[1:]))}"

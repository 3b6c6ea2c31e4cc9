"""Models on the disk: parameters by name in safetensors, the configuration in JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symae._runtime.atomic_files import read_regular, write_together
from symae._runtime.tensor_files import CHECKSUM, Shapes, encoded, open_tensors, text_checksum
from symae.errors import InputError, MissingFileError

FORMAT = 1
KEY = "symae_model"
KEYS = {"symae", "model", "configuration", "image_shape", "parameters", CHECKSUM}


def _pair(path: str | Path) -> tuple[Path, Path]:
    """Return the two files of a model, from the name of either, their common stem, or the folder that holds them."""
    path = Path(path)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise InputError(path, error.strerror or str(error), "the name of a model") from error
    if is_folder:
        path = path / "model"
    if path.suffix not in {".safetensors", ".json"}:
        path = path.with_name(path.name + ".safetensors")
    return path.with_suffix(".safetensors"), path.with_suffix(".json")


def write_model(
    path: str | Path,
    model: str,
    configuration: Mapping[str, Any],
    parameters: Mapping[str, np.ndarray],
    more: Mapping[str, Any] | None = None,
) -> Path:
    """Save `parameters` and `configuration` of a `model` (its class's name); returns the path of the safetensors file.

    `more` is what else the description tells of it. After an UnwritableError the files of an older model of that name are kept.
    """
    weights, description = _pair(path)
    # safetensors writes the buffer as it lies in memory: an array that is not C-contiguous would be scrambled without a word
    arrays = {name: np.ascontiguousarray(value) for name, value in parameters.items()}
    shapes = {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in arrays.items()}
    described = {"symae": FORMAT, "model": model, "configuration": dict(configuration), **(more or {}), "parameters": shapes}
    text = json.dumps({**described, CHECKSUM: text_checksum(described)}, indent=2) + "\n"
    write_together({weights: encoded(arrays, KEY, {}), description: text.encode()})
    return weights


def read_model(
    path: str | Path, shapes_of: Callable[[str, dict[str, Any]], Mapping[str, tuple[int, ...]] | None] | None = None
) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
    """Read class name, configuration and parameters of the model saved as `path`, or raise MissingFileError or InputError.

    `shapes_of` is called with class name and configuration: it raises InputError where it will have none of them, and returns
    which shapes the parameters should have, or None where it cannot tell. No array is read before they agree.
    """
    weights, description = _pair(path)
    for file in (weights, description):
        if not file.is_file():
            _refuse_foreign(Path(path))
            raise MissingFileError(file, expected="the two files of a saved model, .safetensors and .json")
    try:
        saved = json.loads(read_regular(description))
        model, configuration = str(saved["model"]), dict(saved["configuration"])
        described: Shapes = {name: (tuple(s["shape"]), s["dtype"]) for name, s in dict(saved["parameters"]).items()}
        version = saved["symae"]
        if version == FORMAT and (unknown := saved.keys() - KEYS):
            raise ValueError(f"it has {', '.join(sorted(unknown))}")
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(description, f"damaged JSON ({error})", "the description of a saved model") from error
    if version != FORMAT:
        raise InputError(description, f"format {version!r}", f"format {FORMAT}, the one that this version of symae reads")
    with open_tensors(weights, "a whole safetensors file") as tensors:
        _compare(weights, tensors.shapes, described, f"as {description.name} says")
        shapes = None if shapes_of is None else shapes_of(model, configuration)
        if shapes is not None:
            check_shapes(weights, {name: shape for name, (shape, _) in tensors.shapes.items()}, shapes)
        checksum = saved.pop(CHECKSUM, None)
        if checksum is not None and checksum != text_checksum(saved):
            expected = f"the description of a saved model; whoever changed it on purpose leaves out {CHECKSUM!r}"
            raise InputError(description, "damaged JSON (its checksum is of another text)", expected)
        return model, configuration, tensors.arrays(KEY, checksum=checksum is not None)


def _compare(path: Path, found: Shapes, expected: Shapes, why: str) -> None:
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise InputError(path, _described(name, found), f"{_described(name, expected)}, {why}")


def check_shapes(where: str | Path, found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Raise InputError where parameters have other names or shapes than those expected."""
    for name in sorted(found.keys() | expected.keys()):
        if name not in found or name not in expected:
            what = f"{'no' if name in expected else 'a'} parameter {name}"
            raise InputError(where, what, f"exactly {', '.join(expected)}")
        if found[name] != expected[name]:
            raise InputError(where, f"{name} of shape {found[name]}", f"{name} of shape {expected[name]}")


# what other libraries call their files
FOREIGN = {".keras", ".h5", ".hdf5", ".pt", ".pth", ".bin", ".npz", ".pkl", ".pickle"}
UNREAD = {".ckpt", ".onnx", ".npy"}


def _refuse_foreign(path: Path) -> None:
    """Raise InputError if `path` is a file of another library's, with what can be done instead."""
    suffix = path.suffix.lower()
    if suffix in FOREIGN | UNREAD and not path.is_dir():
        there = path.exists()
        found = f"a {path.suffix} file" if there else f"no such file, and a name that ends in {path.suffix}"
        instead = "symae.models.load_weights(model, path) reads the weights of such a file into a model"
        if suffix in UNREAD:
            instead = "arrays that another library has read of it can be handed to model.set_parameters as {name: array}"
        error = InputError if there else MissingFileError
        raise error(path, found, f"a model saved by symae, .safetensors and .json; {instead}")


def read_image_shape(path: str | Path) -> tuple[int, ...] | None:
    """Read the shape of images from the description of the model saved as `path`; None if it has none."""
    try:
        shape = json.loads(read_regular(_pair(path)[1])).get("image_shape")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    whole = isinstance(shape, list) and all(isinstance(n, int) and not isinstance(n, bool) and 0 < n < 2**31 for n in shape)
    return tuple(shape) if whole and len(shape) in (2, 3) else None


def _described(name: str, arrays: Shapes) -> str:
    if name not in arrays:
        return f"no {name}"
    shape, dtype = arrays[name]
    return f"{name} of shape {shape} and dtype {dtype}"

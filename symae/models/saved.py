"""Models on the disk: parameters by name in safetensors, the configuration in JSON beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from symae.errors import InputError, MissingFileError
from symae.files import write_together

__all__ = ["read_model", "write_model"]

FORMAT = 1


def _pair(path: str | Path) -> tuple[Path, Path]:
    """The two files of a model, from the name of either, their common stem, or the folder that holds them."""
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


def write_model(path: str | Path, model: str, configuration: Mapping[str, Any], parameters: Mapping[str, np.ndarray]) -> Path:
    """Save `parameters` and `configuration` of a `model` (its class's name); returns the path of the safetensors file.

    Raises
    ------
    UnwritableError
        The files cannot be written; those of an older model of the same name are kept.
    """
    weights, description = _pair(path)
    # safetensors writes the buffer as it lies in memory: an array that is not C-contiguous would be scrambled without a word
    arrays = {name: np.ascontiguousarray(value) for name, value in parameters.items()}
    shapes = {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in arrays.items()}
    described = {"symae": FORMAT, "model": model, "configuration": dict(configuration), "parameters": shapes}
    text = json.dumps(described, indent=2) + "\n"
    write_together({weights: safetensors.numpy.save(arrays), description: text.encode()})
    return weights


def read_model(path: str | Path) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
    """Class name, configuration and parameters of the model saved as `path`.

    Raises
    ------
    MissingFileError
        One of the two files is not there.
    InputError
        A file is damaged, or the names, shapes or dtypes of the arrays are not those that the description lists.
    """
    weights, description = _pair(path)
    for file in (weights, description):
        if not file.is_file():
            raise MissingFileError(file, expected="the two files of a saved model, .safetensors and .json")
    try:
        saved = json.loads(description.read_bytes())
        model, configuration, shapes = str(saved["model"]), dict(saved["configuration"]), dict(saved["parameters"])
        expected = {name: (tuple(s["shape"]), s["dtype"]) for name, s in shapes.items()}
        version = saved["symae"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(description, f"damaged JSON ({error})", "the description of a saved model") from error
    if version != FORMAT:
        raise InputError(description, f"format {version!r}", f"format {FORMAT}, the one that this version of symae reads")
    try:
        arrays = safetensors.numpy.load(weights.read_bytes())
    except (SafetensorError, ValueError, KeyError) as error:
        raise InputError(weights, f"a damaged file ({error})", "a whole safetensors file") from error
    found = {name: (a.shape, str(a.dtype)) for name, a in arrays.items()}
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise InputError(weights, _described(name, found), f"{_described(name, expected)}, as {description.name} says")
    return model, configuration, arrays


def _described(name: str, arrays: Mapping[str, tuple[tuple[int, ...], str]]) -> str:
    if name not in arrays:
        return f"no {name}"
    shape, dtype = arrays[name]
    return f"{name} of shape {shape} and dtype {dtype}"

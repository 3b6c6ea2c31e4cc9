"""Keras-style models as files: the graph as JSON, the weights in safetensors."""

from __future__ import annotations

import reprlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symae._runtime.tensor_files import not_finite
from symae.errors import InputError
from symae.models.saved import read_model, write_model

KIND = "keras.Model"  # what the files call themselves
KEYS = {"graph", "one", "compile"}
DESCRIPTION = "the description of a saved model"


def write_whole(
    path: str | Path, graph: Mapping[str, Any], one: list[bool], settings: Any, weights: Mapping[str, np.ndarray]
) -> Path:
    """Write a model: `one` says whether it has one input, and one output; `settings` are those of ``compile``."""
    return write_model(path, KIND, {"graph": graph, "one": one, "compile": settings}, weights)


def read_whole(path: str | Path) -> tuple[Any, list[bool], Any, dict[str, np.ndarray]]:
    """Read what `write_whole` wrote, or raise MissingFileError or InputError; the graph and the settings are not checked."""
    kind, saved, weights = read_model(path)
    if kind != KIND or saved.keys() != KEYS:
        found = f"a saved {kind}" if kind != KIND else "what save_weights wrote, weights without layers"
        raise InputError(path, found, "a Keras-style model that save wrote")
    one = saved["one"]
    if not (isinstance(one, list) and len(one) == 2 and all(type(entry) is bool for entry in one)):
        raise InputError(path, f"one: {reprlib.repr(one)}", DESCRIPTION)
    return saved["graph"], one, saved["compile"], weights


def write_weights(path: str | Path, layers: Mapping[str, str], weights: Mapping[str, np.ndarray]) -> Path:
    """Write weights alone, with the names and kinds of their layers."""
    return write_model(path, KIND, {"layers": dict(layers)}, weights)


def read_weights(path: str | Path) -> dict[str, np.ndarray]:
    """Read the weights of what `write_weights` or `write_whole` wrote, or raise MissingFileError or InputError."""
    kind, _, weights = read_model(path)
    if kind != KIND:
        raise InputError(path, f"a saved {kind}", "what save_weights wrote")
    return weights


def warn_of_strange(path: str | Path, weights: Mapping[str, np.ndarray]) -> None:
    """Warn whoever called the method that calls this of weights that are not finite."""
    if strange := not_finite(weights):
        warnings.warn(f"{path}: NaN or infinite values in {strange}", RuntimeWarning, stacklevel=3)

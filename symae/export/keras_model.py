"""Models for Keras 3: a ``.keras`` file of Keras's own layers, which loads without symae."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytensor.graph.basic import Variable

from symae._runtime.atomic_files import replacing
from symae.errors import BackendError, UnwritableError
from symae.export.extras import needed
from symae.export.keras_builder import Builder
from symae.export.keras_layers import LAYERS
from symae.export.parts import converted, part_of

BACKENDS = {"tensorflow": "tensorflow", "torch": "torch", "jax": "jax"}


def export_keras(
    what: Any,
    path: str | Path,
    *,
    part: str = "whole",
    inputs: Sequence[Variable] | Mapping[str, Variable] | None = None,
    floatX: str = "float32",
) -> Path:
    """Write a model, or a graph of PyTensor's, as a ``.keras`` file, which ``keras.saving.load_model`` loads.

    It is a functional model of Keras 3's own layers; layers have the names of the model's nodes. Images are (h, w, channels)
    there, Keras's order. Tied weights become two arrays of the same values: who trains on trains them apart.

    Parameters
    ----------
    what, part, inputs, floatX
        As in `symae.export.export_onnx`.
    path : str or Path
        Ends in ``.keras``; what was there is replaced, by a whole file or not at all.

    Returns
    -------
    path

    Raises
    ------
    BackendError
        Keras 3 is not installed, or none of TensorFlow, JAX and PyTorch, one of which it needs.
    InputError
        As `symae.export.export_onnx`, or Keras has no layer and no function for something.
    UnwritableError
        The file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise UnwritableError(path, f"the ending {path.suffix!r}", "a name that ends in .keras")
    model = to_keras(what, part=part, inputs=inputs, floatX=floatX)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "model.keras")
        model.save(kept)
        content = kept.read_bytes()
    with replacing(path) as file:
        file.write(content)
    return path


def to_keras(
    what: Any,
    *,
    part: str = "whole",
    inputs: Sequence[Variable] | Mapping[str, Variable] | None = None,
    floatX: str = "float32",
) -> Any:
    """Return what `export_keras` writes, a ``keras.Model``."""
    keras = _keras()
    chosen = part_of(what, part, inputs)
    graph = converted(chosen, floatX, of_parameters=True)
    name = f"{chosen.of}_{chosen.name}".replace(".", "_")
    return Builder(keras, graph, floatX).model(name, LAYERS)


def _keras() -> Any:
    """Import Keras 3, on a backend that is here unless another one is chosen already."""
    where = "export to Keras"
    if "keras" not in sys.modules and "KERAS_BACKEND" not in os.environ:
        here = next((name for name, module in BACKENDS.items() if importlib.util.find_spec(module)), None)
        if importlib.util.find_spec("keras") is not None and here is None:
            raise BackendError(where, "none of tensorflow, jax and torch", 'one of them: pip install "symae[keras,torch]"')
        os.environ["KERAS_BACKEND"] = here or "torch"
        try:
            keras = needed("keras", "keras", where)
        finally:
            del os.environ["KERAS_BACKEND"]
    else:
        keras = needed("keras", "keras", where)
    if not str(getattr(keras, "__version__", "")).startswith("3"):
        raise BackendError(where, f"keras {getattr(keras, '__version__', 'of no version')}", "Keras 3: pip install -U keras")
    return keras

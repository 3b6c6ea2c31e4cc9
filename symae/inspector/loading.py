"""From what a user has, a model, a path, images, to an `Inspection`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.graph.basic import Variable

from symae.datasets.pixel_scale import KERAS, scaled
from symae.errors import InputError, MissingFileError
from symae.inspector import pages as _  # noqa: F401, which enters what shows pages
from symae.inspector.graph_model import GraphModel, Inputs, graph_of, keras_graph
from symae.inspector.inspection import Inspection
from symae.inspector.layout import ImageLayout, image_layout, layout_of
from symae.inspector.probe_images import Examples, read_examples
from symae.inspector.runs import Run, open_run
from symae.inspector.subject import Subject
from symae.models.base import Model
from symae.runs.nodes import find_models
from symae.runs.record import FILE


def opened(
    model: Any, images: Any = None, labels: Any = None, image_shape: Sequence[int] | None = None, inputs: Inputs | None = None
) -> Inspection:
    """Open a model for `symae.inspect`."""
    layout = None if image_shape is None else layout_of("image_shape", image_shape)
    subject = as_subject(model, images, image_shape, inputs)
    if inputs is not None and not isinstance(subject, GraphModel):
        raise InputError("inputs", "a model that has its own", "expressions, or a Keras-style model of several inputs")
    inspection = _opened(subject, images, labels, layout)
    check_layout("image_shape", layout, [inspection])
    return inspection


def as_subject(model: Any, images: Any, image_shape: Sequence[int] | None, inputs: Inputs | None) -> Any:
    """Return expressions and Keras-style models as what describes itself like a model; all else as it is."""
    shape: Sequence[int] | None = image_shape
    if shape is None and images is not None and not isinstance(images, str | Path):
        shape = np.shape(images)[1:]
    if isinstance(model, Mapping | Variable):
        return graph_of(model, inputs, shape)
    if hasattr(model, "training_graph"):  # a Keras-style model, whose module need not be imported for the others
        return keras_graph(model, inputs, shape)
    return model


def check_layout(where: str, asked: ImageLayout | None, inspections: Iterable[Inspection]) -> None:
    """Refuse the layout that a user asks for if it is that of none of `inspections`: it would be ignored."""
    found = [inspection.layout for inspection in inspections]
    if asked is not None and found and str(asked) not in map(str, found):
        other = next((layout for layout in found if layout.size == asked.size), None)
        words = f"{found[0].size} numbers, which the model sees" if other is None else f"{other}, as the model says itself"
        raise InputError(where, str(asked), words)


def _opened(model: Subject | str | Path, images: Any, labels: Any, layout: ImageLayout | None) -> Inspection:
    if isinstance(model, str | Path):
        run, name = chosen_model(model, layout=layout)
        found = run.inspection(name)
        if images is None:
            found.fixed = False  # who has the inspection may train the model
            return found
        return Inspection(found.model, _examples(found.model, images, labels, run.pixel_scale), layout)
    if not hasattr(model, "describe"):
        kind = type(model)
        words = f"a {kind.__name__}" if kind.__module__ == "builtins" else f"a {kind.__name__} of {kind.__module__}"
        raise InputError("model", words, "a model, expressions by name, or the path of a run")
    return Inspection(model, _examples(model, images, labels), layout)


def chosen_model(
    path: str | Path, name: str | None = None, data: str | Path | None = None, layout: ImageLayout | None = None
) -> tuple[Run, str]:
    """Return the run at `path` and one of its models: the one that `path` or `name` names, ``model``, or the first."""
    path = Path(path)
    if not path.is_dir() and path.parent.is_dir() and (path.suffix in {".safetensors", ".json"} or not path.exists()):
        stem = path.stem if path.suffix in {".safetensors", ".json"} else path.name
        if (path.parent / f"{stem}.safetensors").is_file():
            return open_run(path.parent, data, layout=layout), stem
    run = open_run(path, data, layout=layout)
    models = run.models()
    if not models:
        raise MissingFileError(path, "no saved model", "a run that has saved one")
    if name is not None and name not in models:
        raise InputError("--model", repr(name), f"one of {', '.join(models)}")
    return run, name or ("model" if "model" in models else next(iter(models)))


def models_at(path: str | Path) -> dict[str, Model]:
    """Return the saved models at `path`, by name, or of a run that has none yet what its newest checkpoint makes of them."""
    try:
        return find_models(path)
    except MissingFileError:
        if not (Path(path) / FILE).is_file():
            raise
        run = open_run(path)
        if not run.models():
            raise
        return {name: run.model(name) for name in run.models()}


def _examples(model: Subject, images: Any, labels: Any, pixel_scale: int = KERAS) -> Examples | None:
    pixels = image_layout(model.describe()).size
    if images is None or isinstance(images, str | Path):
        try:
            found = read_examples(images, pixel_scale=pixel_scale)
        except InputError:
            if images is not None:
                raise
            return None
        if images is not None and found.images.shape[1] != pixels:
            raise InputError("images", f"{found.images.shape[1]} pixels", f"{pixels}, which the model sees")
        return found
    array = np.asarray(images)
    if array.dtype.kind not in "biuf" or array.ndim < 2 or not len(array) or array.size != len(array) * pixels:
        raise InputError("images", f"{array.dtype} of shape {array.shape}", f"numbers (n, {pixels}), at least one image")
    rows = array.reshape(len(array), pixels)
    numbers = np.dtype(model.x.type.dtype).kind == "f"  # whole numbers that a graph takes are no pixels
    rows = scaled(rows, pixel_scale, np.float32) if numbers else rows.astype(np.float32)
    if not np.isfinite(rows).all():
        raise InputError("images", "NaN or infinite values", "finite numbers")
    chosen = None if labels is None else _checked_labels(labels, len(rows))
    told = array.shape[1:] if array.ndim in (3, 4) else None
    return Examples(rows, chosen, f"{len(rows)} images", pixel_scale, None if told is None else layout_of("images", told))


def _checked_labels(labels: Any, count: int) -> np.ndarray:
    try:
        found = np.asarray(labels)
    except ValueError as error:  # lists of several lengths
        raise InputError("labels", "lists of several lengths", f"({count},), one integer for each image") from error
    if found.shape != (count,):
        raise InputError("labels", f"shape {found.shape}", f"({count},), one for each image")
    if found.dtype.kind not in "biu":
        raise InputError("labels", f"{found.dtype} such as {str(found[0])[:20]!r}", "integers")
    return found.astype(np.int64)

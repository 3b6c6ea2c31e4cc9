"""Keras's files: ``.keras``, ``.weights.h5``, and the ``.h5`` of Keras 2 and before, read by h5py.

A ``.keras`` is an archive of ``config.json``, which has the layers and their names, and of ``model.weights.h5``, which has the
numbers under ``layers/<class>_<n>/vars/<i>``: layers are counted by their class there, and their names are not in it. The older
file has attributes ``layer_names`` and ``weight_names`` instead.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from symae.datasets.contents import LARGEST, excerpt
from symae.datasets.extras import needed
from symae.datasets.formats.hdf5 import broken_hdf5, read_values
from symae.datasets.hdf5_heaps import check_heaps, check_texts
from symae.errors import InputError
from symae.models.foreign.arrays import member_bytes, opened_archive
from symae.models.foreign.conventions import KERAS, Convention
from symae.models.foreign.stored import KINDS, MOST_ARRAYS, StoredArray, Weights, weights_of

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
LONGEST_CONFIG = 16 << 20
DEEPEST = 16
# those that symae has too, by what Keras calls them in files of weights, with what their numbers are
LAYERS = {
    "dense": ("kernel", "bias"),
    "conv2d": ("kernel", "bias"),
    "conv2d_transpose": ("kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
}
# what is not a layer's: an optimizer's memory, seeds of dropout, measures
PASSED_OVER = {"optimizer", "seed_generator", "optimizer_weights", "_metrics", "metrics", "_compile_metrics", "compile_metrics"}
# attributes that are read
TEXTS = ("layer_names", "weight_names", "keras_version", "backend", "model_config", "dtype")


@dataclass(frozen=True)
class _Layer:
    name: str
    cls: str
    kind: str  # the class, as in files of weights
    config: Mapping[str, Any]
    above: tuple[str, ...]


@contextmanager
def keras_weights(path: Path, file: IO[bytes]) -> Iterator[Weights]:
    """Yield the arrays of a ``.keras`` file, by the names of their layers."""
    with opened_archive(path, file) as archive:
        config = _json(f"{path}, {CONFIG}", member_bytes(path, archive, CONFIG, LONGEST_CONFIG))
        data = member_bytes(path, archive, WEIGHTS, LARGEST)
    h5py = needed("h5py", path)
    _check_texts(f"{path}, {WEIGHTS}", io.BytesIO(data))
    layers = dict(_layers(path, config, "", ()))
    with _opened(path, h5py, io.BytesIO(data)) as opened:
        with broken_hdf5(path):
            found = _of_layers(path, h5py, opened, layers)
        yield weights_of(path, found)


@contextmanager
def hdf5_weights(path: Path, file: IO[bytes]) -> Iterator[Weights]:
    """Yield the arrays of an HDF5 file of Keras: of ``model.save_weights``, or of the older ``model.save``."""
    h5py = needed("h5py", path)
    _check_texts(path, file)
    with _opened(path, h5py, path) as opened:
        with broken_hdf5(path):
            group = opened.get("model_weights", opened)
            ordered = "layer_names" in group.attrs or "layer_names0" in group.attrs
            if ordered:
                found = _of_old_layers(path, h5py, opened, group)
            else:
                found = sorted(_of_layers(path, h5py, opened, {}), key=_by_number)
        yield weights_of(path, found, ordered=ordered)


def _check_texts(path: str | Path, file: IO[bytes]) -> None:
    check_heaps(path, file)
    check_texts(path, file, TEXTS)


@contextmanager
def _opened(path: Path, h5py: Any, source: Any) -> Iterator[Any]:
    """Yield an HDF5 file; what goes wrong with it while it is open, is for those who read it to name."""
    with broken_hdf5(path):
        opened = h5py.File(source, "r", locking=False)
    with opened:
        yield opened


def _layers(path: Path, config: Any, group: str, above: tuple[str, ...]) -> Iterator[tuple[str, _Layer]]:
    """Yield the layers of a configuration by the group in which Keras saves their numbers."""
    if len(above) > DEEPEST:
        raise InputError(path, f"models nested more than {DEEPEST} deep", "a model")
    inner = config.get("config") if isinstance(config, dict) else None
    layers = inner.get("layers") if isinstance(inner, dict) else None
    if not isinstance(layers, list):
        return
    counts: dict[str, int] = {}
    for layer in layers:
        settings = layer.get("config") if isinstance(layer, dict) else None
        if not isinstance(settings, dict) or not isinstance(layer.get("class_name"), str):
            raise InputError(path, f"the layer {excerpt(layer)} in {CONFIG}", "one with class_name and config")
        kind = _snake_case(layer["class_name"])
        number = counts[kind] = counts.get(kind, -1) + 1
        name = str(settings.get("name", layer.get("name", kind)))
        below = f"{group}layers/{kind}_{number}" if number else f"{group}layers/{kind}"
        yield below, _Layer(name, layer["class_name"], kind, settings, above)
        yield from _layers(path, layer, f"{below}/", (*above, name))


def _snake_case(name: str) -> str:
    """Return what Keras calls a class in files of weights: Conv2DTranspose becomes conv2d_transpose."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _of_layers(path: Path, h5py: Any, opened: Any, layers: Mapping[str, _Layer]) -> list[StoredArray]:
    """Return the arrays of today's files, in the order of the layers if these are known."""
    found: dict[str, dict[str, Any]] = {}
    for name, array in _datasets(path, h5py, opened):
        group, _, number = name.rpartition("/vars/")
        if group and number.isdigit():
            found.setdefault(group.replace("_layer_checkpoint_dependencies", "layers"), {})[number] = array
    convention = _convention(layers)
    stored: list[StoredArray] = []
    for group in [*(g for g in layers if g in found), *sorted(g for g in found if g not in layers)]:
        parts = group.split("/")
        known = layers.get(group)
        kind = known.kind if known else re.sub(r"_\d+$", "", parts[-1])
        layer = (*known.above, known.name) if known else tuple(part for part in parts if part != "layers")
        numbers = sorted(found[group], key=int)
        names = LAYERS.get(kind)
        if names is not None and known is not None:
            left_out = {"bias": "use_bias", "gamma": "scale", "beta": "center"}
            names = tuple(name for name in names if known.config.get(left_out.get(name, ""), True) is not False)
        if names is None and _is_attribute(parts, [found[group][number] for number in numbers], layers):
            names = ("kernel", "bias")
        if kind == "batch_normalization" and known is None:
            # of three, the file does not say whether gamma or beta is left out
            names = {2: names[2:], 3: ("0", "1", "2")}.get(len(numbers), names) if names else names
        of = "" if names is not None and len(numbers) <= len(names) else _strange(group, layers)
        epsilon = _epsilon(known)
        for position, number in enumerate(numbers):
            array = found[group][number]
            what = names[position] if names is not None and not of else number
            load = partial(_read, path, f"{group}/vars/{number}", array)
            name, shape = "/".join((*layer, what)), tuple(map(int, array.shape))
            counted, dtype = _is_counted(layer, kind), str(array.dtype)
            kept = KINDS.get(what, what)
            stored.append(StoredArray(name, shape, dtype, load, convention, layer, kept, counted, of, epsilon))
    return stored


def _epsilon(layer: _Layer | None) -> float | None:
    """Return what a normalisation adds to the variance, if the file has it."""
    found = layer.config.get("epsilon") if layer is not None and layer.kind == "batch_normalization" else None
    return float(found) if isinstance(found, int | float) else None


def _is_attribute(parts: list[str], arrays: list[Any], layers: Mapping[str, _Layer]) -> bool:
    """Return True if a group is called after an attribute of a model written as a class, and may be a layer with a bias."""
    inside = any("/".join(parts[:end]) in layers for end in range(1, len(parts) + 1))
    dimensions = tuple(array.ndim for array in arrays)
    return not inside and parts[-2:-1] != ["layers"] and dimensions in ((2,), (4,), (2, 1), (4, 1))


def _is_counted(layer: tuple[str, ...], kind: str) -> bool:
    """Return True if a layer of this class is called what Keras itself calls it."""
    return kind in LAYERS and re.fullmatch(rf"{kind}(_\d+)?", layer[-1]) is not None


def _strange(group: str, layers: Mapping[str, _Layer]) -> str:
    """Say which layer has its numbers in a group, of a class that symae does not have."""
    while group:
        if group in layers:
            return f"the layer {excerpt(layers[group].name)} of class {excerpt(layers[group].cls)[1:-1]}"
        group = group.rpartition("/")[0]
    return "a layer of an unknown class"


def _of_old_layers(path: Path, h5py: Any, opened: Any, group: Any) -> list[StoredArray]:
    """Return the arrays of older files, in the order of the layers."""
    version, backend = (_text(path, group, name) for name in ("keras_version", "backend"))
    if not version or version.split(".")[0] in ("0", "1"):
        raise InputError(
            path, f"weights of Keras {version or 'before 1.2'}", "of Keras 2 or later, whose filters lie in one way"
        )
    config = _text(path, opened, "model_config")
    layers = dict(_layers(path, _json(f"{path}, model_config", config.encode()), "", ())) if config else {}
    known = {layer.name: layer for layer in layers.values()}
    convention = replace(_convention(layers), flips=backend == "theano")
    arrays: dict[str, Any] = dict(_datasets(path, h5py, group))
    stored = []
    for layer in _texts(path, group, "layer_names"):
        entry = group.get(layer)
        for name in _texts(path, entry, "weight_names") if isinstance(entry, h5py.Group) else []:
            array = arrays.get(f"{layer}/{name}")
            if array is None:
                raise InputError(path, f"no array {excerpt(f'{layer}/{name}')}", "those that weight_names lists")
            parts = [part for part in name.split("/") if part]
            what = parts[-1].split(":")[0]
            if what in ("seed_generator_state",) or (len(parts) > 1 and parts[-2] == "seed_generator"):
                continue
            own = parts[-2] if len(parts) > 1 else layer
            inside = (own,) if own == layer else (layer, own)
            is_of = known.get(own) or known.get(layer)
            of = "" if is_of is None or is_of.kind in LAYERS else f"the layer {excerpt(is_of.name)} of class {is_of.cls}"
            load, shape = partial(_read, path, f"{layer}/{name}", array), tuple(map(int, array.shape))
            name = "/".join((*inside, what))
            counted, dtype = is_of is not None and _is_counted(inside, is_of.kind), str(array.dtype)
            kind, epsilon = KINDS.get(what, what), _epsilon(is_of)
            stored.append(StoredArray(name, shape, dtype, load, convention, inside, kind, counted, of, epsilon))
    return stored


def _by_number(array: StoredArray) -> list[tuple[str, int]]:
    """Return a key that puts conv2d_10 after conv2d_9."""
    return [(part.rstrip("0123456789"), int(re.search(r"\d*$", part)[0] or 0)) for part in array.layer]  # type: ignore[index]


def _convention(layers: Mapping[str, _Layer]) -> Convention:
    """Return Keras's convention for a model: whether its images have their channels first or last, its layers say.

    A Flatten that is given channels_first makes rows in the order of channels_last, so that weights fit either.
    """
    flat = [layer.config.get("data_format") for layer in layers.values() if layer.kind == "flatten"]
    formats = {layer.config.get("data_format") for layer in layers.values() if layer.kind != "flatten"} - {None}
    first = "channels_first" in formats
    rows_last = not first or "channels_first" in flat
    return replace(KERAS, rows_last=rows_last, columns_last=not first, layout_given=len(formats) == 1)


def _datasets(path: Path, h5py: Any, opened: Any) -> Iterator[tuple[str, Any]]:
    """Yield the arrays in a group and those below by name; links to other files and to groups above lead nowhere."""
    seen, left = {opened}, 2 * MOST_ARRAYS
    stack = [("", opened)]
    while stack:
        above, group = stack.pop()
        for name in group:
            left -= 1
            if left < 0:
                raise InputError(path, f"more than {2 * MOST_ARRAYS} objects", "the weights of a model")
            if (not above and name in PASSED_OVER) or name == "seed_generator":
                continue
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset):
                if item.shape is not None:
                    yield above + name, item
            elif isinstance(item, h5py.Group) and item not in seen and above.count("/") < 4 * DEEPEST:
                seen.add(item)
                stack.append((f"{above}{name}/", item))


def _read(path: Path, name: str, array: Any) -> np.ndarray:
    where = f"{path}, {name}"
    with broken_hdf5(where):
        values = read_values(where, array)
        if array.attrs.get("dtype") == "bfloat16":
            raise InputError(where, "numbers in bfloat16", "float16, float32 or float64")
        return values


def _text(path: Path, item: Any, name: str) -> str:
    """Return an attribute that is a text, or an empty one."""
    if name not in item.attrs:
        return ""
    found = item.attrs[name] if _small(path, item, name) else ""
    return found.decode("utf8", "replace") if isinstance(found, bytes) else found if isinstance(found, str) else ""


def _texts(path: Path, group: Any, name: str) -> list[str]:
    """Return an attribute that is a list of texts; a long one is cut into several attributes."""
    names = [name] if name in group.attrs else []
    while not names or names[-1] != name:
        if (part := f"{name}{len(names)}") not in group.attrs:
            break
        names.append(part)
    found = [text for part in names if _small(path, group, part) for text in np.atleast_1d(group.attrs[part])]
    return [text.decode("utf8", "replace") if isinstance(text, bytes) else str(text) for text in found]


def _small(path: Path, item: Any, name: str) -> bool:
    attribute = item.attrs.get_id(name)
    n_bytes = math.prod(attribute.shape) * max(attribute.get_type().get_size(), 1)
    if n_bytes > LONGEST_CONFIG:
        raise InputError(path, f"an attribute {name} of {n_bytes} bytes", f"at most {LONGEST_CONFIG}")
    return True


def _json(where: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(where, f"damaged JSON ({excerpt(str(error))})", "what Keras writes") from error

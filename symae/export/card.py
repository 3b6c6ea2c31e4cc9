"""A card that tells people what the models of a run are: ``README.md`` in the form of Hugging Face's model cards.

It is written when somebody asks for it, ``symae export RUN --card``, and not by each run: then it knows which files for other
programs lie beside the model, older runs get one too, and no run writes over what somebody has added to it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from symae._runtime.atomic_files import read_regular, write_text
from symae._runtime.decimals import fixed
from symae.datasets.named import SETS
from symae.errors import InputError, MissingFileError, UnwritableError
from symae.export.parts import part_of
from symae.inspector.runs import Run
from symae.models.base import Model

FILE = "README.md"
# the line by which a card is known as written by symae: it has the checksum of all others
MARK = "<!-- written by symae export --card, sha256 {}: a page that somebody changes stays as it is -->"
# data sets of the Hugging Face Hub, by symae's names
HUB = {
    "mnist": "ylecun/mnist",
    "mini_mnist": "ylecun/mnist",
    "fashion_mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
}
LICENCE = "unknown"
_ONNX = """\
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("{file}")
given = {{}}
for value in session.get_inputs():
    sizes = [1 if isinstance(size, str) else size for size in value.shape]
    given[value.name] = np.zeros(sizes, "int64" if "int64" in value.type else "float32")
for value, array in zip(session.get_outputs(), session.run(None, given)):
    print(value.name, array.shape)"""


def write_card(run: Run) -> Path:
    """Write the card of a run into its folder; returns its path.

    Raises
    ------
    MissingFileError
        The run has saved no model.
    UnwritableError
        The folder cannot be written, or has a ``README.md`` that is not symae's, or that has been changed.
    """
    path = run.folder / FILE
    if path.exists() and not _is_as_written(read_regular(path).decode("utf-8", "replace")):
        raise UnwritableError(
            path, f"a {FILE} that is not symae's, or that somebody has changed", "none, or one as symae has written it"
        )
    write_text(path, card(run))
    return path


def _is_as_written(text: str) -> bool:
    """Return True for a card that nobody has changed; how its lines end does not matter."""
    lines = text.splitlines()
    found = [line for line in lines if re.fullmatch(MARK.format("[0-9a-f]{64}"), line)]
    return len(found) == 1 and found[0] == _mark(line for line in lines if line not in found)


def _mark(others: Iterable[str]) -> str:
    """Return the mark of a card of these other lines."""
    return MARK.format(hashlib.sha256("\n".join(others).encode()).hexdigest())


def card(run: Run) -> str:
    """Return the text of the card of a run."""
    record = run.record
    if "problem" in record:
        raise InputError(run.folder, str(record["problem"]), "a run whose record can be read")
    saved = {name: model for name, model in run.models().items() if (run.folder / f"{name}.safetensors").is_file()}
    if not saved:
        raise MissingFileError(run.folder, "no saved model", "a run that has saved one")
    models = {name: run.model(name) for name in saved}
    title = record.get("title") or record.get("worksheet") or run.name
    last = {name: _last(run.history(), model.label) for name, model in saved.items()}
    front = [*_front_matter(run, record, title, models, last), ""]
    lines = [
        "",
        f"# {title}",
        "",
        _introduction(record, models),
        *_table_of_models(models, run.folder),
        *_figures(last),
        *_loading(run, models),
        *_settings(record),
    ]
    # some entries are several lines, and titles may have whatever Python takes for the end of one
    others = "\n".join([*front, *lines]).splitlines()
    return "\n".join([*front, _mark(others), *lines]) + "\n"


def _front_matter(
    run: Run, record: Mapping[str, Any], title: str, models: Mapping[str, Model], last: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Return the YAML that begins the card; texts are written as in JSON, which YAML takes."""
    data = str(record.get("data") or "")
    tags = ["symae", "pytensor", "autoencoder", *sorted({type(model).__name__ for model in models.values()})]
    tags += [format_ for ending, format_ in ((".onnx", "onnx"), (".keras", "keras")) if any(run.folder.glob(f"*{ending}"))]
    lines = ["---", "library_name: symae", f"license: {LICENCE}", "tags:", *(f"- {json.dumps(tag)}" for tag in tags)]
    draws = any(model.describe().output for model in models.values())
    task = "image-to-image" if draws else "image-classification"
    lines += [f"pipeline_tag: {task}"]
    if data in HUB:
        lines += ["datasets:", f"- {HUB[data]}"]
    finite = {name: {k: v for k, v in figures.items() if v is not None} for name, figures in last.items()}
    measured = {name: figures for name, figures in finite.items() if figures}
    if measured:
        dataset = _data_name(record)
        lines += ["model-index:"]
        for name, figures in measured.items():
            lines += [f"- name: {json.dumps(f'{title}: {name}')}", "  results:", "  - task:", f"      type: {task}"]
            lines += [
                "    dataset:",
                f"      name: {json.dumps(dataset)}",
                f"      type: {HUB.get(data, 'own')}",
                "    metrics:",
            ]
            for what, value in figures.items():
                lines += [
                    f"    - type: {json.dumps(what)}",
                    f"      value: {value!r}",
                    f"      name: {json.dumps(_words(what))}",
                ]
    return [*lines, "---"]


def _data_name(record: Mapping[str, Any]) -> str:
    """Return what the run calls its data, or what its option was: no path of the machine it ran on."""
    told = (record.get("facts") or {}).get("data")
    data = str(record.get("data") or "")
    return str(told or (SETS[data].title if data in SETS else Path(data).name) or "data of its own")


def _introduction(record: Mapping[str, Any], models: Mapping[str, Model]) -> str:
    kinds = sorted({type(model).__name__ for model in models.values()})
    shape = record.get("image_shape")
    size = f" of {' x '.join(map(str, shape))} (channels, height, width)" if shape else ""
    state = "" if record.get("state") == "finished" else f" The training is {record.get('state') or 'of unknown state'}."
    sheet = f"worksheet `{record['worksheet']}`" if record.get("worksheet") else "symae"
    return (
        f"{' and '.join(kinds)} of symae, symbolic autoencoders on PyTensor, trained by "
        f"{sheet} on images{size}: {_escaped(_data_name(record))}.{state}"
    )


def _table_of_models(models: Mapping[str, Model], folder: Path) -> list[str]:
    lines = ["", "## Models", "", "| file | model | parameters | input | code |", "|---|---|---|---|---|"]
    for name, model in models.items():
        part = part_of(model)
        count = sum(array.size for array in model.parameters().values())
        (x,) = part.inputs.values()
        kind = f"{type(model).__name__}, {_arguments(model)}"
        cells = [f"`{name}.safetensors`", kind, f"{count:,}", _shape(x.type.shape), _code(model)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _arguments(model: Model) -> str:
    return ", ".join(f"{key} {json.dumps(value)}" for key, value in model.configuration().items())


def _code(model: Model) -> str:
    known = model.describe()
    if known.code is None:
        return "none"
    size = known.code_size
    if size is None:
        shape = part_of(model, "encoder").outputs[known.code].type.shape[1:]
        return f"`{known.code}`, {_shape(shape, '')}"
    return f"`{known.code}`, {size}"


def _shape(shape: Sequence[int | None], batch: str = "n") -> str:
    return " x ".join(batch if size is None else str(size) for size in shape) or "a number"


def _last(history: Sequence[Mapping[str, Any]], label: str | None) -> dict[str, Any]:
    """Return the figures of a model's last epoch, None for what is not finite; of a run of several models by its label."""
    mine = [entry for entry in history if label is None or entry.get("model", entry.get("name")) in (label, None)]
    skipped = {"epoch", "seconds", "model", "name"}
    return {} if not mine else {k: v for k, v in mine[-1].items() if k not in skipped and isinstance(v, int | float | None)}


def _cell(figure: float | None) -> str:
    return "diverged" if figure is None else fixed(figure)


def _words(figure: str) -> str:
    return {"cost": "cost of training images", "val_cost": "cost of test images"}.get(figure, figure)


def _figures(last: Mapping[str, Mapping[str, Any]]) -> list[str]:
    columns = list(dict.fromkeys(key for figures in last.values() for key in figures))
    if not columns:
        return []
    rows = [["model", *map(_words, columns)], ["---"] * (1 + len(columns))]
    rows += [[f"`{name}`", *(_cell(f[c]) if c in f else "" for c in columns)] for name, f in last.items()]
    about = "After the last epoch. Training images are measured while the model still learns."
    return ["", "## Figures", "", about, "", *(f"| {' | '.join(row)} |" for row in rows)]


def _loading(run: Run, models: Mapping[str, Model]) -> list[str]:
    name = "model" if "model" in models else next(iter(models))
    model = models[name]
    known, part = model.describe(), part_of(model)
    x = next(iter(part.inputs.values()))
    example = f'X = np.zeros(({", ".join("1" if n is None else str(n) for n in x.type.shape)}), "float32")'
    scaled = isinstance(run.record.get("pixel_scale"), int)
    scale = f" Bytes of images are divided by {run.pixel_scale} first." if scaled else ""
    method = "reconstruct" if known.output else "transform"
    loaded = ["import numpy as np", "from symae.models import Model", "", example, f'model = Model.load("{name}")']
    loaded += [f"print(model.transform(X).shape, model.{method}(X).shape)"]
    about = f"`X` stands for images, as rows or maps of pixels from 0 to 1.{scale}"
    lines = ["", "## How to load it", *_program(about, loaded)]
    for file in sorted(run.folder.glob("*.onnx")):
        lines += _program(f"`{file.name}` is ONNX, with a free number of examples:", [_ONNX.format(file=file.name)])
    for file in sorted(run.folder.glob("*.pt")):
        if file.with_suffix(".py").is_file():
            built = [f"from {file.stem} import load", "", "model = load()", "print(model)"]
            lines += _program(f"`{file.name}` and `{file.stem}.py` are for PyTorch:", built)
    for file in sorted(run.folder.glob("*.keras")):
        built = ["import keras", "", f'model = keras.saving.load_model("{file.name}")', "model.summary()"]
        lines += _program(f"`{file.name}` is for Keras 3; images have their channels last there:", built)
    return lines


def _program(about: str, lines: Sequence[str]) -> list[str]:
    return ["", about, "", "```python", *lines, "```"]


def _settings(record: Mapping[str, Any]) -> list[str]:
    lines = []
    facts = {key: value for key, value in (record.get("facts") or {}).items() if key != "data"}
    versions = record.get("versions") or {}
    for heading, entries in (("Training", facts), ("Versions", versions)):
        shown = {
            key: value for key, value in entries.items() if value not in (None, "") and _finite(value) and key != "patches"
        }
        if shown:
            lines += ["", f"## {heading}", "", *(f"- {key}: {_escaped(value)}" for key, value in shown.items())]
    return lines


def _finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _escaped(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")

"""Folders of runs, finished or still running, as they are right now."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from symae._runtime.atomic_files import open_regular
from symae.errors import InputError, MissingFileError
from symae.inspector.inspection import Inspection
from symae.inspector.layout import ImageLayout, layout_of
from symae.inspector.probe_images import COUNT, Examples, read_examples
from symae.models.base import CONFIGURATION_ERRORS, Model
from symae.runs.parameter_snapshots import kept_epochs, read_kept
from symae.runs.record import FILE, MOST_MODELS, is_going_on, pixel_scale, read_record
from symae.training.checkpoints import checkpoint_files, read_checkpoint

HISTORY = "history.jsonl"
SAVED = "the saved model"
LARGEST_HISTORY = 32 * 2**20  # bytes that are read: a few hundred thousand epochs
LONGEST = 200  # characters of a model's name or another text in a line


class GoneError(MissingFileError):
    """Raised when a run that was here is here no longer."""


@dataclass
class SavedModel:
    """Hold a model of a run, or why it cannot be read, the `problem`."""

    name: str  # the file's, without its ending, or the model's while it is not saved yet
    label: str | None = None  # what the history calls it
    number: int | None = None  # in the run's record; None in runs without one
    problem: str | None = None
    source: str = SAVED
    inspection: Inspection | None = None
    stamp: float = 0.0


@dataclass
class Run:
    """Read a run's folder."""

    folder: Path
    name: str  # the folder's last part
    data: str | Path | None = None  # which to look at the models with, instead of the run's own
    images: int = COUNT  # how many of its test images
    layout: ImageLayout | None = None  # how pixels lie in a row, instead of what the run has written down
    _models: dict[str, SavedModel] = field(default_factory=dict)
    _examples: Examples | InputError | None = None
    _lock: Any = field(default_factory=threading.RLock)

    def check(self) -> None:
        """Raise GoneError if the folder is not there any more."""
        if not self.folder.is_dir():
            raise GoneError(self.folder, "no such folder any more", "the run that was opened")

    @property
    def record(self) -> dict[str, Any]:
        """What the run wrote down about itself; of a damaged record, the problem."""
        try:
            return read_record(self.folder)
        except InputError as error:
            return {"problem": str(error)}

    @property
    def pixel_scale(self) -> int:
        """What the run has divided the bytes of its images by."""
        record = self.record
        # a run older than records is known by the name of its folder
        return pixel_scale({**record, "worksheet": record.get("worksheet") or self.name})

    @property
    def makes_its_images(self) -> bool:
        """Whether the run has read no data set, and its images can not be read again."""
        record = self.record
        return record.get("data") is None and record.get("image_shape") is not None

    @property
    def going_on(self) -> bool:
        return is_going_on(self.record)

    def history(self) -> list[dict[str, Any]]:
        """Return the epochs so far, as they stand in the file; half a line, which is being written, does not count.

        A figure that is not finite is None.
        """
        self.check()
        try:
            with open_regular(self.folder / HISTORY) as file:
                lines = file.read(LARGEST_HISTORY).splitlines()
        except (InputError, OSError):
            return []
        entries = []
        for line in lines:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict) and _is_epoch(entry.get("epoch")):
                entries.append({k[:LONGEST]: _figure(v) for k, v in entry.items() if _is_figure(k, v)})
        return entries

    def examples(self) -> Examples | None:
        """Test images of the run's data; None if they cannot be read, for the reason in `examples_problem`."""
        with self._lock:
            if self._examples is None:
                try:
                    if self.makes_its_images and self.data is None:
                        return None
                    layout = None if self.data else self._told_layout()
                    self._examples = read_examples(self.data or self.record.get("data"), self.images, self.pixel_scale, layout)
                except InputError as error:
                    self._examples = error
            return self._examples if isinstance(self._examples, Examples) else None

    @property
    def examples_problem(self) -> str | None:
        self.examples()
        return str(self._examples) if isinstance(self._examples, InputError) else None

    def check_examples(self) -> None:
        """Raise the error that reading the test images ended with, if it did."""
        self.examples()
        if isinstance(self._examples, InputError):
            raise self._examples

    def models(self) -> dict[str, SavedModel]:
        """Return the models by name: those saved, and those of a run that goes on, as far as something of them is kept."""
        self.check()
        record = self.record
        entries = [entry for entry in record.get("models", []) if isinstance(entry, Mapping)]
        found: dict[str, SavedModel] = {}
        # beside a checkpoint of `symae.training.fit` there is no .json, beside a saved model there is, whatever its name
        files = [path.stem for path in sorted(self.folder.glob("*.safetensors")) if path.with_suffix(".json").is_file()]
        known_files = set(files)
        for number, entry in enumerate(entries):
            file, label = entry.get("file"), entry.get("label")
            if not isinstance(label, str) or set(label) & set("/\\\0"):  # it becomes part of file names
                label = None
            name = file if isinstance(file, str) and file in known_files else label or "model"
            found[name] = SavedModel(name, label, number)
        for stem in files[:MOST_MODELS]:
            found.setdefault(stem, SavedModel(stem))
        with self._lock:
            for name, model in found.items():
                known = self._models.setdefault(name, model)
                known.label, known.number = model.label, model.number
            return {name: self._models[name] for name in found}

    def inspection(self, name: str) -> Inspection:
        """Return what is to be seen in the model `name`, or raise InputError; it is read again when its file has changed."""
        models = self.models()
        if name not in models:
            raise InputError("model", repr(name), f"one of {', '.join(models) or 'none'} in {self.name}")
        saved = models[name]
        with self._lock:
            path, epoch = self._source(saved)
            stamp = path.stat().st_mtime if path.is_file() else 0.0
            if saved.inspection is None or saved.stamp != stamp:
                saved.inspection = Inspection(self._load(saved, path, epoch), self.examples(), self._told_layout())
                saved.inspection.fixed = True
                saved.stamp = stamp
            return saved.inspection

    def model(self, name: str) -> Model:
        """Return the model `name`; the errors are those of `inspection`."""
        return cast(Model, self.inspection(name).model)  # files have no others

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """(channels, height, width) of the images that the run has seen, if it says so."""
        layout = self._told_layout()
        return None if layout is None or layout.interleaved else layout.shape

    def _told_layout(self) -> ImageLayout | None:
        shape = self.record.get("image_shape")
        if self.layout is not None or not shape:
            return self.layout
        try:
            return layout_of("image_shape", shape)
        except InputError:  # a record of something else
            return None

    def _source(self, saved: SavedModel) -> tuple[Path, int | None]:
        """Return the newest file with the model's parameters: its own, a checkpoint, or those of the last epoch kept."""
        own = self.folder / f"{saved.name}.safetensors"
        if own.is_file() and own.with_suffix(".json").is_file():
            return own, None
        last, _ = checkpoint_files(self.folder, saved.label)
        if last.is_file():
            return last, -1
        kept = {} if saved.number is None else kept_epochs(self.folder, saved.number)
        if kept:
            return kept[max(kept)], max(kept)
        state = "while it runs; --keep-filters keeps each epoch's" if self.going_on else "in this run"
        raise MissingFileError(self.folder / saved.name, f"nothing saved of it {state}", "a saved model")

    def _load(self, saved: SavedModel, path: Path, epoch: int | None) -> Model:
        if epoch is None:
            saved.source = SAVED
            return Model._loaded(path)[0]  # whoever inspects a model sees its values
        if epoch >= 0:
            saved.source = f"the parameters kept after epoch {epoch}"
            arrays = read_kept(path)
        else:
            checkpoint = read_checkpoint(path)
            saved.source = f"the checkpoint after epoch {checkpoint.epoch}"
            arrays = checkpoint.arrays
        model = self._blank(saved, {name: array.shape for name, array in arrays.items()})
        values = arrays if epoch >= 0 else {name: arrays[name] for name in model.parameter_names if name in arrays}
        model.set_parameters(values, path)
        return model

    def _blank(self, saved: SavedModel, found: Mapping[str, tuple[int, ...]]) -> Model:
        """Build a model of the class and shape that the record has for it, if the arrays that were found are of that shape."""
        try:
            entry = self.record["models"][saved.number]
            kind = Model._classes.get(str(entry.get("class")))
            if kind is None:
                raise ValueError(f"no class {entry.get('class')}")
            configuration = entry["configuration"]
            for name, shape in (kind.parameter_shapes(configuration) or {}).items():  # before anything is built
                if found.get(name) != shape:
                    raise ValueError(f"{name} of shape {shape}, where {found.get(name, 'nothing')} is kept")
            return kind.from_configuration(configuration)
        except (IndexError, *CONFIGURATION_ERRORS) as error:
            raise InputError(self.folder / FILE, f"a model that cannot be made ({error})", "one of symae's models") from error

    def kept(self, name: str) -> dict[int, Path]:
        """Return the epochs after which the parameters of a model were kept."""
        saved = self.models().get(name)
        return {} if saved is None or saved.number is None else kept_epochs(self.folder, saved.number)


def _is_epoch(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_figure(name: str, value: Any) -> bool:
    """Return True for what a line of the history may hold: texts, and numbers, null where JSON has no word for them."""
    if isinstance(value, str):
        return True
    return not isinstance(value, bool) and isinstance(value, int | float | None) and name not in ("model", "name")


def _figure(value: float | str | None) -> float | str | None:
    """Return a value of a line of the history: a text, or a number if it is finite, otherwise None."""
    if isinstance(value, str):
        return value[:LONGEST]
    # a whole number of hundreds of digits is no float
    return value if value is not None and abs(value) <= sys.float_info.max else None


def open_run(path: str | Path, data: str | Path | None = None, images: int = COUNT, layout: ImageLayout | None = None) -> Run:
    """Open the run in the folder `path`; where nothing is that a run leaves, that is a MissingFileError or an InputError."""
    folder = Path(path)
    if not folder.exists():
        raise MissingFileError(folder, expected="the folder of a run")
    if not folder.is_dir():
        raise InputError(folder, "a file", "the folder of a run")
    run = Run(folder.resolve(), folder.resolve().name, data, images, layout)
    if not (folder / HISTORY).is_file() and not (folder / FILE).is_file() and not run.models():
        raise MissingFileError(folder, "no run", f"the folder of a run, with {FILE}, {HISTORY} or a saved model")
    if data is not None:
        run.check_examples()
    return run

"""Folders of runs, finished or still running, as they are right now."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symae.checkpoints import TrainingFolder, read_checkpoint
from symae.errors import InputError, MissingFileError
from symae.files import read_regular
from symae.inspector.examples import COUNT, Examples, read_examples
from symae.inspector.inspection import Inspection
from symae.kept_filters import kept_epochs, read_kept
from symae.models.base import Model
from symae.run_record import FILE, is_going_on, read_record

__all__ = ["SAVED", "GoneError", "Run", "SavedModel", "open_run"]

HISTORY = "history.jsonl"
SAVED = "the saved model"
CHECKPOINTS = {"last", "best"}  # of `symae.training.fit`, beside which there is no .json


class GoneError(MissingFileError):
    """A run that was here is here no longer."""


@dataclass
class SavedModel:
    """A model of a run, or why it cannot be read.

    Attributes
    ----------
    name : str
        The file's, without its ending, or the model's name while it is not saved yet.
    label : str or None
        What the history calls it.
    number : int or None
        Its number in the run's record; None in runs without one.
    problem : str or None
    """

    name: str
    label: str | None = None
    number: int | None = None
    problem: str | None = None
    source: str = SAVED
    inspection: Inspection | None = None
    stamp: float = 0.0


@dataclass
class Run:
    """A run's folder.

    Attributes
    ----------
    folder : Path
    name : str
        The folder's last part.
    data : str or Path or None
        Which data to look at the models with, instead of the run's own.
    """

    folder: Path
    name: str
    data: str | Path | None = None
    images: int = COUNT
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
    def going_on(self) -> bool:
        return is_going_on(self.record)

    def history(self) -> list[dict[str, Any]]:
        """The epochs so far, as they stand in the file; half a line, which is being written, does not count."""
        self.check()
        try:
            lines = read_regular(self.folder / HISTORY).splitlines()
        except InputError:
            return []
        entries = []
        for line in lines:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict) and isinstance(entry.get("epoch"), int):
                entries.append({k: v for k, v in entry.items() if isinstance(v, int | float | str)})
        return entries

    def examples(self) -> Examples | None:
        """Test images of the run's data; None if they cannot be read, for the reason in `examples_problem`."""
        with self._lock:
            if self._examples is None:
                try:
                    self._examples = read_examples(self.data or self.record.get("data"), self.images)
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
        """The models by name: those saved, and those of a run that goes on, as far as something of them is kept."""
        self.check()
        record = self.record
        entries = [entry for entry in record.get("models", []) if isinstance(entry, Mapping)]
        found: dict[str, SavedModel] = {}
        files = {path.stem: path for path in sorted(self.folder.glob("*.safetensors")) if path.stem not in CHECKPOINTS}
        for number, entry in enumerate(entries):
            file, label = entry.get("file"), entry.get("label")
            if not isinstance(label, str) or set(label) & set("/\\\0"):  # it becomes part of file names
                label = None
            name = file if isinstance(file, str) and file in files else label or "model"
            found[name] = SavedModel(name, label, number)
        for stem, path in files.items():
            if path.with_suffix(".json").is_file() and not stem.endswith(("_last", "_best")):
                found.setdefault(stem, SavedModel(stem))
        with self._lock:
            for name, model in found.items():
                known = self._models.setdefault(name, model)
                known.label, known.number = model.label, model.number
            return {name: self._models[name] for name in found}

    def inspection(self, name: str) -> Inspection:
        """What is to be seen in the model `name`; read again when its file has changed.

        Raises
        ------
        InputError
            There is no such model, it cannot be read, or nothing of it is saved yet.
        """
        models = self.models()
        if name not in models:
            raise InputError("model", repr(name), f"one of {', '.join(models) or 'none'} in {self.name}")
        saved = models[name]
        with self._lock:
            path, epoch = self._source(saved)
            stamp = path.stat().st_mtime if path.is_file() else 0.0
            if saved.inspection is None or saved.stamp != stamp:
                saved.inspection = Inspection(self._load(saved, path, epoch), self.examples())
                saved.stamp = stamp
            return saved.inspection

    def _source(self, saved: SavedModel) -> tuple[Path, int | None]:
        """The newest file with the model's parameters: its own, a checkpoint, or those of the last epoch kept."""
        own = self.folder / f"{saved.name}.safetensors"
        if own.is_file() and saved.name not in CHECKPOINTS:
            return own, None
        last = TrainingFolder(self.folder, {}, saved.label).last
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
        model = self._blank(saved)
        if epoch >= 0:
            saved.source = f"the parameters kept after epoch {epoch}"
            model.set_parameters(read_kept(path), path)
        else:
            checkpoint = read_checkpoint(path)
            saved.source = f"the checkpoint after epoch {checkpoint.epoch}"
            values = {name: checkpoint.arrays[name] for name in model.parameter_names if name in checkpoint.arrays}
            model.set_parameters(values, path)
        return model

    def _blank(self, saved: SavedModel) -> Model:
        """A model of the class and the shape that the record has for it."""
        try:
            entry = self.record["models"][saved.number]
            kind = Model._classes.get(str(entry.get("class")))
            if kind is None:
                raise ValueError(f"no class {entry.get('class')}")
            return kind.from_configuration(entry["configuration"])
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, MemoryError) as error:
            raise InputError(self.folder / FILE, f"a model that cannot be made ({error})", "one of symae's models") from error

    def kept(self, name: str) -> dict[int, Path]:
        """The epochs after which the parameters of a model were kept."""
        saved = self.models().get(name)
        return {} if saved is None or saved.number is None else kept_epochs(self.folder, saved.number)


def open_run(path: str | Path, data: str | Path | None = None, images: int = COUNT) -> Run:
    """The run in the folder `path`.

    Raises
    ------
    MissingFileError, InputError
        There is nothing, or nothing that a run leaves, or `data` cannot be read.
    """
    folder = Path(path)
    if not folder.exists():
        raise MissingFileError(folder, expected="the folder of a run")
    if not folder.is_dir():
        raise InputError(folder, "a file", "the folder of a run")
    run = Run(folder.resolve(), folder.resolve().name, data, images)
    if not (folder / HISTORY).is_file() and not (folder / FILE).is_file() and not run.models():
        raise MissingFileError(folder, "no run", f"the folder of a run, with {FILE}, {HISTORY} or a saved model")
    if data is not None:
        run.check_examples()
    return run

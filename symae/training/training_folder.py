"""The folder of a training: a checkpoint and a line of the history after each epoch, and what to go on from."""

from __future__ import annotations

import reprlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable

from symae._runtime.atomic_files import make_folder, move, sweep
from symae._runtime.tensor_files import not_finite
from symae.errors import DivergedError, InputError, UnwritableError
from symae.training.checkpoints import Checkpoint, checkpoint_files, encoded_checkpoint, read_checkpoint, write_checkpoint
from symae.training.engine import Callback, TrainingState
from symae.training.history import EpochLog, History
from symae.training.identity import AGAIN, Identity

# what a file holds may be of any length; a fingerprint is shown whole
_brief = reprlib.Repr()
_brief.maxstring = 200


class Checkpoints(Callback):
    """Leaves a checkpoint, which `describe` makes of a history, and a line of the history in `folder` as each epoch ends."""

    def __init__(self, folder: TrainingFolder, describe: Callable[[History], Checkpoint]):
        self.folder = folder
        self.describe = describe

    def on_epoch_end(self, state: TrainingState) -> None:
        self.folder.save(self.describe(state.history))
        self.folder.log(state.epoch, state.cost, state.seconds, state.metrics)

    def on_exception(self, state: TrainingState) -> None:
        if isinstance(state.error, DivergedError) and len(state.history):
            good = f"the last good checkpoint is {self.folder.last}, of epoch {len(state.history) - 1}"
            state.error = DivergedError(f"{state.error}; {good}")


class TrainingFolder:
    """Hold the files of a training: ``history.jsonl``, ``last.safetensors`` and ``best.safetensors``.

    When another training begins in the folder, the two are put out of its reach as ``last.safetensors.old`` and
    ``best.safetensors.old``, until it has a finished epoch of its own. `settings` have to be the same when the training goes
    on. Where several models are trained in one folder, `name` tells this one's lines in the history and files from the others'.
    Whoever only reads what is there, with `writes` False, makes no folder.
    """

    def __init__(self, folder: str | Path, settings: Mapping[str, Any], name: str | None = None, *, writes: bool = True):
        if name is not None and (not name or Path(name).name != name or "\0" in name):
            raise InputError("name", repr(name), "one with which the name of a file can begin")
        self.folder = make_folder(folder) if writes else Path(folder)
        self.settings = settings
        self.last, self.best = checkpoint_files(self.folder, name)
        self.log = EpochLog(self.folder / "history.jsonl", name, append=True)
        for path in (self.last, self.best, self.log.path):
            if path.is_dir():
                raise UnwritableError(path, "a folder", "a file, or a name that is free")

    def resumed(self, state: Mapping[str, SharedVariable], identity: Identity) -> Checkpoint | None:
        """Return the last checkpoint, if there is one, or raise InputError.

        It may be damaged, its arrays may not fit the variables of `state`, or it is of another setting or another training.
        """
        if not self.last.exists():
            return None
        checkpoint = read_checkpoint(self.last)
        checkpoint.check(self.last, state, complete=True)  # another model first: its settings are often others too
        for name, value in self.settings.items():
            saved = checkpoint.settings.get(name)
            if saved != value:
                expected = f"{_brief.repr(saved)}, with which {self.last} was trained; {AGAIN}"
                raise InputError(name, _brief.repr(value), expected)
        identity.check(self.last, checkpoint.training)
        if strange := not_finite({name: checkpoint.arrays[name] for name in state}):
            identity.lines.append(f"{self.last} has NaN or infinite values in {strange}")
        if checkpoint.training and identity.unlike(checkpoint.arrays):
            best = read_checkpoint(self.best).arrays if self.best.exists() else {}
            if names := identity.unlike(checkpoint.arrays, best):
                listed = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
                identity.lines.append(f"{self.last} began with other values of {listed}, and goes on from its own")
        return checkpoint

    def best_arrays(self, last: Checkpoint, variables: Mapping[str, SharedVariable]) -> dict[str, np.ndarray]:
        """Return the values of `variables`, by name, in the best epoch of a training that is at `last`, or raise InputError."""
        if last.history.best_epoch == last.epoch:
            return {name: last.arrays[name] for name in variables}
        best = read_checkpoint(self.best)
        if best.training.get("id") != last.training.get("id"):
            raise InputError(self.best, "the best epoch of another training", f"the best one of {self.last}")
        if best.epoch != last.history.best_epoch:
            raise InputError(self.best, f"epoch {best.epoch}", f"epoch {last.history.best_epoch}, the best one of {self.last}")
        best.check(self.best, variables, complete=False)
        return {name: best.arrays[name] for name in variables}

    def check_room(self, checkpoint: Checkpoint) -> None:
        """Raise UnwritableError where files as large as `checkpoint` will not find room."""
        content = encoded_checkpoint(checkpoint)
        # each file has a successor beside it until that is whole
        needed = len(content) * (2 + sum(not path.exists() for path in (self.last, self.best)))
        try:
            free = shutil.disk_usage(self.folder).free
            with tempfile.TemporaryFile(dir=self.folder) as file:
                file.write(content)
        except OSError as error:
            raise UnwritableError(self.folder, error.strerror or str(error)) from error
        if free < needed:
            raise UnwritableError(self.folder, f"{free} bytes free", f"at least {needed}, for checkpoints")

    def begin(self, checkpoint: Checkpoint | None) -> None:
        """Let all files be as they were when `checkpoint`, the one in `last`, was written; None: as before any training."""
        for path in (self.last, self.best, self.log.path):
            sweep(path)
        if checkpoint is None:
            for path in (self.last, self.best):  # in this order: what goes on begins with `last`
                if path.exists():
                    move(path, _old(path))
        self.log.rewrite(History() if checkpoint is None else checkpoint.history)
        if checkpoint is not None and checkpoint.history.best_epoch == checkpoint.epoch:
            # the process may have been killed when only `last` had been renamed
            write_checkpoint(checkpoint, self.best)

    def save(self, checkpoint: Checkpoint) -> None:
        """Keep `checkpoint` as the last one, and as the best one if its last epoch is the best."""
        is_best = checkpoint.history.best_epoch == checkpoint.epoch
        # `last` first: from it `begin` makes up for a best one that is not there yet
        write_checkpoint(checkpoint, self.last, *([self.best] if is_best else []))
        for path in (self.last, self.best):
            _old(path).unlink(missing_ok=True)


def _old(path: Path) -> Path:
    return path.with_name(f"{path.name}.old")

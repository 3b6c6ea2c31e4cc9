"""Trainings on the disk as they were at the end of an epoch, so that they can go on from there to the last bit.

A checkpoint is one safetensors file: the values of shared variables by their names and, in its metadata, a JSON text with the
history, the settings, the generator that shuffles, which training it is and a checksum. Nothing in it is ever executed.
"""

from __future__ import annotations

import json
import reprlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.type import TensorType

from symae._runtime.atomic_files import make_folder, move, sweep, write_together
from symae._runtime.tensor_files import CHECKSUM, encoded, not_finite, open_tensors
from symae.errors import InputError, UnwritableError
from symae.ops.random.draws import STATE_SIZE
from symae.random import RandomStateSharedVariable
from symae.training.epochs import EpochLog, History
from symae.training.identity import ANEW, Identity

__all__ = [
    "Checkpoint",
    "TrainingFolder",
    "checkpoint_files",
    "in_c_order",
    "named_state",
    "put",
    "read_checkpoint",
    "values",
    "write_checkpoint",
]

FORMAT = 1
KEY = "symae_checkpoint"
OLD_KEYS = {"symae", "settings", "history", "shuffling"}

# what a file holds may be of any length; a fingerprint is shown whole
_brief = reprlib.Repr()
_brief.maxstring = 200


@dataclass(frozen=True)
class Checkpoint:
    """A training as it was when an epoch had ended.

    Attributes
    ----------
    history : History
        Of all epochs so far.
    arrays : dict of arrays
        The values of all shared variables that the training changes, by their names: parameters, what the optimizer remembers,
        and random streams as 628 words of uint32.
    settings : dict
        What has to be the same when the training goes on.
    shuffling : array of 628 uint32
        The random state that makes the order of the next epoch.
    training : dict
        What `symae.identity` says of the training; empty in files of older versions of symae.
    """

    history: History
    arrays: dict[str, np.ndarray]
    settings: dict[str, Any]
    shuffling: np.ndarray
    training: dict[str, Any] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """The last finished epoch; the first is 0."""
        return len(self.history) - 1

    def check(self, path: Path, variables: Mapping[str, SharedVariable], *, complete: bool) -> None:
        """Raise InputError for the first array that does not fit its variable, or, if `complete`, has none.

        `path` is where this checkpoint comes from.
        """
        mine = values(variables)
        others = sorted(self.arrays.keys() - mine.keys()) if complete else []
        for name in [*mine, *others]:
            found, expected = _described(name, self.arrays), _described(name, mine)
            if found != expected:
                raise InputError(path, found, f"{expected}, as this model and its optimizer have")
            if isinstance(variables[name], RandomStateSharedVariable):
                _check_random_state(path, name, self.arrays[name])


def write_checkpoint(checkpoint: Checkpoint, *paths: Path) -> None:
    """Write `checkpoint` to each of `paths`, whole or not at all.

    Raises
    ------
    UnwritableError
        The disk is full or a place cannot be written; older files are kept.
    """
    content = _encoded(checkpoint)
    write_together(dict.fromkeys(paths, content))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """The checkpoint in the file `path`, one of those that `symae.training.fit` leaves in its folder.

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        It is damaged, or no checkpoint.
    """
    path = Path(path)
    expected = "a checkpoint of a training"
    with open_tensors(path, expected) as file:
        if KEY not in file.metadata:
            raise InputError(path, "a safetensors file of another kind", expected)
        try:
            saved = json.loads(file.metadata[KEY])
            version = saved["symae"]
            if version == FORMAT:
                if saved.keys() not in (OLD_KEYS, OLD_KEYS | {"training", CHECKSUM}):
                    raise ValueError(f"it has {', '.join(sorted(saved))}")
                settings = {_kind(name, str): value for name, value in _kind(saved["settings"], dict).items()}
                history, shuffling = _history(saved["history"]), _words(saved["shuffling"])
                training = _training(saved.get("training", {}))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise InputError(path, f"a damaged description ({error})", "that of a training") from error
        if version != FORMAT:
            expected = f"format {FORMAT}, the one that this version of symae reads"
            raise InputError(path, f"format {reprlib.repr(version)}", expected)
        arrays = file.arrays(KEY)
    _check_random_state(path, "shuffling", shuffling)
    return Checkpoint(history, arrays, settings, shuffling, training)


def named_state(params: Sequence[SharedVariable], updated: Iterable[SharedVariable]) -> dict[str, SharedVariable]:
    """`params` and what else is `updated` under names of their own: the first of a name has it, later ones get a number."""
    variables = list(dict.fromkeys([*params, *updated]))
    taken = {"__metadata__", *(v.name for v in variables if v.name is not None)}
    state: dict[str, SharedVariable] = {}
    for v in variables:
        name, number = v.name or "unnamed", 1
        while name in state or (name in taken and name != v.name) or name == "__metadata__":
            number += 1
            name = f"{v.name or 'unnamed'}.{number}"
        state[name] = v
    return state


def values(variables: Mapping[str, SharedVariable]) -> dict[str, np.ndarray]:
    """What the variables hold, in C order as safetensors needs it; not always copies.

    Raises
    ------
    InputError
        One of them holds something else than an array of numbers.
    """
    for name, v in variables.items():
        if not isinstance(v.type, TensorType) or np.dtype(v.type.dtype).kind not in "buif":
            raise InputError(name, f"a {v.type}", "arrays of numbers or symae.RandomStreams: others cannot be kept in a file")
    return {
        name: v.words() if isinstance(v, RandomStateSharedVariable) else np.asarray(v.get_value(borrow=True), order="C")
        for name, v in variables.items()
    }


def put(arrays: Mapping[str, np.ndarray], variables: Mapping[str, SharedVariable]) -> None:
    """Set the variables to copies of the arrays of their names."""
    for name, v in variables.items():
        v.set_value(np.array(arrays[name], order="C"))


def in_c_order(variables: Iterable[SharedVariable]) -> None:
    """Lay out all arrays as `put` does."""
    for v in variables:
        value = v.get_value(borrow=True)
        if isinstance(value, np.ndarray) and not value.flags.c_contiguous:
            v.set_value(np.array(value, order="C"), borrow=True)


def checkpoint_files(folder: Path, name: str | None = None) -> tuple[Path, Path]:
    """Return the paths of the last and of the best checkpoint of the model `name`, or of the only one, in `folder`."""
    prefix = "" if name is None else f"{name}_"
    return folder / f"{prefix}last.safetensors", folder / f"{prefix}best.safetensors"


class TrainingFolder:
    """The files of a training: ``history.jsonl``, ``last.safetensors`` and ``best.safetensors``.

    When another training begins in the folder, the two are put out of its reach as ``last.safetensors.old`` and
    ``best.safetensors.old``, until it has a finished epoch of its own.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    settings : dict
        What has to be the same when the training goes on, as JSON takes it.
    name : str, optional
        The model's, where several are trained in one folder: in the lines of the history and before the other files' names.

    Raises
    ------
    InputError, UnwritableError
        `name` cannot begin the name of a file, or something is in the way.
    """

    def __init__(self, folder: str | Path, settings: Mapping[str, Any], name: str | None = None):
        if name is not None and (not name or Path(name).name != name or "\0" in name):
            raise InputError("name", repr(name), "one with which the name of a file can begin")
        self.folder = make_folder(folder)
        self.settings = settings
        self.last, self.best = checkpoint_files(self.folder, name)
        self.log = EpochLog(self.folder / "history.jsonl", name, append=True)
        for path in (self.last, self.best, self.log.path):
            if path.is_dir():
                raise UnwritableError(path, "a folder", "a file, or a name that is free")

    def resumed(self, state: Mapping[str, SharedVariable], identity: Identity) -> Checkpoint | None:
        """The last checkpoint, if there is one.

        Raises
        ------
        InputError
            It is damaged, its arrays do not fit the variables of `state`, or it is of another setting or another training.
        """
        if not self.last.exists():
            return None
        checkpoint = read_checkpoint(self.last)
        checkpoint.check(self.last, state, complete=True)  # another model first: its settings are often others too
        for name, value in self.settings.items():
            saved = checkpoint.settings.get(name)
            if saved != value:
                expected = f"{_brief.repr(saved)}, with which {self.last} was trained; {ANEW}"
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
        """The values of `variables`, by name, in the best epoch of a training that is at `last`.

        Raises
        ------
        InputError
            The best checkpoint is not there, damaged, or of another training.
        """
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
        content = _encoded(checkpoint)
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
        """Let all files be as they were when `checkpoint`, the one in `last`, was written; None: as before any training.

        Raises
        ------
        UnwritableError
            A file cannot be written.
        """
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


def _encoded(checkpoint: Checkpoint) -> bytes:
    history = checkpoint.history
    described = {
        "symae": FORMAT,
        "settings": checkpoint.settings,
        "history": {
            "costs": history.costs,
            "seconds": history.seconds,
            "measures": history.measures,
            "best_epoch": history.best_epoch,
        },
        "shuffling": checkpoint.shuffling.tolist(),
        "training": checkpoint.training,
    }
    return encoded(checkpoint.arrays, KEY, described)


def _history(saved: Any) -> History:
    costs, seconds = _numbers(saved["costs"]), _numbers(saved["seconds"])
    measures = {name: _numbers(figures) for name, figures in _kind(saved["measures"], dict).items()}
    best_epoch = _kind(saved["best_epoch"], int)
    if not costs or any(len(figures) != len(costs) for figures in (seconds, *measures.values())):
        raise ValueError("not one figure for each epoch")
    if not 0 <= best_epoch < len(costs):
        raise ValueError(f"best epoch {best_epoch} of {len(costs)}")
    return History(costs, seconds, measures, best_epoch=best_epoch)


def _training(saved: Any) -> dict[str, Any]:
    """The description of a training, if it has all that `Identity` reads, or nothing."""
    kinds = {"id": str, "graph": str, "versions": dict, "numbers": list, "operations": dict}
    kinds |= {"read": dict, "changed outside": list, "began with": dict}
    if _kind(saved, dict):
        for name, kind in kinds.items():
            _kind(saved[name], kind)
    return dict(saved)


def _numbers(saved: Any) -> list[float]:
    return [float(n if type(n) is float else _kind(n, int)) for n in _kind(saved, list)]


def _words(saved: Any) -> np.ndarray:
    return np.array([_kind(n, int) for n in _kind(saved, list)], np.uint32)


def _kind(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{reprlib.repr(value)} is no {kind.__name__}")
    return value


def _check_random_state(path: Path, name: str, words: np.ndarray) -> None:
    # compiled draws read the word at the position, wherever that is
    if words.shape != (STATE_SIZE,) or words[624] > 624:
        raise InputError(path, f"{name} that is no random state", f"{STATE_SIZE} words with a position of at most 624")


def _described(name: str, arrays: Mapping[str, np.ndarray]) -> str:
    if name not in arrays:
        return f"no {name}"
    return f"{name} of shape {arrays[name].shape} and dtype {arrays[name].dtype}"

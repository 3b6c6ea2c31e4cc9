"""Trainings on the disk as they were at the end of an epoch, so that they can go on from there to the last bit.

A checkpoint is one safetensors file: the values of shared variables by their names and, in its metadata, a JSON text with the
history, the settings, the generator that shuffles, which training it is and a checksum. Nothing in it is ever executed.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.tensor.type import TensorType

from symae._runtime.atomic_files import write_together
from symae._runtime.tensor_files import CHECKSUM, encoded, open_tensors
from symae.compile.state_names import unique_names
from symae.errors import InputError
from symae.ops.random.draws import STATE_SIZE
from symae.random import RandomStateSharedVariable
from symae.training.engine import Callback, TrainingState
from symae.training.history import History

FORMAT = 1
KEY = "symae_checkpoint"
OLD_KEYS = {"symae", "settings", "history", "shuffling"}


@dataclass(frozen=True)
class Checkpoint:
    """Hold a training as it was when an epoch had ended."""

    history: History  # of all epochs so far
    # what the training changes, by name: parameters, what the optimizer remembers, random streams as 628 words of uint32
    arrays: dict[str, np.ndarray]
    settings: dict[str, Any]  # what has to be the same when the training goes on
    shuffling: np.ndarray  # 628 words, the random state that makes the order of the next epoch
    training: dict[str, Any] = field(default_factory=dict)  # what `Identity` says of it; empty in files of older versions

    @property
    def epoch(self) -> int:
        """The last finished epoch; the first is 0."""
        return len(self.history) - 1

    def check(self, path: Path, variables: Mapping[str, SharedVariable], *, complete: bool) -> None:
        """Raise InputError for the first array in `path` that does not fit its variable, or, if `complete`, has none."""
        mine = values(variables)
        others = sorted(self.arrays.keys() - mine.keys()) if complete else []
        for name in [*mine, *others]:
            found, expected = _described(name, self.arrays), _described(name, mine)
            if found != expected:
                raise InputError(path, found, f"{expected}, as this model and its optimizer have")
            if isinstance(variables[name], RandomStateSharedVariable):
                _check_random_state(path, name, self.arrays[name])


def write_checkpoint(checkpoint: Checkpoint, *paths: Path) -> None:
    """Write `checkpoint` to each of `paths`, whole or not at all: after an UnwritableError older files are kept."""
    content = encoded_checkpoint(checkpoint)
    write_together(dict.fromkeys(paths, content))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read the checkpoint in the file `path`, one of those that `symae.training.fit` leaves in its folder.

    Raises MissingFileError, or InputError where it is damaged, or no checkpoint.
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
    """Name `params` and what else is `updated` uniquely: the first of a name has it, later ones get a number."""
    return unique_names([*params, *updated])


def values(variables: Mapping[str, SharedVariable]) -> dict[str, np.ndarray]:
    """Return what the variables hold, in C order as safetensors needs it; not always copies.

    What is not an array of numbers is an InputError.
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


class COrder(Callback):
    """Lays out what a training changes in C order before each epoch.

    What a resumed training reads is in that order, and sums in another order may differ in their last bits.
    """

    def __init__(self, variables: Sequence[SharedVariable]):
        self.variables = variables

    def on_epoch_begin(self, state: TrainingState) -> None:
        in_c_order(self.variables)


def checkpoint_files(folder: Path, name: str | None = None) -> tuple[Path, Path]:
    """Return the paths of the last and of the best checkpoint of the model `name`, or of the only one, in `folder`."""
    prefix = "" if name is None else f"{name}_"
    return folder / f"{prefix}last.safetensors", folder / f"{prefix}best.safetensors"


def encoded_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return what the file of `checkpoint` holds."""
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
    """Return the description of a training, if it has all that `Identity` reads, or nothing."""
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
        raise InputError(path, f"{name} that is not a random state", f"{STATE_SIZE} words with a position of at most 624")


def _described(name: str, arrays: Mapping[str, np.ndarray]) -> str:
    if name not in arrays:
        return f"no {name}"
    return f"{name} of shape {arrays[name].shape} and dtype {arrays[name].dtype}"

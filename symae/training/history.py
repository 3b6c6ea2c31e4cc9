"""What a training remembers of its epochs, and the file that it writes them to."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from symae._runtime.atomic_files import append_text, read_regular, replacing, write_text
from symae.errors import InputError, MissingFileError, UnwritableError


@dataclass
class History:
    """Record what happened in each finished epoch.

    Attributes
    ----------
    costs : list of float
        The mean of the minibatch costs, in the units of the cost.
    seconds : list of float
        How long each epoch took, without measuring.
    measures : dict of lists of float
        What was measured in or after each epoch, by name.
    interrupted : bool
        Ctrl-C ended the training before the last epoch.
    best_epoch : int or None
        The epoch in which the cost, or another figure that was watched, was lowest; the first of them.
    stopped_early : bool
        Patience, or another callback, ended the training before the last epoch.
    """

    costs: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    measures: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False
    best_epoch: int | None = None
    stopped_early: bool = False

    def __len__(self) -> int:
        return len(self.costs)

    def figures(self, name: str) -> list[float]:
        """Return the costs, or what was measured under that name, one for each finished epoch.

        Raises
        ------
        InputError
            Nothing has that name; the message lists what there is.
        """
        if name != "cost" and name not in self.measures:
            raise InputError("monitor", repr(name), f"one of {', '.join(['cost', *self.measures])}")
        return self.costs if name == "cost" else self.measures[name]

    def add(self, cost: float, seconds: float, measures: Mapping[str, float], monitor: str = "cost") -> None:
        """Count an epoch; it is the best one if its `monitor`, the cost or a measure, is lower than ever before.

        Raises
        ------
        InputError
            `monitor` is not the name of a figure.
        """
        self.costs.append(cost)
        self.seconds.append(seconds)
        for name, figure in measures.items():
            self.measures.setdefault(name, []).append(figure)
        figures = self.figures(monitor)
        best = math.nan if self.best_epoch is None else figures[self.best_epoch]
        if self.best_epoch is None or figures[-1] < best or (math.isnan(best) and not math.isnan(figures[-1])):
            self.best_epoch = len(self) - 1


class EpochLog:
    """Writes a JSON line for each epoch as it ends, so that a run can be watched from outside.

    Parameters
    ----------
    path : path
    model : str, optional
        Stands in each line, for files that hold several models' epochs.
    append : bool
        Keep the lines that are there; otherwise the file is empty until the first epoch ends.
    """

    def __init__(self, path: Path, model: str | None = None, *, append: bool = False):
        self.path = path
        self.model = model
        if not append:
            write_text(self.path, "")

    def __call__(self, epoch: int, cost: float, seconds: float, measures: Mapping[str, float]) -> None:
        append_text(self.path, self._line(epoch, cost, seconds, measures))

    def rewrite(self, history: History) -> None:
        """Let the epochs of `history` be all that the file holds of this model; other models' lines stay.

        Raises
        ------
        UnwritableError
            The file cannot be read or written; it keeps what it held.
        """
        try:
            lines = read_regular(self.path).splitlines()
        except MissingFileError:
            lines = []
        except InputError as error:
            raise UnwritableError(self.path, error.found) from error
        others = b"".join(line + b"\n" for line in lines if self._is_of_another(line))
        mine = [
            self._line(epoch, cost, seconds, {name: figures[epoch] for name, figures in history.measures.items()})
            for epoch, (cost, seconds) in enumerate(zip(history.costs, history.seconds, strict=True))
        ]
        with replacing(self.path) as file:
            file.write(others + "".join(mine).encode())

    def _line(self, epoch: int, cost: float, seconds: float, measures: Mapping[str, float]) -> str:
        entry = {"model": self.model} if self.model is not None else {}
        return json.dumps({**entry, "epoch": epoch, "cost": cost, **measures, "seconds": round(seconds, 4)}) + "\n"

    def _is_of_another(self, line: bytes) -> bool:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return False  # half a line, of a process that was killed
        return isinstance(entry, dict) and entry.get("model") != self.model

"""What steps have returned: a row of figures for each, the cost first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from symae.errors import InputError

Rows = Sequence[Sequence[float]]


class Figures(Sequence[Sequence[float]]):
    """Hold rows of figures in arrays; they are read as a list of lists of floats is.

    Lists are objects that Python's garbage collector looks at: one for each step sets it off again and again, a twentieth of a
    training's time where products empty the caches.

    Raises
    ------
    InputError
        A row has more or fewer figures than those before it.
    """

    def __init__(self, rows: Rows | np.ndarray = ()):
        self._room = np.empty((0, 0))
        self._length = 0
        self += rows

    def __iadd__(self, rows: Rows | np.ndarray) -> Figures:
        if len(rows) == 0:
            return self
        more = rows._rows if isinstance(rows, Figures) else np.asarray(rows, np.float64)
        begin, end, width = self._length, self._length + len(more), more.shape[1]
        if begin and width != self._room.shape[1]:
            expected = f"{self._room.shape[1]}, as many as the steps before have returned"
            raise InputError("step", f"{width} figures", expected)
        if begin == 0:
            self._room = np.empty_like(more)
        elif end > len(self._room):
            self._room = np.concatenate([self._rows, np.empty((end, width))])
        self._room[begin:end] = more
        self._length = end
        return self

    @property
    def _rows(self) -> np.ndarray:
        return self._room[: self._length]

    def columns(self) -> list[np.ndarray]:
        """Return the figures of each kind, in the order of the steps."""
        return list(np.ascontiguousarray(self._rows.T))

    def __copy__(self) -> Figures:
        return Figures(self)  # not the same array, in which both would go on

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[list[float]]:
        return iter(self._rows.tolist())

    @overload
    def __getitem__(self, which: int) -> list[float]: ...

    @overload
    def __getitem__(self, which: slice) -> list[list[float]]: ...

    def __getitem__(self, which: Any) -> Any:
        return self._rows[which].tolist()

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

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
        self._parts: list[np.ndarray] = []
        self._length = 0
        self += rows

    def __iadd__(self, rows: Rows | np.ndarray) -> Figures:
        if len(rows) == 0:
            return self
        part = rows._whole() if isinstance(rows, Figures) else np.asarray(rows, np.float64)
        if self and part.shape[1] != (width := self._parts[0].shape[1]):
            raise InputError("step", f"{part.shape[1]} figures", f"{width}, as many as the steps before have returned")
        self._parts.append(part)
        self._length += len(part)
        return self

    def _whole(self) -> np.ndarray:
        if not self:
            return np.empty((0, 0))
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    def columns(self) -> list[np.ndarray]:
        """Return the figures of each kind, in the order of the steps."""
        return list(np.ascontiguousarray(self._whole().T))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[list[float]]:
        return iter(self._whole().tolist())

    @overload
    def __getitem__(self, which: int) -> list[float]: ...

    @overload
    def __getitem__(self, which: slice) -> list[list[float]]: ...

    def __getitem__(self, which: Any) -> Any:
        return self._whole()[which].tolist()

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

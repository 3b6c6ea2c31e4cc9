"""Pickles of weights, read without the classes that they name: what is not an array is only written down."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any, ClassVar

import numpy as np

from symae._runtime.quiet import without_warnings
from symae._runtime.unpickler import RestrictedUnpickler
from symae.datasets.contents import excerpt
from symae.datasets.formats.pickles import STAND_INS, PickledArray, StandIn
from symae.errors import InputError

# A graph of Theano's takes some thousands, each of a hundred bytes of memory or two.
MOST_INSTRUCTIONS = 1_000_000
DEEPEST = 20
# Each becomes a class, of two kilobytes; a network with its graph names some dozens.
MOST_NAMES = 1000
# objects of these are no models, and what is in them are no weights
LIBRARIES = ("theano.", "pytensor.", "numpy.", "__builtin__.", "builtins.", "copy_reg.", "copyreg.")


class Recorded:
    """Stand for an object of any class: hold what it was made of, and run nothing."""

    asked: ClassVar[str] = ""
    arguments: tuple[Any, ...]
    state: Any

    def __new__(cls, *arguments: Any, **keywords: Any) -> Recorded:
        made = super().__new__(cls)
        made.arguments, made.state = arguments, None
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, item: Any) -> None:
        """Forget an item: a list of a class of its own holds no weights."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Forget an entry."""


class _Dictionary(dict[Any, Any]):
    """Stand for dictionaries with attributes, which are left out."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        pass


def _reconstructed(cls: Any, *_: Any) -> Any:
    if not (isinstance(cls, type) and issubclass(cls, Recorded)):
        raise ValueError("an object of a class that is none")
    return cls()


PLAIN: dict[tuple[str, str], Any] = {
    **{(module, "OrderedDict"): _Dictionary for module in ("collections", "ordereddict")},
    **{(module, "_reconstructor"): _reconstructed for module in ("copy_reg", "copyreg")},
}


class _Instructions(dict[int, Any]):
    """Count the instructions that are run."""

    def __init__(self, path: str | PathLike[str], instructions: dict[int, Any]):
        super().__init__(instructions)
        self._path, self._left = path, MOST_INSTRUCTIONS

    def __getitem__(self, code: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise InputError(self._path, f"more than {MOST_INSTRUCTIONS} pickle instructions", "the weights of a model")
        return super().__getitem__(code)


class ArrayUnpickler(RestrictedUnpickler):
    """Read arrays, and a record of everything else.

    Parameters
    ----------
    path : path
        Named in errors.
    file : binary file
    meanings : dict
        What more names, (module, name), stand for: functions.
    elsewhere : function, optional
        Returns the parts that are kept outside of the pickle.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        file: Any,
        meanings: dict[tuple[str, str], Callable[..., Any]] | None = None,
        elsewhere: Callable[[Any], Any] | None = None,
    ):
        super().__init__(file, str(path))
        self.dispatch: Any = _Instructions(path, type(self).dispatch)  # type: ignore[misc]
        self._meanings = {**STAND_INS, **PLAIN, **(meanings or {})}
        self._part = elsewhere
        self._kept: dict[tuple[str, str], Any] = {}

    def found(self, module: str, name: str) -> Any:
        key = re.sub(r"^numpy\.core\b", "numpy._core", module), name
        if key not in self._kept:
            if len(self._kept) >= MOST_NAMES:
                found = f"names of more than {MOST_NAMES} classes and functions"
                raise InputError(self._where, found, "the weights of a model")
            meaning = self._meanings.get(key)
            if meaning is None:
                self._kept[key] = type("Recorded", (Recorded,), {"asked": f"{module}.{name}"})
            else:
                self._kept[key] = meaning if isinstance(meaning, type) else StandIn(self._counting(meaning))
        return self._kept[key]

    def elsewhere(self, identity: Any) -> Any:
        return super().elsewhere(identity) if self._part is None else self._part(identity)

    def _counting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            made = call(*arguments)
            if isinstance(made, PickledArray):
                made.count = self._claim
            return made

        return counted


def unpickled(
    path: str | PathLike[str],
    file: Any,
    meanings: dict[tuple[str, str], Callable[..., Any]] | None = None,
    elsewhere: Callable[[Any], Any] | None = None,
) -> Any:
    """Read one pickle from a file, up to its end and no further; what is broken is an InputError."""
    try:
        with without_warnings(""):  # an unknown escape in one of Python 2's strings
            return ArrayUnpickler(path, file, meanings, elsewhere).load()
    except InputError:
        raise
    except Exception as error:
        # pickle documents that broken input may raise any exception.
        raise InputError(path, f"a broken pickle ({excerpt(str(error))})", "a whole pickle of weights") from error


def arrays_in_pickles(path: str | PathLike[str], data: bytes) -> dict[str, np.ndarray]:
    """Read all pickles of a file, one after the other, and return the arrays in them by name.

    The names are keys, attributes and positions on the way to an array, with dots between them.
    """
    file, values = io.BytesIO(data), []
    while file.tell() < len(data):
        values.append(unpickled(path, file))
    return named_arrays(path, values[0] if len(values) == 1 else values)


def named_arrays(path: str | PathLike[str], value: Any) -> dict[str, np.ndarray]:
    """Return the arrays in what was unpickled; one that has several names gets that with the fewest positions in it."""
    found: dict[int, tuple[tuple[str, ...], np.ndarray]] = {}
    order: list[int] = []
    for names, owner, array in _walk(path, value, (), set()):
        if owner not in found:
            order.append(owner)
        if owner not in found or _worth(names) < _worth(found[owner][0]):
            found[owner] = names, array
    joined: dict[str, np.ndarray] = {}
    for names, array in (found[owner] for owner in order):
        name = ".".join(names) or "0"
        if name in joined:
            raise InputError(path, f"two arrays called {excerpt(name)}", "one of each name")
        joined[name] = array
    return joined


def _worth(names: tuple[str, ...]) -> tuple[int, int]:
    return sum(name.isdigit() for name in names), len(names)


def _walk(
    path: str | PathLike[str], value: Any, names: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[tuple[str, ...], int, np.ndarray]]:
    if (array := _array(value)) is not None:
        yield names, id(value), array
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    if len(names) > DEEPEST:
        raise InputError(path, f"containers nested more than {DEEPEST} deep", "the weights of a model")
    parts: Any = ()
    if isinstance(value, list | tuple):
        parts = ((str(number), item) for number, item in enumerate(value))
    elif isinstance(value, dict):
        parts = ((str(key), item) for key, item in value.items() if isinstance(key, str | int))
    elif isinstance(value, Recorded) and not value.asked.startswith(LIBRARIES):
        state = value.state
        if isinstance(state, tuple) and len(state) == 2 and state[0] is None and isinstance(state[1], dict):
            state = state[1]  # of slots
        parts = [] if state is None else [(None, state)]
    for name, item in parts:
        yield from _walk(path, item, names if name is None else (*names, name), seen)


def _array(value: Any) -> np.ndarray | None:
    """Return the array that `value` is, or that it holds if it is a shared variable."""
    if isinstance(value, PickledArray):
        value = value.value
    if isinstance(value, Recorded) and value.asked.startswith(("theano.", "pytensor.")) and isinstance(value.state, dict):
        value = value.state.get("container")
        if isinstance(value, Recorded) and isinstance(value.state, dict):
            value = value.state.get("storage")
        value = value[0] if isinstance(value, list) and len(value) == 1 else None
        value = value.value if isinstance(value, PickledArray) else value
    return value if isinstance(value, np.ndarray) and value.dtype.kind == "f" else None

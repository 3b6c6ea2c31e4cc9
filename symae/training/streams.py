"""Training data that stays where it is, on a disk perhaps: minibatches are read when their steps come, or just before."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytensor
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae._runtime.checks import finite
from symae.compile.loops import Rows
from symae.errors import InputError
from symae.training.data import (
    Examples,
    Pass,
    array_of,
    check_held,
    check_input,
    check_inputs,
    check_shape,
)
from symae.training.read_ahead import ReadAhead

IN_MEMORY = 64 << 20  # bytes of a memmap, up to which it is read once: steps of data in memory are faster
READ_AT_ONCE = 8 << 20  # bytes of minibatches that are read together
MAPPED = 8 << 20  # bytes that are read of a memmap until its pages are given back
# packages whose arrays have NumPy's interface, and are not in memory; a slice is read faster from files of arrays
SLICED = ("h5py", "zarr")
OUTSIDE = (*SLICED, "datasets")
INDEXED = "examples that a vector of whole numbers picks, as those of an array"
SAMPLE = 64  # examples that a fingerprint reads


def is_outside(values: Any) -> bool:
    """Return True if `values` are examples that are not in memory, or not as an array."""
    if isinstance(values, np.memmap):
        return values.nbytes > IN_MEMORY
    if isinstance(values, np.ndarray | Variable | Sequence | Mapping | str):
        return _package(values) in OUTSIDE
    if not (hasattr(values, "__len__") and hasattr(values, "__getitem__")):
        return False
    return _package(values) in OUTSIDE or not hasattr(values, "__array__")


def _package(values: Any) -> str:
    return type(values).__module__.partition(".")[0]


class Source:
    """Read examples of the symbolic input `x` from `values`, which have a length and are indexed by arrays.

    `shape` is that of an example. InputError, which calls the values `where`, is raised where they do not fit `x`, or what is
    read is not finite.
    """

    def __init__(self, where: str, x: Any, values: Any):
        check_input(where, x)
        self._values = values if is_outside(values) else array_of(where, x, values)
        self.where, self.x, self._n = where, x, len(self._values)
        if not self._n:
            raise InputError(where, "no examples", "at least one")
        if isinstance(self._values, np.ndarray):
            self._array = self._values.view(np.ndarray)  # indexing a memmap takes many times as long
        self.shape: tuple[int, ...] = ()
        self._mapped = 0
        first = self._read(np.arange(1))
        check_shape(where, x, (self._n, *first.shape[1:]))
        self.shape = first.shape[1:]
        self.rows(np.arange(1))

    def __len__(self) -> int:
        return self._n

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Return the examples at `places`, a vector of whole numbers, in the type of the input."""
        found = self._read(places)
        if found.shape != (len(places), *self.shape):
            raise InputError(self.where, f"examples of shape {found.shape}", f"({len(places)}, …) as the first, {self.shape}")
        if found.dtype.kind not in "buif":
            raise InputError(self.where, f"dtype {found.dtype}", f"numbers for {self.x}")
        if found.dtype.kind == "f":
            finite(self.where, found)
        with np.errstate(over="ignore"):
            converted = np.require(found, self.x.type.dtype, ["C", "W", "O"])
        if found.dtype != converted.dtype:
            check_held(self.where, found, converted)
        return converted

    def _read(self, places: np.ndarray) -> np.ndarray:
        if isinstance(self._values, np.ndarray):
            found = self._array[places]
            if isinstance(self._values, np.memmap):
                self._forget(self._values, found.nbytes)
            return found
        # in the order of the file: HDF5 takes no other
        order = np.argsort(places, kind="stable")
        wanted = places[order]
        key: Any = wanted
        rows = getattr(self._values, "oindex", self._values)  # zarr's, for the first axis alone
        if _package(self._values) in SLICED and np.all(np.diff(wanted) == 1):
            rows, key = self._values, slice(int(wanted[0]), int(wanted[-1]) + 1)
        kind = type(self._values).__name__
        try:
            picked = rows[key]
            found = np.asarray(None if isinstance(picked, Mapping) else picked)
        except (TypeError, ValueError, LookupError) as error:
            raise InputError(self.where, f"a {kind} with no array at a vector of positions ({error})", INDEXED) from error
        if isinstance(picked, Mapping):
            raise InputError(self.where, f"a {kind} of the columns {', '.join(map(str, picked))}", "one of its columns")
        if not found.ndim or len(found) != len(places):
            given = f"{len(found)} examples" if found.ndim else f"a {type(picked).__name__}"
            raise InputError(self.where, f"{given} for {len(places)} positions in a {kind}", "one example for each")
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return found[back]

    def _forget(self, values: np.memmap, n_bytes: int) -> None:
        """Give back the memory of what has been read of a file, from time to time: the system would keep all of it mapped."""
        self._mapped += n_bytes
        if self._mapped > MAPPED and values.mode in ("r", "r+") and hasattr(mmap, "MADV_DONTNEED"):
            self._mapped = 0
            values._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]  # it stays in the system's cache


class Streamed(Examples):
    """Hold examples as `Examples` does, of which only those that `hold` was given are in memory."""

    def __init__(self, name: str, data: Mapping[Variable, Any], like: Examples | None = None):
        check_inputs(name, data, like)
        self.name = name
        self.sources = {x: Source(f"{name}[{x}]", x, values) for x, values in data.items()}
        self.shapes = {x: source.shape for x, source in self.sources.items()}
        self._check({x: len(source) for x, source in self.sources.items()}, like)
        self.variables = {
            x: pytensor.shared(
                source.rows(np.arange(1)),
                name=None if x.name is None else f"{x.name}_minibatch",
                shape=(None, *x.type.shape[1:]),
                borrow=True,
            )
            for x, source in self.sources.items()
        }

    def __len__(self) -> int:
        return len(next(iter(self.sources.values())))

    def givens(
        self, start: Variable, length: int, order: Variable | None, static: bool = True
    ) -> list[tuple[Variable, Variable]]:
        """Return each input with `length` examples from `start`, counted in what `hold` was given, which is in its order."""
        return super().givens(start, length, None, static)

    def read(self, places: np.ndarray) -> dict[Variable, np.ndarray]:
        """Return the examples at `places` of each input."""
        return {x: source.rows(places) for x, source in self.sources.items()}

    def hold(self, rows: Mapping[Variable, np.ndarray], room: int) -> None:
        """Make `rows` the examples in memory, with zeros after them up to `room`: what JAX has compiled is of one length."""
        for x, found in rows.items():
            if len(found) < room:
                found = np.concatenate([found, np.zeros((room - len(found), *found.shape[1:]), found.dtype)])
            self.variables[x].set_value(found, borrow=True)

    def fingerprint(self) -> str:
        """Describe the inputs with dtypes and shapes, and a SHA-256 of these and of 64 examples at equal distances."""
        places = np.unique(np.linspace(0, len(self) - 1, SAMPLE).astype(np.int64))
        sources = sorted(self.sources.items(), key=lambda item: item[0].name or "")
        described = ", ".join(f"{x.name} {x.type.dtype} {(len(self), *source.shape)}" for x, source in sources)
        digest = hashlib.sha256(described.encode())
        for _, source in sources:
            digest.update(source.rows(places).reshape(-1).view(np.uint8).data)
        return f"{described}, {len(places)} examples of SHA-256 {digest.hexdigest()}"


class StreamedPass(Pass):
    """Make steps of `Streamed` examples, of which so many minibatches are in memory as 8 MiB hold, at least one.

    While they are gone over, within compiled code where that can be had, a thread reads the next ones, as
    `symae.training.read_ahead` says.
    """

    def __init__(self, function: Callable[..., Any], examples: Streamed, length: int, *arguments: Any, **settings: Any):
        super().__init__(function, examples, length, *arguments, **settings)
        self._examples, self._rows = examples, None
        self._ahead = read_ahead(examples, length, self.lengths, settings.get("order"))
        self._room = self._ahead.span * length

    def __call__(self, index: int) -> Any:
        window = self._hold(index)
        self._ahead.next = index + 1
        return self._compiled[self.lengths[index]](np.array(index - window.start, "int64"))

    def run(self, first: int, count: int) -> Rows:
        window = self._hold(first)
        rows = self._loops[self.lengths[first]].run(first - window.start, min(count, window.stop - first))
        self._ahead.next = first + len(rows)
        return rows

    def close(self) -> None:
        self._ahead.close()
        self._rows = None

    def _hold(self, index: int) -> range:
        """Have minibatch number `index` in memory, and return which ones are there."""
        window, rows = self._ahead.take(index)
        if rows is not self._rows:
            self._rows = None
            self._examples.hold(rows, self._room)
            self._rows = rows
        return window


def read_ahead(
    examples: Streamed,
    length: int,
    lengths: Sequence[int],
    order: SharedVariable | None,
    rows: Callable[[int], tuple[int, int]] | None = None,
) -> ReadAhead:
    """Return what reads `examples` for minibatches of `length`, in windows of `READ_AT_ONCE`: `lengths` are those of all.

    ``rows(length)`` says which rows of a minibatch are read: (first, end).
    """
    return ReadAhead(examples.read, lengths, READ_AT_ONCE // max(1, examples.bytes_each * length), order, rows)


def examples_of(name: str, data: Mapping[Variable, Any], like: Examples | None = None) -> Examples:
    """Return `Examples`, or `Streamed` ones if the values of an input are not in memory."""
    outside = isinstance(data, Mapping) and any(map(is_outside, data.values()))
    return (Streamed if outside else Examples)(name, data, like)


def pass_over(examples: Examples) -> Callable[..., Pass]:
    """Return the class that makes steps of `examples`."""
    return StreamedPass if isinstance(examples, Streamed) else Pass

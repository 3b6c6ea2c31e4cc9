"""Training data that stays where it is, on a disk perhaps: each minibatch is read when its step comes."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytensor
from pytensor.graph.basic import Variable

from symae._runtime.checks import finite
from symae.errors import InputError
from symae.training.data import Examples, Pass, array_of, check_held, check_input, check_inputs, check_shape

IN_MEMORY = 64 << 20  # bytes of a memmap, up to which it is read once: steps of data in memory are faster
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
    """Hold examples as `Examples` does, of which only the present minibatch is in memory."""

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
        for x in self.variables:
            if x.type.shape[0] not in (None, length):
                raise InputError(f"{self.name}[{x}]", f"minibatches of {length}", f"{x.type.shape[0]}, the fixed length of {x}")
        if not static:
            return list(self.variables.items())
        return [(x, variable.reshape((length, *self.shapes[x]))) for x, variable in self.variables.items()]

    def fill(self, places: np.ndarray) -> None:
        """Make the examples at `places` the present minibatch."""
        for x, source in self.sources.items():
            self.variables[x].set_value(source.rows(places), borrow=True)

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
    """Call a function for each minibatch of `Streamed` examples, which are read before the call."""

    # what a minibatch is does not depend on its number, which is not read then
    _compiling: ClassVar[dict[str, Any]] = {"on_unused_input": "ignore"}

    def __init__(self, function: Callable[..., Any], examples: Streamed, length: int, *arguments: Any, **settings: Any):
        super().__init__(function, examples, length, *arguments, **settings)
        self._examples, self._length, self._order = examples, length, settings.get("order")

    def __call__(self, index: int) -> Any:
        places = slice(index * self._length, index * self._length + self.lengths[index])
        if self._order is None:
            self._examples.fill(np.arange(places.start, places.stop))
        else:
            self._examples.fill(self._order.get_value(borrow=True)[places])
        return super().__call__(index)

    def run(self, first: int, count: int) -> list[list[float]]:
        """Make steps from number `first` on, each by a call from Python, up to one whose cost is not finite."""
        rows: list[list[float]] = []
        for index in range(first, min(first + count, len(self))):
            rows.append([float(figure) for figure in self(index)])
            if not np.isfinite(rows[-1][0]):
                break
        return rows


def examples_of(name: str, data: Mapping[Variable, Any], like: Examples | None = None) -> Examples:
    """Return `Examples`, or `Streamed` ones if the values of an input are not in memory."""
    outside = isinstance(data, Mapping) and any(map(is_outside, data.values()))
    return (Streamed if outside else Examples)(name, data, like)


def pass_over(examples: Examples) -> Callable[..., Pass]:
    """Return the class that makes steps of `examples`."""
    return StreamedPass if isinstance(examples, Streamed) else Pass

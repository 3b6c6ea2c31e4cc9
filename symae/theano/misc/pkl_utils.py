"""``theano.misc.pkl_utils``: values of shared variables in one zip file, arrays as ``.npy`` files in it."""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable

from symae.errors import InputError
from symae.theano._impl.absent import getter

__all__ = ["PersistentNdarrayID", "PersistentSharedVariableID", "StripPickler", "dump", "load", "min_recursion"]

__getattr__ = getter(
    __name__,
    instead={"CompatUnpickler": "use symae.theano.misc.pkl_utils.load, or `symae run`, which reads pickles of Python 2"},
)


class PersistentNdarrayID:
    """Keep arrays beside the pickle: numbers are the names of their files."""

    def __init__(self, zip_file: zipfile.ZipFile):
        self.zip_file = zip_file
        self.count = 0
        self.seen: dict[int, str] = {}
        self._kept: list[Any] = []

    def _resolve_name(self, obj: Any) -> str:
        name = f"array_{self.count}"
        self.count += 1
        return name

    def __call__(self, obj: Any) -> str | None:
        if not isinstance(obj, np.ndarray) or obj.dtype.hasobject:
            return None
        if id(obj) not in self.seen:
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(obj), allow_pickle=False)
            name = self._resolve_name(obj)
            self.zip_file.writestr(name, buffer.getvalue())
            self.seen[id(obj)] = name
            self._kept.append(obj)  # so that its id stays its own
        return f"ndarray.{self.seen[id(obj)]}"


class PersistentSharedVariableID(PersistentNdarrayID):
    """Keep arrays beside the pickle; the value of a shared variable is named after it."""

    def __init__(self, zip_file: zipfile.ZipFile, allow_unnamed: bool = True, allow_duplicates: bool = True):
        super().__init__(zip_file)
        self.allow_unnamed, self.allow_duplicates = allow_unnamed, allow_duplicates
        self._names: dict[int, str] = {}
        self._count: dict[str, int] = {}

    def _resolve_name(self, obj: Any) -> str:
        return self._names.get(id(obj)) or super()._resolve_name(obj)

    def __call__(self, obj: Any) -> str | None:
        if isinstance(obj, SharedVariable):
            if obj.name:
                if obj.name == "pkl":
                    raise ValueError("can't pickle a shared variable with name `pkl`")
                times = self._count.get(obj.name, 0)
                if times and not self.allow_duplicates:
                    raise ValueError(f"multiple shared variables with name `{obj.name}` found")
                self._count[obj.name] = times + 1
                self._names[id(obj.container.storage[0])] = f"{obj.name}_{times + 1}" if times else obj.name
            elif not self.allow_unnamed:
                raise ValueError(f"unnamed shared variable, {obj}")
        return super().__call__(obj)


class _Pickler(pickle.Pickler):
    name_of: Callable[[Any], str | None]

    def persistent_id(self, obj: Any) -> Any:
        return self.name_of(obj)


class _Unpickler(pickle.Unpickler):
    read_named: Callable[[Any], Any]

    def persistent_load(self, pid: Any) -> Any:
        return self.read_named(pid)


def dump(
    obj: Any,
    file_handler: IO[bytes],
    protocol: int = 2,
    persistent_id: Callable[..., Any] = PersistentSharedVariableID,
) -> None:
    """Write `obj` to the binary file `file_handler` as a zip of a pickle and its arrays."""
    with zipfile.ZipFile(file_handler, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        buffer = io.BytesIO()
        pickler = _Pickler(buffer, protocol)
        pickler.name_of = persistent_id(archive)
        with min_recursion(3000):
            pickler.dump(obj)
        archive.writestr("pkl", buffer.getvalue())


def load(f: IO[bytes], persistent_load: Any = None) -> Any:
    """Load what `dump` wrote. A pickle can run code: read only files that you trust.

    Raises
    ------
    InputError
        The file is not a zip that `dump` has written.
    """
    try:
        with zipfile.ZipFile(f) as archive:
            unpickler = _Unpickler(io.BytesIO(archive.read("pkl")), encoding="latin1")
            unpickler.read_named = _reader(archive)
            return unpickler.load()
    except (zipfile.BadZipFile, KeyError) as error:
        where = Path(getattr(f, "name", "file")).name
        raise InputError(where, str(error).strip("'\""), "a zip file written by theano.misc.pkl_utils.dump") from error


def _reader(archive: zipfile.ZipFile) -> Callable[[str], Any]:
    def persistent_load(persistent_id: Any) -> Any:
        if isinstance(persistent_id, bytes):
            persistent_id = persistent_id.decode()
        kind, _, name = persistent_id.partition(".")
        if kind not in {"ndarray", "gpuarray", "cuda_ndarray"}:
            raise InputError("pickle", f"the persistent id {persistent_id}", "ndarray.<name>")
        return np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)

    return persistent_load


class StripPickler(pickle.Pickler):
    """Pickle graphs; there is nothing to strip: PyTensor's variables keep traces in their tags, which are pickled."""

    def __init__(self, file: Any, protocol: int = 0, extra_tag_to_remove: Any = None):
        super().__init__(file, protocol)


@contextmanager
def min_recursion(limit: int) -> Any:
    """Allow at least `limit` nested calls inside the block."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, before))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)

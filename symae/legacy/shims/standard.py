"""Python 2's standard library: modules that are gone, and names that the remaining ones dropped."""

from __future__ import annotations

import importlib.util
import io
import math
import operator
import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from symae.legacy.python2_builtins import open2
from symae.legacy.python2_operations import Quotient, divided
from symae.legacy.shims.patterns import patterns_of
from symae.legacy.shims.pipes import subprocess_of
from symae.shims.restoring import module_of, names_restored
from symae.shims.standard_names import as_bytes, former_names

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES", "StringIO", "restored"]


class StringIO:
    """Keep a file in memory: of bytes or of text, whatever comes first."""

    def __init__(self, initial: Any = None):
        self._file: Any = None
        if initial:
            self._file = io.BytesIO(initial) if isinstance(initial, bytes | bytearray) else io.StringIO(initial)

    def write(self, data: Any) -> int:
        if self._file is None:
            self._file = io.BytesIO() if isinstance(data, bytes | bytearray | memoryview) else io.StringIO()
        if isinstance(self._file, io.StringIO) and not isinstance(data, str):
            data = bytes(data).decode("latin-1")
        elif isinstance(self._file, io.BytesIO) and isinstance(data, str):
            data = data.encode("utf-8")
        return int(self._file.write(data))

    def getvalue(self) -> Any:
        return "" if self._file is None else self._file.getvalue()

    def __getattr__(self, name: str) -> Any:
        if name == "next":
            return self.__next__
        if self._file is None:
            self._file = io.BytesIO() if name in ("fileno", "readinto") else io.StringIO()
        return getattr(self._file, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.readline, type(self.getvalue())())

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __enter__(self) -> StringIO:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _string_io(name: str) -> Callable[[Session], types.ModuleType]:
    return lambda session: module_of(name, {"StringIO": StringIO, "InputType": StringIO, "OutputType": StringIO})


def _config_parser(session: Session) -> types.ModuleType:
    import configparser

    class LaxParser(configparser.RawConfigParser):
        """Take what Python 2's parser took: doubled options, values that are not strings."""

        def __init__(self, *arguments: Any, **keywords: Any):
            super().__init__(*arguments, **{"strict": False, "interpolation": self.kind(), **keywords})

        kind: Any = configparser.Interpolation

        def readfp(self, file: Any, filename: str | None = None) -> None:
            self.read_file(file, filename)

        def set(self, section: str, option: str, value: Any = None) -> None:
            super().set(section, option, value if value is None else str(value))

    class ConfigParser(LaxParser):
        kind = configparser.BasicInterpolation

    names = {name: getattr(configparser, name) for name in configparser.__all__}
    return module_of("ConfigParser", {**names, "RawConfigParser": LaxParser, **dict.fromkeys(PARSERS, ConfigParser)})


PARSERS = ("ConfigParser", "SafeConfigParser")


def _commands(session: Session) -> types.ModuleType:
    return module_of("commands", {"getoutput": subprocess.getoutput, "getstatusoutput": subprocess.getstatusoutput})


def _hashing(name: str, function: str) -> Callable[[Session], types.ModuleType]:
    def make(session: Session) -> types.ModuleType:
        import hashlib

        new = getattr(hashlib, function)
        return module_of(name, {"new": new, name: new})

    return make


def _sets(session: Session) -> types.ModuleType:
    return module_of("sets", {"Set": set, "ImmutableSet": frozenset})


def _imp(session: Session) -> types.ModuleType:
    def load_source(name: str, path: str, file: Any = None) -> types.ModuleType:
        loader = session.loader_of(path)
        module = importlib.util.module_from_spec(ModuleSpec(name, loader, origin=str(path)))
        sys.modules[name] = module
        loader.exec_module(module)
        return module

    return module_of("imp", {"load_source": load_source, "reload": importlib.reload, "new_module": types.ModuleType})


def _math(session: Session) -> types.ModuleType:
    """Make math, whose floor and ceil gave floats; those here pass where a whole number is asked for."""
    names = {"floor": lambda x: Quotient(math.floor(x)), "ceil": lambda x: Quotient(math.ceil(x))}
    return module_of("math", {**vars(math), **(names if session.python_version == "python2" else {})})


def _csv(session: Session) -> types.ModuleType:
    """Make csv, whose files were opened in binary mode."""
    import csv

    def lines(file: Any) -> Iterator[str]:
        for line in file:
            yield line.decode("utf-8", "surrogateescape") if isinstance(line, bytes) else line

    class Written:
        def __init__(self, file: Any):
            self.file = file

        def write(self, text: str) -> Any:
            try:
                return self.file.write(text)
            except TypeError:
                return self.file.write(text.encode("utf-8", "surrogateescape"))

    def reader(file: Any, *rest: Any, **more: Any) -> Any:
        return csv.reader(lines(file), *rest, **more)

    def writer(file: Any, *rest: Any, **more: Any) -> Any:
        return csv.writer(Written(file), *rest, **more)

    class DictReader(csv.DictReader):
        def __init__(self, file: Any, *rest: Any, **more: Any):
            super().__init__(lines(file), *rest, **more)

    class DictWriter(csv.DictWriter):
        def __init__(self, file: Any, *rest: Any, **more: Any):
            super().__init__(Written(file), *rest, **more)

    own = {"reader": reader, "writer": writer, "DictReader": DictReader, "DictWriter": DictWriter}
    return module_of("csv", {**vars(csv), **own})


def _atexit(session: Session) -> types.ModuleType:
    """Make atexit: the script ends while its files still go into the output folder; Python itself ends later."""
    import atexit

    def register(function: Any, *arguments: Any, **keywords: Any) -> Any:
        session.at_exit.callback(function, *arguments, **keywords)
        return function

    return module_of("atexit", {**vars(atexit), "register": register})


def _struct(session: Session) -> types.ModuleType:
    """Make struct, which also unpacks bytes that were read from a file as text."""
    import struct

    def unpack(form: Any, data: Any) -> tuple[Any, ...]:
        return struct.unpack(form, as_bytes(data) if isinstance(data, str) else data)

    return module_of("struct", {**vars(struct), "unpack": unpack})


def _types(session: Session) -> types.ModuleType:
    """Make types for the script alone: cloudpickle, and so Numba's cache, takes every type in the real one for Python's."""
    kinds = {"String": str, "Unicode": str, "Int": int, "Long": int, "Float": float, "Boolean": bool, "Complex": complex}
    kinds |= {"List": list, "Tuple": tuple, "Dict": dict, "Dictionary": dict, "Object": object, "Class": type, "Type": type}
    kinds |= {"None": type(None), "Slice": slice, "File": io.IOBase, "XRange": range, "Instance": object}
    return module_of("types", {**vars(types), **{f"{k}Type": kind for k, kind in kinds.items()}, "StringTypes": (str,)})


MODULES: dict[str, Callable[[Session], types.ModuleType]] = {
    "types": _types,
    "StringIO": _string_io("StringIO"),
    "cStringIO": _string_io("cStringIO"),
    "ConfigParser": _config_parser,
    "commands": _commands,
    "md5": _hashing("md5", "md5"),
    "sha": _hashing("sha", "sha1"),
    "sets": _sets,
    "imp": _imp,
    "math": _math,
    "csv": _csv,
    "struct": _struct,
    "atexit": _atexit,
    "subprocess": subprocess_of,
    "re": patterns_of,
}


def _fdopen(descriptor: int, mode: str = "r", buffering: int = -1, *rest: Any, **more: Any) -> Any:
    """Open a descriptor: ``os.fdopen(sys.stdout.fileno(), "w", 0)`` made the output unbuffered."""
    return (
        open2(descriptor, mode, buffering, *rest, closefd=descriptor > 2, **more)
        if "b" in mode
        else open2(os.dup(descriptor) if descriptor <= 2 else descriptor, mode, buffering)
    )


@contextmanager
def restored(session: Session) -> Iterator[None]:
    """Restore names that Python 3's modules dropped."""
    with ExitStack() as stack:
        for module, names in [*former_names().items(), (operator, {"div": divided})]:
            stack.enter_context(names_restored(module, names))
        stack.enter_context(names_restored(os, {"fdopen": _fdopen}, replacing=True))
        yield

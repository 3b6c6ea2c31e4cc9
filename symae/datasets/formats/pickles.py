"""mnist.pkl.gz and other pickles of arrays, read without running anything that they ask for.

Two fences. First the instructions are looked through: only those that build numbers, strings, containers and arrays pass, with
lengths that the file really has (`pickle` allocates what an instruction claims). Then `pickle` runs with stand-ins for the few
names that a pickled array mentions, so that not even NumPy sees an unchecked shape.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from symae._runtime.quiet import without_warnings
from symae.datasets.contents import CHUNK, LARGEST, Contents, excerpt, open_contents
from symae.datasets.dataset import Found, natural
from symae.datasets.formats.base import Format
from symae.errors import InputError

ARRAYS_ONLY = "numbers, strings, containers and NumPy arrays of numbers, and nothing else"
LAYOUT = "((train_x, train_y), (valid_x, valid_y), (test_x, test_y)), as in mnist.pkl.gz"

# MNIST takes under a hundred. The bound on containers bounds the depth of what is built, and with it C's recursion over it.
MOST_INSTRUCTIONS = 10_000
DEEPEST = 32

INSTRUCTIONS = re.compile(
    "PROTO|FRAME|STOP|MARK|POP|POP_MARK|DUP|GLOBAL|STACK_GLOBAL|REDUCE|BUILD|MEMOIZE|PUT|GET|(LONG_)?BIN(PUT|GET)"
    "|NONE|NEWTRUE|NEWFALSE|INT|BININT[12]?|LONG1?|FLOAT|BINFLOAT"
    "|STRING|UNICODE|(SHORT_)?BIN(STRING|UNICODE|BYTES)|BIN(UNICODE|BYTES)8|BYTEARRAY8"
    "|(EMPTY_)?(TUPLE|LIST|DICT)|TUPLE[123]|APPENDS?|SETITEMS?"
)
CONTAINERS = re.compile("(EMPTY_)?(TUPLE|LIST|DICT)|TUPLE[123]|REDUCE|BUILD")
OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


def read_pickle(path: str | PathLike[str]) -> Any:
    """Read a pickle of arrays, of Python 2 or 3, plain or packed with gzip.

    It holds tuples, lists and dicts of NumPy arrays, numbers and strings; Python 2's strings are decoded as Latin-1. A pickle
    that asks for anything else, is broken, or claims more than the file holds is an InputError.
    """
    with open_contents(path) as contents:
        return unpickle(path, contents)


def unpickle(path: str | PathLike[str], contents: Contents, most: int = MOST_INSTRUCTIONS) -> Any:
    """Read the pickle in `contents`, of at most `most` instructions, with the errors of `read_pickle`."""
    data = _look_through(path, contents, most)
    try:
        with without_warnings(""):  # an unknown escape in one of Python 2's strings
            built = _Unpickler(path, data).load()
        return _settled(path, built, {}, 0)
    except InputError:
        raise
    except Exception as error:
        # pickle documents that broken input may raise any exception.
        raise InputError(path, f"a broken pickle ({excerpt(str(error))})", "a whole pickle of arrays") from error


def read_pickle_pairs(path: str | PathLike[str]) -> Found:
    """Read training, validation and test (x, y) from a pickle laid out like mnist.pkl.gz, with the errors of `read_pickle`."""
    parts = read_pickle(path)
    if not _is_sequence(parts, 3):
        raise InputError(path, _described(parts), LAYOUT)
    for part in parts:
        if not _is_sequence(part, 2):
            raise InputError(path, _described(part), LAYOUT)
        for array in part:
            if not isinstance(array, np.ndarray):
                raise InputError(path, _described(array), LAYOUT)
    return Found([(x, y) for x, y in parts])


class _Source:
    """Hold what is read of a file so far, which is no more than its instructions ask for."""

    def __init__(self, contents: Contents):
        self._contents = contents
        self._gathered = io.BytesIO()

    def holds(self, end: int) -> bool:
        """Read up to byte `end`, and return True if the file has so many bytes."""
        if end > LARGEST + CHUNK:
            return False
        missing = end - self._gathered.seek(0, io.SEEK_END)
        if missing > 0:
            self._gathered.write(self._contents.read(max(missing, CHUNK)))
        return self._gathered.tell() >= end

    def __getitem__(self, wanted: slice) -> bytes:
        self.holds(wanted.stop)
        self._gathered.seek(wanted.start)
        return self._gathered.read(wanted.stop - wanted.start)

    def after_line(self, begin: int) -> int:
        """Return where the line after the one at `begin` begins, or 0 where there is none."""
        while chunk := self[begin : begin + CHUNK]:
            found = chunk.find(b"\n")
            if found >= 0:
                return begin + found + 1
            begin += len(chunk)
        return 0

    def value(self) -> bytes:
        return self._gathered.getvalue()


def _look_through(path: str | PathLike[str], contents: Contents, most: int) -> bytes:
    """Return the whole pickle, if all its instructions are ones that arrays need and the file holds their arguments."""
    data, position, containers = _Source(contents), 0, 0
    for _ in range(most):
        code = data[position : position + 1]
        if not code:
            raise InputError(path, "a pickle that is cut off", "a whole pickle")
        opcode = OPCODES.get(code[0])
        if opcode is None:
            raise InputError(path, f"the byte {excerpt(code)} at {position}", "an instruction of a pickle")
        begin, end = _argument(path, data, position + 1, opcode.arg.n if opcode.arg else 0)
        if opcode.name == "INST":
            # An old way to name something; GLOBAL's names are refused when they are looked up.
            _, end = _argument(path, data, end, pickletools.UP_TO_NEWLINE)
            raise _asks_for(path, *data[begin : end - 1].decode(errors="backslashreplace").split("\n", 1))
        if not INSTRUCTIONS.fullmatch(opcode.name):
            raise InputError(path, f"the pickle instruction {opcode.name}", ARRAYS_ONLY)
        containers += CONTAINERS.fullmatch(opcode.name) is not None
        if containers > MOST_INSTRUCTIONS:
            raise InputError(path, f"more than {MOST_INSTRUCTIONS} containers in a pickle", "a few arrays")
        if opcode.name == "GLOBAL":
            _, end = _argument(path, data, end, pickletools.UP_TO_NEWLINE)
        elif opcode.name in ("PUT", "LONG_BINPUT"):
            # pickle makes room for as many remembered objects as the index says.
            text = data[begin:end].strip()
            index = (
                int.from_bytes(text[:4], "little")
                if opcode.name == "LONG_BINPUT"
                else int(text)
                if len(text) < 9 and text.isdigit()
                else -1
            )
            if not 0 <= index <= most:
                raise InputError(path, f"a memo of {excerpt(text)} objects", f"at most {most}")
        elif opcode.name == "STOP":
            if after := len(data[end : end + CHUNK]):
                found = f"{after} bytes" if after < CHUNK else f"more than {CHUNK - 1} bytes"
                raise InputError(path, f"{found} after the end of the pickle", "one pickle")
            return data.value()
        position = end
    raise InputError(path, f"more than {most} pickle instructions", "a few arrays")


def _argument(path: str | PathLike[str], data: _Source, begin: int, n: int) -> tuple[int, int]:
    """Return where an instruction's argument begins and where it ends."""
    if n == pickletools.UP_TO_NEWLINE:
        end = data.after_line(begin)
        if not end:
            raise InputError(path, "a pickle that is cut off", "a whole pickle")
    elif n < 0:
        begin, size = begin + LENGTH_BYTES[n], data[begin : begin + LENGTH_BYTES[n]]
        end = begin + int.from_bytes(size, "little")
    else:
        end = begin + n
    if not data.holds(end):
        raise InputError(path, "a pickle that is cut off", "a whole pickle")
    return begin, end


class _Unpickler(pickle.Unpickler):
    """Unpickle with a stand-in for every name.

    What these build is bounded by the file's length: an instruction can hand them the same contents again and again.
    """

    def __init__(self, path: str | PathLike[str], data: bytes):
        super().__init__(io.BytesIO(data), fix_imports=False, encoding="latin1")
        self.path = path
        self._room = 2 * len(data)  # bytes that came as a text, and then the array of them

    def _called(self, call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        result = call(*arguments)
        if isinstance(result, PickledArray):
            result.count = self._count
        self._count(getattr(result, "nbytes", len(result) if isinstance(result, bytes) else 0))
        return result

    def _count(self, n_bytes: int) -> None:
        self._room -= n_bytes
        if self._room < 0:
            raise InputError(self.path, "arrays with more bytes than the file has", "a whole pickle of arrays")

    def find_class(self, module: str, name: str) -> Any:
        stand_in = STAND_INS.get((re.sub(r"^numpy\.core\b", "numpy._core", module), name))
        if stand_in is None:
            raise _asks_for(self.path, module, name)
        return StandIn(lambda *arguments: self._called(stand_in, arguments))


class StandIn:
    """Stand for a name in a pickle: it can be called, and nothing about it can be changed."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]):
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a state for a function")


class PickledType:
    """Rebuild a pickled dtype from its letter and size, then its byte order."""

    def __init__(self, name: str, *flags: object):
        if not (isinstance(name, str) and re.fullmatch(r"[biuf][1248]", name)):
            raise pickle.UnpicklingError(f"an array of {excerpt(name)}")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"the byte order {excerpt(state[1])}")
        self.dtype = np.dtype((state[1] if state[1] in ("<", ">") else "") + self.dtype.str[1:])


class PickledArray:
    """Rebuild a pickled array, which is empty until its state arrives."""

    value: np.ndarray | None = None
    count: Callable[[int], None]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, kind, is_fortran, raw = state
        self.value = _array(raw, kind, shape, "F" if is_fortran else "C")
        self.count(self.value.nbytes)


def _array(raw: Any, kind: Any, shape: Any, order: str = "C") -> np.ndarray:
    if isinstance(raw, str):  # Python 2
        raw = raw.encode("latin1")
    if not (isinstance(kind, PickledType) and isinstance(raw, bytes | bytearray) and isinstance(shape, tuple)):
        raise pickle.UnpicklingError("an array that is not made of numbers")
    if not all(isinstance(n, int) and n >= 0 for n in shape) or math.prod(shape) * kind.dtype.itemsize != len(raw):
        raise pickle.UnpicklingError(f"{len(raw)} bytes for shape {excerpt(shape)}")
    values = np.frombuffer(raw, kind.dtype) if raw else np.empty(0, kind.dtype)
    return natural(values.reshape(shape, order="F" if order == "F" else "C"))


def _empty_array(*_: object) -> PickledArray:
    return PickledArray()


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """Encode `text` as latin-1, which is how Python 3 puts bytes into Python 2's pickles."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"the encoding {excerpt(encoding)}")
    return text.encode("latin1")


def _no_call(*_: object) -> None:
    raise pickle.UnpicklingError("an array without contents")


STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _no_call,
    ("numpy", "dtype"): PickledType,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "scalar"): lambda kind, raw: _array(raw, kind, ())[()],
    ("numpy._core.numeric", "_frombuffer"): _array,
    ("_codecs", "encode"): _encoded,
    # What Python 3 puts for empty bytes into Python 2's pickles.
    ("__builtin__", "bytes"): lambda: b"",
}


def _settled(path: str | PathLike[str], value: Any, known: dict[int, Any], depth: int) -> Any:
    """Replace the stand-ins in `value` by their arrays; `known` keeps shared parts from being built again and again."""
    if id(value) in known:
        return known[id(value)]
    if depth > DEEPEST:
        raise InputError(path, f"containers nested more than {DEEPEST} deep", "a few arrays")
    if isinstance(value, PickledArray):
        if value.value is None:
            raise InputError(path, "an array without contents", "a whole pickle of arrays")
        settled: Any = value.value
    elif isinstance(value, tuple | list):
        settled = type(value)(_settled(path, item, known, depth + 1) for item in value)
    elif isinstance(value, dict):
        if not all(isinstance(key, str | int | tuple) for key in value):
            raise InputError(path, "a dictionary with strange keys", ARRAYS_ONLY)
        settled = {key: _settled(path, item, known, depth + 1) for key, item in value.items()}
    elif isinstance(value, StandIn | PickledType):
        raise InputError(path, "a part of an array by itself", ARRAYS_ONLY)
    else:
        settled = value
    known[id(value)] = settled
    return settled


def _asks_for(path: str | PathLike[str], module: str, name: str) -> InputError:
    return InputError(path, f"a pickle that asks for {excerpt(f'{module}.{name}')}", ARRAYS_ONLY)


def _is_sequence(value: Any, n: int) -> bool:
    return isinstance(value, tuple | list) and len(value) == n


def _described(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an object of type {type(value).__name__}"


FORMAT = Format(
    position=20,
    endings=(".pkl", ".pickle"),
    files=".pkl, .pkl.gz",
    read_file=read_pickle_pairs,
    names=("mnist.pkl.gz", "mnist.pkl"),
)

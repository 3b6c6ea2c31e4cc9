"""Errors that say where, what was found and what was expected.

Commands print these as one line and exit with status 2; from the API they arrive as ordinary exceptions, so ``except
ValueError`` and ``except FileNotFoundError`` keep working.
"""

from __future__ import annotations

import errno
from os import PathLike

__all__ = [
    "BackendError",
    "BroadcastError",
    "DivergedError",
    "IndexRangeError",
    "InputError",
    "LabelCountError",
    "LabelError",
    "LostProcessError",
    "MaskShapeError",
    "MissingFileError",
    "ShapeError",
    "UnwritableError",
    "WindowError",
    "one_line",
    "shortened",
]

Where = str | PathLike[str]


class InputError(ValueError):
    """Raised when an argument, option or file cannot be used.

    Parameters
    ----------
    where : str or path
        The file, argument or option at fault.
    found, expected : str
        Short noun phrases; the message reads ``where: found …, expected …``. What is too long for a line, because a file or a
        caller may have anything in it, stands there without its middle.
    """

    def __init__(self, where: Where, found: str, expected: str):
        short = (shortened(str(part), most) for part, most in ((where, 400), (found, 400), (expected, 600)))
        super().__init__("{}: found {}, expected {}".format(*short))
        self.where = str(where)
        self.found = found
        self.expected = expected

    @property
    def place(self) -> str:
        """The older name of `where`."""
        return self.where

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.where, self.found, self.expected)


class MissingFileError(InputError, FileNotFoundError):
    """Raised when a file or folder that should be there is not."""

    def __init__(self, where: Where, found: str = "no such file", expected: str = "a readable file"):
        super().__init__(where, found, expected)


class UnwritableError(InputError, OSError):
    """Raised when a result cannot be stored: the disk is full, the folder is a file, or writing is forbidden."""

    def __init__(self, where: Where, found: str, expected: str = "a place that can be written"):
        super().__init__(where, found, expected)


class BackendError(InputError, ImportError):
    """Raised when a backend is unknown or not installed here."""


class ShapeError(InputError):
    """Raised when shapes do not fit, where only numbers are at hand.

    Machine code can carry constant text and numbers, so it raises this with texts in which braces stand for `sizes`. In Numba
    the texts have to be literals or plain global names: of an entry of a tuple it may take another function's text, because
    functions that unpack arguments of the same machine types are shared.
    """

    def __init__(self, where: str, found: str, expected: str, *sizes: int):
        split = found.count("{}")
        super().__init__(where, found.format(*sizes[:split]), expected.format(*sizes[split:]))


class WindowError(ShapeError, TypeError):
    """Raised when windows, or the steps between them, do not fit into images: a TypeError too, as in Theano."""


class IndexRangeError(IndexError):
    """Raised when an index lies outside of its axis, in NumPy's words.

    `unsigned` tells that the index is a number of 64 bits without a sign, read as one with a sign.
    """

    def __init__(self, index: int, axis: int, size: int, unsigned: bool = False):
        if unsigned and index < 0:
            index += 2**64
        super().__init__(f"index {index} is out of bounds for axis {axis} with size {size}")


class BroadcastError(ValueError):
    """Raised when an array that was said to broadcast along an axis does not have length one there, in Theano's words."""

    def __init__(self, axis: int, length: int):
        super().__init__(f"Dimension {axis} in Rebroadcast's input was supposed to be 1 (got {length} instead)")


class LabelError(IndexError, ValueError):
    """Raised when a label is not a class's number: a ValueError as in Theano's machine code, an IndexError as in its Python."""

    def __init__(self, label: int, classes: int):
        super().__init__(f"y_i value out of bounds: found label {label}, expected labels from 0 to {classes - 1}")


class LabelCountError(IndexError, ValueError):
    """Raised when there are more or fewer labels than rows, in Theano's words."""

    def __init__(self, rows: int, labels: int):
        super().__init__(f"number of rows in x ({rows}) does not match length of y ({labels})")


class MaskShapeError(IndexError):
    """Raised when a boolean mask is longer or shorter than its axis, in NumPy's words."""

    def __init__(self, axis: int, size: int, length: int):
        super().__init__(
            f"boolean index did not match indexed array along axis {axis}; "
            f"size of axis is {size} but size of corresponding boolean axis is {length}"
        )


class LostProcessError(RuntimeError):
    """Raised when another process of a training is gone, or has ended before its time; says which.

    A program may catch it, but can train no more with other processes, and has status 75 when it ends.
    """


class DivergedError(FloatingPointError):
    """Raised when the cost becomes infinite or not a number."""


def shortened(text: str, most: int) -> str:
    """Return `text`, without its middle where it has more than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]} … {text[len(text) - most // 2 + 2 :]}"


def one_line(error: BaseException) -> str | None:
    """Return what a command prints of an error that its user can mend; None for a defect of symae, which needs a traceback."""
    text = None
    if isinstance(error, InputError | DivergedError | LostProcessError):
        text = str(error)
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    elif isinstance(error, MemoryError):
        text = f"out of memory: {error or 'the machine has too little for this'}"
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        text = f"standard output or a cache: {error.strerror}"
    return None if text is None else shortened(" ".join(text.split()), 1500)

"""Errors name place, found and expected, and commands print them as one line."""

from __future__ import annotations

import pickle

import pytest

from symae import BackendError, InputError, MissingFileError, UnwritableError
from symae.errors import DivergedError, WindowError, one_line


@pytest.mark.parametrize("kind", [InputError, MissingFileError, UnwritableError, BackendError])
def test_an_error_keeps_its_parts_also_through_a_pickle(kind):
    error = pickle.loads(pickle.dumps(kind("images.gz", "3 bytes", "at least 16")))
    assert type(error) is kind
    assert (error.where, error.found, error.expected) == ("images.gz", "3 bytes", "at least 16")
    assert str(error) == one_line(error) == "images.gz: found 3 bytes, expected at least 16"


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [(MissingFileError, FileNotFoundError), (UnwritableError, OSError), (BackendError, ImportError), (WindowError, TypeError)],
)
def test_errors_are_also_what_python_calls_them(kind, builtin):
    assert issubclass(kind, builtin)
    assert issubclass(kind, ValueError)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DivergedError("the cost is nan"), "the cost is nan"),
        (PermissionError(13, "Permission denied", "a.gz"), "a.gz: Permission denied"),
        (InputError("a", "two\nlines", "one"), "a: found two lines, expected one"),
        (OSError(28, "No space left on device"), "standard output or a cache: No space left on device"),
        (FloatingPointError("a script of the user's own"), None),
        (KeyError("defect"), None),
        (ValueError("defect"), None),
        (OSError("no file in it"), None),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_a_defect_is_not(error, line):
    assert one_line(error) == line


def test_a_message_is_a_line_however_long_what_was_found_is():
    error = InputError("/a/" + "b" * 5000, "x" * 100_000, ", ".join(map(str, range(10_000))))
    assert len(str(error)) < 1500
    assert str(error).startswith("/a/bbb")
    assert str(error).endswith("9998, 9999")
    assert len(error.found) == 100_000  # whole for whoever goes on with it
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert len(one_line(DivergedError("x" * 5000))) < 1600

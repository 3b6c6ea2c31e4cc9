"""What the tests of convolutions share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symae.patches.numba_deferred_codegen import whole_programs


@pytest.fixture
def compiled_when_called(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Numba compiles for the arrays that a function is called with, not before that for contiguous ones, which never come.

    It does so as it would have done ahead of the call, which takes a third of the time.
    """
    monkeypatch.setattr("symae.compile.numba_calls.compile_ahead", lambda compiled: False)
    with whole_programs():
        yield

"""What the tests of convolutions share."""

from __future__ import annotations

import pytest


@pytest.fixture
def compiled_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba compiles for the arrays that a function is called with, not before that for contiguous ones, which never come."""
    monkeypatch.setattr("symae.compile.numba_calls.compile_ahead", lambda compiled: False)

"""What several tests of theano's names use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytensor
import pytest

import symae.theano as theano

CXX = pytensor.config.cxx


@pytest.fixture(autouse=True)
def _interpreted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Without the C compiler, which PyTensor calls in FAST_COMPILE too, for the steps of loops and the like."""
    on = request.node.get_closest_marker("on")
    with pytensor.config.change_flags(cxx=CXX if on is not None and on.args == ("c",) else ""):
        yield


@pytest.fixture(scope="session")
def in_mode() -> Callable[[str], AbstractContextManager[None]]:
    """Compile in a mode for a while; "Mode" is the one that users have: tests set PyTensor's own to a quick one."""

    @contextmanager
    def in_mode(mode: str) -> Iterator[None]:
        with pytensor.config.change_flags(mode="Mode", cxx=CXX), theano.change_flags(mode=mode):
            yield

    return in_mode

"""``theano.compile.monitormode``: functions that are called before and after each node."""

from __future__ import annotations

from typing import Any

from pytensor.compile.debug.monitormode import MonitorMode as _MonitorMode
from pytensor.compile.debug.monitormode import detect_nan as _detect_nan

from symae.theano._impl.absent import getter
from symae.theano._impl.nodes import written_as_theanos

__all__ = ["MonitorMode", "detect_nan"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.debug.monitormode"])


class MonitorMode(_MonitorMode):
    """Call ``pre_func(i, node, fn)`` before and ``post_func(i, node, fn)`` after each node, which `fn` runs."""

    def eval(self, fgraph: Any, i: int, node: Any, fn: Any) -> None:
        written_as_theanos(node)
        if self.pre_func is not None:
            self.pre_func(i, node, fn)
        fn()
        if self.post_func is not None:
            self.post_func(i, node, fn)


def detect_nan(i: int, node: Any, fn: Any) -> None:
    """Print the node that has made a NaN first, as ``post_func`` of `MonitorMode`."""
    _detect_nan(None, i, node, fn)

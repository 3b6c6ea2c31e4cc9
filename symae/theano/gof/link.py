"""``theano.gof.link``: what runs the nodes of a compiled graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pytensor.link.basic import Container, Linker, LocalLinker, PerformLinker
from pytensor.link.basic import WrapLinker as PlainWrapLinker
from pytensor.link.utils import raise_with_op

from symae.theano._impl.absent import getter

__all__ = ["Container", "Linker", "LocalLinker", "PerformLinker", "WrapLinker", "WrapLinkerMany", "raise_with_op"]

__getattr__ = getter(__name__, pytensor=["pytensor.link.basic", "pytensor.link.utils"])


class WrapLinker(PlainWrapLinker):
    """Call ``wrapper(i, node, *thunks)`` for the `i`-th node, which has to run the thunks: one for each of `linkers`.

    As in Theano the node knows its graph as ``node.fgraph``.
    """

    def __init__(self, linkers: Sequence[Any], wrapper: Callable[..., Any]):
        super().__init__(linkers, wrapper if isinstance(wrapper, _OfGraph) else _OfGraph(wrapper))


class _OfGraph:
    """Call a script's function of a node as PyTensor calls one, with the graph before it."""

    def __init__(self, theirs: Callable[..., Any]):
        self.theirs = theirs

    def __call__(self, fgraph: Any, i: int, node: Any, *thunks: Any) -> None:
        node.fgraph = fgraph
        self.theirs(i, node, *thunks)


def WrapLinkerMany(linkers: Sequence[Any], wrappers: Sequence[Callable[..., Any]]) -> WrapLinker:
    """Make a `WrapLinker` that calls each of `wrappers` for each node, one after the other."""

    def wrapper(*args: Any) -> None:
        for each in wrappers:
            each(*args)

    return WrapLinker(linkers, wrapper)

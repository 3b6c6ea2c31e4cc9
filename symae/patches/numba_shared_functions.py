"""Nodes of a graph that compute the same share a function.

PyTensor makes a function for each node, and keeps machine code on the disk by a key that says what the function computes. So a
node whose key and types were there before has the same machine code, but reads, types and links it once more: the longer the
graph, the more, because each is linked into all that were before. A loop's gradient has hundreds of nodes and some dozens of
keys.
"""

from __future__ import annotations

import weakref
from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(_: Any, changes: Changes) -> None:
    from pytensor import config
    from pytensor.graph.fg import AbstractFunctionGraph
    from pytensor.link.numba.dispatch import basic

    make = basic.numba_funcify_ensure_cache
    # as long as a graph has them
    known: weakref.WeakValueDictionary[tuple[Any, ...], Any] = weakref.WeakValueDictionary()

    def numba_funcify_ensure_cache(op: Any, node: Any = None, **keywords: Any) -> tuple[Any, str | None]:
        function, key = make(op, node=node, **keywords)
        if key is None or node is None or isinstance(op, AbstractFunctionGraph):
            return function, key
        # a key need not have the dtypes: Numba's cache has those
        types = tuple(v.type for v in (*node.inputs, *node.outputs))
        return known.setdefault((key, bool(config.numba__fastmath), types), function), key

    changes.replace(basic, "numba_funcify_ensure_cache", numba_funcify_ensure_cache)


PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="pytensor.link.numba.dispatch.basic.numba_funcify_ensure_cache",
    why="graphs of a thousand nodes, and loops of hundreds, take a third longer to compile",
    upstream="not proposed: numba_funcify_ensure_cache could remember the functions that it made by their cache key and the "
    "types of the node: with both equal the machine code is equal already.",
    delete_when="PyTensor makes one function for nodes of one key",
    apply=apply,
    expects=(
        Expected("pytensor.link.numba.dispatch.basic", "numba_funcify_ensure_cache", ("op",), others=True),
        Expected("pytensor.graph.fg", "AbstractFunctionGraph"),
    ),
)

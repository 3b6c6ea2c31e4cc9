"""A fixer for fissix: ``it.next()[0]`` becomes ``next(it)[0]``. Its own fixer leaves a call that something follows."""

from __future__ import annotations

from typing import Any

from fissix import fixer_base
from fissix.fixer_util import ArgList, Name
from fissix.pygram import python_symbols
from fissix.pytree import Node


class FixNextItems(fixer_base.BaseFix):
    """Convert ``next`` where an index, an attribute, a call or a power follows."""

    BM_compatible = True
    PATTERN = "power< head=any+ trailer< '.' 'next' > trailer< '(' ')' > tail=any+ >"

    def transform(self, node: Any, results: Any) -> Any:
        head, tail = ([part.clone() for part in results[name]] for name in ("head", "tail"))
        head[0].prefix = ""
        iterator = Node(python_symbols.power, head) if len(head) > 1 else head[0]
        return Node(python_symbols.power, [Name("next", prefix=node.prefix), ArgList([iterator]), *tail])

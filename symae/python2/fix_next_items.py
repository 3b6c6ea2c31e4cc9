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
        head: list[Any] = []
        parts = [part.clone() for part in node.children]
        while parts:  # each next of a chain
            if head and [leaf.value for part in parts[:2] for leaf in part.leaves()] == [".", "next", "(", ")"]:
                head[0].prefix, parts = "", parts[2:]
                head = [Name("next"), ArgList([Node(python_symbols.power, head) if len(head) > 1 else head[0]])]
            else:
                head.append(parts.pop(0))
        head[0].prefix = node.prefix
        return Node(python_symbols.power, head)

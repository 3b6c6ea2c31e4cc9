"""A fixer for fissix: ``0777L`` becomes ``0o777``. Its own fixer of numbers takes off the L only."""

from __future__ import annotations

from typing import Any

from fissix import fixer_base
from fissix.fixer_util import Number
from fissix.pgen2 import token


class FixOctalLongs(fixer_base.BaseFix):
    """Convert octal numbers that are long."""

    _accept_type = token.NUMBER
    run_order = 4  # before the others

    def match(self, node: Any) -> bool:
        return node.value[:1] == "0" and node.value[1:-1].isdigit() and node.value[-1] in "lL"

    def transform(self, node: Any, results: Any) -> Any:
        return Number(f"0o{node.value[1:-1]}", prefix=node.prefix)

"""A node's arguments as expressions of Python that compute with PyTorch."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.errors import InputError
from symae.export.graph import Graph, Node


class Arguments:
    """Give a node's arguments as expressions: `tensor` of an input, `numbers` of one that is known."""

    def __init__(self, node: Node, graph: Graph, write: Callable[[str], str], kinds: dict[str, str], device: str | None = None):
        self.node, self.graph, self.write, self.kinds = node, graph, write, kinds
        self.attributes = node.attributes
        self.on_device = "" if device is None else f", device={device}"

    def __len__(self) -> int:
        return len(self.node.inputs)

    def refuse(self, what: str) -> InputError:
        """Return the error for what PyTorch's functions do not do."""
        return InputError(self.node.name, f"{what}, for which PyTorch has no function", "a graph without it, or --onnx")

    def tensor(self, i: int, literal: bool = False) -> str:
        """Return an input as an expression of a tensor; a number only where a `literal` will do."""
        name = self.node.inputs[i]
        array = self.graph.constants.get(name)
        if literal and self.is_number(i) and array is not None:
            return numbers_of(array.item())
        if self.kinds.get(name) == "sizes":
            return f"torch.tensor({self.write(name)}{self.on_device})"
        return self.write(name)

    def is_number(self, i: int) -> bool:
        """Return True for a constant without axes."""
        array = self.graph.constants.get(self.node.inputs[i])
        return array is not None and array.ndim == 0

    def numbers(self, i: int) -> list[int] | None:
        """Return a vector of whole numbers, if they are known."""
        array = self.graph.constants.get(self.node.inputs[i])
        return None if array is None else [int(n) for n in np.atleast_1d(array)]

    def sizes(self, i: int) -> str:
        """Return a vector of sizes as a list."""
        known = self.numbers(i)
        if known is not None:
            return f"({', '.join(map(str, known))}{',' if len(known) == 1 else ''})"
        name = self.node.inputs[i]
        return self.write(name) if self.kinds.get(name) == "sizes" else f"{self.write(name)}.tolist()"

    def list(self, i: int) -> str:
        """Return the entries of a vector of sizes, to stand in a list."""
        known = self.numbers(i)
        return ", ".join(map(str, known)) if known is not None else f"*{self.sizes(i)}"

    def is_sizes(self, i: int) -> bool:
        return self.kinds.get(self.node.inputs[i]) == "sizes" or self.numbers(i) is not None

    def ndim(self, i: int) -> int | None:
        return self.graph.ndim(self.node.inputs[i])


def numbers_of(value: Any) -> str:
    """Return a number, or nested lists of numbers, as Python reads them: infinity and NaN are no words of it."""
    if isinstance(value, list):
        return f"[{', '.join(map(numbers_of, value))}]"
    return repr(value) if math.isfinite(value) else f'float("{value}")'


def bare(text: str) -> str:
    """Return an expression without parentheses around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if not depth and i < len(text) - 1:
            return text
    return text if "," in text and _is_tuple(text) else text[1:-1]


def _is_tuple(text: str) -> bool:
    return isinstance(ast.parse(text, mode="eval").body, ast.Tuple)

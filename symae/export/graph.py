"""A graph as other libraries take it: named values, nodes with ONNX's ops and attributes, and arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]


@dataclass(eq=False)
class Node:
    """Apply an op of ONNX's to values, all by name.

    An input that is left out is an empty text, as in ONNX. An ``If`` has the values of both its branches among its inputs,
    behind the condition.
    """

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)
    name: str = ""


@dataclass
class Value:
    """Say what is known of a value: its dtype, as NumPy calls it, and its shape, None where a size is free."""

    dtype: str
    shape: Shape

    @property
    def ndim(self) -> int:
        return len(self.shape)


@dataclass
class Graph:
    """Hold nodes in the order in which they are computed.

    Attributes
    ----------
    inputs, outputs : lists of str
        Names of values.
    nodes : list of Node
    parameters : dict of str to array
        What training has made, under the names that it has in symae.
    constants : dict of str to array
        Numbers of the graph itself.
    values : dict of str to Value
        What is known of values; of some within a layer nothing is.
    wanted : dict of str to str
        The names that people know values by, which `symae.export.names` gives them.
    """

    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)
    _count: int = 0

    def fresh(self) -> str:
        """Return the name of a new value."""
        self._count += 1
        return f"%{self._count}"

    def add(self, op: str, *inputs: str, n_outputs: Any = 1, **attributes: Any) -> Any:
        """Add a node; returns the name of its output, or a list of them where `n_outputs` is not one."""
        outputs = [self.fresh() for _ in range(n_outputs)]
        self.nodes.append(Node(op, list(inputs), outputs, {k: v for k, v in attributes.items() if v is not None}))
        return outputs[0] if n_outputs == 1 else outputs

    def constant(self, array: Any, dtype: str | None = None) -> str:
        """Return the name of a constant, the same one for equal arrays."""
        array = np.ascontiguousarray(array, dtype) if np.ndim(array) else np.asarray(array, dtype)
        for name, known in self.constants.items():
            if known.dtype == array.dtype and known.shape == array.shape and known.tobytes() == array.tobytes():
                return name
        name = self.fresh()
        self.constants[name] = array
        self.values[name] = Value(str(array.dtype), array.shape)
        return name

    def ints(self, *numbers: int) -> str:
        """Return the name of a vector of whole numbers, as ONNX takes axes and sizes."""
        return self.constant(np.array(numbers, "int64"))

    def array(self, name: str) -> np.ndarray | None:
        """Return the array that the value is, if it is a parameter or a constant."""
        found = self.parameters.get(name)
        return self.constants.get(name) if found is None else found

    def producers(self) -> dict[str, Node]:
        """Return the node that computes each value."""
        return {output: node for node in self.nodes for output in node.outputs}

    def uses(self) -> Counter[str]:
        """Count how often each value is an input of a node or an output of the graph."""
        return Counter([name for node in self.nodes for name in node.inputs] + self.outputs)

    def prune(self) -> None:
        """Remove nodes and arrays that no output depends on."""
        needed = set(self.outputs)
        kept = []
        for node in reversed(self.nodes):
            if needed & set(node.outputs):
                kept.append(node)
                needed |= set(node.inputs)
        self.nodes = kept[::-1]
        for node in self.nodes:
            if node.op == "MaxPool" and node.outputs[1:] and node.outputs[1] not in needed:
                del node.outputs[1]
        self.parameters = {name: array for name, array in self.parameters.items() if name in needed}
        self.constants = {name: array for name, array in self.constants.items() if name in needed}

    def replace(self, new: Mapping[str, str]) -> None:
        """Let nodes and outputs take other values."""

        def final(name: str) -> str:
            while name in new:
                name = new[name]
            return name

        for node in self.nodes:
            node.inputs = [final(name) for name in node.inputs]
        self.outputs = [final(name) for name in self.outputs]

    def rename(self, names: Mapping[str, str]) -> None:
        """Call values by other names."""

        def renamed(old: Sequence[str]) -> list[str]:
            return [names.get(name, name) for name in old]

        for node in self.nodes:
            node.inputs, node.outputs = renamed(node.inputs), renamed(node.outputs)
        self.inputs, self.outputs = renamed(self.inputs), renamed(self.outputs)
        self.parameters = {names.get(name, name): array for name, array in self.parameters.items()}
        self.constants = {names.get(name, name): array for name, array in self.constants.items()}
        self.values = {names.get(name, name): value for name, value in self.values.items()}
        self.wanted = {names.get(name, name): wanted for name, wanted in self.wanted.items()}

    def ndim(self, name: str) -> int | None:
        """Return how many axes a value has, where that is known."""
        return self.values[name].ndim if name in self.values else None

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

"""Nodes, and graphs of them, that write themselves as Theano's did; otherwise they are PyTensor's."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply as PlainApply
from pytensor.graph.basic import as_string
from pytensor.graph.fg import FunctionGraph as PlainFunctionGraph

from symae.theano._impl.op_names import text_of, text_of_apply, text_of_node

__all__ = ["Apply", "FunctionGraph", "written_as_theanos"]


class _CountsAll(type(PlainApply)):  # type: ignore[misc]
    """Count what is of PyTensor's class as of that of this module, and write the class as Theano's."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__base__)

    def __repr__(cls) -> str:
        return f"<class 'theano.gof.{cls.written_in}.{cls.__name__}'>"


class Apply(PlainApply, metaclass=_CountsAll):
    """Apply an Op to variables."""

    written_in = "graph"

    def __str__(self) -> str:
        return text_of_apply(self)

    __repr__ = __str__


class FunctionGraph(PlainFunctionGraph, metaclass=_CountsAll):
    """Hold a graph between inputs and outputs that rewrites change."""

    written_in = "fg"

    def __str__(self) -> str:
        return f"[{', '.join(as_string(self.inputs, self.outputs, text_of, _text_of_node))}]"

    __repr__ = __str__


def _text_of_node(node: PlainApply, inputs: list[str]) -> str:
    return f"{text_of_node(node)}({', '.join(inputs)})"


def written_as_theanos(node: Any) -> None:
    """Let a node of PyTensor's write itself as Theano's."""
    if type(node) is PlainApply:
        node.__class__ = Apply

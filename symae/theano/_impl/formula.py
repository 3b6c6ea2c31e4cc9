"""Formulas as Theano's ``pprint`` wrote them: in one line, all operators in brackets."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply, Variable
from pytensor.printing import PPrinter, Printer
from pytensor.tensor.elemwise import DimShuffle, Elemwise

from symae.theano._impl.op_names import computed, function_of, text_of, text_of_node

__all__ = ["pprint"]

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "true_div": "/", "int_div": "//", "pow": "**", "dot": "\\dot"}
_GREEK = {name: f"\\{name}" for name in ("alpha", "beta", "gamma", "delta", "epsilon")}
_FUNCTIONS = {"Alloc": "alloc", "Join": "join", "second": "fill"}


class _Formula(Printer):
    """Write any variable: by what it is computed of, or without an owner by its name."""

    def process(self, output: Variable, pstate: Any) -> str:
        if output not in pstate.memo:
            pstate.memo[output] = self._written(output, pstate)
        return str(pstate.memo[output])

    def _written(self, output: Variable, pstate: Any) -> str:
        found, node, inputs = computed(output)
        if node is None:
            return _GREEK.get(found.name, text_of(found))
        if isinstance(node.op, DimShuffle):
            return self._shuffled(node, pstate)
        texts = [pstate.pprinter.process(v, pstate) for v in inputs]
        name = function_of(node.op) if isinstance(node.op, Elemwise) else text_of_node(node)
        kind = name.partition("{")[0]
        if kind == "MakeVector":
            return f"[{', '.join(texts)}]"
        if kind == "Subtensor":
            return f"{texts[0]}[{_index(node, texts[1:])}]"
        if name == "neg":
            return f"(-{texts[0]})"
        if name == "abs_":
            return f"|{texts[0]}|"
        if name == "identity":
            return texts[0]
        if name in _OPERATORS:
            return f"({f' {_OPERATORS[name]} '.join(texts)})"
        return f"{_FUNCTIONS.get(name, name)}({', '.join(texts)})"

    def _shuffled(self, node: Apply, pstate: Any) -> str:
        """Write a variable whose dimensions are exchanged; new ones in front are not seen."""
        order, text = list(node.op.new_order), pstate.pprinter.process(node.inputs[0], pstate)
        while order[:1] == ["x"]:
            order.pop(0)
        ndim = node.inputs[0].type.ndim
        if order == list(range(ndim)):
            return text
        return f"{text}.T" if order == list(range(ndim))[::-1] else f"DimShuffle{{{', '.join(map(str, order))}}}({text})"


def _index(node: Apply, texts: list[str]) -> str:
    """Return the indices of a read: in Theano, those of slices were shown by their dtypes."""

    def part(position: Any) -> str:
        return "" if position is None else str(node.inputs[1 + position].type.dtype)

    def entry(index: Any) -> str:
        if not isinstance(index, slice):
            return texts[index]
        return f"{part(index.start)}:{part(index.stop)}{'' if index.step is None else f':{part(index.step)}'}"

    return ", ".join(map(entry, node.op.idx_list))


pprint = PPrinter()
pprint.assign(lambda pstate, r: True, _Formula())

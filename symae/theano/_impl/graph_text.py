"""Graphs as Theano's ``debugprint`` wrote them: a line for each variable, what it is computed from below it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import ancestors
from pytensor.printing import char_from_number
from pytensor.scalar.basic import Cast
from pytensor.scan.op import Scan
from pytensor.tensor.basic import AllocEmpty
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.shape import Shape
from pytensor.tensor.subtensor import IncSubtensor
from pytensor.tensor.variable import TensorConstant

from symae.theano._impl.op_names import computed, is_function, place_of, text_of, text_of_node, text_of_type
from symae.theano._impl.variables import known_type

__all__ = ["Graph", "GraphPrinter"]


@dataclasses.dataclass(frozen=True)
class Graph:
    """Hold a variable to print, and of a compiled function the order of its nodes, its values and who needs which variable."""

    variable: Variable
    order: Sequence[Apply] = ()
    storage: Mapping[Variable, Any] | None = None
    clients: Mapping[Variable, Any] = dataclasses.field(default_factory=dict)


class GraphPrinter:
    """Print graphs into a file; what has been printed is only named when it comes again.

    Parameters are `debugprint`'s.
    """

    def __init__(
        self,
        file: Any,
        *,
        depth: int,
        print_type: bool,
        ids: str,
        stop_on_name: bool,
        print_clients: bool,
        done: Any,
        used_ids: Any,
    ):
        self.file, self.depth, self.print_type, self.ids = file, depth, print_type, ids
        self.stop_on_name, self.print_clients = stop_on_name, print_clients
        self.done: dict[Any, str] = {} if done is None else done
        self.used: dict[Any, str] = {} if used_ids is None else used_ids
        self.scans: list[Variable] = []
        self.given: set[Variable] = set()
        self.begun: set[Variable] = set()
        self.inner_names: dict[Variable, str] = {}

    def print(self, graphs: Sequence[Graph]) -> None:
        """Print each of the graphs, and then what the loops in them do in a step."""
        for graph in graphs:
            self._note(graph.variable)
            self._note_constants(graph.variable)
            self._lines(graph, graph.variable, "", "", self.depth, {})
        if self.scans:
            print("\nInner graphs of the scan ops:", file=self.file)
        for scan in self.scans:  # which grows by the loops in loops
            self._inner(scan)

    def _inner(self, scan: Variable) -> None:
        node = scan.owner
        places = node.op.get_oinp_iinp_iout_oout_mappings()["outer_inp_from_inner_inp"]
        outer = {node.op.inner_inputs[inner]: node.inputs[o] for inner, o in places.items()}
        names = ((inner, _inner_name(inner, of, node, self.inner_names)) for inner, of in outer.items())
        self.inner_names.update((inner, name) for inner, name in names if name)
        print(file=self.file)
        self._lines(Graph(scan), scan, "", "", self.depth, outer)
        for output in node.op.inner_outputs:
            self._note(output)
            self._note_constants(output)
            self._lines(Graph(output), output, " >", " >", self.depth, outer)

    def _note(self, v: Variable) -> None:
        if v.owner is not None and isinstance(v.owner.op, Scan):
            self.scans.append(v)

    def _note_constants(self, v: Variable) -> None:
        """Remember what loops begin with, and the constants that are not of gradients."""
        nodes = [of.owner for of in ancestors([v]) if of.owner is not None]
        self.given.update(c for node in nodes if not _is_of_gradient(node) for c in node.inputs if isinstance(c, Constant))
        self.begun.update(node.inputs[1] for node in nodes if _begins_loop(node))

    def _lines(
        self, graph: Graph, v: Variable, prefix: str, below: str, depth: int, outer: Mapping[Any, Variable], above: Any = None
    ) -> None:
        if depth == 0:
            return
        output, node, inputs = computed(v)
        if node is None:
            self._leaf(graph, output, prefix, outer)
            return
        # of what a loop begins with Theano asked for the shape anew for each length
        of = (node, above) if isinstance(node.op, Shape) and inputs[0] in self.begun else node
        is_new = of not in self.done
        name, kind = self._name(of), self._type(v if isinstance(node.op, Dot) else output)
        number = graph.order.index(node) if graph.order else ""
        rest = f"{self._stored(graph, node.outputs[0])}{self._needed_by(graph, v)}"
        named = v.name or output.name or ""
        print(f"{prefix}{text_of_node(node)}{place_of(output)} {name}{kind} '{named}'   {number}{rest}", file=self.file)
        if not is_new or (self.stop_on_name and v.name is not None):
            return
        for i, below_it in enumerate(inputs):
            last = i == len(inputs) - 1
            self._note(below_it)
            first, next_below = f"{below} |", f"{below}{'  ' if last else ' |'}"
            between = None if graph.order else self._between(node, i, below_it)
            if between is not None:
                text, key = between
                is_new = key not in self.done
                print(f"{first}{text} {self._name(key)}{self._type(below_it)} ''   ", file=self.file)
                if not is_new:
                    continue
                first, next_below = f"{next_below} |", f"{next_below}  "
            self._lines(graph, below_it, first, next_below, depth - 1, outer, node)

    def _between(self, node: Apply, i: int, v: Variable) -> tuple[str, Any] | None:
        """Return the Op that Theano had between a node and its input `v`, and what identifies its node."""
        if _is_of_gradient(node) and v.type.ndim == 0 and self._is_unknown(v):
            # gradients gave constants as many dimensions as the result has, also if that is none
            return "InplaceDimShuffle{}", (node, i)
        return ("Rebroadcast{0}", ("Rebroadcast", v)) if v in self.begun else None

    def _is_unknown(self, v: Variable) -> bool:
        return isinstance(v, TensorConstant) and v.name is None and v not in self.given

    def _leaf(self, graph: Graph, v: Variable, prefix: str, outer: Mapping[Any, Variable]) -> None:
        name, where = self._name(v), outer.get(v)
        rest = self._stored(graph, v) if where is None else f" -> {self._name(where.owner or where)}"
        print(f"{prefix}{self.inner_names.get(v) or text_of(v)} {name}{self._type(v)}{rest}", file=self.file)

    def _type(self, v: Variable) -> str:
        return f" <{text_of_type(known_type(v))}>" if self.print_type else ""

    def _name(self, of: Any, is_printed: bool = True) -> str:
        """Return the identifier of a variable without owner or of a node, a new one if it has none."""
        of = _identity(of)
        if of not in self.used:
            texts = {"CHAR": char_from_number(len(self.used)), "int": len(self.used), "id": id(of)}
            self.used[of] = f"[id {texts[self.ids]}]" if self.ids else ""
        if is_printed:
            self.done[of] = self.used[of]
        return self.used[of]

    def _stored(self, graph: Graph, v: Variable) -> str:
        return "" if graph.storage is None else f" {graph.storage.get(v, '')}"

    def _needed_by(self, graph: Graph, v: Variable) -> str:
        clients = graph.clients.get(v, []) if self.print_clients else []
        if len(clients) < 2:
            return ""
        outputs_first = sorted([node for node, _ in clients], key=lambda node: node in graph.order)
        return f" clients:{[self._client(graph, node) for node in outputs_first]}"

    def _client(self, graph: Graph, node: Any) -> tuple[str, Any]:
        if node not in graph.order:
            self.used["output"] = "output"  # which takes a letter, as in Theano
            return "output", ""
        return self._name(node, is_printed=False), graph.order.index(node)


def _begins_loop(node: Apply) -> bool:
    """Return True for what puts the first values of a loop, with a dimension in front, into its memory."""
    memory = node.inputs[0].owner if isinstance(node.op, IncSubtensor) else None
    first = node.inputs[1].owner if memory is not None and isinstance(memory.op, AllocEmpty) else None
    return first is not None and isinstance(first.op, DimShuffle) and first.op.new_order[:1] == ("x",)


def _is_of_gradient(node: Apply) -> bool:
    return isinstance(node.op, Elemwise) and not is_function(node.op) and not isinstance(node.op.scalar_op, Cast)


def _identity(of: Any) -> Any:
    """Return what tells a variable or node from others: Theano made small constants of a dtype once."""
    is_number = isinstance(of, TensorConstant) and of.data.size == 1 and of.data.dtype.kind in "iuf"
    return (of.type.dtype, of.type.ndim, of.data.item()) if is_number and -10 <= of.data <= 10 else of


def _inner_name(inner: Variable, outer: Variable, node: Apply, outer_names: Mapping[Variable, str]) -> str | None:
    """Return the name that Theano gave to what a loop's step takes: that of the loop's input, and how it is taken."""
    op = node.op
    if inner in op.inner_non_seqs(op.inner_inputs):
        return f"{outer.name}_copy" if outer.name else outer_names.get(outer)  # which a loop around this one takes
    if inner in op.inner_seqs(op.inner_inputs):
        whole = outer if outer.name or outer.owner is None else outer.owner.inputs[0]
        return f"{whole.name.removesuffix('[0:]')}[t]" if whole.name else None
    if inner in op.inner_sitsot(op.inner_inputs) and outer.owner is not None and _begins_loop(outer.owner):
        first = outer.owner.inputs[1].owner.inputs[0]
        return f"{first.name}[t-1]" if first.name else None
    return None

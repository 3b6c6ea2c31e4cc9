"""Graphs with variables replaced, also inside of loops and of `OpFromGraph`: ``scan_utils.map_variables``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.scan.op import Scan

from symae.theano._impl.variables import behind, legacy, mark, plain, unmark
from symae.theano.compile.builders import OpFromGraph

__all__ = ["map_variables"]

Replacer = Callable[[Variable], Variable]


def map_variables(replacer: Replacer, graphs: Iterable[Variable], additional_inputs: Iterable[Variable] = ()) -> list[Variable]:
    """Copy the expressions `graphs` with ``replacer(v)`` in the place of each variable ``v``.

    Parameters
    ----------
    replacer : callable
        Returns what to put for a variable, or the variable itself. What it puts there is not replaced again; what that is
        computed from is, inputs excepted.
    graphs : iterable of variables
        Variables inside of the loops and `OpFromGraph` that they depend on are replaced too. What is put inside of a loop may
        be computed from the variable that it replaces, and from those outside, but from no other variable of the step.
    additional_inputs : iterable of variables
        Accepted and without effect: what replacements are computed from is found.

    Raises
    ------
    NotImplementedError
        A replacement inside of a loop or an `OpFromGraph` depends on a shared variable with an update, or is in an
        `OpFromGraph` with a gradient of its own.
    """
    graphs = list(graphs)
    touched: dict[Variable, None] = {}

    def plainly(variable: Variable) -> Variable:
        with legacy([variable]):
            put = replacer(variable)
        new = behind([put])
        touched.update(dict.fromkeys(new))
        unmark(new)
        return put

    try:
        with plain(graphs):
            results = _Copies(plainly).of_all(graphs)
    finally:
        mark(list(touched))
    mark(behind(results))
    return results


class _Copies:
    """Copy variables, each once, with what `replacer` puts in their places."""

    def __init__(self, replacer: Replacer):
        self.replacer = replacer
        self.replaced = False
        self._put: set[Variable] = set()
        self._variables: dict[tuple[Variable, bool], Variable] = {}
        self._nodes: dict[tuple[Apply, bool], Apply] = {}

    def of_all(self, variables: Iterable[Variable], within: bool = False) -> list[Variable]:
        """Return the copies of variables, which stand `within` a replacement or not."""
        return [self._of(v, within) for v in variables]

    def leaf(self, variable: Variable) -> Variable:
        """Return what a variable that nothing computes is in the copied graph."""
        return variable

    def _of(self, variable: Variable, within: bool) -> Variable:
        key = variable, within
        if key not in self._variables:
            kept = variable in self._put or (within and variable.owner is None)
            put = variable if kept else self.replacer(variable)
            if put is not variable:
                self.replaced = within = True
            self._put |= {variable, put}
            owner = put.owner
            copied = self.leaf(put) if owner is None else self._node(owner, within).outputs[owner.outputs.index(put)]
            self._variables[key] = variable.type.filter_variable(copied)
        return self._variables[key]

    def _node(self, node: Apply, within: bool) -> Apply:
        key = node, within
        if key not in self._nodes:
            inputs = self.of_all(node.inputs, within)
            op = node.op
            if isinstance(op, Scan | OpFromGraph):
                op, foreign = _with_copied_graph(op, self.replacer)
                inputs += self.of_all(foreign, True)
            same = op is node.op and all(new is old for new, old in zip(inputs, node.inputs, strict=True))
            self._nodes[key] = node if same else op.make_node(*inputs)
        return self._nodes[key]


class _Inside(_Copies):
    """Copy the graph inside of an Op, which gets what replacements bring along as further inputs."""

    def __init__(self, replacer: Replacer, op: Any, inputs: Sequence[Variable]):
        super().__init__(replacer)
        self.op = op
        self.inputs = {v: _fresh(v) for v in inputs}
        self.foreign: dict[Variable, Variable] = {}

    def leaf(self, variable: Variable) -> Variable:
        if isinstance(variable, Constant):
            return variable
        if variable in self.inputs:
            return self.inputs[variable]
        if any(getattr(variable, update, None) is not None for update in ("update", "default_update")):
            raise NotImplementedError(
                f"map_variables: a replacement inside of {self.op} depends on the shared variable {variable}, which has an "
                "update, expected variables without"
            )
        return self.foreign.setdefault(variable, _fresh(variable))


def _fresh(variable: Variable) -> Variable:
    # of the type that PyTensor knows, without a value
    return vars(variable)["type"](name=variable.name)


def _with_copied_graph(op: Any, replacer: Replacer) -> tuple[Any, list[Variable]]:
    """Return the Op with variables of its graph replaced, and what it needs for that as further inputs."""
    if isinstance(op, Scan):
        graph = op.fgraph.unfreeze() if hasattr(op.fgraph, "unfreeze") else op.fgraph
        given, results = graph.inputs, graph.outputs
    else:  # the script's own variables, which replacements may be computed from
        given, results = [*op.inputs, *op.shared], op.outputs
    inside = _Inside(replacer, op, given)
    with plain(results):
        outputs = inside.of_all(results)
    if not inside.replaced:
        return op, []
    inputs = [*inside.inputs.values(), *inside.foreign.values()]
    if isinstance(op, Scan):
        info = dataclasses.replace(op.info, n_non_seqs=op.info.n_non_seqs + len(inside.foreign))
        settings = ("mode", "truncate_gradient", "name", "profile", "allow_gc", "strict")
        return Scan(inputs, outputs, info, **{name: getattr(op, name) for name in settings}), list(inside.foreign)
    if op.has_derivatives_of_its_own:
        raise NotImplementedError(f"map_variables: found {op} with a gradient of its own, expected one without")
    return OpFromGraph(inputs, outputs, inline=op.is_inline, name=op.name), list(inside.foreign)

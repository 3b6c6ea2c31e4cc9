"""Of two branches only the one that is asked for is computed.

Before::

    IfElse(c, T(x), F(x))

After::

    LazyIfElse{x -> T(x), x -> F(x)}(c, x)

C's virtual machine asks for inputs when they are needed, and computes a branch no earlier. Functions that are compiled as a
whole compute everything in turn; so what is needed for one of the branches only becomes a graph of that branch. What is needed
in any case stays where it is: what outputs or conditions need, and what both branches do.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from pytensor.compile.aliasing import add_supervisor_to_fgraph, insert_deepcopy
from pytensor.compile.io import In, Out
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Constant, Variable, clone_get_equiv
from pytensor.graph.features import ReplaceValidate
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter, copy_stack_trace
from pytensor.graph.traversal import ancestors
from pytensor.link.numba.linker import NumbaLinker
from pytensor.tensor.type import TensorType

try:
    from pytensor.conditional.op import IfElse
except ImportError:  # PyTensor 3.0
    from pytensor.ifelse import IfElse

from symae.ops.lazy_ifelse import LazyIfElse
from symae.rewrites.registry import EAGER_BRANCHES, register

# The mode of the function that is being compiled, in which branches are rewritten too, and those in loops, whose steps PyTensor
# 3.0 rewrites with a mode of their own. None where symae compiles nothing.
surrounding_mode: ContextVar[Any] = ContextVar("surrounding_mode", default=None)


class LazyBranches(GraphRewriter):
    """Make a `LazyIfElse` of each ``IfElse`` that has something to leave out."""

    def add_requirements(self, fgraph: FunctionGraph) -> None:
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph: FunctionGraph) -> None:
        mode = surrounding_mode.get()
        if mode is None:
            return
        for node in filter(_is_choice, fgraph.toposort()):
            # often sizes, of which JAX has to know that they do not depend on the condition
            same = [(v, t) for v, t, o in zip(node.outputs, _then(node), _otherwise(node), strict=True) if t is o]
            fgraph.replace_all_validate([(v, t) for v, t in same if v.type == t.type], reason="lazy_branches")
        while any(map(_is_choice, fgraph.apply_nodes)):
            eager, groups = _needed_in_any_case(fgraph)
            group = next((g for g in groups if _only_in(g, eager)), None)
            if group is None:
                return
            _replace(fgraph, group, eager, mode)


def _is_choice(node: Apply | None) -> bool:
    return node is not None and isinstance(node.op, IfElse) and all(isinstance(v.type, TensorType) for v in node.outputs)


def _then(node: Apply) -> list[Variable]:
    return list(node.inputs[1 : 1 + node.op.n_outs])


def _otherwise(node: Apply) -> list[Variable]:
    return list(node.inputs[1 + node.op.n_outs :])


def _needed(variables: Iterable[Variable], known: set[Apply]) -> set[Apply]:
    """Return the nodes, without `known`, that are computed for `variables` whatever the conditions are."""
    found: set[Apply] = set()
    rest = list(variables)
    while rest:
        node = rest.pop().owner
        if node is not None and node not in found and node not in known:
            found.add(node)
            rest += node.inputs[:1] if _is_choice(node) else node.inputs
    return found


def _only_in(group: list[Apply], eager: set[Apply]) -> set[Apply]:
    """Return the nodes that are needed for one branch or another of `group`, and not in any case."""
    branches = [v for node in group for v in node.inputs[1:]]
    at_hand = [v for node in eager for v in node.outputs]
    return {v.owner for v in ancestors(branches, blockers=at_hand) if v.owner is not None and v.owner not in eager}


def _needed_in_any_case(fgraph: FunctionGraph) -> tuple[set[Apply], list[list[Apply]]]:
    """Return the nodes needed in any case, and the choices among them in groups: of one condition, none in another's branch."""
    eager = _needed(fgraph.outputs, set())
    while True:
        groups = _groups([node for node in fgraph.toposort() if node in eager and _is_choice(node)])
        more: set[Apply] = set()
        for group in groups:
            then, otherwise = ([v for node in group for v in part(node)] for part in (_then, _otherwise))
            more |= _needed(then, eager) & _needed(otherwise, eager)
        more |= _choices_of_several(groups, eager)
        if not more:
            return eager, groups
        eager |= more


def _groups(choices: list[Apply]) -> list[list[Apply]]:
    groups: list[list[Apply]] = []
    for node in choices:
        above = {v.owner for v in ancestors(node.inputs)}
        for group in groups:
            if group[0].inputs[0] is node.inputs[0] and above.isdisjoint(group):
                group.append(node)
                break
        else:
            groups.append([node])
    return groups


def _choices_of_several(groups: list[list[Apply]], eager: set[Apply]) -> set[Apply]:
    """Return the choices that several groups have in a branch, with what needs them and is shared as well.

    What groups of different conditions share is computed in each of their branches. It would be again and again if choices
    within were shared, too: these are made in any case, and only what they choose from is not.
    """
    counts: dict[Apply, int] = {}
    for group in groups:
        for node in _only_in(group, eager):
            counts[node] = counts.get(node, 0) + 1
    shared = {node for node, count in counts.items() if count > 1}
    found: set[Apply] = set()
    for node in shared:
        if any(_is_choice(v.owner) and v.owner not in eager for v in ancestors(node.outputs)):
            found |= _needed(node.outputs, eager)
    return found


def _replace(fgraph: FunctionGraph, group: list[Apply], eager: set[Apply], mode: Any) -> None:
    then, otherwise = ([v for node in group for v in part(node)] for part in (_then, _otherwise))
    outputs = [v for node in group for v in node.outputs]
    # what branches are computed from: what is there in any case
    within = _only_in(group, eager)
    used = [v for node in within for v in node.inputs] + then + otherwise
    inputs = list(dict.fromkeys(v for v in used if v.owner not in within and not isinstance(v, Constant)))
    lazy = LazyIfElse(_branch(inputs, then, mode), _branch(inputs, otherwise, mode), [v.type for v in outputs])
    chosen = lazy(group[0].inputs[0], *inputs, return_list=True)
    copy_stack_trace(outputs, chosen)
    fgraph.replace_all_validate(list(zip(outputs, chosen, strict=True)), reason="lazy_branches")


def _branch(inputs: list[Variable], outputs: list[Variable], mode: Any) -> FunctionGraph:
    """Build a graph from `inputs` to `outputs`, rewritten in `mode`."""
    own = {v: v.type() for v in inputs}
    memo = clone_get_equiv(inputs, outputs, copy_inputs=False, copy_orphans=False, memo=dict(own))
    graph = FunctionGraph(list(own.values()), [memo[v] for v in outputs], clone=False)
    in_place = isinstance(mode.linker, NumbaLinker)
    given = [In(v, borrow=True, mutable=False) for v in graph.inputs]
    if in_place:
        add_supervisor_to_fgraph(fgraph=graph, input_specs=given, accept_inplace=True)
    mode.optimizer.rewrite(graph)
    if in_place:
        insert_deepcopy(graph, wrapped_inputs=given, wrapped_outputs=[Out(v, borrow=False) for v in graph.outputs])
    return graph


# after specialize and before all that joins nodes, some of one branch with some of another
register(position=47, need=EAGER_BRANCHES, name="lazy_branches")(LazyBranches())


def rewrite_loop_steps(backend_tag: str) -> None:
    """Let `LazyBranches` rewrite the steps of loops too, on the backend that PyTensor tags its own rewrites for so.

    PyTensor 3.0 rewrites them with what has that tag, and not with what the function around them is rewritten with.
    """
    optdb.register(f"lazy_branches_of_{backend_tag}_loops", LazyBranches(), backend_tag, position=47)

"""``theano.gof.graph``: variables, nodes, and what lies between them."""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor.graph import basic as _basic
from pytensor.graph.basic import Constant, Node, clone_get_equiv, equal_computations
from pytensor.graph.op import io_connection_pattern
from pytensor.graph.traversal import applys_between, general_toposort, io_toposort, variable_depends_on
from pytensor.graph.traversal import walk as _walk
from pytensor.tensor.variable import TensorConstant

from symae.theano._impl.absent import getter
from symae.theano._impl.nodes import Apply
from symae.theano._impl.variable_classes import Variable
from symae.theano._impl.variables import mark

__all__ = [
    "Apply",
    "Constant",
    "Node",
    "Variable",
    "ancestors",
    "as_string",
    "clone",
    "clone_get_equiv",
    "equal_computations",
    "general_toposort",
    "inputs",
    "io_connection_pattern",
    "io_toposort",
    "is_in_ancestors",
    "is_same_graph",
    "list_of_nodes",
    "ops",
    "orphans",
    "variables",
    "variables_and_orphans",
]

__getattr__ = getter(__name__, pytensor=["pytensor.graph.basic", "pytensor.graph.traversal"])


def is_same_graph(var1: Variable, var2: Variable, givens: Any = None) -> bool:
    """Return True if two variables are computed in the same way, with `givens` replacing variables."""
    pairs = list(dict(givens or {}).items())
    # constants of the same value are the same, whether lengths are known of them or not
    theirs = [v for v in ancestors([var2]) if isinstance(v, TensorConstant)]
    own = [v for v in ancestors([var1]) if isinstance(v, TensorConstant)]
    pairs += [(a, b) for a in own for b in theirs if _type(a) == _type(b) and np.array_equal(a.data, b.data)]
    return bool(equal_computations([var1], [var2], [a for a, _ in pairs], [b for _, b in pairs]))


def _type(constant: TensorConstant) -> Any:
    return constant.type.dtype, constant.type.broadcastable


def ancestors(variable_list: Any, blockers: Any = None) -> list[Variable]:
    """Return all variables that those of `variable_list` are computed from, and they themselves, in Theano's order.

    It begins with the last of `variable_list`, and goes on depth first, of each node to the first input first; of `blockers` it
    does not go further.
    """
    stopped = set(blockers or ())
    return mark(list(_walk(variable_list, lambda v: v.owner.inputs[::-1] if v.owner and v not in stopped else None, bfs=False)))


def inputs(variable_list: Any, blockers: Any = None) -> list[Variable]:
    """Return those of `ancestors` that have no owner, constants too."""
    return [variable for variable in ancestors(variable_list, blockers) if variable.owner is None]


def ops(i: Any, o: Any) -> set[Apply]:
    """Return the nodes between the variables `i` and `o`."""
    return set(applys_between(i, o))


def list_of_nodes(inputs: Any, outputs: Any) -> list[Apply]:
    """Return the nodes between `inputs` and `outputs`, breadth first from the outputs."""
    before = set(inputs)

    def expand(node: Apply) -> list[Apply]:
        return [v.owner for v in node.inputs if v.owner and not before.intersection(v.owner.outputs)]

    return list(_walk([output.owner for output in outputs], expand))


def variables(i: Any, o: Any) -> list[Variable]:
    """Return the variables between `i` and `o`, with them, in the order of `ancestors`."""
    inside = set(i)

    def expand(v: Variable) -> list[Variable] | None:
        return [*v.owner.inputs, *v.owner.outputs][::-1] if v.owner and v not in inside else None

    return mark(list(_walk(o, expand, bfs=False)))


def orphans(i: Any, o: Any) -> list[Variable]:
    """Return those of `variables` that have no owner and are not in `i`."""
    return [v for v in variables(i, o) if v.owner is None and v not in i]


def variables_and_orphans(i: Any, o: Any) -> tuple[list[Variable], list[Variable]]:
    """Return `variables` and `orphans`."""
    return variables(i, o), orphans(i, o)


def is_in_ancestors(l_node: Any, f_node: Any) -> bool:
    """Return True if the node `l_node` needs what the node `f_node` computes."""
    return any(variable_depends_on(output, list(f_node.outputs)) for output in l_node.outputs)


def clone(i: Any, o: Any, copy_inputs: bool = True, copy_inputs_and_orphans: Any = None) -> tuple[Any, Any]:
    """Copy the graph between `i` and `o`: (inputs, outputs)."""
    copied = _basic.clone(i, o, copy_inputs=copy_inputs)
    return mark(copied[0]), mark(copied[1])


as_string = _basic.as_string

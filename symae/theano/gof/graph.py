"""``theano.gof.graph``: variables, nodes, and what lies between them."""

from __future__ import annotations

from typing import Any

from pytensor.graph import basic as _basic
from pytensor.graph.basic import Apply, Constant, Node, Variable, clone_get_equiv, equal_computations
from pytensor.graph.op import io_connection_pattern
from pytensor.graph.traversal import ancestors as _ancestors
from pytensor.graph.traversal import (
    applys_between,
    general_toposort,
    io_toposort,
    orphans_between,
    variable_depends_on,
    vars_between,
)

from symae.theano._impl.absent import getter
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
    pairs = dict(givens or {})
    return bool(equal_computations([var1], [var2], list(pairs), list(pairs.values())))


def ancestors(variable_list: Any, blockers: Any = None) -> list[Variable]:
    """Return all variables that those of `variable_list` are computed from, and they themselves."""
    return mark(list(_ancestors(variable_list, blockers)))


def inputs(variable_list: Any, blockers: Any = None) -> list[Variable]:
    """Return the variables without an owner, constants too, that `variable_list` is computed from, from left to right."""
    stopped = set(blockers or ())
    found: dict[Variable, None] = {}
    rest = list(reversed(variable_list))
    seen = set(rest)
    while rest:
        variable = rest.pop()
        if variable.owner is None or variable in stopped:
            found[variable] = None
            continue
        new = [v for v in reversed(variable.owner.inputs) if v not in seen]
        seen.update(new)
        rest.extend(new)
    return mark(list(found))


def ops(i: Any, o: Any) -> set[Apply]:
    """Return the nodes between the variables `i` and `o`."""
    return set(applys_between(i, o))


def list_of_nodes(inputs: Any, outputs: Any) -> list[Apply]:
    """Return the nodes between `inputs` and `outputs`, in no order."""
    return list(applys_between(inputs, outputs))


def variables(i: Any, o: Any) -> list[Variable]:
    """Return the variables between `i` and `o`, with them."""
    return mark(list(vars_between(i, o)))


def orphans(i: Any, o: Any) -> list[Variable]:
    """Return the variables without an owner that `o` depends on beside `i`."""
    return mark(list(orphans_between(i, o)))


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

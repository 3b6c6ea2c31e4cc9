"""Names for what a training changes, by which files and pytrees keep it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import graph_inputs


def unique_names(variables: Iterable[SharedVariable]) -> dict[str, SharedVariable]:
    """Name `variables` uniquely: the first of a name has it, later ones get a number."""
    variables = list(dict.fromkeys(variables))
    taken = {"__metadata__", *(v.name for v in variables if v.name is not None)}
    state: dict[str, SharedVariable] = {}
    for v in variables:
        name, number = v.name or "unnamed", 1
        while name in state or (name in taken and name != v.name) or name == "__metadata__":
            number += 1
            name = f"{v.name or 'unnamed'}.{number}"
        state[name] = v
    return state


def shared_variables(graphs: Iterable[Variable], blockers: Sequence[Variable] = ()) -> list[SharedVariable]:
    """Return the shared variables that `graphs` read, and those that a default update of one of these reads."""
    found: dict[SharedVariable, None] = {}
    new: list[Variable] = list(graphs)
    while new:
        read = [v for v in graph_inputs(new, blockers=list(blockers)) if isinstance(v, SharedVariable) and v not in found]
        found |= dict.fromkeys(read)
        new = [v.default_update for v in read if v.default_update is not None]
    return list(found)

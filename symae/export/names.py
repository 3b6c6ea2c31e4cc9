"""Names of values and nodes, by which people find their way in a picture of the graph."""

from __future__ import annotations

from collections.abc import Iterable

from symae.export.graph import Graph


def give_names(graph: Graph) -> None:
    """Name values as they are wanted, and what leads to them after the next one that is: ``conv1/Conv``, ``conv1/Relu``."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    order = [*graph.inputs, *graph.outputs, *graph.parameters, *(o for node in graph for o in node.outputs)]
    for value in dict.fromkeys(order):
        if value in graph.wanted:
            names[value] = _free(_plain(graph.wanted[value]), taken)
    layers = _layers(graph, names)
    for number, node in enumerate(graph.nodes):
        node.name = _free(f"{layers[number]}/{node.op}" if layers[number] else node.op, taken)
        for i, output in enumerate(node.outputs):
            if output not in names:
                names[output] = _free(f"{node.name}_output" if i == 0 else f"{node.name}_output_{i}", taken)
    users = {name: node.name for node in reversed(graph.nodes) for name in node.inputs}
    for value in graph.constants:
        if value not in names:
            names[value] = _free(f"{users[value]}_constant" if value in users else "constant", taken)
    graph.rename(names)


def _layers(graph: Graph, names: dict[str, str]) -> list[str]:
    """Return for each node the name of the value that it leads to: its own, or that of the first that needs it."""
    leads: dict[str, str] = {}
    layers = [""] * len(graph.nodes)
    for number in reversed(range(len(graph.nodes))):
        node = graph.nodes[number]
        own = [names[o] for o in node.outputs if o in names]
        to = [leads[o] for o in node.outputs if o in leads]
        layers[number] = (own or to or [""])[0]
        for value in node.inputs:
            leads[value] = layers[number]  # nodes are gone through from the end: the first that needs it is the last to say so
    return layers


def _plain(name: str) -> str:
    """Return a name without what makes trouble in other programs, such as spaces."""
    return "".join(c if c.isalnum() or c in "_.-/" else "_" for c in name) or "value"


def _free(name: str, taken: set[str]) -> str:
    """Return `name`, with a number behind it if it is taken, and take it."""
    candidates: Iterable[str] = (name, *(f"{name}_{i}" for i in range(2, len(taken) + 3)))
    chosen = next(c for c in candidates if c not in taken)
    taken.add(chosen)
    return chosen

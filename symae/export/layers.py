"""Nodes put together to the layers that people know: a product and its bias, a convolution and its bias."""

from __future__ import annotations

from symae.export.graph import Graph, Node

CONVOLUTIONS = ("Conv", "ConvTranspose")


def make_layers(graph: Graph) -> None:
    """Put nodes together where that changes nothing but the look, and remove what is of no use."""
    _remove_identities(graph)
    graph.prune()
    _add_biases(graph)
    graph.prune()


def _remove_identities(graph: Graph) -> None:
    """Take the values of ``Identity`` for those that it copies; a result that is an input stays a copy."""
    same = {n.outputs[0]: n.inputs[0] for n in graph if n.op == "Identity" and n.outputs[0] not in graph.outputs}
    for old, new in same.items():
        if old in graph.wanted:
            graph.wanted.setdefault(new, graph.wanted[old])
    graph.replace(same)


def _add_biases(graph: Graph) -> None:
    uses, producers = graph.uses(), graph.producers()
    removed: list[Node] = []
    for node in graph.nodes:
        if node.op != "Add":
            continue
        for product, addend in (node.inputs, node.inputs[::-1]):
            made = producers.get(product)
            if made is None or uses[product] > 1 or product in graph.wanted:
                continue
            if made.op in CONVOLUTIONS and len(made.inputs) == 2:
                bias = _bias(graph, producers, addend, trailing=2)
            elif made.op == "MatMul" and all(graph.ndim(name) == 2 for name in made.inputs):
                bias = _bias(graph, producers, addend, trailing=0)
            else:
                continue
            if bias is None:
                continue
            if made.op == "MatMul":
                _to_gemm(made, producers)
            made.inputs.append(bias)
            made.outputs = list(node.outputs)
            producers[node.outputs[0]] = made
            removed.append(node)
            break
    # each layer stands where its bias was added: what the bias is computed from is known there
    for node in removed:
        made = producers[node.outputs[0]]
        graph.nodes.remove(made)
        graph.nodes[graph.nodes.index(node)] = made


def _to_gemm(product: Node, producers: dict[str, Node]) -> None:
    """Make a product and its bias one node, which takes the transpose of weights as they are."""
    product.op = "Gemm"
    weights = producers.get(product.inputs[1])
    if weights is not None and weights.op == "Transpose" and weights.attributes["perm"] == [1, 0]:
        product.inputs[1] = weights.inputs[0]
        product.attributes["transB"] = 1


def _bias(graph: Graph, producers: dict[str, Node], value: str, trailing: int) -> str | None:
    """Return the vector of which `value` is a view that has `trailing` axes of length one behind it, and others in front."""
    views: list[list[int]] = []
    while (node := producers.get(value)) is not None and node.op == "Unsqueeze":
        axes = graph.constants.get(node.inputs[1])
        if axes is None:
            return None
        views.append([int(axis) for axis in axes])
        value = node.inputs[0]
    if graph.ndim(value) != 1 or value not in graph.parameters:
        return None
    layout = ["units"]
    for view in reversed(views):
        for axis in view:
            layout.insert(axis, "one")
    at = layout.index("units")
    return value if len(layout) - at - 1 == trailing and len(layout) <= trailing + 2 else None

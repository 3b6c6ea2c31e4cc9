"""``theano.gof.opt``: rewrites of graphs, written as in Theano's years."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from pytensor.graph.rewriting.basic import (
    EquilibriumGraphRewriter,
    GraphRewriter,
    MergeOptimizer,
    NodeRewriter,
    PatternNodeRewriter,
    SequentialGraphRewriter,
    SequentialNodeRewriter,
    SubstitutionNodeRewriter,
    WalkingGraphRewriter,
    copy_stack_trace,
    graph_rewriter,
    in2out,
    node_rewriter,
    out2in,
)

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import behind, is_marked, legacy, mark, plain, unmark

__all__ = [
    "EquilibriumOptimizer",
    "LocalOptGroup",
    "LocalOptimizer",
    "MergeOptimizer",
    "OpRemove",
    "OpSub",
    "Optimizer",
    "PatternSub",
    "SeqOptimizer",
    "TopoOptimizer",
    "copy_stack_trace",
    "in2out",
    "local_optimizer",
    "optimizer",
    "out2in",
]

Optimizer = GraphRewriter
SeqOptimizer = SequentialGraphRewriter
LocalOptGroup = SequentialNodeRewriter
PatternSub = PatternNodeRewriter
OpSub = SubstitutionNodeRewriter
TopoOptimizer = WalkingGraphRewriter
EquilibriumOptimizer = EquilibriumGraphRewriter
optimizer = graph_rewriter


def _optimize(self: Any, fgraph: Any, *args: Any, **kwargs: Any) -> Any:
    """Rewrite `fgraph`; its variables have Theano's operators again when it is done, new ones too, if any had."""
    theirs = any(map(is_marked, fgraph.variables))
    with plain(list(fgraph.outputs)):
        result = self.rewrite(fgraph, *args, **kwargs)
    if theirs:
        mark(behind(list(fgraph.outputs)))
    return result


# the method's name in Theano, of whatever makes rewrites: mode.optimizer.optimize(fgraph)
setattr(GraphRewriter, "optimize", _optimize)  # noqa: B010


class LocalOptimizer(NodeRewriter):
    """Rewrite single nodes; ``transform(node)`` returns False, or a list of what to put for the node's outputs."""

    def __init_subclass__(cls, **kwargs: Any):
        if "transform" in vars(cls):
            cls.transform = _of_node(vars(cls)["transform"])
        super().__init_subclass__(**kwargs)


def _of_node(transform: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(transform)
    def with_graph(self: Any, fgraph: Any, node: Any, *args: Any, **kwargs: Any) -> Any:
        return _seen_by_script(lambda n: transform(self, n), node)

    return with_graph


def local_optimizer(tracks: Sequence[Any] | None, inplace: bool = False, requirements: Any = ()) -> Callable[..., Any]:
    """Decorate ``f(node)``, which returns False or what to put for the node's outputs, to make a rewrite of it.

    `tracks` are the Ops, or classes of Ops, at whose nodes it is asked; None asks at all.
    """

    def made(f: Callable[..., Any]) -> Any:
        @wraps(f)
        def with_graph(fgraph: Any, node: Any) -> Any:
            return _seen_by_script(f, node)

        del with_graph.__wrapped__
        return node_rewriter(ops, inplace=inplace, requirements=requirements)(with_graph)

    # theano.tensor.exp is a function here, which knows its Op
    ops = None if tracks is None else [getattr(t, "__wrapped__", t) for t in tracks]
    return made


def _seen_by_script(f: Callable[..., Any], node: Any) -> Any:
    with legacy(list(node.inputs), list(node.outputs)):
        result = f(node)
    if isinstance(result, list | tuple | dict):
        unmark(behind((result,)))
    return result


class OpRemove(NodeRewriter):
    """Replace the outputs of an Op's nodes by their inputs."""

    def __init__(self, op: Any):
        self.op = op

    def op_key(self) -> Any:
        return self.op

    def tracks(self) -> list[Any]:
        return [self.op]

    def transform(self, fgraph: Any, node: Any, *args: Any, **kwargs: Any) -> Any:
        return list(node.inputs) if node.op == self.op and len(node.inputs) == len(node.outputs) else False


__getattr__ = getter(__name__, pytensor=["pytensor.graph.rewriting.basic", "pytensor.graph.rewriting.utils"])

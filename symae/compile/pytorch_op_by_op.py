"""A graph computed by PyTorch op by op, where a compiler has nothing to gain.

A convolution is a call of a library, whoever makes it. What ``torch.compile`` can make faster of a training step with
convolutions is what lies between them, and for that it runs a compiler of C++ for ten times as long as the step's ops take in
Python. PyTorch's own functions run on all threads, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import HasInnerGraph
from pytensor.link.pytorch.dispatch import pytorch_funcify, pytorch_typify

from symae.kernels.parallel.pytorch_threads import Measured, on_threads
from symae.ops.conv.settings import Bilinear


def convolves(fgraph: Any) -> bool:
    """Return True if a graph, or one within it, has a convolution."""
    return any(
        isinstance(node.op, Bilinear) or (isinstance(node.op, HasInnerGraph) and convolves(node.op.fgraph))
        for node in fgraph.apply_nodes
    )


class _Call(NamedTuple):
    function: Callable[..., Any]
    inputs: tuple[int, ...]  # where its arguments are among the values
    outputs: tuple[int, ...]
    free: tuple[int, ...]  # what nobody reads afterwards


class OpByOp:
    """Call the functions of a graph's ops one after another, on tensors; return tensors.

    What is not read any more gives its memory back, which the next op takes while it is in the processor's caches.
    """

    def __init__(self, fgraph: FunctionGraph):
        places: dict[Variable, int] = {v: i for i, v in enumerate(fgraph.inputs)}
        constants: list[Any] = []
        order = fgraph.toposort()
        for v in (*(v for node in order for v in node.inputs), *fgraph.outputs):
            if isinstance(v, Constant) and v not in places:
                places[v] = len(places)
                constants.append(pytorch_typify(v.data))
        kept = {*places, *fgraph.outputs}
        last = {v: node for node in order for v in (*node.outputs, *node.inputs) if v not in kept}
        for v in (v for node in order for v in node.outputs):
            places[v] = len(places)
        self._constants = constants
        self._calls = []
        for node in order:
            inputs, outputs = (tuple(places[v] for v in part) for part in (node.inputs, node.outputs))
            read = dict.fromkeys((*node.outputs, *node.inputs))
            free = tuple(places[v] for v in read if last.get(v) is node)
            self._calls.append(_Call(pytorch_funcify(node.op, node=node), inputs, outputs, free))
        self._outputs = [places[v] for v in fgraph.outputs]
        self._made = sum(len(node.outputs) for node in order)
        self._threads: dict[tuple[Any, ...], int] = {}

    def __call__(self, *inputs: Any) -> Sequence[Any]:
        with torch.inference_mode():  # nobody asks PyTorch for gradients
            # sizes are integers; were they left out, the last bits would depend on those of the first call
            key = (torch.get_num_threads(), *(x if isinstance(x, int) else getattr(x, "shape", None) for x in inputs))
            threads = self._threads.get(key)
            if threads is None:
                threads = self._measured(key, inputs)
            return _in_memory_of_its_own(on_threads(threads, self._run)(*inputs), (*inputs, *self._constants))

    def _measured(self, key: tuple[Any, ...], inputs: Sequence[Any]) -> int:
        """Return how many threads the graph is to have for inputs of such shapes and sizes, for which it is computed once."""
        measured = Measured()
        with measured:
            on_threads(1, self._run)(*inputs)
        if len(self._threads) > 256:
            self._threads.clear()
        threads = self._threads[key] = measured.threads
        return threads

    def _run(self, *inputs: Any) -> Sequence[Any]:
        values = [*inputs, *self._constants, *[None] * self._made]
        for function, arguments, outputs, free in self._calls:
            results = function(*[values[i] for i in arguments])
            if len(outputs) == 1:
                values[outputs[0]] = results
            else:
                for i, result in zip(outputs, results, strict=True):
                    values[i] = result
            for i in free:
                values[i] = None
        return [values[i] for i in self._outputs]


def _in_memory_of_its_own(results: Sequence[Any], inputs: Sequence[Any]) -> Sequence[Any]:
    """Return results that share no memory with the inputs or each other, as what is compiled does; ops may hand over views."""
    taken = {x.untyped_storage().data_ptr() for x in inputs if isinstance(x, torch.Tensor)}
    apart = []
    for result in results:
        if result.untyped_storage().data_ptr() in taken:
            result = result.clone()
        taken.add(result.untyped_storage().data_ptr())
        apart.append(result)
    return apart

"""A graph computed by PyTorch op by op, where a compiler has nothing to gain.

A convolution or a product of matrices is a call of a library, whoever makes it. What ``torch.compile`` can make faster of a
training step is what lies between them, and for that it runs for some ten seconds in Python, and a compiler of C++ beside. That
is worth it where arrays are so large that each pass over them takes memory's time. All else is computed by PyTorch's own
functions, of which `symae.compile.pytorch_merged_ops` takes few, and which run on all threads, too.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import HasInnerGraph
from pytensor.link.pytorch.dispatch import pytorch_funcify, pytorch_typify

from symae.compile.pytorch_merged_ops import in_its_operand, makes_an_array, with_merged_ops
from symae.kernels.parallel.pytorch_threads import Enough, Measured, on_threads
from symae.ops.conv.settings import Bilinear
from symae.ops.gemm import Gemm

# Elements that are made in a call by what is no product: with more, a program of torch.compile's takes half the time, and a few
# thousand calls repay what it takes to be made. With fewer, as in the steps of worksheets 01 and 02 (300 thousand), it is some
# tenth faster.
COMPILED_FROM = 1e6


def convolves(fgraph: Any) -> bool:
    """Return True if a graph, or one within it, has a convolution."""
    return any(
        isinstance(node.op, Bilinear) or (isinstance(node.op, HasInnerGraph) and convolves(node.op.fgraph))
        for node in fgraph.apply_nodes
    )


class _Call(NamedTuple):
    function: Callable[..., Any]
    inputs: tuple[int, ...]  # which of all values are its arguments
    outputs: tuple[int, ...]
    free: tuple[int, ...]  # what nobody reads afterwards


class _Way(NamedTuple):
    """Say how inputs of some shapes are computed with."""

    compiled: bool
    run: Callable[..., Sequence[Any]]  # on as many threads as there is work for
    write: Callable[..., Sequence[Any]]


class OpByOp:
    """Call the functions of a graph's ops one after another, on tensors; return tensors.

    What is not read any more gives its memory back, which the next op takes while it is in the processor's caches.

    Parameters
    ----------
    fgraph : FunctionGraph
    compiled : callable, optional
        Computes the same by a program that is compiled, for inputs so large that it repays.
    numbers : collection of int, optional
        Which inputs are whole numbers, each number the same object from call to call. What is computed of them alone is kept.
    updates : mapping of int to int, optional
        Which outputs become the next values of which inputs.

    Attributes
    ----------
    writable : dict of int to int
        Those of `updates` that a call can write into the input itself: all that it does so with at the end, when nothing can
        fail any more.
    """

    def __init__(
        self,
        fgraph: FunctionGraph,
        compiled: Callable[..., Sequence[Any]] | None = None,
        numbers: Collection[int] = (),
        updates: Mapping[int, int] | None = None,
    ):
        fgraph = with_merged_ops(fgraph)
        self._compiled, self._numbers = compiled, tuple(numbers)
        places: dict[Variable, int] = {v: i for i, v in enumerate(fgraph.inputs)}
        constants: dict[int, Any] = {}
        order = _ordered(fgraph)
        of_numbers = _made_of(order, {fgraph.inputs[i] for i in numbers})
        # what is kept for other calls is nobody's to change
        new = all(makes_an_array(v) and v.owner not in of_numbers for v in fgraph.outputs)
        self._new = new and len({*fgraph.outputs}) == len(fgraph.outputs)
        self.writable = _writable(fgraph, updates or {}) if self._new else {}
        at_the_end = {fgraph.outputs[out].owner for out in self.writable}
        order.sort(key=lambda node: node in at_the_end)
        for v in (*(v for node in order for v in node.inputs), *fgraph.outputs):
            if isinstance(v, Constant) and v not in places:
                places[v] = len(places)
                constants[places[v]] = pytorch_typify(v.data)
        kept = {*places, *fgraph.outputs, *(v for node in of_numbers for v in node.outputs)}
        last = {v: node for node in order for v in (*node.outputs, *node.inputs) if v not in kept}
        for v in (v for node in order for v in node.outputs):
            places[v] = len(places)
        self._constants = list(constants.values())
        self._calls: list[_Call] = []
        first: list[_Call] = []
        writing: list[_Call] = []
        checks: list[_Call] = []
        for node in order:
            inputs, outputs = (tuple(places[v] for v in part) for part in (node.inputs, node.outputs))
            read = dict.fromkeys((*node.outputs, *node.inputs))
            free = tuple(places[v] for v in read if last.get(v) is node)
            # what is kept for other calls is not written over
            function = in_its_operand(fgraph, node) if node.inputs[0].owner not in of_numbers else None
            function = function or pytorch_funcify(node.op, node=node)
            call = _Call(function, inputs, outputs, free)
            (first if node in of_numbers else self._calls).append(call)
            if node in at_the_end:
                writing.append(call._replace(function=Gemm(node.op.flags, inplace=True).pytorch(node)))
                checks.append(call._replace(function=node.op.pytorch_check(), outputs=(len(places),), free=()))
        self._outputs = [places[v] for v in fgraph.outputs]
        made_first = [place for call in first for place in call.outputs]
        given = range(len(fgraph.inputs))
        self._first = _written(given, first, made_first, constants) if first else None
        self._run = _written((*given, *made_first), self._calls, self._outputs, constants)
        # each looks at its own shapes before it writes
        calls = [*self._calls[: len(self._calls) - len(writing)], *checks[1:], *writing]
        self._write = _written((*given, *made_first), calls, self._outputs, constants) if writing else self._run
        self._kept: dict[tuple[int, ...], tuple[Any, ...]] = {}
        self._ways: dict[tuple[Any, ...], _Way] = {}

    def __call__(self, *inputs: Any, write: bool = False) -> Sequence[Any]:
        """Compute; if `write`, perhaps write `writable` outputs into the inputs, which then are what is returned."""
        # sizes are integers; were they left out, the last bits would depend on those of the first call
        key = (torch.get_num_threads(), *[x if isinstance(x, int) else getattr(x, "shape", None) for x in inputs])
        way = self._ways.get(key)
        if way is None:
            way = self._measured(key, inputs)
        if way.compiled:
            assert self._compiled is not None
            return self._compiled(*inputs)
        with torch.inference_mode():  # nobody asks PyTorch for gradients
            kept = self._of_numbers(inputs)
            results = (way.write if write else way.run)(*inputs, *kept)
            return results if self._new else _in_memory_of_its_own(results, (*inputs, *kept, *self._constants))

    def _of_numbers(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return what is computed of whole numbers alone, which is the same where they are the same objects."""
        if self._first is None:
            return ()
        numbers = [inputs[i] for i in self._numbers]
        key = tuple(map(id, numbers))
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) > 64:
                self._kept.clear()
            # with the numbers, so that no other object gets their places in memory
            kept = self._kept[key] = (numbers, self._first(*inputs))
        made: Sequence[Any] = kept[1]
        return made

    def _measured(self, key: tuple[Any, ...], inputs: Sequence[Any]) -> _Way:
        """Return how to compute with inputs of such shapes and sizes, for which the graph is computed once."""
        # large arrays are not made beside those that the program makes
        measured = Measured(COMPILED_FROM if self._compiled is not None else math.inf)
        with contextlib.suppress(Enough), torch.inference_mode(), measured:
            kept = () if self._first is None else self._first(*inputs)
            on_threads(1, self._run)(*inputs, *kept)
        if len(self._ways) > 256:
            self._ways.clear()
        compiled = measured.between > measured.most
        way = self._ways[key] = _Way(compiled, *(on_threads(measured.threads, f) for f in (self._run, self._write)))
        return way


def _writable(fgraph: FunctionGraph, updates: Mapping[int, int]) -> dict[int, int]:
    """Return those updates that add products to an input which none of the others reads."""
    chosen = {}
    for out, into in updates.items():
        v = fgraph.outputs[out]
        if isinstance(v.owner.op, Gemm) and v.owner.inputs[0] is fgraph.inputs[into] and len(fgraph.clients[v]) == 1:
            chosen[out] = into
    written = [fgraph.inputs[into] for into in chosen.values()]
    for out in chosen:
        for v in fgraph.outputs[out].owner.inputs[1:]:
            view = v.owner is not None and not makes_an_array(v)
            if v in written or (view and (getattr(v.type, "ndim", 0) > 0 or _may_view(v, written))):
                return {}
    return chosen if len({*written}) == len(written) else {}


def _may_view(v: Variable, written: Collection[Variable]) -> bool:
    """Return True if a variable may be one of `written`, or an entry of it."""
    return v in written or (
        v.owner is not None and not makes_an_array(v) and any(_may_view(u, written) for u in v.owner.inputs)
    )


def _ordered(fgraph: FunctionGraph) -> list[Apply]:
    """Return the nodes in the order in which the outputs, the first one first, ask for them.

    So a cost is computed while the processor's caches have what it is made of, and not after all gradients.
    """
    if any(getattr(node.op, "destroy_map", None) for node in fgraph.apply_nodes):
        return list(fgraph.toposort())
    order: dict[Apply, None] = {}
    pending = [v.owner for v in fgraph.outputs[::-1] if v.owner is not None]
    while pending:
        node = pending[-1]
        missing = [v.owner for v in node.inputs[::-1] if v.owner is not None and v.owner not in order]
        if missing:
            pending.extend(missing)
        else:
            order[pending.pop()] = None
    return list(order)


def _made_of(order: Iterable[Apply], numbers: Collection[Variable]) -> set[Apply]:
    """Return the nodes that compute something of `numbers` and constants alone."""
    found: set[Apply] = set()
    known = set(numbers)
    for node in order:
        of_these = any(v in known for v in node.inputs) and all(v in known or isinstance(v, Constant) for v in node.inputs)
        if of_these and all(all(getattr(v.type, "broadcastable", ())) for v in node.outputs):
            found.add(node)
            known.update(node.outputs)
    return found


def _written(
    given: Iterable[int], calls: Iterable[_Call], outputs: Iterable[int], constants: dict[int, Any]
) -> Callable[..., Sequence[Any]]:
    """Write calls as a function of Python's, which takes and returns the values of those places."""
    scope: dict[str, Any] = {f"v{place}": value for place, value in constants.items()}
    lines = [f"def run({', '.join(f'v{place}' for place in given)}):"]
    for number, call in enumerate(calls):
        scope[f"f{number}"] = call.function
        results = ", ".join(f"v{place}" for place in call.outputs)
        lines.append(f"    {results} = f{number}({', '.join(f'v{place}' for place in call.inputs)})")
        if call.free:
            lines.append(f"    del {', '.join(f'v{place}' for place in call.free)}")
    lines.append(f"    return [{', '.join(f'v{place}' for place in outputs)}]")
    exec(compile("\n".join(lines), "<ops of a PyTorch program>", "exec"), scope)
    function: Callable[..., Sequence[Any]] = scope["run"]
    return function


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

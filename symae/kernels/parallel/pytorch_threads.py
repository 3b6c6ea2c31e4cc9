"""How many threads a program of PyTorch has: as many as its largest operation has work for, whatever else the machine does.

Threads wait for each other at the end of each operation. Where other programs hold a core, all of them wait for the one that
has none just then, and a step of small operations takes a hundred times as long; a thread alone only gets less of the
processor. The number cannot follow the load, because sums in another order differ in their last bits, and two runs of a seed
would. So it depends on the program and the sizes that it is compiled for, and on how many threads PyTorch has.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

WORK_OF_A_THREAD = 4e6  # multiplications and additions of one operation: with less, a thread more is no gain
OF_AN_ELEMENT = 20  # of those, for an element of what is no product

# which of the arguments are the two that are multiplied
_PRODUCTS = {"matmul": (0, 1), "mm": (0, 1), "bmm": (0, 1), "addmm": (1, 2), "baddbmm": (1, 2), "linear": (0, 1)}
_CONVOLUTIONS = {"conv2d": 1, "convolution": 1, "convolution_backward": 2}  # which is the filters


def threads_for(graph: torch.fx.GraphModule) -> int:
    """Return how many threads a graph is to have that Dynamo has made, for the sizes that it was made for."""
    return _threads(largest_operation(graph))


def _threads(work: float) -> int:
    return max(1, min(torch.get_num_threads(), int(work // WORK_OF_A_THREAD)))


def largest_operation(graph: torch.fx.GraphModule) -> float:
    """Return the work of the operation that has the most, in multiplications and additions."""
    largest, copies = 0.0, [1]
    for node in graph.graph.nodes:
        name = getattr(node.target, "__name__", str(node.target)).partition(".")[0]
        if name == "_vmap_increment_nesting":  # what follows is done for each of so many
            copies.append(copies[-1] * (node.args[0] if isinstance(node.args[0], int) else 1))
        elif name == "_vmap_decrement_nesting":
            copies.pop()
        elif node.op in ("call_function", "call_method") and not name.startswith("_"):  # but what vmap makes of an array
            shapes = [_shape(a.meta.get("example_value")) if isinstance(a, torch.fx.Node) else _shape(None) for a in node.args]
            largest = max(largest, copies[-1] * _work(name, shapes, _shape(node.meta.get("example_value"))))
    return largest


class Enough(Exception):
    """Raised where more is computed than is to be."""


class Measured(TorchDispatchMode):
    """Look, inside a block, at what is computed op by op, and count the work of the largest operation.

    Attributes
    ----------
    most : float
        Where `between` becomes more, `Enough` is raised.
    largest : float
        That work, in multiplications and additions.
    between : int
        The elements of all arrays that are made by what is no product or convolution.
    """

    def __init__(self, most: float = math.inf) -> None:
        super().__init__()
        self.most = most
        self.largest, self.between = 0.0, 0

    @property
    def threads(self) -> int:
        """Return how many threads what was computed is to have."""
        return _threads(self.largest)

    def __torch_dispatch__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:
            name, made = func.__name__.partition(".")[0], _shape(out)
            self.largest = max(self.largest, _work(name.rstrip("_"), list(map(_shape, args)), made))
            if name.rstrip("_") not in _PRODUCTS and name not in _CONVOLUTIONS:
                self.between += made.numel()
                if self.between > self.most:
                    raise Enough
        return out


def _work(name: str, shapes: Sequence[torch.Size], made: torch.Size) -> float:
    if name in _PRODUCTS:
        a, b = (shapes[i] for i in _PRODUCTS[name])
        return 2.0 * made.numel() * (a[-1] if a and b else 1)
    if name in _CONVOLUTIONS:
        maps, filters = shapes[0] if name == "convolution_backward" else made, shapes[_CONVOLUTIONS[name]]
        return 2.0 * maps.numel() * filters[1:].numel()
    return OF_AN_ELEMENT * float(made.numel())


def _shape(value: Any) -> torch.Size:
    """Return the shape of a tensor, the first of several, in Python's integers: those that sizes which may change have now."""
    value = next(iter(value), None) if isinstance(value, tuple | list) else value
    if not isinstance(value, torch.Tensor):
        return torch.Size(())
    return torch.Size(n.node.hint if isinstance(n, torch.SymInt) else n for n in value.shape)


def on_threads(threads: int, compiled: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs on so many threads, or on fewer if PyTorch has fewer then."""

    def run(*inputs: Any) -> Any:
        introduce_thread()
        before = torch.get_num_threads()
        if threads >= before:
            return compiled(*inputs)
        changes = _changes
        changes.begin(threads)
        try:
            return compiled(*inputs)
        finally:
            changes.end(before)

    return run


class _Changes:
    """Keep threads of Python apart that change PyTorch's number of threads, and those that ask for it the first time.

    Each thread of Python has a number of its own, which begins as the number that any of them has set last.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.running = self.waiting = 0  # blocks on fewer threads; threads of Python that have no number yet
        self.here = threading.local()

    def begin(self, threads: int) -> None:
        """Let PyTorch have fewer threads in this thread, until `end` is called with how many it had."""
        depth = self.here.depth
        with self.changed:
            while self.waiting and not depth:  # so that there is a moment without any
                self.changed.wait()
            self.running += 1
        self.here.depth = depth + 1
        torch.set_num_threads(threads)

    def end(self, before: int) -> None:
        torch.set_num_threads(before)
        self.here.depth -= 1
        with self.changed:
            self.running -= 1
            if self.waiting:
                self.changed.notify_all()

    def introduce(self) -> None:
        with self.changed:
            self.waiting += 1
            try:
                self.changed.wait_for(lambda: not self.running)
                torch.get_num_threads()
            finally:
                self.waiting -= 1
                self.changed.notify_all()
        self.here.depth = 0


_changes = _Changes()


def introduce_thread() -> None:
    """Have PyTorch give this thread of Python its number of threads, while no other computes on fewer."""
    if not hasattr(_changes.here, "depth"):
        _changes.introduce()


def _after_fork() -> None:
    """Forget the blocks of threads that a new process does not have."""
    global _changes
    _changes = _Changes()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

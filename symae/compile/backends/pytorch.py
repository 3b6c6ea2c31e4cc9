"""PyTorch: op by op or one program by ``torch.compile``, with errors in words; on CPUs it reads NumPy's memory where it is."""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pytensor.compile.mode import PYTORCH, Mode
from pytensor.graph.basic import Apply
from pytensor.link.pytorch.linker import PytorchLinker

from symae.compile.backends.base import Backend, build_with
from symae.compile.pytorch_explained import ExplainingProgram
from symae.ops.arguments import known
from symae.ops.base import BackendOp, connect
from symae.ops.traced import NumPyLikeArrays, TracedOp
from symae.rewrites.registry import EAGER_BRANCHES, FUNCTIONS_OF_NUMBERS

if TYPE_CHECKING:
    from symae.compile.loops.base import IndexedStep, Loop


class PytorchArrays(NumPyLikeArrays):
    """Provide the functions of `symae.ops.traced.Arrays`, of PyTorch."""

    def __init__(self) -> None:
        import torch

        self.np = self.torch = torch

    def constant(self, value: list[Any], like: Any = None) -> Any:
        return self.torch.tensor(value, dtype=self.torch.int64 if like is None else like.dtype)

    def zeros(self, shape: Sequence[int], like: Any) -> Any:
        return self.torch.zeros(tuple(shape), dtype=like.dtype, device=like.device)

    def transpose(self, x: Any, axes: Sequence[int]) -> Any:
        return self.torch.permute(x, tuple(axes))

    def take(self, x: Any, index: list[int], axis: int) -> Any:
        return self.torch.index_select(x, axis, self.constant(index))

    def add_at(self, x: Any, index: list[int], axis: int, size: int) -> Any:
        shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
        return self.torch.index_add(self.zeros(shape, x), axis, self.constant(index), x)

    def take_along(self, x: Any, index: Any) -> Any:
        return self.torch.gather(x, 2, index)

    def add_along(self, x: Any, index: Any, size: int) -> Any:
        return self.torch.scatter_add(self.zeros((*index.shape[:2], size), x), 2, index, x)

    def first(self, x: Any, chosen: Any) -> Any:
        def at_first(x: Any, chosen: Any) -> Any:
            return x.reshape(-1)[self.torch.argmax(chosen.reshape(-1).to(self.torch.uint8))]

        if self.torch.compiler.is_compiling():
            # What torch.compile makes of argmax gave places outside of the array, for sizes that it does not know beforehand.
            at_first = self.torch.compiler.disable(at_first)
        return at_first(x, chosen)

    def check(self, condition: Any, error: Callable[..., Exception], *values: Any) -> Any:
        if not bool(condition):
            raise error(*(value.numpy(force=True) for value in values))
        return True


def _build(backend: str, op: BackendOp, node: Apply) -> Callable[..., Any]:
    import torch

    built = build_with(PytorchArrays)(backend, op, node)
    if not isinstance(op, TracedOp) or hasattr(op, backend):
        return built
    if op.eagerly is not None:
        built = _one_or_other(built, functools.partial(op.eagerly, PytorchArrays(), node))
    if op.compiled and all(variable.type.ndim or known(variable) is not None for variable in node.inputs):
        return built
    # torch.compile loses track of numbers that are read from tensors, as PyTensor hands over sizes
    return torch.compiler.disable(built)


def _one_or_other(compiled: Callable[..., Any], eagerly: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    def compute(*inputs: Any) -> Any:
        return compiled(*inputs) if torch.compiler.is_compiling() else eagerly(*inputs)

    return compute


class ExplainingPytorchLinker(PytorchLinker):
    """Link as PyTensor's PytorchLinker, in one program; the functions say of an index which one is outside of which axis."""

    def fgraph_convert(self, fgraph: Any, **_: Any) -> Any:
        from symae.compile.pytorch_program import PytorchProgram

        return PytorchProgram(fgraph)

    def jit_compile(self, fn: Any) -> Callable[..., Any]:
        return ExplainingProgram(fn)


def _let_waiting_threads_sleep() -> None:
    """Import PyTorch, whose threads wait for each other without a rest otherwise.

    Theirs is GNU's OpenMP. Beside a busy program, a thread that spins keeps the core from the one that it waits for, and a step
    takes a hundred times as long; after a thousand turns, some microseconds, it sleeps. Without effect if PyTorch was imported
    before; whoever sets one of these variables takes precedence.
    """
    if "torch" in sys.modules or not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}.isdisjoint(os.environ):
        return
    os.environ["GOMP_SPINCOUNT"] = "1000"
    try:
        importlib.import_module("torch")
    finally:
        os.environ.pop("GOMP_SPINCOUNT", None)


def _loop(indexed: IndexedStep) -> Loop | None:
    from symae.compile.loops.pytorch import PyTorchLoop

    return PyTorchLoop(indexed) if isinstance(indexed.function.vm.jit_fn, ExplainingProgram) else None


BACKEND = Backend(
    name="pytorch",
    title="PyTorch",
    compiler="none, or `torch.compile` where arrays are large",
    mode=Mode(ExplainingPytorchLinker(), PYTORCH.provided_optimizer),
    needs=(FUNCTIONS_OF_NUMBERS, EAGER_BRANCHES),
    module="torch",
    extra="torch",
    dispatch="pytensor.link.pytorch.dispatch",
    overrides=(functools.partial(connect, "pytorch", build=_build),),
    array_namespace=PytorchArrays,
    loop=_loop,
    before_compiling=_let_waiting_threads_sleep,
    # of the constants that PyTensor hands it, which are read-only
    held_back=("The given NumPy array is not writable",),
)

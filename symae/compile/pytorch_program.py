"""A graph as one program of PyTorch, of ``torch.compile`` or op by op, and what is computed before it is entered."""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import pytensor.link.utils
import torch
from pytensor.graph.basic import Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import HasInnerGraph
from pytensor.link.pytorch.dispatch import pytorch_funcify, pytorch_typify
from pytensor.link.utils import unique_name_generator
from pytensor.tensor.subtensor import Subtensor

from symae._runtime.quiet import without_log
from symae.compile.pytorch_headers import compile_headers_ahead
from symae.compile.pytorch_op_by_op import OpByOp, convolves
from symae.compile.pytorch_prologue import split
from symae.kernels.parallel.pytorch_threads import introduce_thread, on_threads, threads_for
from symae.ops.indexing import LOOKING_UP

_serial = itertools.count()


class PytorchProgram:
    """Call what PyTorch has made of a graph, with NumPy arrays; return NumPy arrays.

    `symae.compile.loops.pytorch` calls it with tensors, by the methods that a call is made of.

    Attributes
    ----------
    given : list of int
        Which inputs of the graph, and then of what is made before, the program is entered with as tensors.
    """

    def __init__(self, fgraph: FunctionGraph):
        self._fgraph = fgraph
        self._names: list[str] = []
        weakref.finalize(self, _forget, self._names)
        parts = split(fgraph, lambda node: pytorch_funcify(node.op, node=node), torch.tensor)
        self._parts = parts
        # whole numbers, as tensors, are the same ones from call to call
        self._dtypes = [getattr(torch, str(v.type.dtype)) for v in parts.made] if parts else []
        self._tensors: dict[tuple[int, int], torch.Tensor] = {}
        # (output, input) of the graph that the program may write into, and the arrays that it has made for those inputs
        self._writable: list[tuple[int, int]] = []
        self._made: dict[int, Any] = {}
        if parts is None:
            self._program, self.given = self._made_of(fgraph), [*range(len(fgraph.inputs))]
            return
        given = (*parts.given, *parts.sizes)
        numbers = [i for i, v in enumerate(given) if v in parts.made and not v.type.ndim]
        left = [i for i, v in enumerate(fgraph.outputs) if v not in parts.made]
        mapping = getattr(fgraph, "update_mapping", None) or {}
        sliced = {_sliced(v) for v in parts.made}
        updates = {
            k: given.index(v)
            for k, i in enumerate(left)
            if (v := fgraph.inputs[mapping[i]] if i in mapping else None) is not None and v in given and v not in sliced
        }
        self._program = self._made_of(parts.program, numbers, updates) if parts.program.outputs else lambda *_: ()
        self._writable = [(left[k], mapping[left[k]]) for k in getattr(self._program, "writable", ())]
        places = {v: i for i, v in enumerate((*fgraph.inputs, *parts.made))}
        self.given, self._sizes = ([places[v] for v in part] for part in (parts.given, parts.sizes))
        made = {v: i for i, v in enumerate(parts.made)}
        of_program = iter(range(len(parts.program.outputs)))
        # (True, which of those made before) or (False, which output of the program)
        self._outputs = [(True, made[v]) if v in made else (False, next(of_program)) for v in fgraph.outputs]

    def __call__(self, *inputs: Any) -> tuple[Any, ...]:
        introduce_thread()
        tensors, numbers = self.as_tensors(inputs)
        outputs = self.computed(tensors, numbers, self.may_write(inputs))
        arrays = list(map(array_of, outputs))
        for out, into in self._writable:
            arrays[out] = inputs[into] if outputs[out] is tensors[into] else arrays[out]
        self.has_made({into: arrays[out] for out, into in self._writable})
        return tuple(arrays)

    def as_tensors(self, inputs: Sequence[Any]) -> tuple[list[Any], dict[int, int]]:
        """Return tensors in the memory of the inputs, and those inputs that are whole numbers."""
        numbers = self._parts.numbers if self._parts else ()
        # pytorch_typify looks for a conversion by the type, for some microseconds
        return _tensors(_tensor_of, inputs), {i: int(inputs[i]) for i in numbers}

    def may_write(self, inputs: Sequence[Any]) -> bool:
        """Return True if a call can write into arrays that it has made itself, and not into those that somebody has set."""
        own = self._made
        return self.writes and all(inputs[i] is own.get(i) and _is_alone(i, inputs) for _, i in self._writable)

    @property
    def writes(self) -> bool:
        """Return True if there are inputs that it writes into where it may."""
        return bool(self._writable)

    def has_made(self, arrays: Mapping[int, Any]) -> None:
        """Note that these arrays, which become inputs, are its own, into which it may write."""
        self._made.update((i, arrays[i]) for _, i in self._writable if i in arrays)

    def computed(self, tensors: Sequence[Any], numbers: Mapping[int, int], write: bool) -> list[Any]:
        """Return the outputs, of inputs as tensors and, once more, those that are whole numbers."""
        parts, first = self._parts, len(tensors)
        if parts is None:
            return list(self._program(*tensors) or ())
        given = [*tensors]
        for i, number in numbers.items():
            given[i] = number
        made = parts.prologue(*given)
        tensors = [*tensors, *(x if isinstance(x, torch.Tensor) else self._tensor(i, x) for i, x in enumerate(made))]
        sizes = [numbers[i] if i < first else int(made[i - first]) for i in self._sizes]
        entered = [tensors[i] for i in self.given]
        results = self._program(*entered, *sizes, write=True) if write else self._program(*entered, *sizes)
        return [tensors[first + i].clone() if before else results[i] for before, i in self._outputs]

    def _tensor(self, i: int, number: int) -> torch.Tensor:
        tensor = self._tensors.get((i, number))
        if tensor is None:
            if len(self._tensors) > 64:
                self._tensors.clear()
            tensor = self._tensors[i, number] = torch.tensor(number, dtype=self._dtypes[i])
        return tensor

    def eagerly(self, *inputs: Any) -> Any:
        """Compute the whole graph without a compiler, op by op."""
        return pytorch_funcify(self._fgraph)(*_tensors(pytorch_typify, inputs))

    def _made_of(self, fgraph: FunctionGraph, *more: Any) -> Callable[..., Sequence[Any]]:
        return OpByOp(fgraph, None if convolves(fgraph) else self._compiled_at_first_call(fgraph), *more)

    def _compiled_at_first_call(self, fgraph: FunctionGraph) -> Callable[..., Sequence[Any]]:
        made: list[Callable[..., Sequence[Any]]] = []

        def compiled(*inputs: Any) -> Sequence[Any]:
            if not made:
                made.append(self._compiled(fgraph))
            return made[0](*inputs)

        return compiled

    def _compiled(self, fgraph: FunctionGraph) -> Callable[..., Sequence[Any]]:
        """Compile a graph: a function of tensors."""
        import torch._dynamo  # takes a second; has its handlers of the log then

        serial, unique = next(_serial), unique_name_generator()

        def name_of(x: Any, force_unique: bool = False) -> str:
            return f"{unique(x, force_unique)}_of_{serial}"

        def convert(*arguments: Any, **keywords: Any) -> Callable[..., Any]:
            function: Callable[..., Any] = pytorch_funcify(*arguments, **keywords)
            # torch.compile looks up the functions of inner graphs in the module where PyTensor makes functions
            name = name_of(function)
            setattr(pytensor.link.utils, name, function)
            self._names.append(name)
            return function

        with without_log("torch._dynamo"):
            function = pytorch_funcify(fgraph, unique_name=name_of, conversion_func=convert)
        torch._dynamo.config.capture_dynamic_output_shape_ops = True
        settings: dict[str, Any] = {"size_asserts": False}
        if _compiler_knows_vectors():
            settings["cpp.vec_isa_ok"] = True  # PyTorch would try each in a program that takes seconds to compile
        looks_up = _looks_up(fgraph)

        def compiled(graph: torch.fx.GraphModule, inputs: Sequence[Any], **_: Any) -> Callable[..., Any]:
            from torch._inductor.compile_fx import compile_fx  # takes a second

            threads = threads_for(graph)
            # an index outside is found where C++ cannot raise, if several threads look up
            of_loops = 1 if looks_up else threads if threads < torch.get_num_threads() else None
            chosen = settings | ({} if of_loops is None else {"cpp.threads": of_loops})
            return on_threads(threads, compile_fx(graph, inputs, config_patches=chosen))

        options: dict[str, Any] = {"guard_filter_fn": _what_can_change}
        program = torch.compile(function, backend=compiled, options=options)  # imports much
        compile_headers_ahead(**settings)
        return cast(Callable[..., Sequence[Any]], program)


def _is_alone(i: int, inputs: Sequence[Any]) -> bool:
    """Return True if no other input has memory of the array that input `i` is."""
    array = inputs[i]
    return all(k == i or not (isinstance(x, np.ndarray) and np.may_share_memory(x, array)) for k, x in enumerate(inputs))


def _sliced(v: Variable) -> Variable:
    """Return what is sliced, perhaps several times, where a variable is a slice; else the variable."""
    while v.owner is not None and isinstance(v.owner.op, Subtensor):
        v = v.owner.inputs[0]
    return v


def array_of(x: Any) -> Any:
    return x.cpu().numpy() if isinstance(x, torch.Tensor) else x


def _tensor_of(x: Any) -> Any:
    return torch.from_numpy(x) if type(x) is np.ndarray else pytorch_typify(x)


def _tensors(convert: Callable[[Any], Any], inputs: Sequence[Any]) -> list[Any]:
    try:
        return list(map(convert, inputs))
    except ValueError:  # PyTorch reads no array backwards
        return [convert(np.ascontiguousarray(x) if isinstance(x, np.ndarray) and x.ndim else x) for x in inputs]


def _looks_up(fgraph: Any) -> bool:
    """Return True if entries are read or written at places that an array says."""
    for node in fgraph.apply_nodes:
        if isinstance(node.op, LOOKING_UP) or (isinstance(node.op, HasInnerGraph) and _looks_up(node.op.fgraph)):
            return True
    return False


def _what_can_change(guards: Sequence[Any]) -> list[bool]:
    """Return which guards are to be looked at in each call.

    Not those on the functions of ops and on constants, nor that on the state of PyTorch, which has the number of threads.
    """
    return [not guard.is_global and guard.guard_type != "GLOBAL_STATE" for guard in guards]


@functools.cache
def _compiler_knows_vectors() -> bool:
    """Return True if the C++ compiler takes the flags of all vectors of x86 that PyTorch may compile for."""
    from torch._inductor.cpp_builder import get_cpp_compiler

    flags = ("-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512vnni", "-mamx-tile", "-mamx-bf16", "-mamx-int8")
    try:
        words = [get_cpp_compiler(), *flags, "-fsyntax-only", "-x", "c++", os.devnull]
        return subprocess.run(words, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, RuntimeError, subprocess.TimeoutExpired):  # PyTorch finds no compiler, or it does not answer
        return False


def _forget(names: Sequence[str]) -> None:
    for name in names:
        vars(pytensor.link.utils).pop(name, None)

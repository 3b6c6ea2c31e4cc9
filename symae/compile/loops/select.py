"""Many steps of a training in one call, so that Python has nothing to do between them.

A step is a function of the number of a minibatch that returns figures, the first of them the cost. Where `symae.function` has
compiled it for one whole number, on a backend that has a loop, and it returns nothing but scalars, `loop_over` runs any number
of steps in one piece of compiled code. On Numba the results are exactly those of calls from Python, random numbers and order of
updates included, because the same machine code is called (`symae.compile.loops.numba`). On JAX XLA compiles the loop as one
program, and results agree to rounding (`symae.compile.loops.jax`). On MLX the host prepares a step, and draws its random
numbers, while MLX computes the one before, and on PyTorch values stay tensors from step to step; the results are those of calls
from Python (`symae.compile.loops.mlx`, `symae.compile.loops.pytorch`). Everything else is called from Python, step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.compile.executor import Function
from pytensor.tensor.type import TensorType

from symae.compile.backends import linked_by
from symae.compile.known_graphs import written_graph
from symae.compile.locked_function import LockedFunction
from symae.compile.loops.base import IndexedStep, Loop, PythonLoop, given_inputs, say_no_loop
from symae.errors import InputError

LOOPS = ("compiled", "python")


def loop_over(step: Callable[[int], Any], loop: str = "compiled") -> Loop:
    """Return the fastest loop over `step` that there is, or one that calls it from Python if `loop` is ``"python"``.

    A function keeps its loop: whoever trains an epoch at a time would make it for each. A compiled loop that cannot be built,
    as it may be beside a version of a backend that is not among those tested, is said in the log once, and calls are made from
    Python.
    """
    check_loop(loop)
    if not isinstance(step, Function):
        return step if loop == "compiled" and isinstance(step, Loop) else PythonLoop(step)
    if step.profile or step.return_none:
        return PythonLoop(step)  # a call from Python has more to do than its work
    if not isinstance(step, LockedFunction):
        return _loop_over(step, loop)
    if loop not in step.loops:
        step.loops[loop] = _loop_over(step, loop)
    kept: Loop = step.loops[loop]
    return kept


def _loop_over(step: Function, loop: str) -> Loop:
    if not _is_indexed(step):
        return PythonLoop(step)
    indexed = IndexedStep(step)
    backend = linked_by(step.maker.linker)
    if loop == "python" or backend is None or backend.loop is None:
        return indexed
    try:
        return backend.loop(indexed) or indexed
    except Exception as error:
        say_no_loop(backend.title, error)
        return indexed


def check_loop(loop: str) -> None:
    """Refuse what is not a kind of loop."""
    if loop not in LOOPS:
        raise InputError("loop", repr(loop), f"one of {', '.join(LOOPS)}")


def _is_indexed(function: Function) -> bool:
    fgraph, given = written_graph(function), given_inputs(function)
    if len(given) != 1:
        return False
    entry = function.maker.expanded_inputs[given[0]]
    if entry.value is not None or entry.update is not None or not _is_scalar(entry.variable, "iu"):
        return False
    n_returned = len(fgraph.outputs) - len(fgraph.update_mapping or {})
    returned = fgraph.outputs[:n_returned]
    return bool(returned) and all(_is_scalar(v, "biuf") and v.type.dtype != "float16" for v in returned)


def _is_scalar(variable: Any, kinds: str) -> bool:
    type_ = variable.type
    # what symae.theano calls a TensorType is equal to PyTensor's, and may be in its place, but is no DenseTensorType
    return isinstance(type_, TensorType) and type_.ndim == 0 and np.dtype(type_.dtype).kind in kinds

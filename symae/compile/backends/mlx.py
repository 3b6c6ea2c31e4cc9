"""MLX: float32, errors that are raised, draws by the host, shared variables that stay on the device, steps begun ahead.

MLX has no float64 on GPUs, and on CPUs its elementary functions have the precision of float32 in it (``exp(1)`` is 2.71828175);
PyTensor's conversions make float32 of it. So a graph that computes in float64 is refused rather than answered in another type.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pytensor.compile.mode import MLX, Mode
from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import HasInnerGraph
from pytensor.link.mlx.linker import MLXLinker
from pytensor.scalar.basic import Add, Mul, Second, Sub
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.math import Dot

from symae.compile.backends.base import Backend, build_with
from symae.compile.device_arrays import DeviceLinker, Sent
from symae.compile.known_graphs import written_graph
from symae.compile.mlx_draws import is_draw, without_draws
from symae.errors import BackendError
from symae.ops.base import connect
from symae.ops.random.draws import Draw
from symae.ops.runtime_errors import Checked, error_unless, with_checks
from symae.ops.traced import NumPyLikeArrays
from symae.rewrites.registry import FUNCTIONS_OF_NUMBERS, STATIC_SHAPES

if TYPE_CHECKING:
    from symae.compile.loops.base import IndexedStep, Loop

UNKNOWN = {"float64": "float32", "complex128": "complex64"}


class MLXArrays(NumPyLikeArrays):
    """Provide the functions of `symae.ops.traced.Arrays`, of MLX."""

    def __init__(self) -> None:
        import mlx.core

        self.np = mlx.core

    def constant(self, value: list[Any], like: Any = None) -> Any:
        return self.np.array(value, dtype=self.np.int64 if like is None else like.dtype)

    def check(self, condition: Any, error: Callable[..., Exception], *values: Any) -> Any:
        return error_unless(condition, error, *values) or condition


class _RaisingMLXLinker(MLXLinker):
    """Refuses float64 when it links, and raises what kernels have found to be wrong when the function runs."""

    def fgraph_convert(self, fgraph: Any, *, storage_map: dict[Any, Any], **keywords: Any) -> Any:
        computed = [v for node in fgraph.toposort() for v in node.outputs]
        for variable in (*fgraph.inputs, *computed, *fgraph.outputs):
            dtype = getattr(variable.type, "dtype", None)
            if dtype in UNKNOWN:
                what = f"{dtype} in {variable}"
                raise BackendError("backend 'mlx'", what, f"{UNKNOWN[dtype]} everywhere: pytensor.config.floatX = 'float32'")
        # A draw is made by the host, and MLX cannot call the host from a function that it has compiled.
        self.split = without_draws(fgraph)
        if self.split is not None:
            return _converted(self.split.program)
        self.use_compile = not any(map(is_draw, fgraph.apply_nodes))
        return super().fgraph_convert(fgraph, storage_map=storage_map, **keywords)

    def jit_compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        import mlx.core as mx

        if not self.fgraph.outputs:
            return super().jit_compile(fn)

        def compiled(traced: Callable[..., Any]) -> Callable[..., Any]:
            call = super(_RaisingMLXLinker, self).jit_compile(traced)

            def begun(*inputs: Any) -> list[Any]:
                nonlocal call
                try:
                    return list(call(*inputs))
                except ValueError as error:
                    if not str(error).startswith("[eval]"):
                        raise
                    # A size is a value, or an inner graph draws: what MLX traces has none, what it computes op by op does.
                    call = MLXLinker(use_compile=False).jit_compile(traced)
                    return list(call(*inputs))

            return begun

        program = with_checks(fn, compiled, mx.stack, len(self.fgraph.outputs))
        if self.split is None:
            return MLXProgram(program)
        draws = self.split.draws
        draw = with_checks(_converted(draws), MLXLinker(use_compile=False).jit_compile, mx.stack, len(draws.outputs))
        return MLXProgram(program, draw)


class MLXProgram:
    """Call what MLX has compiled, with what the host draws for it; `start` does not wait for MLX."""

    def __init__(self, program: Checked, draw: Checked | None = None):
        self.program, self.draw = program, draw

    def __call__(self, *inputs: Any) -> Sequence[Any]:
        import mlx.core as mx

        given = self._with_draws(inputs)
        results = self.program.start(given)
        mx.eval(results)
        return self.program.finish(given, results)

    def start(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return the program's results: arrays that MLX begins to compute. Only where it cannot fail: `fails_in_mlx`."""
        import mlx.core as mx

        results = self.program.start(self._with_draws(inputs))
        mx.async_eval(results)
        return results

    def _with_draws(self, inputs: Sequence[Any]) -> Sequence[Any]:
        return inputs if self.draw is None else (*inputs, *self.draw(*inputs))


def _converted(fgraph: FunctionGraph) -> Callable[..., Any]:
    from pytensor.link.mlx.dispatch import mlx_funcify

    function: Callable[..., Any] = mlx_funcify(fgraph)
    return function


class MLXDeviceLinker(DeviceLinker, _RaisingMLXLinker):
    """Link as PyTensor's MLXLinker, with what the module's docstring says."""

    def fgraph_convert(self, fgraph: Any, **keywords: Any) -> Any:
        self.computed = computed_outputs(fgraph)
        return super().fgraph_convert(fgraph, **keywords)

    def to_device(self, value: np.ndarray) -> Sent:
        import mlx.core as mx

        array = mx.array(value)
        return np.asarray(array), array, True  # a view of MLX's own memory, writable

    def adopt_update(self, output: Any, dtype: str, position: int, taken: set[int]) -> Sent:
        if position in self.computed:
            value = np.asarray(output)
            address = value.__array_interface__["data"][0]
            # two outputs are one array where MLX finds that they are computed alike
            if value.flags.c_contiguous and value.dtype == dtype and address not in taken:
                taken.add(address)
                return value, output, True
        return self.to_device(self.to_host(output, dtype))

    def to_host(self, output: Any, dtype: str) -> np.ndarray:
        # MLX has its own mind about some integers: argmax is uint32.
        return np.array(output).astype(dtype, casting="same_kind", copy=False)


def computed_outputs(fgraph: FunctionGraph) -> frozenset[int]:
    """Return which outputs are sums, differences or products that MLX computes at each call, in memory of their own.

    Others may be inputs or parts of them, or constants, which MLX keeps from call to call; what is computed from constants and
    shapes alone is one.
    """
    depend = set(fgraph.inputs)  # on what inputs contain
    for node in fgraph.toposort():
        fills = isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Second)  # which reads a shape, and a value
        read = node.inputs[1:] if fills else node.inputs
        if isinstance(node.op, Elemwise | Dot | CAReduce | DimShuffle | Draw) and not depend.isdisjoint(read):
            depend.update(node.outputs)
    return frozenset(i for i, v in enumerate(fgraph.outputs) if v in depend and _is_arithmetic(v.owner))


def _is_arithmetic(node: Apply | None) -> bool:
    return (
        node is not None
        and isinstance(node.op, Elemwise)
        and isinstance(node.op.scalar_op, Add | Sub | Mul)
        and len(node.inputs) > 1
    )


def fails_in_mlx(fgraph: FunctionGraph) -> bool:
    """Return True if MLX may find, in its own thread, that it cannot compute something: the inverse of a singular matrix, say.

    MLX keeps such an error with the thread, and raises it in whichever call is next, or in none: `mx.eval` of the whole tells
    it, but what is begun and not waited for gives zeros, or has another function raise it. LAPACK is all that fails so.
    """
    for node in fgraph.apply_nodes:
        op = getattr(node.op, "core_op", node.op)  # of many matrices at once
        if any(kind.__module__.startswith("pytensor.tensor.linalg.") for kind in type(op).__mro__):
            return True
        if isinstance(op, HasInnerGraph) and fails_in_mlx(op.fgraph):
            return True
    return False


def _loop(indexed: IndexedStep) -> Loop | None:
    from symae.compile.loops.mlx import MLXLoop

    return None if fails_in_mlx(written_graph(indexed.function)) else MLXLoop(indexed)


BACKEND = Backend(
    name="mlx",
    title="MLX",
    compiler="Apple's MLX, in float32 only",
    mode=Mode(MLXDeviceLinker(), MLX.provided_optimizer.excluding("fusion")),  # mx.compile fuses by itself
    needs=(FUNCTIONS_OF_NUMBERS, STATIC_SHAPES),
    module="mlx",
    extra="mlx",
    dtypes=frozenset(UNKNOWN.values()),
    dispatch="pytensor.link.mlx.dispatch",
    overrides=(functools.partial(connect, "mlx", build=build_with(MLXArrays)),),
    array_namespace=MLXArrays,
    loop=_loop,
    array_packages=("mlx",),
)

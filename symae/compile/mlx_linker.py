"""MLX as symae uses it: float32, errors that are raised, draws by the host, shared variables that stay.

MLX has no float64 on GPUs, and on CPUs its elementary functions have the precision of float32 in it (``exp(1)`` is 2.71828175);
PyTensor's conversions make float32 of it. So a graph that computes in float64 is refused rather than answered in another type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.link.mlx.linker import MLXLinker

from symae.compile.device_arrays import ResidentLinker, Sent
from symae.errors import BackendError
from symae.ops.random.draws import Draw
from symae.ops.runtime_errors import checked

__all__ = ["ResidentMLXLinker"]

UNKNOWN = {"float64": "float32", "complex128": "complex64"}


class _RefusingMLXLinker(MLXLinker):
    """Refuses float64 when it links, and raises what kernels refuse when it runs."""

    def fgraph_convert(self, fgraph: Any, *, storage_map: dict[Any, Any], **keywords: Any) -> Any:
        computed = [v for node in fgraph.toposort() for v in node.outputs]
        for variable in (*fgraph.inputs, *computed, *fgraph.outputs):
            dtype = getattr(variable.type, "dtype", None)
            if dtype in UNKNOWN:
                what = f"{dtype} in {variable}"
                raise BackendError("backend 'mlx'", what, f"{UNKNOWN[dtype]} everywhere: pytensor.config.floatX = 'float32'")
        # A draw is made by the host, and MLX cannot call the host from a function that it has compiled.
        self.use_compile = not any(isinstance(node.op, Draw) for node in fgraph.apply_nodes)
        return super().fgraph_convert(fgraph, storage_map=storage_map, **keywords)

    def jit_compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        import mlx.core as mx

        if not self.fgraph.outputs:
            return super().jit_compile(fn)

        def compiled(traced: Callable[..., Any]) -> Callable[..., Any]:
            call = super(_RefusingMLXLinker, self).jit_compile(traced)

            def evaluated(*inputs: Any) -> list[Any]:
                results = list(call(*inputs))
                mx.eval(results)
                return results

            return evaluated

        return checked(fn, compiled, mx.stack, len(self.fgraph.outputs))


class ResidentMLXLinker(ResidentLinker, _RefusingMLXLinker):
    """PyTensor's MLXLinker with what the module's docstring says."""

    def send(self, value: np.ndarray) -> Sent:
        import mlx.core as mx

        array = mx.array(value)
        return np.asarray(array), array, True  # a view of MLX's own memory, writable

    def settle(self, output: Any, dtype: str) -> Sent:
        return self.send(self.fetch(output, dtype))

    def fetch(self, output: Any, dtype: str) -> np.ndarray:
        # MLX has its own mind about some integers: argmax is uint32.
        return np.array(output).astype(dtype, casting="same_kind", copy=False)
